/* One stage's decision: see canaryctl/stage.h. */
#include "canaryctl/stage.h"

#include <math.h>
#include <string.h>

bool stage_asks(const struct check_config *check, weight_t weight)
{
	return weight >= check->from_stage;
}

static void remember(struct check_report *record, const struct verdict *verdict, bool is_counted)
{
	double value = verdict->measurement.has_value ? verdict->measurement.value : (double)NAN;

	if (record->recent_count == SPARKLINE_POINTS) {
		memmove(record->recent, record->recent + 1,
			(SPARKLINE_POINTS - 1) * sizeof(record->recent[0]));
		record->recent_count--;
	}
	record->recent[record->recent_count++] = value;
	record->was_asked = true;
	record->last = *verdict;
	if (!is_counted)
		return;
	record->evaluations++;
	if (verdict->result == CHECK_FAIL)
		record->failures_in_row++;
	else if (verdict->result == CHECK_PASS || verdict->result == CHECK_WARN)
		record->failures_in_row = 0;
}

/* What this check alone says in the middle of a stage. */
static bool fails_now(const struct stage_rules *rules, const struct check_report *record)
{
	if (record->check->observe_only)
		return false;
	return record->last.is_critical || record->failures_in_row >= rules->consecutive_failures;
}

/* Of two checks that failed, the one that decides: rolling back goes before holding. */
static const struct check_report *worse_of(
	const struct check_report *a, const struct check_report *b)
{
	if (!a)
		return b;
	if (a->check->on_fail == ON_FAIL_HOLD && b->check->on_fail == ON_FAIL_ROLLBACK)
		return b;
	if (a->check->on_fail == b->check->on_fail && b->last.is_critical && !a->last.is_critical)
		return b;
	return a;
}

static bool lacks_evidence(const struct check_report *record)
{
	return record->evaluations == 0 || record->last.result == CHECK_NO_DATA ||
	       record->last.result == CHECK_ERROR;
}

/* Counted, and left open on purpose at the end; one that could not be seen is another matter. */
static bool may_stay_open(const struct stage_rules *rules, const struct check_report *record)
{
	return rules->undecided_passes && record->evaluations > 0 &&
	       record->last.result == CHECK_NO_DATA && record->last.measurement.is_undecided;
}

/* Has what may end the stage passed, and does everything else pass as well? */
static bool may_end_now(struct check_report *const *records, size_t count)
{
	bool ends = false;

	for (size_t i = 0; i < count; i++) {
		const struct check_report *record = records[i];

		if (record->check->observe_only)
			continue;
		if (lacks_evidence(record) || record->last.result == CHECK_FAIL)
			return false;
		ends |= record->last.measurement.may_end_stage;
	}
	return ends;
}

/* `failed`: what failed the stage anyway, or NULL; a worse failure decides all the same. */
static enum stage_decision decide_end(const struct stage_rules *rules,
	struct check_report *const *records, size_t count, const struct check_report *failed,
	const struct check_report **ret_deciding)
{
	const struct check_report *undecided = NULL;

	for (size_t i = 0; i < count; i++) {
		const struct check_report *record = records[i];

		if (record->check->observe_only)
			continue;
		if (record->last.result == CHECK_FAIL)
			failed = worse_of(failed, record);
		else if (!undecided && lacks_evidence(record) && !may_stay_open(rules, record))
			undecided = record;
	}
	*ret_deciding = failed ? failed : undecided;
	return failed ? STAGE_HAS_FAILED : undecided ? STAGE_IS_UNDECIDED : STAGE_HAS_PASSED;
}

enum stage_decision stage_take(const struct stage_rules *rules, int64_t elapsed_ms,
	const struct verdict *verdicts, struct check_report *const *records, size_t count,
	const struct check_report **ret_deciding)
{
	bool is_settled = elapsed_ms >= rules->settle_ms;
	const struct check_report *failed = NULL;

	for (size_t i = 0; i < count; i++) {
		remember(records[i], &verdicts[i], is_settled || verdicts[i].check->counts_at_once);
		if (fails_now(rules, records[i]))
			failed = worse_of(failed, records[i]);
	}
	if (!rules->never_ends && elapsed_ms >= rules->observe_ms)
		return decide_end(rules, records, count, failed, ret_deciding);
	*ret_deciding = failed;
	if (failed)
		return STAGE_HAS_FAILED;
	return is_settled && !rules->never_ends && may_end_now(records, count) ? STAGE_HAS_PASSED
									       : STAGE_GO_ON;
}
