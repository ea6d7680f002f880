/* What the printers of suites say in the same words: see suite_lines.h. */
#include "report/suite_lines.h"

#include <stdio.h>

const char *suite_title(enum suite_status status)
{
	return status == SUITE_NO_GO ? "NO-GO" : suite_status_name(status);
}

char *suite_format_value(const struct suite_check *check, char *text)
{
	const struct measurement *m = &check->verdict.measurement;

	if (*m->value_text)
		snprintf(text, REPORT_TEXT_SIZE, "%s", m->value_text);
	else if (m->has_value)
		check_format_value(check->verdict.check->kind->unit, m->value, text);
	else
		*text = '\0';
	return text;
}

const char *suite_limit(const struct suite_check *check)
{
	return check_limit(check->verdict.check, &check->verdict.measurement);
}

const char *suite_hint(const struct suite_check *check)
{
	const struct verdict *verdict = &check->verdict;

	return verdict->check->hint ? verdict->check->hint : verdict->measurement.error.hint;
}

void suite_say_counts(const struct suite_report *report, struct buf *ret_text)
{
	int no = report->counts[SUITE_NO_GO], warns = report->counts[SUITE_WARNING];

	if (!report->count)
		buf_add_text(ret_text, "the suite has no checks: nothing was looked at");
	else if (!no && !warns)
		buf_add_format(ret_text, "%zu check%s, all are good", report->count,
			report->count == 1 ? "" : "s");
	if (no)
		buf_add_format(ret_text, "%d of %zu check%s %s no", no, report->count,
			report->count == 1 ? "" : "s", no == 1 ? "says" : "say");
	if (warns)
		buf_add_format(
			ret_text, "%s%d %s", no ? ", " : "", warns, warns == 1 ? "warns" : "warn");
}
