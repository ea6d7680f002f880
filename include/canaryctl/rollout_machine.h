/*
 * The rollout's state machine: (state, event, facts) to (state, effect, the operator's sentence).
 * One table, pure: no clock, no I/O, no allocation. The runner measures the facts, delivers the
 * events, and does what the effects ask for; it decides nothing itself.
 */
#ifndef CANARYCTL_ROLLOUT_MACHINE_H
#define CANARYCTL_ROLLOUT_MACHINE_H

#include "canaryctl/buf.h"

#include <stdbool.h>

/* X(identifier, name): the names are those of `status` and its `phase`. */
#define ROLLOUT_STATES(X)                                                                          \
	X(ROLLOUT_IDLE, "idle")                                                                    \
	X(ROLLOUT_PREPARING, "preparing")                                                          \
	X(ROLLOUT_SHIFTING, "shifting")                                                            \
	X(ROLLOUT_OBSERVING, "observing")                                                          \
	X(ROLLOUT_AWAITING_APPROVAL, "awaiting_approval")                                          \
	X(ROLLOUT_PAUSED, "paused")                                                                \
	X(ROLLOUT_ROLLING_BACK, "rolling_back")                                                    \
	X(ROLLOUT_ROLLED_BACK, "rolled_back")                                                      \
	X(ROLLOUT_COMPLETED, "completed")                                                          \
	X(ROLLOUT_PROMOTED, "promoted")                                                            \
	X(ROLLOUT_INTERRUPTED, "interrupted")                                                      \
	X(ROLLOUT_ROLLBACK_FAILED, "rollback_failed")

#define ROLLOUT_EVENTS(X)                                                                          \
	X(ROLLOUT_START, "start")               /* somebody asked for a rollout */                 \
	X(ROLLOUT_REFUSED, "refused")           /* preparation said no; 0 % as before */           \
	X(ROLLOUT_UNPREPARED, "unprepared")     /* 0 % could not be proven at the start */         \
	X(ROLLOUT_READY, "ready")               /* all is there and 0 % is proven */               \
	X(ROLLOUT_SHIFT_PROVEN, "shift_proven") /* the stage's weight is in force */               \
	X(ROLLOUT_SHIFT_UNDONE, "shift_undone") /* refused; the old weight is proven */            \
	X(ROLLOUT_SHIFT_LOST, "shift_lost")     /* nothing is proven */                            \
	X(ROLLOUT_STAGE_PASSED, "stage_passed")                                                    \
	X(ROLLOUT_CHECK_FAILED, "check_failed")                                                    \
	X(ROLLOUT_UNDECIDED, "undecided")             /* observed to the end, not enough known */  \
	X(ROLLOUT_METRICS_LOST, "metrics_lost")       /* Prometheus is away for too long */        \
	X(ROLLOUT_TRAFFIC_CHANGED, "traffic_changed") /* by somebody else, under the stage */      \
	X(ROLLOUT_JOURNAL_LOST, "journal_lost")       /* what happens is no longer recorded */     \
	X(ROLLOUT_APPROVED, "approved")                                                            \
	X(ROLLOUT_APPROVAL_EXPIRED, "approval_expired")                                            \
	X(ROLLOUT_PAUSE, "pause")                                                                  \
	X(ROLLOUT_RESUME, "resume")                                                                \
	X(ROLLOUT_ABORT, "abort")                     /* also `rollback` from elsewhere */         \
	X(ROLLOUT_INTERRUPT, "interrupt")             /* SIGINT, SIGTERM, SIGHUP */                \
	X(ROLLOUT_ROLLBACK_PROVEN, "rollback_proven") /* by weights, or by the brake alone */      \
	X(ROLLOUT_ROLLBACK_LOST, "rollback_lost")                                                  \
	X(ROLLOUT_FOUND_DEAD, "found_dead") /* its process is gone, it is not over */              \
	X(ROLLOUT_RECOVER, "recover")

/* What the runner does after the transition. */
#define ROLLOUT_EFFECTS(X)                                                                         \
	X(EFFECT_NONE, "go on")                                                                    \
	X(EFFECT_PREPARE, "prepare")                                                               \
	X(EFFECT_SHIFT, "shift to the next stage")                                                 \
	X(EFFECT_OBSERVE, "observe the stage")                                                     \
	X(EFFECT_EXTEND, "observe for longer")                                                     \
	X(EFFECT_ASK, "ask for approval")                                                          \
	X(EFFECT_ROLL_BACK, "put the canary to 0 %")                                               \
	X(EFFECT_END_SUCCEEDED, "end: succeeded")                                                  \
	X(EFFECT_END_ROLLED_BACK, "end: rolled back")                                              \
	X(EFFECT_END_ABORTED, "end: aborted, nothing was changed")                                 \
	X(EFFECT_END_HELD, "end: held, the traffic stays where it is")                             \
	X(EFFECT_END_ROLLBACK_FAILED, "end: the traffic is not proven")

#define ROLLOUT_IDENTIFIER(identifier, name) identifier,
enum rollout_state { ROLLOUT_STATES(ROLLOUT_IDENTIFIER) ROLLOUT_STATE_COUNT };
enum rollout_machine_event { ROLLOUT_EVENTS(ROLLOUT_IDENTIFIER) ROLLOUT_EVENT_COUNT };
enum rollout_effect { ROLLOUT_EFFECTS(ROLLOUT_IDENTIFIER) ROLLOUT_EFFECT_COUNT };
#undef ROLLOUT_IDENTIFIER

/* What the runner measured or was configured with; plain values. */
struct rollout_facts {
	bool is_last_stage;       /* the stage that ended has the highest weight */
	bool next_needs_approval; /* the stage to come */
	bool failure_holds;       /* the failed check says on_fail: hold */
	bool undecided_holds;     /* on_inconclusive: hold */
	bool can_extend;          /* on_inconclusive: extend, and extend_limit is not used up */
	bool interrupt_holds;     /* on_interrupt: hold */
	bool deadline_holds;      /* approval.on_deadline: hold */
	bool crash_resumes;       /* on_crash: resume, and resuming is possible */
};

struct rollout_decision {
	enum rollout_state to;
	enum rollout_effect effect;
	const char *why; /* static; the operator's sentence */
};

/* False: the event is not legal in this state, and nothing changes. */
bool rollout_decide(enum rollout_state state, enum rollout_machine_event event,
	const struct rollout_facts *facts, struct rollout_decision *ret_decision);

const char *rollout_state_name(enum rollout_state state);
const char *rollout_machine_event_name(enum rollout_machine_event event);
const char *rollout_effect_name(enum rollout_effect effect);
bool rollout_state_parse(const char *name, enum rollout_state *ret_state);

/* Is a rollout in this state over? (Not: waiting for somebody, or dead in the middle.) */
bool rollout_state_is_final(enum rollout_state state);

/* The table as a Graphviz diagram and as Markdown, for docs/. */
void rollout_machine_write_dot(struct buf *ret_text);
void rollout_machine_write_table(struct buf *ret_text);

#endif
