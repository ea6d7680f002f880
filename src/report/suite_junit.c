/* Suites as JUnit XML, for CI systems. */
#include "report/suite_lines.h"

static void add_passed(struct buf *xml, const struct suite_check *check)
{
	buf_add_format(xml, ">\n      <system-out>%s: ", check_result_name(check->verdict.result));
	escape_add_xml(xml, check->verdict.message);
	buf_add_text(xml, "</system-out>\n    </testcase>\n");
}

static void add_check(struct buf *xml, const char *suite, const struct suite_check *check,
	struct junit_tally *tally)
{
	const struct verdict *verdict = &check->verdict;
	const char *result = check_result_name(verdict->result);
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	tally->tests++;
	junit_begin_testcase(xml, suite, verdict->check->name);
	buf_add_format(xml, " time=\"%.3f\"", (double)verdict->duration_ms / 1000);
	buf_add_text(&text, verdict->message);
	if (*suite_hint(check))
		buf_add_format(&text, "\nwhat to do: %s", suite_hint(check));
	if (!check->was_reached) {
		junit_add_skipped(xml, "not reached", tally);
	} else if (check->status != SUITE_NO_GO) {
		add_passed(xml, check);
	} else if (verdict->result == CHECK_NO_DATA || verdict->result == CHECK_ERROR) {
		tally->errors++;
		junit_add_problem(xml, "error", result, verdict->message, buf_text(&text));
	} else {
		tally->failures++;
		junit_add_problem(xml, "failure", result, verdict->message, buf_text(&text));
	}
}

static void add_suite(struct buf *xml, const struct suite_report *report, struct junit_tally *sum)
{
	CLEANUP_BUF struct buf cases = BUF_INIT(0);
	struct junit_tally tally = { 0 };

	for (size_t i = 0; i < report->count; i++)
		add_check(&cases, report->suite, &report->checks[i], &tally);
	buf_add_text(xml, "  <testsuite");
	junit_add_attribute(xml, "name", report->suite);
	junit_add_tally(xml, &tally);
	junit_add_span(xml, report->started_at, report->started_at + report->duration_ms);
	buf_add_text(xml, ">\n");
	buf_add(xml, buf_text(&cases), cases.length);
	buf_add_text(xml, "  </testsuite>\n");
	junit_tally_add(sum, &tally);
}

void suites_to_junit(const char *service, const struct suite_report *const *reports, size_t count,
	struct buf *ret_xml)
{
	CLEANUP_BUF struct buf suites = BUF_INIT(0), name = BUF_INIT(0);
	struct junit_tally sum = { 0 };

	for (size_t i = 0; i < count; i++)
		add_suite(&suites, reports[i], &sum);
	buf_add_format(&name, "canaryctl check %s", service);
	buf_add_text(ret_xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	junit_add_attribute(ret_xml, "name", buf_text(&name));
	junit_add_tally(ret_xml, &sum);
	buf_add_text(ret_xml, ">\n");
	buf_add(ret_xml, buf_text(&suites), suites.length);
	buf_add_text(ret_xml, "</testsuites>\n");
}
