/*
 * The brake: a file that NGINX's configuration looks for with each request, and then sends
 * everything to production. It works without a reload.
 */
#ifndef CANARYCTL_TRAFFIC_BRAKE_H
#define CANARYCTL_TRAFFIC_BRAKE_H

#include "traffic/edge.h"

#include "canaryctl/loop.h"

/* Zeroed by the caller. Start, TASK_WAIT, ended. */
struct brake {
	struct proc_op proc;
	bool by_program;
	struct error error;
};

/* Without a brake in the configuration nothing happens, and that is no error. */
void brake_set_start(struct brake *brake, struct edge *edge, struct task *task);
void brake_remove_start(struct brake *brake, struct edge *edge, struct task *task);
int brake_ended(struct brake *brake, struct error *err);

/* Is the file to be seen from here? */
bool brake_is_set(const struct edge *edge);

#endif
