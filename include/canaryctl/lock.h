/*
 * One rollout per service: a lock on an open file description, which the kernel gives back when
 * its process dies. Who holds it is written inside, for messages only.
 */
#ifndef CANARYCTL_LOCK_H
#define CANARYCTL_LOCK_H

#include "canaryctl/error.h"

#include <stdbool.h>
#include <sys/types.h>

struct lock {
	int fd; /* -1: not held */
};
#define LOCK_INIT                                                                                  \
	{                                                                                          \
		-1                                                                                 \
	}

struct lock_holder {
	pid_t pid;
	char deployment[160];
};

/* ERROR_LOCKED with the holder's pid when somebody has it. `what` is written inside. */
int lock_take(const char *folder, const char *what, struct lock *ret_lock, struct error *err);
void lock_release(struct lock *lock);

/* Does somebody else hold it? Never takes it, not even for a moment. */
bool lock_is_held(const char *folder, struct lock_holder *ret_holder);

#endif
