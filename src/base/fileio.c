/* Files: see canaryctl/fileio.h. */
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

int fileio_read(const char *path, size_t maximum_bytes, struct buf *ret_bytes, struct error *err)
{
	char chunk[16384];
	size_t total = 0;
	ssize_t count;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot open '%s'", path);
	while ((count = read(fd, chunk, sizeof(chunk))) != 0) {
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			int saved = errno;

			close(fd);
			return error_set(err, ERROR_IO, saved, "cannot read '%s'", path);
		}
		total += (size_t)count;
		if (total > maximum_bytes) {
			close(fd);
			return error_set(err, ERROR_IO, 0, "'%s' is larger than %zu bytes", path,
				maximum_bytes);
		}
		buf_add(ret_bytes, chunk, (size_t)count);
	}
	close(fd);
	return 0;
}

static int write_all(int fd, const void *bytes, size_t length)
{
	const char *next = bytes;

	while (length) {
		ssize_t count = write(fd, next, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -1;
		next += count;
		length -= (size_t)count;
	}
	return 0;
}

static int sync_folder_of(const char *path)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int result;

	if (fd < 0)
		return -1;
	result = fsync(fd);
	/* Some file systems cannot sync a folder; then the rename is as durable as it gets. */
	if (result < 0 && errno == EINVAL)
		result = 0;
	close(fd);
	return result;
}

static char *temporary_name(const char *path)
{
	unsigned int salt = 0;

	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		salt = (unsigned int)getpid();
	return mem_format("%s.canaryctl-%08x", path, salt);
}

/* A device or a pipe would be gone, for everybody: --output /dev/null, run as root. */
static int check_replaceable(const char *path, struct error *err)
{
	struct stat info;

	if (stat(path, &info) < 0 || S_ISREG(info.st_mode))
		return 0;
	return error_set(err, ERROR_IO, 0, "'%s' is no ordinary file and is not replaced", path);
}

int fileio_replace(
	const char *path, const void *bytes, size_t length, mode_t mode, struct error *err)
{
	CLEANUP_FREE char *temporary = temporary_name(path);
	int fd, saved;

	if (check_replaceable(path, err) < 0)
		return -1;
	fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot create '%s'", temporary);
	if (write_all(fd, bytes, length) < 0 || fchmod(fd, mode) < 0 || fsync(fd) < 0) {
		saved = errno;
		close(fd);
		unlink(temporary);
		return error_set(err, ERROR_IO, saved, "cannot write '%s'", temporary);
	}
	close(fd);
	if (rename(temporary, path) < 0) {
		saved = errno;
		unlink(temporary);
		return error_set(err, ERROR_IO, saved, "cannot put '%s' in place", path);
	}
	if (sync_folder_of(path) < 0)
		return error_set(err, ERROR_IO, errno, "cannot sync the folder of '%s'", path);
	return 0;
}

int fileio_overwrite(const char *path, const void *bytes, size_t length, struct error *err)
{
	/* Not cut off before: on a full disk the blocks that it has are all there are. */
	int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);

	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot open '%s' for writing", path);
	if (write_all(fd, bytes, length) < 0 || ftruncate(fd, (off_t)length) < 0 || fsync(fd) < 0) {
		int saved = errno;

		close(fd);
		return error_set(err, ERROR_IO, saved, "cannot write '%s'", path);
	}
	close(fd);
	return 0;
}

int fileio_remove(const char *path, struct error *err)
{
	if (unlink(path) < 0) {
		if (errno == ENOENT)
			return 0;
		return error_set(err, ERROR_IO, errno, "cannot remove '%s'", path);
	}
	if (sync_folder_of(path) < 0)
		return error_set(err, ERROR_IO, errno, "cannot sync the folder of '%s'", path);
	return 0;
}

int fileio_make_folders(const char *path, mode_t mode, struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(path);

	for (char *slash = copy + 1; slash && *slash; slash++) {
		slash = strchr(slash, '/');
		if (!slash)
			break;
		*slash = '\0';
		if (mkdir(copy, 0755) < 0 && errno != EEXIST)
			return error_set(err, ERROR_IO, errno, "cannot create folder '%s'", copy);
		*slash = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return error_set(err, ERROR_IO, errno, "cannot create folder '%s'", copy);
	return 0;
}

char *fileio_resolve(const char *base, const char *path)
{
	if (path[0] == '/' || !*base || strcmp(base, ".") == 0)
		return mem_strdup(path);
	return mem_format("%s/%s", base, path);
}

bool fileio_program_exists(const char *program)
{
	const char *path = getenv("PATH");

	if (strchr(program, '/'))
		return access(program, X_OK) == 0;
	while (path && *path) {
		size_t length = strcspn(path, ":");
		CLEANUP_FREE char *candidate =
			mem_format("%.*s/%s", (int)length, length ? path : ".", program);

		if (access(candidate, X_OK) == 0)
			return true;
		path += length + (path[length] == ':');
	}
	return false;
}
