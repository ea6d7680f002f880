/*
 * What a measurement means: the one place where no_data, min_samples, the conditions and
 * `critical` are applied, for all kinds. Pure.
 */
#include "canaryctl/buf.h"
#include "canaryctl/check.h"
#include "canaryctl/duration.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum {
	CRITICAL_MIN_BAD = 3,  /* below min_samples, `critical` counts from here on */
	WINDOW_MAX_S = 5 * 60, /* ${window} grows no further: nor do the samples */
};

static const char *const result_names[CHECK_RESULT_COUNT] = {
	[CHECK_PASS] = "PASS",
	[CHECK_WARN] = "WARN",
	[CHECK_FAIL] = "FAIL",
	[CHECK_NO_DATA] = "NO_DATA",
	[CHECK_ERROR] = "ERROR",
};

const char *check_result_name(enum check_result result)
{
	return (unsigned)result < CHECK_RESULT_COUNT ? result_names[result] : "unknown";
}

static bool holds(const struct condition *condition, const struct measurement *m)
{
	return condition_holds(condition, m->value, m->baseline);
}

void measurement_apply_conditions(struct measurement *m, const struct check_config *check)
{
	m->require_holds = !check->require.text || holds(&check->require, m);
	m->prefer_holds = !check->prefer.text || holds(&check->prefer, m);
	m->critical_holds = check->critical.text && holds(&check->critical, m);
}

/* ---- result ---- */

static bool uses_baseline(const struct check_config *check)
{
	return (check->require.text && check->require.uses_baseline) ||
	       (check->prefer.text && check->prefer.uses_baseline) ||
	       (check->critical.text && check->critical.uses_baseline);
}

static bool too_few(const struct check_config *check, const struct measurement *m)
{
	/* Negated, so that an unknown or NaN number of samples is too few. */
	return check->min_samples > 0 && !(m->has_samples && m->samples >= check->min_samples);
}

static void turn_to_no_data(struct measurement *m, enum no_data_reason reason)
{
	m->measured = MEASURED_NO_DATA;
	m->reason = reason;
}

/* "Nothing there" may be taken as 0; "could not see" may not. */
static bool is_absence(enum no_data_reason reason)
{
	return reason == NO_DATA_NO_REQUESTS || reason == NO_DATA_NO_SERIES ||
	       reason == NO_DATA_NAN;
}

static bool may_pass(enum no_data_reason reason)
{
	return is_absence(reason) || reason == NO_DATA_TOO_FEW;
}

static void take_as_zero(const struct check_config *check, struct measurement *m)
{
	m->measured = MEASURED_VALUE;
	m->has_value = true;
	m->value = 0;
	m->value_text[0] = '\0';
	measurement_apply_conditions(m, check);
}

/* Settles what counts as data at all. */
static void normalise(const struct check_config *check, struct measurement *m)
{
	m->require_holds = m->require_holds || !check->require.text;
	m->prefer_holds = m->prefer_holds || !check->prefer.text;
	if (m->measured == MEASURED_VALUE && m->has_value && isnan(m->value))
		turn_to_no_data(m, NO_DATA_NAN);
	if (m->measured == MEASURED_NO_DATA && check->no_data == NO_DATA_ZERO &&
		is_absence(m->reason))
		take_as_zero(check, m);
	if (m->measured != MEASURED_VALUE)
		return;
	if (uses_baseline(check) && !(m->has_baseline && isfinite(m->baseline)))
		turn_to_no_data(m, m->has_baseline ? NO_DATA_NAN : NO_DATA_NO_SERIES);
	else if (too_few(check, m) && !(m->has_value && isinf(m->value)))
		turn_to_no_data(m, NO_DATA_TOO_FEW);
}

/* Exact counts of bad requests speak even where there is too little to pass anything. */
static bool is_critical(const struct check_config *check, const struct measurement *m)
{
	if (!check->critical.text || !m->critical_holds)
		return false;
	if (m->measured == MEASURED_VALUE)
		return true;
	return m->measured == MEASURED_NO_DATA && m->has_bad && m->bad >= CRITICAL_MIN_BAD &&
	       (m->reason == NO_DATA_TOO_FEW || m->reason == NO_DATA_SCRAPE_DOWN);
}

static enum check_result result_without_data(
	const struct check_config *check, const struct measurement *m)
{
	if (check->no_data == NO_DATA_FAIL)
		return CHECK_FAIL;
	if (check->no_data == NO_DATA_PASS && may_pass(m->reason))
		return CHECK_PASS;
	return CHECK_NO_DATA;
}

static enum check_result result_of(
	const struct check_config *check, const struct measurement *m, bool critical)
{
	if (m->measured == MEASURED_ERROR)
		return CHECK_ERROR;
	if (critical)
		return CHECK_FAIL;
	if (m->measured == MEASURED_NO_DATA)
		return result_without_data(check, m);
	if (m->fails || !m->require_holds || (m->has_value && isinf(m->value)))
		return CHECK_FAIL;
	return m->prefer_holds ? CHECK_PASS : CHECK_WARN;
}

/* ---- the sentence ---- */

/* Three digits that matter, never 1e+03; and what is just short of 100 must not read as 100. */
static void format_digits(char *text, double number, const char *unit)
{
	if (fabs(number) >= 100)
		snprintf(text, CHECK_VALUE_TEXT_SIZE, "%.0f%s", number, unit);
	else
		snprintf(text, CHECK_VALUE_TEXT_SIZE, "%.*g%s", number > 99 ? 4 : 3, number, unit);
}

char *check_format_value(enum check_unit unit, double value, char *text)
{
	if (!isfinite(value))
		snprintf(text, CHECK_VALUE_TEXT_SIZE, "%s",
			isnan(value) ? "NaN"
			: value > 0  ? "+Inf"
				     : "-Inf");
	else if (unit == UNIT_SHARE)
		format_digits(text, value * 100, "%");
	else if (unit == UNIT_SECONDS && fabs(value) < 1 && value != 0)
		format_digits(text, value * 1000, "ms");
	else if (unit == UNIT_SECONDS)
		format_digits(text, value, "s");
	else
		snprintf(text, CHECK_VALUE_TEXT_SIZE, "%.6g", value);
	return text;
}

static enum check_unit unit_of(const struct check_config *check)
{
	return check->kind ? check->kind->unit : UNIT_PLAIN;
}

static void write_value(
	const struct check_config *check, const struct measurement *m, struct buf *text)
{
	char value[CHECK_VALUE_TEXT_SIZE];

	buf_add_text(text, *m->value_text ? m->value_text
			   : m->has_value ? check_format_value(unit_of(check), m->value, value)
					  : "the value");
}

/* "0.031 is not < 0.5%", for the condition that decided. */
static void write_comparison(const struct check_config *check, const struct measurement *m,
	bool critical, struct buf *text)
{
	const struct condition *decided = critical              ? &check->critical
					  : !m->require_holds   ? &check->require
					  : !m->prefer_holds    ? &check->prefer
					  : check->require.text ? &check->require
					  : check->prefer.text  ? &check->prefer
								: &check->critical;
	bool is_limit_broken = !critical && (!m->require_holds || !m->prefer_holds);
	bool is_critical_limit = decided == &check->critical;
	char limit[CHECK_VALUE_TEXT_SIZE], baseline[CHECK_VALUE_TEXT_SIZE];

	write_value(check, m, text);
	if (!decided->text)
		return;
	buf_add_format(text, " is %s%s",
		is_limit_broken || (is_critical_limit && !critical) ? "not " : "", decided->text);
	if (decided->uses_baseline && m->has_baseline)
		buf_add_format(text, " (baseline %s, limit %s)",
			check_format_value(unit_of(check), m->baseline, baseline),
			check_format_value(
				unit_of(check), condition_limit(decided, m->baseline), limit));
	if (critical)
		buf_add_text(text, ", which is critical");
	else if (m->require_holds && !m->prefer_holds)
		buf_add_text(text, ", which is preferred");
}

static void write_samples(const struct measurement *m, struct buf *text)
{
	if (!m->has_samples)
		return;
	if (m->has_bad)
		buf_add_format(text, " (%.0f bad of %.0f requests)", m->bad, m->samples);
	else
		buf_add_format(text, " (%.0f samples)", m->samples);
}

/* "too few samples: 12 of 50; about 3m more at this rate" */
static void write_too_few(
	const struct check_config *check, const struct measurement *m, struct buf *text)
{
	double rate = m->has_samples && m->span_s > 0 ? m->samples / m->span_s : 0;
	char duration[DURATION_TEXT_SIZE];

	if (!m->has_samples) {
		buf_add_format(text, "the number of samples is unknown; at least %.0f are needed",
			check->min_samples);
		return;
	}
	buf_add_format(text, "too few samples: %.0f of %.0f", m->samples, check->min_samples);
	if (!(rate > 0))
		return;
	if (rate * WINDOW_MAX_S < check->min_samples)
		buf_add_format(text,
			"; at this rate a window of 5m holds about %.0f: lower min_samples, or "
			"raise the stage's weight",
			rate * WINDOW_MAX_S);
	else
		buf_add_format(text, "; about %s more at this rate",
			duration_format(
				(int64_t)ceil((check->min_samples - m->samples) / rate) * 1000,
				duration));
}

static void write_no_data(
	const struct check_config *check, const struct measurement *m, struct buf *text)
{
	char value[CHECK_VALUE_TEXT_SIZE];

	if (m->reason == NO_DATA_TOO_FEW && check->min_samples > 0) {
		write_too_few(check, m, text);
		if (m->has_value || *m->value_text) {
			buf_add_text(text, "; so far ");
			write_value(check, m, text);
		}
	} else if (m->has_value && uses_baseline(check) && !m->has_baseline) {
		buf_add_text(text, *m->message ? m->message : "the baseline has no data");
	} else if (m->reason == NO_DATA_NAN && m->has_baseline && !isfinite(m->baseline)) {
		buf_add_format(text, "the baseline is %s: nothing to compare with",
			check_format_value(UNIT_PLAIN, m->baseline, value));
	} else if (m->reason == NO_DATA_NAN) {
		buf_add_text(text, "the query's value is NaN (0/0: nothing happened yet?)");
	} else {
		buf_add_text(text, *m->message ? m->message : "no data");
	}
	if (check->no_data == NO_DATA_FAIL)
		buf_add_text(text, "; counted as failed (no_data: fail)");
	else if (check->no_data == NO_DATA_PASS && may_pass(m->reason))
		buf_add_text(text, "; counted as passed (no_data: pass)");
}

static void write_judged(const struct check_config *check, const struct measurement *m,
	bool critical, bool taken_as_zero, struct buf *text)
{
	bool is_said_by_kind = m->fails || (!m->has_value && !*m->value_text && *m->message);

	if (is_said_by_kind && !critical) { /* no value decided */
		buf_add_text(text, m->message);
		return;
	}
	if (m->has_value && isinf(m->value) && !critical)
		buf_add_format(text, "the value is %s, which never passes",
			m->value > 0 ? "+Inf" : "-Inf");
	else
		write_comparison(check, m, critical, text);
	write_samples(m, text);
	if (taken_as_zero)
		buf_add_text(text, "; no data is taken as 0 (no_data: zero)");
	else if (*m->message)
		buf_add_format(text, ": %s", m->message);
}

static void write_sentence(const struct check_config *check, const struct measurement *m,
	const struct verdict *verdict, struct buf *text)
{
	if (m->measured == MEASURED_ERROR) {
		buf_add_format(text, "could not ask: %s", m->error.message);
		return;
	}
	if (m->measured == MEASURED_VALUE || verdict->is_critical)
		write_judged(check, m, verdict->is_critical,
			verdict->measurement.measured == MEASURED_NO_DATA &&
				m->measured == MEASURED_VALUE,
			text);
	else
		write_no_data(check, m, text);
	if (*m->series)
		buf_add_format(text, " for {%s}", m->series);
	if (*m->warning && m->reason != NO_DATA_PARTIAL)
		buf_add_format(text, "; Prometheus warns: %s", m->warning);
}

void check_judge(const struct check_config *check, const struct measurement *measurement,
	struct verdict *ret_verdict)
{
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(ret_verdict->message) - 1);
	struct measurement m = *measurement;

	memset(ret_verdict, 0, sizeof(*ret_verdict));
	ret_verdict->check = check;
	ret_verdict->measurement = *measurement;
	normalise(check, &m);
	ret_verdict->is_critical = is_critical(check, &m);
	ret_verdict->result = result_of(check, &m, ret_verdict->is_critical);
	write_sentence(check, &m, ret_verdict, &text);
	ret_verdict->is_critical |= m.is_decisive && ret_verdict->result == CHECK_FAIL;
	ret_verdict->measurement = m;
	memcpy(ret_verdict->message, buf_text(&text), text.length + 1);
}

const char *check_limit(const struct check_config *check, const struct measurement *measurement)
{
	if (check->require.text)
		return check->require.text;
	if (check->critical.text)
		return check->critical.text;
	return check->prefer.text ? check->prefer.text : measurement->limit;
}
