/* The service's lock: see canaryctl/lock.h. */
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct flock whole_file(void)
{
	return (struct flock){ .l_type = F_WRLCK, .l_whence = SEEK_SET };
}

static bool read_holder(int fd, struct lock_holder *ret_holder)
{
	char text[256];
	ssize_t count = pread(fd, text, sizeof(text) - 1, 0);
	long pid;

	*ret_holder = (struct lock_holder){ 0 };
	if (count <= 0)
		return false;
	text[count] = '\0';
	if (sscanf(text, "%ld %159s", &pid, ret_holder->deployment) < 1)
		return false;
	ret_holder->pid = (pid_t)pid;
	return true;
}

int lock_take(const char *folder, const char *what, struct lock *ret_lock, struct error *err)
{
	CLEANUP_FREE char *path = mem_format("%s/lock", folder);
	CLEANUP_FREE char *text = mem_format("%ld %s\n", (long)getpid(), what);
	struct flock range = whole_file();
	struct lock_holder holder;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot open the lock '%s'", path);
	if (fcntl(fd, F_OFD_SETLK, &range) < 0) {
		int saved = errno;

		read_holder(fd, &holder);
		close(fd);
		if (saved != EAGAIN && saved != EACCES)
			return error_set(err, ERROR_IO, saved, "cannot lock '%s'", path);
		error_set(err, ERROR_LOCKED, 0, "'%s' is running (process %ld) and holds the lock",
			holder.deployment[0] ? holder.deployment : "another rollout",
			(long)holder.pid);
		return error_hint(err, "see it with 'canaryctl status'; end it with "
				       "'canaryctl rollback'");
	}
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, strlen(text), 0) != (ssize_t)strlen(text)) {
		/* The lock holds all the same; only the message for others is poorer. */
		errno = 0;
	}
	ret_lock->fd = fd;
	return 0;
}

void lock_release(struct lock *lock)
{
	if (lock->fd >= 0)
		close(lock->fd);
	lock->fd = -1;
}

bool lock_is_held(const char *folder, struct lock_holder *ret_holder)
{
	CLEANUP_FREE char *path = mem_format("%s/lock", folder);
	struct flock range = whole_file();
	int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	bool held;

	*ret_holder = (struct lock_holder){ 0 };
	if (fd < 0)
		return false;
	held = fcntl(fd, F_OFD_GETLK, &range) == 0 && range.l_type != F_UNLCK;
	if (held)
		read_holder(fd, ret_holder);
	close(fd);
	return held;
}
