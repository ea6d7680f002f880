/*
 * A disk that fails, for LD_PRELOAD: writes, syncs and truncations of files below $DISK_FAULT_UNDER
 * end with $DISK_FAULT_ERRNO (a number) from the $DISK_FAULT_AT-th one of the process on, or, where
 * $DISK_FAULT_FLAG is set, while that file exists. $DISK_FAULT_ONCE=1: only that one fails.
 * $DISK_FAULT_COUNT: where the process writes at its end how many there were.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static long count;

static long number_of(const char *name, long otherwise)
{
	const char *text = getenv(name);

	return text ? strtol(text, NULL, 10) : otherwise;
}

static bool is_below(int fd)
{
	const char *folder = getenv("DISK_FAULT_UNDER");
	char link[64], path[4096];
	ssize_t length;

	if (!folder)
		return false;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length < 0)
		return false;
	path[length] = '\0';
	return strncmp(path, folder, strlen(folder)) == 0;
}

/* Does this one fail? errno is set then. */
static bool fails(int fd)
{
	const char *flag = getenv("DISK_FAULT_FLAG");
	long at = number_of("DISK_FAULT_AT", 0);
	int saved = errno;
	bool failing;

	if (!is_below(fd)) {
		errno = saved;
		return false;
	}
	count++;
	failing = flag ? access(flag, F_OK) == 0
		       : at > 0 && (number_of("DISK_FAULT_ONCE", 0) ? count == at : count >= at);
	errno = failing ? (int)number_of("DISK_FAULT_ERRNO", EIO) : saved;
	return failing;
}

__attribute__((destructor)) static void tell_count(void)
{
	const char *path = getenv("DISK_FAULT_COUNT");
	FILE *file = path && count ? fopen(path, "we") : NULL;

	if (!file)
		return;
	fprintf(file, "%ld\n", count);
	fclose(file);
}

typedef ssize_t write_fn(int fd, const void *data, size_t size);
typedef ssize_t pwrite_fn(int fd, const void *data, size_t size, off64_t at);
typedef int sync_fn(int fd);
typedef int truncate_fn(int fd, off64_t size);

/* POSIX' way from an object pointer to a function pointer. */
#define REAL(type, name)                                                                           \
	type *real;                                                                                \
	*(void **)&real = dlsym(RTLD_NEXT, name)

ssize_t write(int fd, const void *data, size_t size)
{
	REAL(write_fn, "write");
	return fails(fd) ? -1 : real(fd, data, size);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	REAL(pwrite_fn, "pwrite64");
	return fails(fd) ? -1 : real(fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	return pwrite64(fd, data, size, at);
}

int fsync(int fd)
{
	REAL(sync_fn, "fsync");
	return fails(fd) ? -1 : real(fd);
}

int fdatasync(int fd)
{
	REAL(sync_fn, "fdatasync");
	return fails(fd) ? -1 : real(fd);
}

int ftruncate64(int fd, off64_t size)
{
	REAL(truncate_fn, "ftruncate64");
	return fails(fd) ? -1 : real(fd, size);
}

int ftruncate(int fd, off_t size)
{
	return ftruncate64(fd, size);
}
