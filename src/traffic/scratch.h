/*
 * A rendered file tested by NGINX alone, in a configuration and folder of its own: a mistake in
 * the template is found without touching what is in force.
 */
#ifndef CANARYCTL_TRAFFIC_SCRATCH_H
#define CANARYCTL_TRAFFIC_SCRATCH_H

#include "traffic/edge.h"

#include "canaryctl/loop.h"

/* Zeroed by the caller but for the inputs; kept alive until the task is done. */
struct scratch {
	struct task task;
	/* Inputs. */
	struct edge *edge;
	const struct buf *text;
	/* Results. */
	struct error error; /* kind ERROR_NONE: NGINX accepts it */
	struct buf notes;   /* what could not be tested alone */
	/* Private. */
	struct proc_op proc;
	char *folder; /* ours */
	char *inside; /* the same as NGINX sees it */
};

void scratch_start(struct scratch *scratch, struct task *parent);
void scratch_release(struct scratch *scratch);

#endif
