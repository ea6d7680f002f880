/* Values, weights, durations and counts as people read them. Pure. */
#include "canaryctl/duration.h"
#include "report/report_private.h"

#include <math.h>
#include <string.h>

enum unit { UNIT_NONE, UNIT_PERCENT, UNIT_SECONDS };

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text), end_length = strlen(end);

	return length >= end_length && strcmp(text + length - end_length, end) == 0;
}

/* The kind says what a value is; for a query of any kind, the limit's unit does. */
static enum unit unit_of(const struct check_config *check)
{
	const char *kind = check && check->kind ? check->kind->name : "";
	const char *limit = check && check->require.text ? check->require.text : "";

	if (strcmp(kind, "ratio") == 0 || strcmp(kind, "compare") == 0 || ends_with(limit, "%"))
		return UNIT_PERCENT;
	if (strcmp(kind, "latency") == 0 || ends_with(limit, "s"))
		return UNIT_SECONDS;
	return UNIT_NONE;
}

enum { VALUE_SIZE = 32 };

static void format_percent(double percent, char *text)
{
	/* 99.95 % must not read as 100 %: one digit more near the top. */
	int digits = percent > 99 && percent < 100 ? 4 : 3;

	if (fabs(percent) >= 1000)
		snprintf(text, VALUE_SIZE, "%.4g %%", percent);
	else
		snprintf(text, VALUE_SIZE, "%.*g %%", digits, percent);
}

static void format_seconds(double seconds, char *text)
{
	if (fabs(seconds) >= 1000)
		snprintf(text, VALUE_SIZE, "%.6g s", seconds);
	else if (fabs(seconds) >= 1 || seconds == 0)
		snprintf(text, VALUE_SIZE, "%.3g s", seconds);
	else
		snprintf(text, VALUE_SIZE, "%.3g ms", seconds * 1000);
}

char *report_format_value(const struct check_config *check, double value, char *text)
{
	enum unit unit = unit_of(check);

	if (isnan(value))
		snprintf(text, VALUE_SIZE, "NaN");
	else if (isinf(value))
		snprintf(text, VALUE_SIZE, value > 0 ? "+Inf" : "-Inf");
	else if (unit == UNIT_PERCENT)
		format_percent(value * 100, text);
	else if (unit == UNIT_SECONDS)
		format_seconds(value, text);
	else if (value == trunc(value) && fabs(value) < 1e15)
		snprintf(text, VALUE_SIZE, "%.0f", value == 0 ? 0.0 : value); /* no "-0" */
	else
		snprintf(text, VALUE_SIZE, "%.4g", value);
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

	if (!report->was_asked || !measurement->has_value)
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
	const struct check_config *check = report->check;

	if (!check)
		return "";
	if (check->require.text)
		return check->require.text;
	if (check->critical.text)
		return check->critical.text;
	return check->prefer.text ? check->prefer.text : "";
}

const struct stage_report *report_stage(const struct rollout_report *report, int index)
{
	for (size_t i = 0; i < report->stage_count; i++) {
		if (report->stages[i].index == index)
			return &report->stages[i];
	}
	return NULL;
}
