/*
 * One pass as a task: ask everything at one server time, decide, apply. What the files of
 * src/autoscale share.
 */
#ifndef CANARYCTL_AUTOSCALE_SCALE_PASS_H
#define CANARYCTL_AUTOSCALE_SCALE_PASS_H

#include "canaryctl/autoscale.h"
#include "canaryctl/buf.h"
#include "canaryctl/check.h"
#include "canaryctl/loop.h"
#include "canaryctl/prom.h"

/* What is asked for one service. */
struct scale_asking {
	struct prom_query replicas;
	struct prom_query metric;
	struct prom_range range;
	const char **blocked_by; /* owned; for the report */
};

struct scale_pass_state {
	struct task task;
	struct autoscaler *autoscaler;
	struct scale_pass result;
	bool was_measured;
	/* Measuring. */
	struct task measuring;
	struct check_context context;
	struct prom_query clock;
	struct scale_asking *askings; /* result.count */
	struct evaluation blocks;
	const struct check_config **checks; /* that block somebody, each once */
	size_t check_count;
	/* Applying. */
	size_t next; /* report */
	struct task applying;
	struct proc_op command;
};

void scale_pass_start(
	struct scale_pass_state *pass, struct autoscaler *autoscaler, struct task *parent);
void scale_pass_release(struct scale_pass_state *pass);

/* scale_measure.c: fills the reports but for what came of applying them. */
void scale_measure_start(struct scale_pass_state *pass);
void scale_measure_release(struct scale_pass_state *pass);

/* scale_apply.c: runs the command of the report `next`, and goes on even when it is canceled. */
void scale_apply_start(struct scale_pass_state *pass);
/* Pure: one argument with ${service} and ${replicas} replaced. malloc'ed. */
char *scale_expand(const char *argument, const char *service, int64_t replicas);

#endif
