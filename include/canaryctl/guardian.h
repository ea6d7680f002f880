/*
 * The guardian: a process of its own session that outlives its rollout by just as long as it
 * takes to put right what a kill -9 left. It waits on a pipe; a rollout that ends says so through
 * it, one that dies only closes it.
 */
#ifndef CANARYCTL_GUARDIAN_H
#define CANARYCTL_GUARDIAN_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"

enum { GUARDIAN_FD = 3 }; /* where the guardian finds its end of the pipe */

/*
 * Starts `canaryctl guardian` for this configuration. Returns the end of the pipe that the
 * rollout keeps, or -1 and *err.
 */
int guardian_start(const struct config *config, const char *folder, struct error *err);

/* The rollout is over: nothing is left to guard. Closes the pipe; -1 is fine. */
void guardian_dismiss(int fd);

/* The guardian itself, until it is not needed any more. Returns an exit status. */
int guardian_run(const struct config *config);

#endif
