/* Mutations of what the product decides, put between its files by the linker (--wrap). */
#include "sim.h"

#include "canaryctl/rollout_machine.h"

bool __real_rollout_decide(enum rollout_state state, enum rollout_machine_event event,
	const struct rollout_facts *facts, struct rollout_decision *ret_decision);
bool __wrap_rollout_decide(enum rollout_state state, enum rollout_machine_event event,
	const struct rollout_facts *facts, struct rollout_decision *ret_decision);
enum stage_decision __real_stage_take(const struct stage_rules *rules, int64_t elapsed_ms,
	const struct verdict *verdicts, struct check_report *const *records, size_t count,
	const struct check_report **ret_deciding);
enum stage_decision __wrap_stage_take(const struct stage_rules *rules, int64_t elapsed_ms,
	const struct verdict *verdicts, struct check_report *const *records, size_t count,
	const struct check_report **ret_deciding);
void __real_check_judge(const struct check_config *check, const struct measurement *measurement,
	struct verdict *ret_verdict);
void __wrap_check_judge(const struct check_config *check, const struct measurement *measurement,
	struct verdict *ret_verdict);

bool __wrap_rollout_decide(enum rollout_state state, enum rollout_machine_event event,
	const struct rollout_facts *facts, struct rollout_decision *ret_decision)
{
	struct rollout_facts changed = *facts;

	if (sim.mutation == MUTATION_INTERRUPT_IGNORED && state == ROLLOUT_OBSERVING &&
		event == ROLLOUT_INTERRUPT) {
		*ret_decision = (struct rollout_decision){
			.to = state, .effect = EFFECT_NONE, .why = "mutated"
		};
		return true;
	}
	if (sim.mutation == MUTATION_ROLLBACK_LIES && event == ROLLOUT_ROLLBACK_LOST)
		event = ROLLOUT_ROLLBACK_PROVEN;
	if (sim.mutation == MUTATION_FAILURE_HOLDS)
		changed.failure_holds = true;
	return __real_rollout_decide(state, event, &changed, ret_decision);
}

static enum stage_decision mutate_decision(enum stage_decision decision,
	struct check_report *const *records, const struct check_report **ret_deciding)
{
	switch (sim.mutation) {
	case MUTATION_UNDECIDED_PASSES:
		return decision == STAGE_IS_UNDECIDED ? STAGE_HAS_PASSED : decision;
	case MUTATION_FAILURES_IGNORED:
		return decision == STAGE_HAS_FAILED ? STAGE_GO_ON : decision;
	case MUTATION_NEVER_ENDS:
		return STAGE_GO_ON;
	case MUTATION_FALSE_ALARM:
		*ret_deciding = records[0];
		return STAGE_HAS_FAILED;
	default:
		return decision;
	}
}

enum stage_decision __wrap_stage_take(const struct stage_rules *rules, int64_t elapsed_ms,
	const struct verdict *verdicts, struct check_report *const *records, size_t count,
	const struct check_report **ret_deciding)
{
	struct stage_rules changed = *rules;
	enum stage_decision decision;

	oracle_evaluation_taken(verdicts, records, count);
	if (sim.mutation == MUTATION_STAGE_TOO_SHORT)
		changed.observe_ms /= 2;
	if (sim.mutation == MUTATION_NOTHING_SETTLES)
		changed.settle_ms = 0;
	decision = __real_stage_take(&changed, elapsed_ms, verdicts, records, count, ret_deciding);
	return mutate_decision(decision, records, ret_deciding);
}

void __wrap_check_judge(const struct check_config *check, const struct measurement *measurement,
	struct verdict *ret_verdict)
{
	__real_check_judge(check, measurement, ret_verdict);
	if (sim.mutation == MUTATION_JUDGE_BLIND && ret_verdict->result == CHECK_FAIL) {
		ret_verdict->result = CHECK_PASS;
		ret_verdict->is_critical = false;
	}
}
