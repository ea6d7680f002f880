/*
 * Autoscaling: how many instances of each service should run. One pass measures everything at one
 * server time, decides for each service (scale_decide(), pure), and, when asked to, runs the
 * service's `scale` command. How long a condition must hold is read from Prometheus' own history,
 * so a pass needs no memory but one: when it last scaled, which is kept in a journal of its own.
 *
 * Calling order: fill the public members of struct autoscaler, autoscaler_prepare(),
 * autoscaler_run(), autoscaler_release().
 */
#ifndef CANARYCTL_AUTOSCALE_H
#define CANARYCTL_AUTOSCALE_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"
#include "canaryctl/lock.h"
#include "canaryctl/loop.h"
#include "canaryctl/prom.h"
#include "canaryctl/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- the decision ---- */

enum scale_action { SCALE_HOLD, SCALE_UP, SCALE_DOWN, SCALE_ACTION_COUNT };
const char *scale_action_name(enum scale_action action); /* "hold", "up", "down" */

enum scale_memory_state {
	SCALE_NEVER,      /* nothing was ever scaled, as far as is known */
	SCALE_REMEMBERED, /* at_ms and action are the last scaling */
	SCALE_SINCE,      /* there is no memory before at_ms */
	SCALE_LOST,       /* the memory cannot be read */
};

struct scale_memory {
	enum scale_memory_state state;
	enum scale_action action; /* of the last scaling */
	int64_t at_ms;            /* wall */
	bool has_failed;          /* its command did, or nobody saw it end */
};

/* What was measured for one service. Strings are borrowed. */
struct scale_facts {
	bool replicas_known;
	int64_t replicas;
	bool metric_known;                 /* the query was answered, even if with nothing */
	const struct prom_sample *samples; /* of the metric, in rising order */
	size_t sample_count;
	double until_s;      /* when a newest sample is due: the time of the measurement */
	double step_s;       /* between two of them */
	const char *unknown; /* why replicas or the metric are not known */
	const char *block;   /* why it must not scale up; NULL: nothing blocks */
	bool rollout_runs;   /* of this configuration's service */
	struct scale_memory memory;
	int64_t now_ms; /* wall */
};

struct scale_decision {
	enum scale_action action;
	int64_t to;        /* as many as now for a hold; -1 when that is not known */
	bool needs_person; /* something is blocked, unknown or at its limit */
	bool is_blocked;   /* by facts->block */
	char reason[512];
};

/* Pure: no clock, no I/O. What is not known for certain never scales. */
void scale_decide(const struct scale_rule *rule, const struct scale_facts *facts,
	struct scale_decision *ret_decision);

/* ---- one service in one pass ---- */

enum { SCALE_VALUE_SIZE = 48 };

struct scale_report {
	const struct scale_rule *rule;
	bool replicas_known;
	int64_t replicas;
	bool has_value;
	double value; /* the metric's newest */
	char value_text[SCALE_VALUE_SIZE];
	char block[384];
	const char *const *blocked_by; /* names of the checks that block, NULL-terminated */
	struct scale_decision decision;
	bool was_applied;   /* the command ran and exited 0 */
	struct error error; /* of applying it */
};

struct scale_pass {
	int64_t time;       /* wall, ms */
	struct error error; /* ERROR_UNAVAILABLE: Prometheus cannot be reached; then no reports */
	struct scale_report *reports;
	size_t count;
};

/* ---- running ---- */

struct scale_pass_state; /* private to src/autoscale */
struct journal;

struct autoscaler {
	/* Set by the caller. */
	const struct config *config;
	bool is_once;
	bool applies;
	/* Called at the end of each pass; what it is told lives until it returns. */
	void (*on_pass)(const struct scale_pass *pass, void *context);
	void *context;
	/* The rest is private to src/autoscale. */
	struct task task;
	struct sleep_op pause;
	struct lock lock;
	struct journal *journal;
	bool memory_lost;
	char *note;        /* what is to be said about the memory; NULL: nothing */
	int signal_number; /* SIGINT or SIGTERM stopped it; 0: none */
	struct scale_pass_state *pass;
};

/*
 * Opens the memory, and with `applies` takes the lock. ERROR_LOCKED when another one applies. A
 * memory that cannot be read is moved away: then nothing is scaled for one cool-down, and
 * autoscaler->note says so.
 */
int autoscaler_prepare(struct autoscaler *autoscaler, struct error *err);
/* Until is_once is done, or SIGINT or SIGTERM came; a command that runs then is waited for. */
void autoscaler_run(struct autoscaler *autoscaler);
void autoscaler_release(struct autoscaler *autoscaler);

#endif
