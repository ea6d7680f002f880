/* Names of outcomes, stage states and events, and the release of a report. */
#include "report/report_private.h"

#define NAME(identifier, name) [identifier] = name,
static const char *const outcome_names[] = { ROLLOUT_OUTCOMES(NAME) };
static const char *const state_names[] = { STAGE_STATES(NAME) };
static const char *const event_names[] = { ROLLOUT_EVENT_KINDS(NAME) };
#undef NAME
_Static_assert(ARRAY_SIZE(outcome_names) == OUTCOME_COUNT, "an outcome without a name");
_Static_assert(ARRAY_SIZE(state_names) == STAGE_STATE_COUNT, "a stage state without a name");
_Static_assert(ARRAY_SIZE(event_names) == EVENT_KIND_COUNT, "an event without a name");

const char *rollout_outcome_name(enum rollout_outcome outcome)
{
	return (unsigned)outcome < OUTCOME_COUNT ? outcome_names[outcome] : "unknown";
}

const char *stage_state_name(enum stage_state state)
{
	return (unsigned)state < STAGE_STATE_COUNT ? state_names[state] : "unknown";
}

const char *rollout_event_name(enum rollout_event_kind kind)
{
	return (unsigned)kind < EVENT_KIND_COUNT ? event_names[kind] : "unknown";
}

void rollout_report_release(struct rollout_report *report)
{
	arena_release(&report->arena);
	*report = (struct rollout_report){ 0 };
}
