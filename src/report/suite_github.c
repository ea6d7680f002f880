/*
 * Suites in GitHub Actions: the job's summary, its outputs, and a line per failing check. The lines
 * go to stderr (the runner reads both), because stdout may be JSON.
 */
#include "report/suite_lines.h"

static void add_cell(struct buf *text, const char *value)
{
	buf_add_text(text, " ");
	escape_add_markdown(text, value);
	buf_add_text(text, " |");
}

static void add_summary(struct buf *text, const struct suite_report *report)
{
	static const char *const lights[] = {
		[SUITE_GO] = "🟢", [SUITE_WARNING] = "🟡", [SUITE_NO_GO] = "🔴"
	};
	CLEANUP_BUF struct buf counts = BUF_INIT(0);
	char value[REPORT_TEXT_SIZE];

	buf_add_format(text, "## %s ", lights[report->verdict]);
	escape_add_markdown(text, report->suite);
	buf_add_format(text, ": %s\n\n", suite_title(report->verdict));
	suite_say_counts(report, &counts);
	escape_add_markdown(text, buf_text(&counts));
	buf_add_text(text, "\n\n| check | status | result | value | limit | |\n"
			   "| --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < report->count; i++) {
		const struct suite_check *check = &report->checks[i];

		buf_add_text(text, "|");
		add_cell(text, check->verdict.check->name);
		add_cell(text, suite_title(check->status));
		add_cell(text, check_result_name(check->verdict.result));
		add_cell(text, suite_format_value(check, value));
		add_cell(text, suite_limit(check));
		add_cell(text, check->verdict.message);
		buf_add_text(text, "\n");
	}
	buf_add_text(text, "\n");
}

static void print_problems(const struct suite_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		const struct suite_check *check = &report->checks[i];
		CLEANUP_BUF struct buf text = BUF_INIT(0), line = BUF_INIT(0);

		if (check->status == SUITE_GO)
			continue;
		buf_add_format(&text, "%s/%s: %s", report->suite, check->verdict.check->name,
			check->verdict.message);
		if (*suite_hint(check))
			buf_add_format(&text, "\n%s", suite_hint(check));
		buf_add_format(&line,
			"::%s title=%s::", check->status == SUITE_NO_GO ? "error" : "warning",
			suite_title(check->status));
		github_add_command_text(&line, buf_text(&text));
		fprintf(stderr, "%s\n", buf_text(&line));
	}
}

static void add_reason(struct buf *reason, const struct suite_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		if (report->checks[i].status == SUITE_NO_GO)
			buf_add_format(reason, "%s%s", reason->length ? ", " : "",
				report->checks[i].verdict.check->name);
	}
}

void suites_to_github(const struct suite_report *const *reports, size_t count)
{
	CLEANUP_BUF struct buf summary = BUF_INIT(0), outputs = BUF_INIT(0), reason = BUF_INIT(0);
	bool is_job =
		github_environment("GITHUB_STEP_SUMMARY") || github_environment("GITHUB_OUTPUT");
	enum suite_status verdict = SUITE_GO;

	for (size_t i = 0; is_job && i < count; i++) {
		add_summary(&summary, reports[i]);
		add_reason(&reason, reports[i]);
		print_problems(reports[i]);
		verdict = reports[i]->verdict > verdict ? reports[i]->verdict : verdict;
	}
	if (github_environment("GITHUB_STEP_SUMMARY"))
		github_append("GITHUB_STEP_SUMMARY", &summary);
	if (!github_environment("GITHUB_OUTPUT"))
		return;
	github_add_output(&outputs, "verdict", suite_status_name(verdict));
	github_add_output(&outputs, "reason", buf_text(&reason));
	github_append("GITHUB_OUTPUT", &outputs);
}
