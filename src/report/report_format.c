/* Values, weights, durations and counts as people read them. Pure. */
#include "canaryctl/duration.h"
#include "report/report_private.h"

#include <math.h>
#include <string.h>

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* The kind says what a value is; where it cannot (a query), the limit's unit does. */
static enum check_unit unit_of(const struct check_config *check)
{
	const char *limit = check && check->require.text ? check->require.text : "";

	if (check && check->kind && check->kind->unit != UNIT_PLAIN)
		return check->kind->unit;
	if (ends_with(limit, "%"))
		return UNIT_SHARE;
	return ends_with(limit, "s") ? UNIT_SECONDS : UNIT_PLAIN;
}

char *report_format_value(const struct check_config *check, double value, char *text)
{
	char formatted[CHECK_VALUE_TEXT_SIZE];

	check_format_value(unit_of(check), value, formatted);
	snprintf(text, REPORT_VALUE_SIZE, "%.*s", REPORT_VALUE_SIZE - 1, formatted);
	return text;
}

char *report_format_weight(weight_t weight, char *text)
{
	char number[WEIGHT_TEXT_SIZE];

	if (weight < 0 || weight > WEIGHT_FULL)
		snprintf(text, REPORT_TEXT_SIZE, "unknown");
	else
		snprintf(text, REPORT_TEXT_SIZE, "%s%%", weight_format(weight, number));
	return text;
}

char *report_format_duration(int64_t ms, char *text)
{
	_Static_assert(REPORT_TEXT_SIZE >= DURATION_TEXT_SIZE, "a duration fits");
	return duration_format(ms < 1000 ? ms : ms / 1000 * 1000, text);
}

char *report_format_check_value(const struct check_report *report, char *text)
{
	const struct measurement *measurement = &report->last.measurement;

	if (report->was_asked && measurement->value_text[0])
		snprintf(text, REPORT_TEXT_SIZE, "%s", measurement->value_text);
	else if (!report->was_asked || !measurement->has_value)
		snprintf(text, REPORT_TEXT_SIZE, "-");
	else
		report_format_value(report->check, measurement->value, text);
	return text;
}

char *report_format_samples(const struct check_report *report, char *text)
{
	const struct measurement *measurement = &report->last.measurement;

	text[0] = '\0';
	if (report->was_asked && measurement->has_samples && isfinite(measurement->samples))
		snprintf(text, REPORT_TEXT_SIZE, "%.15g sample%s", measurement->samples,
			measurement->samples == 1 ? "" : "s");
	return text;
}

const char *report_check_name(const struct check_report *report)
{
	return report->check && report->check->name ? report->check->name : "";
}

const char *report_check_limit(const struct check_report *report)
{
	return report->check ? check_limit(report->check, &report->last.measurement) : "";
}

const struct stage_report *report_stage(const struct rollout_report *report, int index)
{
	for (size_t i = 0; i < report->stage_count; i++) {
		if (report->stages[i].index == index)
			return &report->stages[i];
	}
	return NULL;
}
