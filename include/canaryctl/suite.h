/*
 * A suite: a named list of checks, run once, at the same time (one after another where a check
 * captures values for later ones), within the suite's timeout. The checks are asked and judged by
 * the same evaluation as in a rollout; here each verdict only becomes GO, WARNING or NO_GO.
 *
 * Calling order: fill run->request, suite_start() or suite_once(), read run->report,
 * suite_release().
 */
#ifndef CANARYCTL_SUITE_H
#define CANARYCTL_SUITE_H

#include "canaryctl/check.h"
#include "canaryctl/config.h"
#include "canaryctl/loop.h"

enum suite_status { SUITE_GO, SUITE_WARNING, SUITE_NO_GO, SUITE_STATUS_COUNT };
const char *suite_status_name(enum suite_status status); /* "GO", "WARNING", "NO_GO" */

struct suite_check {
	struct verdict verdict;
	enum suite_status status;
	bool was_reached; /* false: the time was over before it was asked */
};

struct suite_report {
	const char *suite; /* its name, the configuration's */
	enum suite_status verdict;
	int64_t started_at; /* wall, ms */
	int64_t duration_ms;
	int counts[SUITE_STATUS_COUNT];
	struct suite_check *checks; /* owned by the run */
	size_t count;
};

struct suite_request {
	const struct config *config;
	const struct suite_config *suite;
	const char *only;    /* this check alone; NULL: all */
	const char *target;  /* ${target}: "production" or "canary" */
	const char *version; /* ${version}; NULL: unknown */
	bool is_strict;      /* WARNING counts as NO_GO */
	int64_t spent_ms;    /* before, on what the checks look at; part of the duration */
};

struct suite_asking; /* private to suite.c */

struct suite_run {
	struct task task;
	struct suite_request request;
	struct suite_report report; /* complete when the task is done */
	int signal_number;          /* SIGINT or SIGTERM stopped it; 0: none. suite_once() only */
	struct suite_asking *asking;
};

/* `run` is zeroed by the caller but for the request. */
void suite_start(struct suite_run *run, struct task *parent);
/* The same on a loop of its own; returns when it is done. */
void suite_once(struct suite_run *run);
void suite_release(struct suite_run *run);

/* NULL when there is none of that name. */
const struct suite_config *suite_find(const struct config *config, const char *name);
const struct check_config *suite_find_check(const struct suite_config *suite, const char *name);

/* Pure. What a check's verdict is in a suite. */
enum suite_status suite_status_of(const struct verdict *verdict, bool is_strict);
/* Pure. Fills counts and the verdict, the worst of all; of nothing it is NO_GO. */
void suite_judge(struct suite_report *report, bool is_strict);

#endif
