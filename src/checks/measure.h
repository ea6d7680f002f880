/* What the kinds share: how a run ends, and measurements from counts. Only for checks/. */
#ifndef CHECKS_MEASURE_H
#define CHECKS_MEASURE_H

#include "canaryctl/check.h"
#include "canaryctl/count_query.h"
#include "canaryctl/prom.h"

/* The last step of every kind: `return measure_end(run);` */
enum task_next measure_end(struct check_run *run);

/* Nothing could be measured. measure_error() returns measure_end(). */
void measure_no_data(struct measurement *m, enum no_data_reason reason, const char *why);
enum task_next measure_error(struct check_run *run, const struct error *error);

/*
 * A text of the check has no value: NO_DATA when it waits for another check's, else an error.
 * Returns measure_end().
 */
enum task_next measure_unasked(struct check_run *run, const struct error *error);

/*
 * Samples, span, warning, and for other outcomes than COUNT_DONE the reason. True when there are
 * requests to judge.
 */
bool measure_count(struct measurement *m, const struct count_query *count);

/* counter{matchers}, where `counter` may have matchers of its own. */
int measure_write_arm(
	const char *counter, const char *matchers, struct buf *text, struct error *err);

/* Can this arm be counted, if only as 0? Otherwise the measurement says why not. */
bool measure_arm(struct measurement *m, const struct count_query *arm, const char *name);

/* Adds to the message what a person should know about a count that was judged: restarts. */
void measure_note_restarts(struct measurement *m, const struct count_query *count);

#endif
