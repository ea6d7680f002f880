/*
 * What the printers of src/report share: names of results for people, safe text for terminals and
 * for each format, and the sentences that every format says in the same words.
 */
#ifndef CANARYCTL_REPORT_PRIVATE_H
#define CANARYCTL_REPORT_PRIVATE_H

#include "canaryctl/report.h"
#include "canaryctl/utf8.h"

/* X(identifier, name) */
#define ROLLOUT_OUTCOMES(X)                                                                        \
	X(OUTCOME_RUNNING, "running")                                                              \
	X(OUTCOME_SUCCEEDED, "succeeded")                                                          \
	X(OUTCOME_ROLLED_BACK, "rolled_back")                                                      \
	X(OUTCOME_ABORTED, "aborted")                                                              \
	X(OUTCOME_HELD, "held")                                                                    \
	X(OUTCOME_ROLLBACK_FAILED, "rollback_failed")                                              \
	X(OUTCOME_REHEARSED, "rehearsed")

#define STAGE_STATES(X)                                                                            \
	X(STAGE_PENDING, "pending")                                                                \
	X(STAGE_OBSERVING, "observing")                                                            \
	X(STAGE_PASSED, "passed")                                                                  \
	X(STAGE_FAILED, "failed")

#define ROLLOUT_EVENT_KINDS(X)                                                                     \
	X(EVENT_STARTED, "started")                                                                \
	X(EVENT_PREPARED, "prepared")                                                              \
	X(EVENT_STATE_CHANGED, "state_changed")                                                    \
	X(EVENT_STAGE_STARTED, "stage_started")                                                    \
	X(EVENT_SHIFTED, "shifted")                                                                \
	X(EVENT_EVALUATED, "evaluated")                                                            \
	X(EVENT_STAGE_EXTENDED, "stage_extended")                                                  \
	X(EVENT_STAGE_ENDED, "stage_ended")                                                        \
	X(EVENT_ROLLING_BACK, "rolling_back")                                                      \
	X(EVENT_ROLLED_BACK, "rolled_back")                                                        \
	X(EVENT_PLAN, "plan")                                                                      \
	X(EVENT_NOTE, "note")                                                                      \
	X(EVENT_FINISHED, "finished")

/* report_escape.c: text from outside for each format. */
void escape_add_utf8(struct buf *buf, const char *text); /* valid UTF-8 for JSON */
struct cJSON;
/* As valid UTF-8; null when there is none. */
void report_json_add_text(struct cJSON *object, const char *name, const char *value);
void escape_add_xml(struct buf *buf, const char *text); /* text and attribute values */
void escape_add_markdown(struct buf *buf, const char *text);
void escape_add_one_line(struct buf *buf, const char *text); /* controls become spaces */

/* report_style.c: how a terminal or a log shows things. */
struct report_style {
	bool color;
	bool ascii; /* the locale is not UTF-8 */
};
enum tone { TONE_PLAIN, TONE_GOOD, TONE_BAD, TONE_CAUTION, TONE_DIM, TONE_STRONG, TONE_COUNT };
enum mark { MARK_GOOD, MARK_BAD, MARK_CAUTION, MARK_UNKNOWN, MARK_NOTE, MARK_COUNT };

struct report_style report_style_of(const struct report_options *options);
enum mark report_mark_of(enum check_result result);
void report_add_mark(struct buf *buf, const struct report_style *style, enum mark mark);
void report_add_tone(struct buf *buf, const struct report_style *style, enum tone tone);
/* Text from outside, safe for the terminal. */
void report_add_safe(struct buf *buf, const struct report_style *style, const char *text);
/* The same in exactly `columns` columns: cut with "…" or filled with spaces. */
void report_add_padded(
	struct buf *buf, const struct report_style *style, const char *text, int columns);
/* Cuts to at most `columns` columns. Returns how many it took. */
int report_add_cut(
	struct buf *buf, const struct report_style *style, const char *text, int columns);
int report_columns(const struct report_style *style, const char *text); /* as shown by the above */
/* Lets line breaks be line breaks; lines after the first begin with `indent`. */
void report_add_paragraph(
	struct buf *buf, const struct report_style *style, const char *text, const char *indent);
void report_add_sparkline(
	struct buf *buf, const struct report_style *style, const struct check_report *report);
void report_add_bar(struct buf *buf, const struct report_style *style, double done, int columns);

/* report_format.c: values for people. Texts hold REPORT_TEXT_SIZE bytes; each returns text. */
#define REPORT_TEXT_SIZE 64
char *report_format_weight(weight_t weight, char *text); /* "5%", "unknown" */
char *report_format_duration(int64_t ms, char *text);    /* whole seconds: "13m30s" */
char *report_format_check_value(const struct check_report *report, char *text); /* "-": none */
char *report_format_samples(const struct check_report *report, char *text);     /* "" when none */
const char *report_check_name(const struct check_report *report);
const char *report_check_limit(const struct check_report *report); /* as written; "" when none */
const struct stage_report *report_stage(const struct rollout_report *report, int index);

/* report_sentences.c: what every format says in the same words; not escaped. */
bool report_is_good(const struct rollout_report *report);     /* succeeded, or rehearsed: ready */
bool report_is_unproven(const struct rollout_report *report); /* a person must act */
/* The canary's weight where the traffic is, WEIGHT_UNKNOWN when nobody knows. */
/* Is it the brake alone that holds the canary at 0? */
bool report_only_braked(const struct traffic_state *traffic);
weight_t report_canary_weight(const struct traffic_state *traffic);
const char *report_title(const struct rollout_report *report); /* "ROLLED BACK" */
void report_say_headline(const struct rollout_report *report, struct buf *ret_text);
void report_say_why(const struct rollout_report *report, struct buf *ret_text);
void report_say_next(const struct rollout_report *report, struct buf *ret_text);
void report_say_traffic(const struct rollout_report *report, struct buf *ret_text);
/* What a check's line says behind its samples: which data is missing, worst series, warnings. */
void report_say_detail(const struct check_report *report, struct buf *ret_text);

/* report_lines.c: events as lines that stay. */
struct shown_result { /* last printed of a check in its stage; -1: none */
	int counted;
	int early;
};
struct report_lines {
	struct report_style style;
	bool is_live;               /* a live view shows the progress: no lines for it */
	int stage;                  /* that `shown` is about */
	struct shown_result *shown; /* per check of the stage */
	size_t shown_count;
	int64_t progress_due;
	char state[32];
};
void report_lines_release(struct report_lines *lines);
void report_lines_add(
	struct report_lines *lines, const struct rollout_event *event, struct buf *ret_text);
/* The columns of a stage's check lines. */
struct check_columns {
	int name, value, limit, samples;
};
struct check_columns report_check_columns(
	const struct report_style *style, const struct stage_report *stage);
void report_add_check(struct buf *buf, const struct report_style *style,
	const struct check_report *report, const struct check_columns *columns);

/* report_end.c: the last block. */
void report_add_end(
	struct buf *buf, const struct report_style *style, const struct rollout_report *report);

/* report_frame.c: the live part of the screen, as a list of lines. Pure. */
struct report_frame {
	const struct report_style *style;
	const struct rollout_report *report;
	const struct stage_report *stage; /* NULL between stages */
	const char *state;
	weight_t in_force; /* WEIGHT_UNKNOWN during a shift */
	bool is_settling;
	int64_t left_ms;
	int64_t elapsed_ms; /* since the rollout started */
	int columns;
	int rows;
};
/* Adds the lines, each ended by "\n" and no wider than the screen. Returns how many. */
int report_frame_add(const struct report_frame *frame, struct buf *ret_text);

/* report_junit.c: pieces of JUnit XML. */
struct junit_tally {
	int tests, failures, errors, skipped;
};
void junit_tally_add(struct junit_tally *sum, const struct junit_tally *part);
void junit_add_attribute(struct buf *xml, const char *name, const char *value);
void junit_add_tally(struct buf *xml, const struct junit_tally *tally);
void junit_add_span(struct buf *xml, int64_t began, int64_t ended);
void junit_begin_testcase(struct buf *xml, const char *class_name, const char *name);
/* <failure>, <error>: a short message, and the long one as the element's text; ends the case. */
void junit_add_problem(struct buf *xml, const char *element, const char *type, const char *message,
	const char *text);
void junit_add_skipped(struct buf *xml, const char *message, struct junit_tally *tally);

/* report_github.c: what the runner of GitHub Actions reads. */
const char *github_environment(const char *name); /* NULL: not set, or empty */
void github_append(const char *variable, const struct buf *text);
void github_add_output(struct buf *text, const char *name, const char *value);
void github_add_command_text(struct buf *line, const char *text);

/* report_live.c */
struct rollout_observer *report_live_new(const struct report_options *options);

#endif
