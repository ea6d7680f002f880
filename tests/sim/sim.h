/*
 * The simulation: the whole runner on a virtual clock, in a world that is a few integers. What the
 * product links for the event loop, the traffic driver, the journal's store, the lock, the clock
 * and the log is replaced here at link level; everything above is the product's own code.
 *
 * A seed decides a plan (configuration, faults, what people do and when); a plan is then run by
 * one or more processes, one after another, of which each may be killed. A process that is dead
 * goes on as a ghost until it returns, but nothing that it does reaches the world any more.
 */
#ifndef CANARYCTL_SIM_H
#define CANARYCTL_SIM_H

#include "canaryctl/check.h"
#include "canaryctl/config.h"
#include "canaryctl/journal.h"
#include "canaryctl/loop.h"
#include "canaryctl/report.h"
#include "canaryctl/rollout.h"
#include "canaryctl/stage.h"
#include "canaryctl/traffic.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- chance: everything comes from the seed ---- */
uint32_t chance_below(uint32_t limit);
bool chance_percent(int percent);
int64_t chance_between(int64_t from, int64_t to);
void chance_seed(uint64_t seed);

/* ---- the plan ---- */
enum {
	SIM_STAGES = 4,
	SIM_CHECKS = 3, /* configured ones; canary health comes before them */
	SIM_ALL_CHECKS = SIM_CHECKS + 1,
	SIM_SPANS = 2,
	SIM_ACTIONS = 8,
	SIM_PROCESSES = 5,
};

/* What a check sees while a span lasts. */
enum mood {
	MOOD_GOOD,
	MOOD_WARN,
	MOOD_BAD,
	MOOD_CRITICAL,
	MOOD_NO_DATA,
	MOOD_ERROR,
	MOOD_SILENT, /* no answer at all */
	MOOD_COUNT
};

struct span {
	int64_t from_ms, to_ms; /* since the plan's beginning */
	int mood;
};

enum action_kind {
	ACTION_NONE,
	ACTION_SIGINT,
	ACTION_SIGTERM,
	ACTION_SIGHUP,
	ACTION_PAUSE,
	ACTION_RESUME,
	ACTION_APPROVE,
	ACTION_ABORT,
	ACTION_ROLLBACK,
	ACTION_NONSENSE, /* a command that nobody knows */
	ACTION_CRASH,
	ACTION_FOREIGN_RELOAD,  /* somebody else reloads NGINX */
	ACTION_FOREIGN_WEIGHTS, /* somebody writes other weights into the file and reloads */
	ACTION_FOREIGN_BRAKE,   /* somebody sets the brake */
	ACTION_CLOCK_JUMP,      /* of the wall clock */
	ACTION_STOPPED,         /* SIGSTOP, and SIGCONT minutes later */
	ACTION_COUNT
};

/* Happens at a named step (the nth time), at a boundary by number, or at a time. */
struct action {
	enum action_kind kind;
	int boundary;
	const char *step;
	int occurrence;
	int64_t at_ms;
};

enum fault {
	FAULT_REFUSED,        /* the test says no: nothing was changed */
	FAULT_SILENT_RELOAD,  /* reload says 0 and does nothing */
	FAULT_UNPROVEN,       /* it works, but cannot be read back in time */
	FAULT_STUCK,          /* and cannot be put back either */
	FAULT_BRAKE_UNUSABLE, /* the brake cannot be created or removed */
	FAULT_COUNT
};

enum deathwatch { AFTER_GUARDIAN, AFTER_RECOVER, AFTER_DEPLOY, AFTER_COUNT };

struct plan {
	bool is_benign; /* nothing goes wrong: it must succeed */
	struct stage_config stages[SIM_STAGES];
	size_t stage_count, start_stage, check_count;
	struct span spans[SIM_ALL_CHECKS][SIM_SPANS];
	struct span outage; /* of Prometheus; moods: ERROR refused, SILENT, BAD garbage */
	int fault_percent[FAULT_COUNT];
	struct span edge_down;   /* NGINX does not answer at all */
	struct span edge_broken; /* no reload works */
	int late_percent;        /* of answers */
	int append_fails_at;     /* the nth append to the journal fails; 0: none */
	bool append_fails_on;    /* and all after it */
	bool append_lies;        /* it is written all the same */
	bool cannot_open, is_locked, guardian_fails;
	int64_t approve_after_ms, resume_after_ms; /* 0: nobody does */
	struct action actions[SIM_ACTIONS];
	enum deathwatch after_death;
	weight_t initial; /* what the canary has before */
	bool initial_brake;
	bool has_brake, has_hooks, hooks_fail;
	int64_t hook_ms;
	void (*tune)(struct config *config); /* of a repro case; NULL: none */
};
void plan_from_seed(struct plan *plan, uint64_t seed);
/* The configuration of the plan; valid until the next one. */
const struct config *plan_config(const struct plan *plan);
int64_t plan_duration_ms(const struct plan *plan); /* when all goes well, without waiting */
int plan_mood(const struct span *spans, size_t count);
void plan_write(const struct plan *plan);

/* ---- the world ---- */
struct world {
	int64_t now_ms;
	int64_t began_ms;
	int64_t wall_jump_ms;
	weight_t running; /* what NGINX's workers do */
	weight_t file;    /* what the next reload would make them do */
	bool is_braked;
	int running_generation, file_generation;
	int64_t stopped_ms; /* all in all */
};
weight_t world_effective(const struct world *world);
/* Can it be read back, and is the file what is in force? */
bool sim_edge_is_readable(void);
void sim_foreign_weights(weight_t weight);

/* ---- mutations: each breaks something, and must be found ---- */
#define SIM_MUTATIONS(X)                                                                           \
	X(NONE, "none", "", "nothing is broken")                                                   \
	X(DRIVER_LIES, "driver-lies", "traffic-as-journalled", "a shift says proven and is not")   \
	X(DRIVER_OVERSHOOTS, "driver-overshoots", "traffic-as-journalled",                         \
		"a shift gives the canary more than was asked for")                                \
	X(UNDO_LEFT_OUT, "undo-left-out", "traffic-as-journalled",                                 \
		"a shift that says undone left the new weight")                                    \
	X(INTENTS_DROPPED, "intents-dropped", "traffic-as-journalled",                             \
		"the journal loses intents")                                                       \
	X(OUTCOMES_DROPPED, "outcomes-dropped", "end-as-journalled", "the journal loses outcomes") \
	X(FINISH_DROPPED, "finish-dropped", "end-as-journalled", "the journal loses the end")      \
	X(STAGE_SKIPPED, "stage-skipped", "plan-order", "a stage of the plan is left out")         \
	X(APPROVAL_IGNORED, "approval-ignored", "plan-order", "nobody is asked for approval")      \
	X(UNDECIDED_PASSES, "undecided-passes", "evidence", "no data at the end is a pass")        \
	X(STAGE_TOO_SHORT, "stage-too-short", "evidence", "a stage ends after half its time")      \
	X(NOTHING_SETTLES, "nothing-settles", "no-false-alarm", "evaluations count at once")       \
	X(FAILURES_IGNORED, "failures-ignored", "failure-ends", "a check that fails is passed")    \
	X(FAILURE_HOLDS, "failure-holds", "failure-ends", "a failed check leaves it on hold")      \
	X(JUDGE_BLIND, "judge-blind", "judged", "a FAIL is judged a PASS")                         \
	X(ROLLBACK_LIES, "rollback-lies", "end-is-true", "a lost rollback is called done")         \
	X(STATUS_LIES, "status-lies", "exit-status", "every end is exit status 0")                 \
	X(INTERRUPT_IGNORED, "interrupt-ignored", "stop-is-heeded", "a signal does nothing")       \
	X(ABORT_IGNORED, "abort-ignored", "stop-is-heeded", "abort is accepted and lost")          \
	X(PAUSE_IGNORED, "pause-ignored", "pause-is-heeded", "pause is accepted and lost")         \
	X(INTERFERENCE_UNSEEN, "interference-unseen", "interference-is-noticed",                   \
		"other weights under a stage are not seen")                                        \
	X(NEVER_ENDS, "never-ends", "ends", "a stage goes on for ever")                            \
	X(FALSE_ALARM, "false-alarm", "no-false-alarm", "a healthy canary is rolled back")         \
	X(FINISHED_TWICE, "finished-twice", "events", "observers hear the end twice")              \
	X(EVENT_LOST, "event-lost", "events", "observers do not hear of a shift")                  \
	X(GUARDIAN_SLEEPS, "guardian-sleeps", "crash-is-mended", "nobody acts after a crash")      \
	X(RECOVERY_LIES, "recovery-lies", "traffic-as-journalled", "recovering does nothing")      \
	X(GUARDIAN_LEFT, "guardian-left", "nothing-is-left",                                       \
		"the end does not dismiss the guardian")

#define SIM_MUTATION(identifier, name, invariant, what) MUTATION_##identifier,
enum mutation { SIM_MUTATIONS(SIM_MUTATION) MUTATION_COUNT };
#undef SIM_MUTATION

/* ---- the one simulation that runs ---- */
struct sim {
	uint64_t seed;
	bool is_traced;
	enum mutation mutation;
	struct plan plan;
	const struct config *config;
	struct world world;
	bool is_dead;       /* the process was killed: a ghost runs on */
	bool is_lost;       /* an invariant does not hold: the rest is of no interest */
	int process;        /* the nth */
	size_t start_stage; /* of the process that deploys now */
	bool is_resumed;    /* it goes on where another one died */
	int boundaries;
	int appends;
	unsigned actions_done;                     /* bits */
	unsigned actions_pending;                  /* bits: due, to be delivered between steps */
	int seen[SIM_ACTIONS];                     /* how often an action's step came */
	int64_t approve_at, resume_at, give_up_at; /* 0: not due */
	struct loop *loop;                         /* that runs now */
	const char *invariant;                     /* the one that does not hold; NULL: all do */
	char violation[512];
};
extern struct sim sim;

void sim_trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* An invariant does not hold; the first one counts. */
void sim_violated(const char *invariant, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* A point at which the process may be killed, somebody may act and the invariants must hold. */
void sim_boundary(const char *label);
bool sim_is_running(void); /* neither dead nor lost */
/* Runs a plan to its end. False: an invariant does not hold. */
bool sim_run(void);
const char *sim_action_name(enum action_kind kind);

/* ---- the seams ---- */
struct check_kind;
extern const struct check_kind sim_check_kind;
struct sim_check_params {
	int index; /* into the plan's spans */
};
void sim_loop_after(
	struct loop *loop, int64_t delay_ms, void (*fire)(void *context), void *context);
void sim_loop_forget(struct loop *loop, const void *context);
void sim_http_answer(struct http_op *http, int target); /* sim_checks.c */
int sim_http_target(const char *url);
int64_t sim_http_delay_ms(int target, int64_t timeout_ms);

/* The journal's disk, which outlives processes. */
void sim_journal_reset(void);
void sim_process_died(void); /* its lock goes, its guardian wakes */
bool sim_lock_is_held(void);
bool sim_guardian_waits(void);
void sim_guardian_gone(void);
/* NULL: the newest, as recovering sees it. */
bool sim_journal_fold(const char *deployment, struct rollout_view *view);

/* ---- the oracle: the invariants, told apart from the product's own ideas ---- */
enum truth { TRUTH_UNKNOWN, TRUTH_PASS, TRUTH_FAIL, TRUTH_CRITICAL };

void oracle_begin(void); /* a new world */
void oracle_process_begins(bool is_deploy);
void oracle_step(void);
void oracle_evaluation_began(void);
void oracle_measured(int check, enum truth truth);
void oracle_evaluation_taken(
	const struct verdict *verdicts, struct check_report *const *records, size_t count);
void oracle_recorded(const char *type, const char *data);
void oracle_journal_lost(bool is_at_the_end);
void oracle_told(const struct rollout_event *event);
void oracle_stopped(void);
void oracle_interfered(void); /* somebody else changed the traffic */
void oracle_looked(void);     /* the product reads what is in force */
void oracle_signal(void);
void oracle_command(enum action_kind kind, bool is_accepted);
void oracle_deploy_ended(int status, const struct rollout_result *result);
bool oracle_is_lost(void); /* the last process said that the traffic is not proven */
void oracle_recovery_ended(const struct manual_result *result);
void oracle_world_ends(void);

#endif
