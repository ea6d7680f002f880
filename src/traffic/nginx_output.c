/* What `nginx -t` prints: see nginx_output.h. */
#include "traffic/nginx_output.h"

#include "canaryctl/buf.h"
#include "canaryctl/mem.h"

#include <stdio.h>
#include <string.h>

/* NGINX writes "nginx: [emerg] message", or with time stamp and pid before the mark's message. */
static const char *message_of(const char *line, const char *mark)
{
	const char *message = strstr(line, mark);
	size_t digits;

	if (!message)
		return NULL;
	message += strlen(mark);
	message += strspn(message, " ");
	digits = strspn(message, "0123456789#");
	if (digits && message[digits] == ':')
		message += digits + 1;
	return message + strspn(message, " ");
}

static void add_without_folder(struct buf *out, const char *message, const char *folder)
{
	size_t length = folder ? strlen(folder) : 0;
	const char *found;

	while (length && (found = strstr(message, folder))) {
		CLEANUP_FREE char *before = mem_strndup(message, (size_t)(found - message));

		buf_add_printable(out, before);
		message = found + length;
		message += *message == '/';
		if (*message == ':') { /* the path itself was named */
			buf_add_text(out, "line ");
			message++;
		}
	}
	buf_add_printable(out, message);
}

bool nginx_output_find(const char *output, const char *mark, const char *about, const char *folder,
	char *ret_line, size_t size)
{
	while (*output) {
		size_t length = strcspn(output, "\n");
		CLEANUP_FREE char *line = mem_strndup(output, length);
		const char *message = message_of(line, mark);

		if (message && strstr(message, about)) {
			CLEANUP_BUF struct buf shown = BUF_INIT(1024);

			add_without_folder(&shown, message, folder);
			snprintf(ret_line, size, "%s", buf_text(&shown));
			return true;
		}
		output += length + (output[length] == '\n');
	}
	return false;
}
