/* The master's error log: see nginx_log.h. */
#include "traffic/nginx_log.h"

#include "canaryctl/buf.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void nginx_log_note(struct nginx_log *log, int master)
{
	char path[64];
	struct stat status;

	nginx_log_release(log);
	if (master <= 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fd/2", master);
	log->fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (log->fd < 0)
		return;
	if (fstat(log->fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		nginx_log_release(log);
		return;
	}
	log->offset = status.st_size;
	log->master = master;
}

/* "2026/11/20 18:40:00 [emerg] 1234#1234: bind() ...": what follows when the master complains. */
static const char *complaint_of(const char *line, int master)
{
	char emerg[32], alert[32];
	const char *found;

	snprintf(emerg, sizeof(emerg), " [emerg] %d#", master);
	snprintf(alert, sizeof(alert), " [alert] %d#", master);
	found = strstr(line, emerg);
	if (!found)
		found = strstr(line, alert);
	if (!found)
		return NULL;
	found = strstr(found, ": ");
	return found ? found + 2 : NULL;
}

bool nginx_log_find_complaint(struct nginx_log *log, char *ret_line, size_t size)
{
	char chunk[16384];
	ssize_t length;
	char *line = chunk, *end;

	if (log->fd < 0)
		return false;
	length = pread(log->fd, chunk, sizeof(chunk) - 1, log->offset);
	if (length <= 0)
		return false;
	chunk[length] = '\0';
	while ((end = memchr(line, '\n', (size_t)(chunk + length - line)))) {
		const char *complaint;

		*end = '\0';
		complaint = complaint_of(line, log->master);
		if (complaint) {
			CLEANUP_BUF struct buf printable = BUF_INIT(1024);

			buf_add_printable(&printable, complaint);
			snprintf(ret_line, size, "%s", buf_text(&printable));
			return true;
		}
		log->offset += end + 1 - line;
		line = end + 1;
	}
	/* A line that fills the chunk is nothing that NGINX writes. */
	if (line == chunk && (size_t)length == sizeof(chunk) - 1)
		log->offset += length;
	return false;
}

void nginx_log_release(struct nginx_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
