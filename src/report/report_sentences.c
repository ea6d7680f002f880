/*
 * The sentences that text, Markdown, JUnit and GitHub say in the same words: how it ended, why,
 * what to do next, and where the traffic is. Callers escape them.
 */
#include "canaryctl/clock.h"
#include "report/report_private.h"

#include <string.h>

/* A rollout that ended before its first shift has not touched the traffic. */
static bool is_untouched(const struct rollout_report *report)
{
	if (report->outcome != OUTCOME_ABORTED && report->outcome != OUTCOME_REHEARSED)
		return false;
	for (size_t i = 0; i < report->stage_count; i++) {
		if (report->stages[i].state != STAGE_PENDING || report->stages[i].shifted_at)
			return false;
	}
	return true;
}

bool report_only_braked(const struct traffic_state *traffic)
{
	return traffic->is_braked && traffic->canary != 0;
}

static bool is_known(const struct traffic_state *traffic)
{
	return traffic->is_proven || traffic->is_braked;
}

bool report_is_good(const struct rollout_report *report)
{
	return report->outcome == OUTCOME_SUCCEEDED ||
	       (report->outcome == OUTCOME_REHEARSED && !report->has_reason);
}

bool report_is_unproven(const struct rollout_report *report)
{
	if (report->outcome == OUTCOME_ROLLBACK_FAILED)
		return true;
	return report->outcome != OUTCOME_RUNNING && !is_known(&report->traffic) &&
	       !is_untouched(report);
}

weight_t report_canary_weight(const struct traffic_state *traffic)
{
	if (traffic->is_braked)
		return 0;
	return traffic->is_proven || traffic->is_reachable ? traffic->canary : WEIGHT_UNKNOWN;
}

const char *report_title(const struct rollout_report *report)
{
	static const char *const titles[] = {
		[OUTCOME_RUNNING] = "RUNNING",
		[OUTCOME_SUCCEEDED] = "SUCCEEDED",
		[OUTCOME_ROLLED_BACK] = "ROLLED BACK",
		[OUTCOME_ABORTED] = "ABORTED",
		[OUTCOME_HELD] = "ON HOLD",
		[OUTCOME_ROLLBACK_FAILED] = "ROLLBACK FAILED",
		[OUTCOME_REHEARSED] = "REHEARSED",
	};
	_Static_assert(ARRAY_SIZE(titles) == OUTCOME_COUNT, "an outcome without a title");

	return (unsigned)report->outcome < OUTCOME_COUNT ? titles[report->outcome] : "UNKNOWN";
}

void report_say_headline(const struct rollout_report *report, struct buf *ret_text)
{
	const char *version = report->version ? report->version : "the canary";
	char weight[REPORT_TEXT_SIZE];

	report_format_weight(report_canary_weight(&report->traffic), weight);
	switch (report->outcome) {
	case OUTCOME_SUCCEEDED:
		buf_add_format(ret_text, "%s passed all stages and serves %s of the traffic",
			version, weight);
		break;
	case OUTCOME_ROLLED_BACK:
		buf_add_format(ret_text, "%s gets no traffic any more", version);
		break;
	case OUTCOME_ABORTED:
		buf_add_format(ret_text,
			is_untouched(report) ? "%s was not rolled out; nothing was changed"
					     : "%s was not rolled out",
			version);
		break;
	case OUTCOME_HELD:
		buf_add_format(ret_text, "%s stays at %s of the traffic until you decide", version,
			weight);
		break;
	case OUTCOME_ROLLBACK_FAILED:
		buf_add_text(ret_text, "it is NOT PROVEN that the canary gets no traffic");
		break;
	case OUTCOME_REHEARSED:
		buf_add_format(ret_text,
			report->has_reason ? "a rollout of %s would be stopped; nothing was changed"
					   : "%s is ready to be rolled out; nothing was changed",
			version);
		break;
	default:
		buf_add_format(ret_text, "the rollout of %s is not over", version);
	}
}

static int64_t reason_time(const struct rollout_report *report)
{
	const struct stage_report *stage = report_stage(report, report->reason.stage);

	return stage && stage->ended_at ? stage->ended_at : report->ended_at;
}

/* "stage 3 of 4 (25%) at 17:36:15: error-rate is FAIL: 3.1 %, limit < 0.5%, 812 samples" */
static void say_failed_check(const struct rollout_report *report, struct buf *ret_text)
{
	const struct rollout_reason *reason = &report->reason;
	const struct stage_report *stage = report_stage(report, reason->stage);
	const struct check_config *check = NULL;
	char value[REPORT_TEXT_SIZE];

	for (size_t i = 0; stage && i < stage->check_count; i++) {
		const struct check_config *candidate = stage->checks[i].check;

		if (candidate && candidate->name && strcmp(candidate->name, reason->check) == 0)
			check = candidate;
	}
	buf_add_format(ret_text, "%s %s", reason->check, check_result_name(reason->result));
	if (reason->has_value)
		buf_add_format(ret_text, ", %s", report_format_value(check, reason->value, value));
	if (reason->limit[0])
		buf_add_format(ret_text, ", limit %s", reason->limit);
	if (reason->has_samples)
		buf_add_format(ret_text, ", %.15g sample%s", reason->samples,
			reason->samples == 1 ? "" : "s");
}

void report_say_why(const struct rollout_report *report, struct buf *ret_text)
{
	const struct rollout_reason *reason = &report->reason;
	char text[REPORT_TEXT_SIZE], time[CLOCK_TEXT_SIZE];

	if (!report->has_reason)
		return;
	if (reason->stage > 0)
		buf_add_format(ret_text, "stage %d of %zu (%s)", reason->stage, report->stage_count,
			report_format_weight(reason->weight, text));
	if (reason->stage > 0 && reason_time(report))
		buf_add_format(ret_text, " at %s", clock_format_local(reason_time(report), time));
	if (reason->stage > 0)
		buf_add_text(ret_text, ": ");
	if (reason->check[0])
		say_failed_check(report, ret_text);
	if (reason->message[0])
		buf_add_format(ret_text, "%s%s", reason->check[0] ? "\n" : "", reason->message);
	else if (!reason->check[0])
		buf_add_text(ret_text, "no reason was recorded");
}

void report_say_next(const struct rollout_report *report, struct buf *ret_text)
{
	if (report->has_reason && report->reason.hint[0]) {
		buf_add_text(ret_text, report->reason.hint);
		if (report->outcome == OUTCOME_HELD)
			buf_add_text(ret_text,
				"; until then the canary keeps its traffic; `canaryctl "
				"rollback` takes it away, deploying again with "
				"--start-stage goes on");
		return;
	}
	switch (report->outcome) {
	case OUTCOME_SUCCEEDED:
		buf_add_text(ret_text, "go on watching it; production still runs the version "
				       "before, so `canaryctl rollback` goes back at any time");
		break;
	case OUTCOME_ROLLED_BACK:
		buf_add_text(ret_text, "find the cause in the canary's log before the next try");
		break;
	case OUTCOME_HELD:
		buf_add_text(ret_text, "look at the canary, then `canaryctl rollback`, or deploy "
				       "again with --start-stage");
		break;
	case OUTCOME_ROLLBACK_FAILED:
		buf_add_text(ret_text, "page somebody: see whether NGINX runs and `nginx -t` is "
				       "happy, then run the command below");
		break;
	default:
		break;
	}
}

void report_say_traffic(const struct rollout_report *report, struct buf *ret_text)
{
	const struct traffic_state *traffic = &report->traffic;
	weight_t weight = report_canary_weight(traffic);
	char canary[REPORT_TEXT_SIZE], production[REPORT_TEXT_SIZE];

	report_format_weight(weight, canary);
	report_format_weight(weight < 0 ? weight : WEIGHT_FULL - weight, production);
	if (report_only_braked(traffic))
		buf_add_text(ret_text, "0% canary, 100% production, held by the brake: NGINX "
				       "has not taken the new weights; mend its configuration, "
				       "then run `canaryctl rollback`");
	else if (traffic->is_proven)
		buf_add_format(
			ret_text, "%s canary, %s production, proven in force", canary, production);
	else if (is_untouched(report))
		buf_add_text(ret_text, "as it was: this rollout has not touched it");
	else if (weight < 0)
		buf_add_text(ret_text, "NOT PROVEN: the weights in force could not be read");
	else
		buf_add_format(ret_text, "NOT PROVEN: last seen were %s canary, %s production",
			canary, production);
	if (traffic->draining_workers > 0)
		buf_add_format(ret_text,
			"; %d old worker%s still serve%s long connections with older weights",
			traffic->draining_workers, traffic->draining_workers == 1 ? "" : "s",
			traffic->draining_workers == 1 ? "s" : "");
}

static void add_part(struct buf *text, const char *part)
{
	if (part[0])
		buf_add_format(text, "%s%s", text->length ? "; " : "", part);
}

/* The verdict's sentence says it all when there is no value to show. */
static void say_missing(const struct check_report *report, struct buf *ret_text)
{
	const struct measurement *measurement = &report->last.measurement;

	add_part(ret_text, report->last.message[0]         ? report->last.message
			   : measurement->error.message[0] ? measurement->error.message
							   : measurement->message);
	add_part(ret_text, measurement->error.hint);
}

static void say_bad_value(const struct check_report *report, struct buf *ret_text)
{
	const struct measurement *measurement = &report->last.measurement;

	if (report->last.is_critical)
		add_part(ret_text, "critical");
	if (report->last.result == CHECK_FAIL && report->failures_in_row > 1)
		buf_add_format(ret_text, "%s%d in a row", ret_text->length ? "; " : "",
			report->failures_in_row);
	if (measurement->has_bad)
		buf_add_format(
			ret_text, "%s%.15g bad", ret_text->length ? "; " : "", measurement->bad);
	if (measurement->series[0])
		buf_add_format(ret_text, "%sworst is {%s}", ret_text->length ? "; " : "",
			measurement->series);
	add_part(ret_text, measurement->message);
}

void report_say_detail(const struct check_report *report, struct buf *ret_text)
{
	const struct measurement *measurement = &report->last.measurement;
	enum check_result result = report->last.result;
	char value[REPORT_TEXT_SIZE];

	if (result == CHECK_NO_DATA || result == CHECK_ERROR) {
		say_missing(report, ret_text);
	} else {
		if (result != CHECK_PASS)
			say_bad_value(report, ret_text);
		if (measurement->has_baseline)
			buf_add_format(ret_text, "%sbaseline %s", ret_text->length ? "; " : "",
				report_format_value(report->check, measurement->baseline, value));
		add_part(ret_text, measurement->warning);
	}
	if (report->check && report->check->observe_only)
		add_part(ret_text, "only observed: decides nothing");
}
