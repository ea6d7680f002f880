/*
 * A check: one type for everything that is ever checked (a stage's validator, the gate, smoke,
 * guards). Each kind measures in its own way, in one file of src/checks, with one row in
 * check_kinds; what a measurement means is decided in one place, check_judge(), which is pure.
 *
 *	configuration -> check_config -> (kind measures) -> measurement -> check_judge -> verdict
 */
#ifndef CANARYCTL_CHECK_H
#define CANARYCTL_CHECK_H

#include "canaryctl/condition.h"
#include "canaryctl/error.h"
#include "canaryctl/schema.h"
#include "canaryctl/task.h"
#include "canaryctl/weight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct captures;
struct check_memory;
struct check_run;
struct config;

enum no_data_policy {
	NO_DATA_INCONCLUSIVE,
	NO_DATA_FAIL,
	NO_DATA_ZERO, /* take the value as 0 */
	NO_DATA_PASS
};
enum on_fail { ON_FAIL_ROLLBACK, ON_FAIL_HOLD };
enum severity { SEVERITY_ERROR, SEVERITY_WARNING };

struct check_config {
	char *name;
	const struct check_kind *kind;
	void *params; /* of the kind's type, kind->params_size bytes */
	struct condition require;
	struct condition prefer;
	struct condition critical;
	double min_samples;      /* 0: none */
	char *min_samples_query; /* NULL: the kind counts itself */
	int no_data;             /* enum no_data_policy */
	weight_t from_stage;     /* asked from this weight on */
	int on_fail;             /* enum on_fail */
	bool observe_only;       /* shown and recorded, decides nothing */
	bool counts_at_once;     /* also before settle: canary health */
	int severity;            /* enum severity; in suites */
	char *hint;              /* what to do when it fails; may be NULL */
	const char *file;        /* where it is defined */
	int line;
	int column;
};

enum check_result {
	CHECK_PASS,
	CHECK_WARN,
	CHECK_FAIL,
	CHECK_NO_DATA,
	CHECK_ERROR,
	CHECK_RESULT_COUNT
};
const char *check_result_name(
	enum check_result result); /* "PASS", "WARN", "FAIL", "NO_DATA", "ERROR" */

enum no_data_reason {
	NO_DATA_NONE,
	NO_DATA_NO_REQUESTS, /* scraped, and nothing happened yet */
	NO_DATA_NO_SERIES,   /* never existed; the message says which label sets do */
	NO_DATA_SCRAPE_DOWN, /* a target is down or stale */
	NO_DATA_TOO_FEW,     /* below min_samples; the message says about how long it takes */
	NO_DATA_PARTIAL,     /* a partial response */
	NO_DATA_NAN,         /* not a number: 0/0, mostly */
};

/* How a kind's values are shown. */
enum check_unit { UNIT_PLAIN, UNIT_SHARE, UNIT_SECONDS };

enum measured { MEASURED_VALUE, MEASURED_NO_DATA, MEASURED_ERROR };

/* What a kind found out. Filled by the kind; strings are bounded copies. */
struct measurement {
	enum measured measured;
	enum no_data_reason reason;
	bool has_value;      /* also with NO_DATA: something to show */
	double value;        /* ratio: 0..1; latency: seconds; else as the query says */
	char value_text[48]; /* how to show it, where the unit does not say enough */
	bool has_baseline;
	double baseline;
	double baseline_samples; /* requests behind it, where the kind counts them; else 0 */
	bool has_samples;
	double samples; /* requests (or whatever min_samples counts) behind the value */
	bool has_bad;
	double bad;    /* bad ones among them: `critical` counts from 3 on */
	double span_s; /* seconds that the samples cover; 0: unknown. For forecasts */
	bool fails;    /* for a reason of the kind's own (a wrong status); message says which */
	/* Of a kind that keeps evidence: */
	bool is_decisive;   /* `fails`, and no later look could change it: at once, like critical */
	bool is_undecided;  /* NO_DATA, because what was counted is not enough to say either */
	bool may_end_stage; /* passes, and the stage need not go on for its sake */
	/* Set by the kind, because "holds" means something else for a latency's buckets. */
	bool require_holds;
	bool prefer_holds;
	bool critical_holds;
	struct error error; /* MEASURED_ERROR: why; ERROR_CONFIG: it can never work */
	char limit[48];     /* what it is judged against, where the kind takes no condition */
	char series[256];   /* labels of the worst series, when there were several */
	char message[512];  /* for people; for NO_DATA which and why */
	char warning[256];  /* Prometheus' warnings */
};

struct verdict {
	const struct check_config *check;
	enum check_result result;
	bool is_critical; /* `critical` holds: roll back at once */
	struct measurement measurement;
	char message[640]; /* one sentence: value, limit, samples, and why */
	int64_t duration_ms;
};

/* Pure. Applies no_data policy, min_samples, the conditions and `critical`. */
void check_judge(const struct check_config *check, const struct measurement *measurement,
	struct verdict *ret_verdict);

#define CHECK_VALUE_TEXT_SIZE 48
/* "0.08%", "250ms", "1.5e+06": a value as people read it. Returns text. */
char *check_format_value(enum check_unit unit, double value, char *text);

/* Sets the three *_holds from value and baseline: right for all kinds but latency. Pure. */
void measurement_apply_conditions(
	struct measurement *measurement, const struct check_config *check);

/* As written: "< 0.5%", of `require`, else `critical`, else `prefer`, else the kind's; or "". */
const char *check_limit(const struct check_config *check, const struct measurement *measurement);

/* What an evaluation is about. Outlives the evaluation. */
struct check_context {
	const struct config *config;
	const char *version; /* being deployed; "" outside a rollout */
	weight_t stage_weight;
	int64_t window_ms;  /* ${window} */
	int64_t settled_ms; /* in a stage: for how long it has been settled; negative: not yet */
	double server_time; /* Prometheus' clock, seconds; set by the evaluation */
	const char *target; /* ${target}: "production" or "canary"; NULL: "canary" */
	/* In a suite: what checks hand to later ones; NULL elsewhere. Owned by the suite's run. */
	struct captures *captures;
};

/* One check being asked once. */
struct check_run {
	struct task task;
	const struct check_config *check;
	const struct check_context *context;
	struct check_memory *memory; /* NULL: it is asked once, not throughout a stage */
	struct measurement measurement;
	int64_t started_ms;
	int64_t ended_ms; /* set by the kind's last step */
	void *state;      /* the kind's, from its start() until its release() */
};

struct check_kind {
	const char *name; /* the key in a check's map, and "kind" in reports */
	const char *help;
	bool needs_prometheus;
	bool keeps_evidence; /* from one evaluation to the next, in run->memory */
	enum check_unit unit;
	const struct schema_row *rows;
	size_t params_size;
	/* Rules that a row cannot say; err is shown at the check's line. May be NULL. Pure. */
	int (*validate)(const struct check_config *check, struct error *err);
	/* NAME: where in the answer; later checks use ${NAME}. NULL: kind captures nothing. Pure.
	 */
	const struct text_map *(*captures)(const struct check_config *check);
	/* Starts run->task as a child of parent; its steps fill run->measurement. */
	void (*start)(struct check_run *run, struct task *parent);
	/* Frees run->state. May be NULL. */
	void (*release)(struct check_run *run);
};

/* All kinds that a configuration can name, ended by NULL: the one place that lists them. */
extern const struct check_kind *const check_kinds[];

/*
 * One evaluation: asks all checks at the same time and at one server time, then judges. The time
 * it takes is that of the slowest check.
 */
struct evaluation {
	struct task task;
	struct check_context context;
	const struct check_config *const *checks; /* borrowed, count pointers */
	size_t count;
	struct check_memory *memories; /* borrowed, count; NULL: none is kept */
	struct verdict *verdicts;      /* owned, count; valid when the task is done */
	bool asked_prometheus;
	bool prometheus_answered; /* it told the time; else no check could be asked */
	struct error prometheus_error;
	struct check_run *runs; /* owned */
	void *clock_query;      /* owned */
};

/* `evaluation` is zeroed by the caller but for context, checks and count. */
void evaluation_start(struct evaluation *evaluation, struct task *parent);
void evaluation_release(struct evaluation *evaluation);

/* The built-in checks. Not to be named in a configuration. */
#define CHECK_NAME_HEALTH "canary-health"
#define CHECK_NAME_SHARE  "traffic-share"

/* Strings live as long as `arena`. */
struct arena;
struct check_config *check_build_health(
	struct arena *arena, const struct config *config, const char *version);
/* NULL when traffic.share is not configured. */
struct check_config *check_build_share(struct arena *arena, const struct config *config);

#endif
