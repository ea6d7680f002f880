/*
 * JUnit XML for CI systems. The first testsuite holds the rollout as one testcase, so that an end
 * that no check explains (aborted, a shift that failed) is red too; then a testsuite per stage.
 */
#include "canaryctl/clock.h"
#include "report/report_private.h"

void junit_tally_add(struct junit_tally *sum, const struct junit_tally *part)
{
	sum->tests += part->tests;
	sum->failures += part->failures;
	sum->errors += part->errors;
	sum->skipped += part->skipped;
}

void junit_add_attribute(struct buf *xml, const char *name, const char *value)
{
	buf_add_format(xml, " %s=\"", name);
	escape_add_xml(xml, value);
	buf_add_text(xml, "\"");
}

void junit_add_tally(struct buf *xml, const struct junit_tally *tally)
{
	buf_add_format(xml, " tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\"",
		tally->tests, tally->failures, tally->errors, tally->skipped);
}

void junit_add_span(struct buf *xml, int64_t began, int64_t ended)
{
	char time[CLOCK_TEXT_SIZE];

	if (began <= 0)
		return;
	buf_add_format(xml, " timestamp=\"%s\"", clock_format_utc(began, time));
	if (ended >= began)
		buf_add_format(xml, " time=\"%.3f\"", (double)(ended - began) / 1000);
}

void junit_begin_testcase(struct buf *xml, const char *class_name, const char *name)
{
	buf_add_text(xml, "    <testcase");
	junit_add_attribute(xml, "classname", class_name ? class_name : "canaryctl");
	junit_add_attribute(xml, "name", name);
}

/* <failure>, <error>: a short message, and the long one as the element's text. */
void junit_add_problem(struct buf *xml, const char *element, const char *type, const char *message,
	const char *text)
{
	buf_add_format(xml, ">\n      <%s", element);
	junit_add_attribute(xml, "type", type);
	junit_add_attribute(xml, "message", message);
	buf_add_text(xml, ">");
	escape_add_xml(xml, text);
	buf_add_format(xml, "</%s>\n    </testcase>\n", element);
}

void junit_add_skipped(struct buf *xml, const char *message, struct junit_tally *tally)
{
	tally->skipped++;
	buf_add_text(xml, ">\n      <skipped");
	junit_add_attribute(xml, "message", message);
	buf_add_text(xml, "/>\n    </testcase>\n");
}

/* "3.1 %, limit < 0.5%, 812 samples; worst is …" */
static void say_check(const struct check_report *check, struct buf *ret_text)
{
	char text[REPORT_TEXT_SIZE];
	CLEANUP_BUF struct buf detail = BUF_INIT(0);

	buf_add_text(ret_text, report_format_check_value(check, text));
	if (report_check_limit(check)[0])
		buf_add_format(ret_text, ", limit %s", report_check_limit(check));
	if (report_format_samples(check, text)[0])
		buf_add_format(ret_text, ", %s", text);
	report_say_detail(check, &detail);
	if (detail.length)
		buf_add_format(ret_text, "; %s", buf_text(&detail));
}

static void add_check(struct buf *xml, const struct rollout_report *report,
	const struct check_report *check, struct junit_tally *tally)
{
	const char *result = check_result_name(check->last.result);
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	tally->tests++;
	junit_begin_testcase(xml, report->service, report_check_name(check));
	if (!check->was_asked) {
		junit_add_skipped(xml, "not reached", tally);
		return;
	}
	say_check(check, &text);
	if (check->last.result != CHECK_PASS && check->check && check->check->observe_only) {
		junit_add_skipped(xml, buf_text(&text), tally);
	} else if (check->last.result == CHECK_FAIL) {
		tally->failures++;
		junit_add_problem(xml, "failure", result, buf_text(&text), check->last.message);
	} else if (check->last.result == CHECK_NO_DATA || check->last.result == CHECK_ERROR) {
		tally->errors++;
		junit_add_problem(xml, "error", result, buf_text(&text), check->last.message);
	} else {
		buf_add_text(xml, ">\n      <system-out>");
		buf_add_format(xml, "%s: ", result);
		escape_add_xml(xml, buf_text(&text));
		buf_add_text(xml, "</system-out>\n    </testcase>\n");
	}
}

static void add_stage(struct buf *xml, const struct rollout_report *report,
	const struct stage_report *stage, struct junit_tally *sum)
{
	char weight[REPORT_TEXT_SIZE], name[2 * REPORT_TEXT_SIZE];
	CLEANUP_BUF struct buf cases = BUF_INIT(0);
	struct junit_tally tally = { 0 };

	for (size_t i = 0; i < stage->check_count; i++)
		add_check(&cases, report, &stage->checks[i], &tally);
	if (!stage->check_count && stage->state == STAGE_PENDING) {
		tally.tests++;
		junit_begin_testcase(&cases, report->service, "observation");
		junit_add_skipped(&cases, "not reached", &tally);
	}
	snprintf(name, sizeof(name), "stage %d (%s)", stage->index,
		report_format_weight(stage->weight, weight));
	buf_add_text(xml, "  <testsuite");
	junit_add_attribute(xml, "name", name);
	junit_add_tally(xml, &tally);
	junit_add_span(xml, stage->shifted_at, stage->ended_at);
	buf_add_text(xml, ">\n");
	buf_add(xml, buf_text(&cases), cases.length);
	buf_add_text(xml, "  </testsuite>\n");
	junit_tally_add(sum, &tally);
}

static void add_rollout(
	struct buf *xml, const struct rollout_report *report, struct junit_tally *sum)
{
	CLEANUP_BUF struct buf headline = BUF_INIT(0), text = BUF_INIT(0);
	struct junit_tally tally = { .tests = 1, .failures = !report_is_good(report) };

	report_say_headline(report, &headline);
	report_say_why(report, &text);
	buf_add_text(&text, text.length ? "\ntraffic: " : "traffic: ");
	report_say_traffic(report, &text);
	buf_add_text(xml, "  <testsuite name=\"rollout\"");
	junit_add_tally(xml, &tally);
	junit_add_span(xml, report->started_at, report->ended_at);
	buf_add_text(xml, ">\n");
	junit_begin_testcase(xml, report->service, "outcome");
	if (report_is_good(report)) {
		buf_add_text(xml, ">\n      <system-out>");
		escape_add_xml(xml, buf_text(&headline));
		buf_add_text(xml, "</system-out>\n    </testcase>\n");
	} else {
		junit_add_problem(xml, "failure", rollout_outcome_name(report->outcome),
			buf_text(&headline), buf_text(&text));
	}
	buf_add_text(xml, "  </testsuite>\n");
	junit_tally_add(sum, &tally);
}

void report_to_junit(const struct rollout_report *report, struct buf *ret_xml)
{
	CLEANUP_BUF struct buf suites = BUF_INIT(0), name = BUF_INIT(0);
	struct junit_tally sum = { 0 };

	add_rollout(&suites, report, &sum);
	for (size_t i = 0; i < report->stage_count; i++)
		add_stage(&suites, report, &report->stages[i], &sum);
	buf_add_format(&name, "canaryctl deploy %s %s", report->service ? report->service : "",
		report->version ? report->version : "");
	buf_add_text(ret_xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites");
	junit_add_attribute(ret_xml, "name", buf_text(&name));
	junit_add_tally(ret_xml, &sum);
	buf_add_text(ret_xml, ">\n");
	buf_add(ret_xml, buf_text(&suites), suites.length);
	buf_add_text(ret_xml, "</testsuites>\n");
}
