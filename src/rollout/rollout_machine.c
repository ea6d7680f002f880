/*
 * The rollout's state machine as one table. Rows are tried from top to bottom and the first that
 * matches wins, so a row with a condition stands above the one for all other cases. A pair of
 * state and event without a row is refused.
 */
#include "canaryctl/rollout_machine.h"
#include "canaryctl/error.h"
#include "canaryctl/mem.h"

#include <string.h>

typedef bool rollout_condition(const struct rollout_facts *facts);

static bool is_last_stage(const struct rollout_facts *facts)
{
	return facts->is_last_stage;
}

static bool next_needs_approval(const struct rollout_facts *facts)
{
	return facts->next_needs_approval;
}

static bool failure_holds(const struct rollout_facts *facts)
{
	return facts->failure_holds;
}

static bool can_extend(const struct rollout_facts *facts)
{
	return facts->can_extend;
}

static bool undecided_holds(const struct rollout_facts *facts)
{
	return facts->undecided_holds;
}

static bool interrupt_holds(const struct rollout_facts *facts)
{
	return facts->interrupt_holds;
}

static bool deadline_holds(const struct rollout_facts *facts)
{
	return facts->deadline_holds;
}

static bool crash_resumes(const struct rollout_facts *facts)
{
	return facts->crash_resumes;
}

struct edge {
	enum rollout_state from;
	enum rollout_machine_event event;
	rollout_condition *condition; /* NULL: always */
	const char *condition_text;
	enum rollout_state to;
	enum rollout_effect effect;
	const char *why;
};

#define ALWAYS          NULL, NULL
#define WHEN(condition) condition, #condition
#define ROLL_BACK       ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK

/* clang-format off */
static const struct edge edges[] = {
	{ ROLLOUT_IDLE, ROLLOUT_START, ALWAYS, ROLLOUT_PREPARING, EFFECT_PREPARE,
	  "a rollout was asked for" },

	{ ROLLOUT_PREPARING, ROLLOUT_READY, WHEN(next_needs_approval), ROLLOUT_AWAITING_APPROVAL,
	  EFFECT_ASK, "0 % canary is proven; the first stage needs approval" },
	{ ROLLOUT_PREPARING, ROLLOUT_READY, ALWAYS, ROLLOUT_SHIFTING, EFFECT_SHIFT,
	  "all that the rollout needs is there, and 0 % canary is proven" },
	{ ROLLOUT_PREPARING, ROLLOUT_REFUSED, ALWAYS, ROLLOUT_IDLE, EFFECT_END_ABORTED,
	  "the preparation said no" },
	{ ROLLOUT_PREPARING, ROLLOUT_ABORT, ALWAYS, ROLLOUT_IDLE, EFFECT_END_ABORTED,
	  "aborted before any traffic went to the canary" },
	{ ROLLOUT_PREPARING, ROLLOUT_INTERRUPT, ALWAYS, ROLLOUT_IDLE, EFFECT_END_ABORTED,
	  "interrupted before any traffic went to the canary" },
	{ ROLLOUT_PREPARING, ROLLOUT_UNPREPARED, ALWAYS, ROLLOUT_ROLLBACK_FAILED,
	  EFFECT_END_ROLLBACK_FAILED, "0 % canary could not be proven before the start" },

	{ ROLLOUT_SHIFTING, ROLLOUT_SHIFT_PROVEN, ALWAYS, ROLLOUT_OBSERVING, EFFECT_OBSERVE,
	  "the stage's weight is in force" },
	{ ROLLOUT_SHIFTING, ROLLOUT_SHIFT_UNDONE, ALWAYS, ROLL_BACK,
	  "the shift failed and was undone" },
	{ ROLLOUT_SHIFTING, ROLLOUT_SHIFT_LOST, ALWAYS, ROLL_BACK,
	  "the shift failed and could not be undone" },

	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, WHEN(is_last_stage), ROLLOUT_COMPLETED,
	  EFFECT_END_SUCCEEDED, "the last stage passed" },
	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, WHEN(next_needs_approval),
	  ROLLOUT_AWAITING_APPROVAL, EFFECT_ASK, "the stage passed; the next one needs approval" },
	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, ALWAYS, ROLLOUT_SHIFTING, EFFECT_SHIFT,
	  "the stage passed" },
	{ ROLLOUT_OBSERVING, ROLLOUT_CHECK_FAILED, WHEN(failure_holds), ROLLOUT_PAUSED,
	  EFFECT_END_HELD, "a check failed that asks to hold" },
	{ ROLLOUT_OBSERVING, ROLLOUT_CHECK_FAILED, ALWAYS, ROLL_BACK, "a check failed" },
	{ ROLLOUT_OBSERVING, ROLLOUT_UNDECIDED, WHEN(can_extend), ROLLOUT_OBSERVING, EFFECT_EXTEND,
	  "not enough is known yet to decide" },
	{ ROLLOUT_OBSERVING, ROLLOUT_UNDECIDED, WHEN(undecided_holds), ROLLOUT_PAUSED,
	  EFFECT_END_HELD, "the stage could not be decided, and on_inconclusive says hold" },
	{ ROLLOUT_OBSERVING, ROLLOUT_UNDECIDED, ALWAYS, ROLL_BACK,
	  "the stage could not be decided: absence of evidence is not a pass" },
	{ ROLLOUT_OBSERVING, ROLLOUT_METRICS_LOST, ALWAYS, ROLL_BACK,
	  "Prometheus could not be reached for longer than outage_limit" },
	{ ROLLOUT_OBSERVING, ROLLOUT_TRAFFIC_CHANGED, ALWAYS, ROLL_BACK,
	  "the weights in force are no longer those of the stage" },
	{ ROLLOUT_OBSERVING, ROLLOUT_JOURNAL_LOST, ALWAYS, ROLL_BACK,
	  "the journal cannot be written, so a crash could not be put right" },
	{ ROLLOUT_OBSERVING, ROLLOUT_PAUSE, ALWAYS, ROLLOUT_PAUSED, EFFECT_NONE,
	  "paused by an operator: the checks go on, the stage does not end" },
	{ ROLLOUT_OBSERVING, ROLLOUT_ABORT, ALWAYS, ROLL_BACK, "an operator asked for it" },
	{ ROLLOUT_OBSERVING, ROLLOUT_INTERRUPT, WHEN(interrupt_holds), ROLLOUT_INTERRUPTED,
	  EFFECT_END_HELD, "interrupted, and on_interrupt says hold" },
	{ ROLLOUT_OBSERVING, ROLLOUT_INTERRUPT, ALWAYS, ROLL_BACK, "interrupted" },

	{ ROLLOUT_PAUSED, ROLLOUT_RESUME, ALWAYS, ROLLOUT_OBSERVING, EFFECT_OBSERVE,
	  "resumed by an operator" },
	{ ROLLOUT_PAUSED, ROLLOUT_CHECK_FAILED, WHEN(failure_holds), ROLLOUT_PAUSED,
	  EFFECT_END_HELD, "a check failed that asks to hold" },
	{ ROLLOUT_PAUSED, ROLLOUT_CHECK_FAILED, ALWAYS, ROLL_BACK, "a check failed while paused" },
	{ ROLLOUT_PAUSED, ROLLOUT_METRICS_LOST, ALWAYS, ROLL_BACK,
	  "Prometheus could not be reached for longer than outage_limit" },
	{ ROLLOUT_PAUSED, ROLLOUT_TRAFFIC_CHANGED, ALWAYS, ROLL_BACK,
	  "the weights in force are no longer those of the stage" },
	{ ROLLOUT_PAUSED, ROLLOUT_JOURNAL_LOST, ALWAYS, ROLL_BACK,
	  "the journal cannot be written, so a crash could not be put right" },
	{ ROLLOUT_PAUSED, ROLLOUT_ABORT, ALWAYS, ROLL_BACK, "an operator asked for it" },
	{ ROLLOUT_PAUSED, ROLLOUT_INTERRUPT, WHEN(interrupt_holds), ROLLOUT_INTERRUPTED,
	  EFFECT_END_HELD, "interrupted, and on_interrupt says hold" },
	{ ROLLOUT_PAUSED, ROLLOUT_INTERRUPT, ALWAYS, ROLL_BACK, "interrupted" },

	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_APPROVED, ALWAYS, ROLLOUT_SHIFTING, EFFECT_SHIFT,
	  "approved" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_APPROVAL_EXPIRED, WHEN(deadline_holds),
	  ROLLOUT_PAUSED, EFFECT_END_HELD, "nobody approved in time, and on_deadline says hold" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_APPROVAL_EXPIRED, ALWAYS, ROLL_BACK,
	  "nobody approved in time" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_CHECK_FAILED, WHEN(failure_holds), ROLLOUT_PAUSED,
	  EFFECT_END_HELD, "a check failed that asks to hold" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_CHECK_FAILED, ALWAYS, ROLL_BACK,
	  "a check failed while waiting for approval" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_METRICS_LOST, ALWAYS, ROLL_BACK,
	  "Prometheus could not be reached for longer than outage_limit" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_TRAFFIC_CHANGED, ALWAYS, ROLL_BACK,
	  "the weights in force are no longer those of the stage" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_JOURNAL_LOST, ALWAYS, ROLL_BACK,
	  "the journal cannot be written, so a crash could not be put right" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_ABORT, ALWAYS, ROLL_BACK, "an operator asked for it" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_INTERRUPT, WHEN(interrupt_holds), ROLLOUT_INTERRUPTED,
	  EFFECT_END_HELD, "interrupted, and on_interrupt says hold" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_INTERRUPT, ALWAYS, ROLL_BACK, "interrupted" },

	{ ROLLOUT_ROLLING_BACK, ROLLOUT_ROLLBACK_PROVEN, ALWAYS, ROLLOUT_ROLLED_BACK,
	  EFFECT_END_ROLLED_BACK, "0 % canary is proven" },
	{ ROLLOUT_ROLLING_BACK, ROLLOUT_ROLLBACK_LOST, ALWAYS, ROLLOUT_ROLLBACK_FAILED,
	  EFFECT_END_ROLLBACK_FAILED, "0 % canary could not be proven" },

	{ ROLLOUT_PREPARING, ROLLOUT_FOUND_DEAD, ALWAYS, ROLLOUT_INTERRUPTED, EFFECT_NONE,
	  "its process died while preparing" },
	{ ROLLOUT_SHIFTING, ROLLOUT_FOUND_DEAD, ALWAYS, ROLLOUT_INTERRUPTED, EFFECT_NONE,
	  "its process died during a shift" },
	{ ROLLOUT_OBSERVING, ROLLOUT_FOUND_DEAD, ALWAYS, ROLLOUT_INTERRUPTED, EFFECT_NONE,
	  "its process died while observing" },
	{ ROLLOUT_PAUSED, ROLLOUT_FOUND_DEAD, ALWAYS, ROLLOUT_INTERRUPTED, EFFECT_NONE,
	  "its process died while paused" },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_FOUND_DEAD, ALWAYS, ROLLOUT_INTERRUPTED, EFFECT_NONE,
	  "its process died while waiting for approval" },
	{ ROLLOUT_ROLLING_BACK, ROLLOUT_FOUND_DEAD, ALWAYS, ROLLOUT_INTERRUPTED, EFFECT_NONE,
	  "its process died while rolling back" },
	{ ROLLOUT_INTERRUPTED, ROLLOUT_RECOVER, WHEN(crash_resumes), ROLLOUT_SHIFTING, EFFECT_SHIFT,
	  "recovered: the stage begins again, as on_crash says" },
	{ ROLLOUT_INTERRUPTED, ROLLOUT_RECOVER, ALWAYS, ROLL_BACK, "recovered: rolled back" },
	{ ROLLOUT_INTERRUPTED, ROLLOUT_ABORT, ALWAYS, ROLL_BACK, "an operator asked for it" },
	{ ROLLOUT_ROLLBACK_FAILED, ROLLOUT_RECOVER, ALWAYS, ROLL_BACK, "tried again" },
	{ ROLLOUT_ROLLBACK_FAILED, ROLLOUT_ABORT, ALWAYS, ROLL_BACK, "tried again" },
};
/* clang-format on */

#define NAME(identifier, name) [identifier] = name,
static const char *const state_names[] = { ROLLOUT_STATES(NAME) };
static const char *const event_names[] = { ROLLOUT_EVENTS(NAME) };
static const char *const effect_names[] = { ROLLOUT_EFFECTS(NAME) };
#undef NAME
_Static_assert(ARRAY_SIZE(state_names) == ROLLOUT_STATE_COUNT, "a state without a name");
_Static_assert(ARRAY_SIZE(event_names) == ROLLOUT_EVENT_COUNT, "an event without a name");
_Static_assert(ARRAY_SIZE(effect_names) == ROLLOUT_EFFECT_COUNT, "an effect without a name");

bool rollout_decide(enum rollout_state state, enum rollout_machine_event event,
	const struct rollout_facts *facts, struct rollout_decision *ret_decision)
{
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		const struct edge *edge = &edges[i];

		if (edge->from != state || edge->event != event)
			continue;
		if (edge->condition && !edge->condition(facts))
			continue;
		*ret_decision = (struct rollout_decision){
			.to = edge->to, .effect = edge->effect, .why = edge->why
		};
		return true;
	}
	return false;
}

const char *rollout_state_name(enum rollout_state state)
{
	return (unsigned)state < ROLLOUT_STATE_COUNT ? state_names[state] : "unknown";
}

const char *rollout_machine_event_name(enum rollout_machine_event event)
{
	return (unsigned)event < ROLLOUT_EVENT_COUNT ? event_names[event] : "unknown";
}

const char *rollout_effect_name(enum rollout_effect effect)
{
	return (unsigned)effect < ROLLOUT_EFFECT_COUNT ? effect_names[effect] : "unknown";
}

bool rollout_state_parse(const char *name, enum rollout_state *ret_state)
{
	for (int i = 0; i < ROLLOUT_STATE_COUNT; i++) {
		if (strcmp(name, state_names[i]) == 0) {
			*ret_state = (enum rollout_state)i;
			return true;
		}
	}
	return false;
}

bool rollout_state_is_final(enum rollout_state state)
{
	return state == ROLLOUT_IDLE || state == ROLLOUT_ROLLED_BACK ||
	       state == ROLLOUT_COMPLETED || state == ROLLOUT_PROMOTED;
}

void rollout_machine_write_dot(struct buf *ret_text)
{
	buf_add_text(ret_text,
		"// Generated from src/rollout/rollout_machine.c by "
		"`canaryctl debug fsm --dot`; do not edit.\n"
		"digraph rollout {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n");
	for (int i = 0; i < ROLLOUT_STATE_COUNT; i++)
		buf_add_format(ret_text, "\t%s%s;\n", state_names[i],
			rollout_state_is_final((enum rollout_state)i) ? " [peripheries=2]" : "");
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		const struct edge *edge = &edges[i];

		buf_add_format(ret_text, "\t%s -> %s [label=\"%s%s%s%s\"];\n",
			state_names[edge->from], state_names[edge->to], event_names[edge->event],
			edge->condition ? " [" : "", edge->condition ? edge->condition_text : "",
			edge->condition ? "]" : "");
	}
	buf_add_text(ret_text, "}\n");
}

void rollout_machine_write_table(struct buf *ret_text)
{
	buf_add_text(ret_text, "| state | event | when | next state | effect | why |\n"
			       "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < ARRAY_SIZE(edges); i++) {
		const struct edge *edge = &edges[i];

		buf_add_format(ret_text, "| %s | %s | %s | %s | %s | %s |\n",
			state_names[edge->from], event_names[edge->event],
			edge->condition ? edge->condition_text : "", state_names[edge->to],
			effect_names[edge->effect], edge->why);
	}
}
