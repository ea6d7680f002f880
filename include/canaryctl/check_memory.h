/*
 * What a kind of check that gathers evidence keeps from one evaluation of a stage to the next. The
 * rollout owns it, begins it anew at each stage, and journals it with each evaluation.
 */
#ifndef CANARYCTL_CHECK_MEMORY_H
#define CANARYCTL_CHECK_MEMORY_H

#include "canaryctl/check.h"
#include "canaryctl/evidence.h"

#include <stdbool.h>

struct check_memory {
	struct evidence evidence;
	double counted_until; /* server time: samples up to here are in it, or never will be */
	double counted_s;     /* seconds of traffic that are in it */
	bool is_begun;        /* by an evaluation of this process */
};

/*
 * What a check of a kind that keeps evidence judges against. In a rollout the false alarms that it
 * allows are for all stages and all such checks together. False for other kinds.
 */
bool check_evidence_limits(const struct config *config, const struct check_config *check,
	bool is_in_rollout, struct evidence_limits *ret_limits);

#endif
