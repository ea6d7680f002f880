/*
 * What a rollout tells: events while it runs and the report at its end. The runner fills these
 * structs; the printers in src/report (text, live view, JSON Lines, JUnit, Markdown) read them and
 * nothing else.
 *
 * Times are wall time in milliseconds since 1970; 0: not yet. All strings are borrowed from the
 * runner and live until the call returns (events) or rollout_report_release() (report).
 */
#ifndef CANARYCTL_REPORT_H
#define CANARYCTL_REPORT_H

#include "canaryctl/buf.h"
#include "canaryctl/check.h"
#include "canaryctl/mem.h"
#include "canaryctl/traffic.h"
#include "canaryctl/weight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum rollout_outcome {
	OUTCOME_RUNNING,
	OUTCOME_SUCCEEDED,
	OUTCOME_ROLLED_BACK,
	OUTCOME_ABORTED,
	OUTCOME_HELD,
	OUTCOME_ROLLBACK_FAILED,
	OUTCOME_REHEARSED,
	OUTCOME_COUNT
};
const char *rollout_outcome_name(enum rollout_outcome outcome); /* "rolled_back" */

enum stage_state { STAGE_PENDING, STAGE_OBSERVING, STAGE_PASSED, STAGE_FAILED, STAGE_STATE_COUNT };
const char *stage_state_name(enum stage_state state);

enum { SPARKLINE_POINTS = 24 };

/* One check within one stage. */
struct check_report {
	const struct check_config *check;
	bool was_asked;
	struct verdict last; /* the last counted verdict, or the last one when none counted */
	int evaluations;     /* counted ones */
	int failures_in_row;
	double recent[SPARKLINE_POINTS]; /* the last values, oldest first; NaN: none */
	int recent_count;
};

struct stage_report {
	int index; /* from 1 */
	weight_t weight;
	int64_t observe_ms; /* without extensions */
	int64_t extended_ms;
	enum stage_state state;
	int64_t shifted_at;
	int64_t ended_at;
	struct check_report *checks;
	size_t check_count;
};

/* Why it ended as it did; stage 0 and an empty check when it was not a check of a stage. */
struct rollout_reason {
	int stage;
	weight_t weight;
	char check[128];
	enum check_result result;
	bool has_value;
	double value;
	char limit[96]; /* as written: "< 0.5%" */
	bool has_samples;
	double samples;
	char message[1024];
	char hint[512]; /* what to do next */
};

struct rollout_report {
	struct arena arena;     /* owns the arrays and strings */
	const char *deployment; /* "20261120T170313Z-v0.2.0" */
	const char *service;
	const char *version;
	enum rollout_outcome outcome;
	int64_t started_at;
	int64_t ended_at;
	bool has_reason; /* always when it did not succeed */
	struct rollout_reason reason;
	struct stage_report *stages;
	size_t stage_count;
	struct traffic_state traffic; /* at the end */
};
void rollout_report_release(struct rollout_report *report);

enum rollout_event_kind {
	EVENT_STARTED,        /* preparing begins; report->stages is filled with pending stages */
	EVENT_PREPARED,       /* everything needed is there and 0 % is proven */
	EVENT_STATE_CHANGED,  /* text: "observing -> rolling_back: error-rate failed" */
	EVENT_STAGE_STARTED,  /* stage: the shift to it begins */
	EVENT_SHIFTED,        /* stage: weight proven in force */
	EVENT_EVALUATED,      /* stage: its checks have new verdicts; `is_counted` */
	EVENT_STAGE_EXTENDED, /* stage: cannot be decided yet; text says what is missing */
	EVENT_STAGE_ENDED,    /* stage: passed or failed */
	EVENT_ROLLING_BACK,   /* text: why */
	EVENT_ROLLED_BACK,    /* traffic: as proven; text when only the brake holds it */
	EVENT_PLAN,           /* text: a line of the rehearsal, printed as it is */
	EVENT_NOTE,           /* text: a warning worth a line */
	EVENT_FINISHED,       /* the report is complete */
	EVENT_KIND_COUNT
};
const char *rollout_event_name(enum rollout_event_kind kind); /* "stage_started" */

struct rollout_event {
	enum rollout_event_kind kind;
	int64_t time;                        /* wall, ms */
	const struct rollout_report *report; /* as it stands now; stays valid until FINISHED */
	const struct stage_report *stage;    /* NULL when it is about none */
	const char *text;                    /* NULL: none */
	const char *state;                   /* phase name: "observing" */
	bool is_held;    /* STATE_CHANGED: the rollout ends here, the traffic stays where it is */
	bool is_counted; /* EVALUATED: after settle */
	int64_t stage_left_ms; /* EVALUATED: observation still to come */
};

/* A printer: gets every event in order. */
struct rollout_observer {
	void (*on_event)(struct rollout_observer *observer, const struct rollout_event *event);
	void (*tick)(
		struct rollout_observer *observer); /* about each second, may be NULL: redraw */
	void (*release)(struct rollout_observer *observer);
};

struct report_options {
	FILE *stream;
	bool color;
	bool live; /* redraw in place; only on a terminal */
};
/* Each allocates an observer; free with observer->release(). */
struct rollout_observer *report_text_new(const struct report_options *options);
struct rollout_observer *report_json_new(const struct report_options *options);

/* The final report as JSON (SPEC of `--output`), pretty-printed with a newline at the end. */
void report_to_json(const struct rollout_report *report, struct buf *ret_json);
/* JUnit XML: a stage is a testsuite, a check a testcase; no data is `error`, not reached `skipped`.
 */
void report_to_junit(const struct rollout_report *report, struct buf *ret_xml);
/* A Markdown summary, for GITHUB_STEP_SUMMARY and people. */
void report_to_markdown(const struct rollout_report *report, struct buf *ret_text);
/*
 * In GitHub Actions: appends the summary to $GITHUB_STEP_SUMMARY, outputs (outcome, deployment,
 * canary-weight, reason) to $GITHUB_OUTPUT, and prints an ::error:: line when it failed. Does
 * nothing elsewhere.
 */
void report_to_github(const struct rollout_report *report);

#define REPORT_VALUE_SIZE 32
/* "3.1%", "2.35s", "812": a value of this check for people. Returns text (REPORT_VALUE_SIZE bytes).
 */
char *report_format_value(const struct check_config *check, double value, char *text);

#endif
