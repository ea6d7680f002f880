/* What the files of the runner share; nobody else includes this. */
#ifndef CANARYCTL_ROLLOUT_PRIVATE_H
#define CANARYCTL_ROLLOUT_PRIVATE_H

#include "canaryctl/control.h"
#include "canaryctl/guardian.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/loop.h"
#include "canaryctl/rollout.h"
#include "canaryctl/rollout_machine.h"
#include "canaryctl/stage.h"
#include "canaryctl/suite.h"

/* What somebody outside asked for; taken up between two steps, never in a callback. */
struct requests {
	int signal_number;
	bool abort;
	bool pause;
	bool resume;
	bool approve;
	char reason[256];
};

struct rollout {
	struct task task;
	struct loop *loop;
	const struct config *config;
	const struct rollout_request *request;
	const struct traffic_driver *driver;

	struct lock lock;
	char *folder;
	struct journal *journal;      /* NULL: cannot be written any more; the rollout rolls back */
	struct rollout_view previous; /* the service's last rollout, from the journal */
	struct line_server *control;
	struct guardian guardian;
	int64_t guardian_began_ms; /* loop time; 0: none was needed yet */
	struct requests requests;

	enum rollout_state state;
	struct rollout_report report;
	struct error error; /* why it was refused */
	int signal_number;  /* that stopped it */

	/* All checks: canary health, share, then the configured ones. */
	const struct check_config **checks;
	size_t check_count;

	/* The current stage. */
	size_t stage;
	int64_t shifted_ms; /* loop time when its weight was proven */
	int64_t paused_ms;  /* time spent paused or waiting for approval, not part of observing */
	int64_t wait_began_ms;
	int64_t extended_ms;
	int64_t next_evaluation_ms;
	bool was_stopped; /* by SIGSTOP: nothing is done before all is looked at again */
	const struct check_config **asked; /* the checks asked at this stage */
	struct check_report **records;     /* theirs */
	struct check_memory *memories;     /* what they keep throughout the stage */
	size_t asked_count;
	struct rollout_facts facts;

	int64_t metrics_lost_since_ms; /* loop time; 0: Prometheus answers */
	int64_t unproven_in_row;       /* looks at NGINX that did not show the stage's weights */

	/* Operations. */
	struct traffic_change change;
	struct evaluation evaluation;
	struct suite_run preflight;
	size_t preflight_index;
	struct sleep_op pause;
	struct proc_op hook;
	struct notification *notifications; /* sent, perhaps not yet answered; notify.c */
};

struct rollout *rollout_of(struct task *task);

/* ---- rollout_run.c ---- */
void rollout_init(struct rollout *rollout, const struct rollout_request *request);
void rollout_release(struct rollout *rollout); /* all but the report */
/* Delivers an event to the machine, records the transition, goes on with its effect's step. */
enum task_next rollout_deliver(struct rollout *rollout, enum rollout_machine_event event);
struct stage_report *rollout_stage(struct rollout *rollout);
/* Begins a change of traffic, as the task's operation. */
void rollout_change_traffic(struct rollout *rollout, enum traffic_goal goal, weight_t canary);

/* Begins one evaluation of these checks, as the task's operation. */
enum { LONGEST_WINDOW_MS = 5 * 60 * 1000 }; /* of ${window}; also what it is outside a stage */
void rollout_ask(struct rollout *rollout, const struct check_config *const *checks, size_t count,
	int64_t window_ms);

/* ---- rollout_prepare.c ---- */
extern const struct task_step rollout_prepare_steps[];
/* After an evaluation: does anything stand in the way? Fills *err when so. */
bool rollout_query_impossible(const struct rollout *rollout, struct error *err);
bool rollout_metrics_missing(const struct rollout *rollout, struct error *err);
bool rollout_canary_unfit(const struct rollout *rollout, struct error *err);

/* ---- rollout_preflight.c ---- */
/* A step: asks the next suite of rollout.preflight; when there is none, skips the step after it. */
enum task_next rollout_ask_preflight(struct task *task);
/* After it: is it not GO? Fills *err when so. */
bool rollout_preflight_refuses(const struct rollout *rollout, struct error *err);

/* ---- rollout_observe.c ---- */
extern const struct task_step rollout_observe_steps[];
extern const struct task_step rollout_watch_steps[]; /* goes on with the stage that is observed */
extern const struct task_step rollout_ask_steps[];   /* waits until the next stage is approved */
/* Measures next_needs_approval of the stage that is to come; when so, the waiting begins. */
void rollout_must_ask(struct rollout *rollout, size_t stage);

/* ---- rollout_evidence.c ---- */
/* A stage begins: nothing is kept from the one before; what was counted before a crash is. */
void rollout_evidence_begin(struct rollout *rollout);
/* As an object for the journal; NULL when there is none. */
struct cJSON *rollout_evidence_object(const struct rollout *rollout);

/* ---- rehearse_forecast.c ---- */
/* Tells for each `compare` check how long it would take at this stage; after all were asked. */
void rehearse_forecast(struct rollout *rollout, const struct stage_report *stage);

/* ---- rollout_guard.c ---- */
int rollout_guard(struct rollout *rollout, struct error *err); /* from the first shift on */
/* Starts a new guardian when the old one has died, and says so. */
void rollout_mind_guardian(struct rollout *rollout);

/* ---- rollout_requests.c ---- */
/* Signals, and commands from other terminals. */
int rollout_watch_requests(struct rollout *rollout, struct error *err);
/* A line of the control socket; a line_fn whose context is the rollout. */
void rollout_on_line(const char *line, struct buf *ret_reply, void *rollout);
/* Takes up what somebody asked for; true: *ret_next says how the task goes on. */
bool rollout_take_requests(struct rollout *rollout, enum task_next *ret_next);

/* ---- rollout_record.c: the report, the journal and the observers ---- */
void rollout_report_build(struct rollout *rollout);
/* A second deploy of a version within one second gets a name of its own. Needs the journal. */
int rollout_make_unique(struct rollout *rollout, struct error *err);
void rollout_reason_of_check(struct rollout *rollout, const struct check_report *record);
void rollout_reason_of_error(struct rollout *rollout, const struct error *err);
void rollout_tell(struct rollout *rollout, enum rollout_event_kind kind, const char *text);
void rollout_tell_state(struct rollout *rollout, const char *text, bool is_held);
void rollout_tell_notes(struct rollout *rollout);
void rollout_tell_evaluated(struct rollout *rollout, bool is_counted, int64_t left_ms);
/* False: could not be written; said on stderr once, and the journal is closed. */
bool rollout_journal(struct rollout *rollout, const char *type, const char *data);
bool rollout_journal_started(struct rollout *rollout);
bool rollout_journal_world(struct rollout *rollout);
bool rollout_journal_state(struct rollout *rollout, const struct rollout_decision *decision);
bool rollout_journal_intent(struct rollout *rollout, weight_t weight);
bool rollout_journal_outcome(struct rollout *rollout);
bool rollout_journal_evaluation(struct rollout *rollout);
bool rollout_journal_extended(struct rollout *rollout);
/* Is this rollout the journal's newest, and not ended by somebody else? */
bool rollout_owns_journal(struct rollout *rollout);

/* ---- hooks.c ---- */
/* Starts a hook with CANARYCTL_* in its environment; false: none is configured. */
bool hook_start(struct rollout *rollout, const struct strv *argv);
bool hook_succeeded(struct rollout *rollout, const char *name, struct error *err);
void hook_stop(struct rollout *rollout); /* one that runs is ended; none is fine */

/* ---- notify.c ---- */
/* `event` is static: "started", "awaiting_approval", or the name of an outcome. */
void notify_send(struct rollout *rollout, const char *event);
void notify_wait(struct rollout *rollout); /* until all are answered or given up */

#endif
