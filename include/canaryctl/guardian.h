/*
 * The guardian: a process of its own session that outlives its rollout by just as long as it
 * takes to put right what a kill -9 left. It waits on a pipe; a rollout that ends says so through
 * it, one that dies only closes it.
 */
#ifndef CANARYCTL_GUARDIAN_H
#define CANARYCTL_GUARDIAN_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"

#include <sys/types.h>

enum { GUARDIAN_FD = 3 }; /* where the guardian finds its end of the pipe */

/* What the rollout keeps of it. */
struct guardian {
	pid_t pid; /* -1: there is none */
	int fd;    /* our end of the pipe */
};
#define GUARDIAN_INIT                                                                              \
	{                                                                                          \
		.pid = -1, .fd = -1                                                                \
	}

/* Starts `canaryctl guardian` for this configuration. -1 and *err when that cannot be done. */
int guardian_start(const struct config *config, const char *folder, struct guardian *ret_guardian,
	struct error *err);

/* Is it there? One that has died is forgotten: a new one can be started. */
bool guardian_is_alive(struct guardian *guardian);

/* The rollout is over: nothing is left to guard. Closes the pipe; none is fine. */
void guardian_dismiss(struct guardian *guardian);

/* The guardian itself, until it is not needed any more. Returns an exit status. */
int guardian_run(const struct config *config);

#endif
