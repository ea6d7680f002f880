/* The report in Markdown, for a job's summary and for people. */
#include "canaryctl/clock.h"
#include "report/report_private.h"

static const char *sign_of(const struct rollout_report *report)
{
	if (report_is_unproven(report))
		return "✗";
	if (report_is_good(report))
		return "✓";
	return report->outcome == OUTCOME_HELD || report->outcome == OUTCOME_RUNNING ? "!" : "✗";
}

static void add_row(struct buf *text, const char *label, const char *value)
{
	if (!value[0])
		return;
	buf_add_format(text, "- **%s:** ", label);
	escape_add_markdown(text, value);
	buf_add_text(text, "\n");
}

static void add_facts(struct buf *text, const struct rollout_report *report)
{
	CLEANUP_BUF struct buf why = BUF_INIT(0), next = BUF_INIT(0), traffic = BUF_INIT(0);
	char began[CLOCK_TEXT_SIZE] = "", duration[REPORT_TEXT_SIZE] = "";

	report_say_why(report, &why);
	report_say_next(report, &next);
	report_say_traffic(report, &traffic);
	if (report->started_at > 0)
		clock_format_utc(report->started_at, began);
	if (report->started_at > 0 && report->ended_at >= report->started_at)
		report_format_duration(report->ended_at - report->started_at, duration);
	add_row(text, "Why", buf_text(&why));
	add_row(text, "Traffic", buf_text(&traffic));
	add_row(text, "Next", buf_text(&next));
	if (report_is_unproven(report))
		buf_add_text(text, "- **Run now:** `canaryctl rollback`\n");
	add_row(text, "Deployment", report->deployment ? report->deployment : "");
	add_row(text, "Started", began);
	add_row(text, "Took", duration);
}

static void add_cell(struct buf *text, const char *value)
{
	buf_add_text(text, " ");
	escape_add_markdown(text, value);
	buf_add_text(text, " |");
}

static void begin_row(struct buf *text, const struct stage_report *stage)
{
	char weight[REPORT_TEXT_SIZE];

	buf_add_format(text, "| %d (%s) | %s |", stage->index,
		report_format_weight(stage->weight, weight), stage_state_name(stage->state));
}

static void add_check(struct buf *text, const struct check_report *check)
{
	char value[REPORT_TEXT_SIZE];
	CLEANUP_BUF struct buf detail = BUF_INIT(0);

	report_say_detail(check, &detail);
	add_cell(text, report_check_name(check));
	add_cell(text, check_result_name(check->last.result));
	add_cell(text, report_format_check_value(check, value));
	add_cell(text, report_check_limit(check));
	add_cell(text, report_format_samples(check, value));
	add_cell(text, buf_text(&detail));
	buf_add_text(text, "\n");
}

static void add_stages(struct buf *text, const struct rollout_report *report)
{
	if (!report->stage_count)
		return;
	buf_add_text(text, "\n| stage | state | check | result | value | limit | samples | |\n"
			   "| --- | --- | --- | --- | --- | --- | --- | --- |\n");
	for (size_t i = 0; i < report->stage_count; i++) {
		const struct stage_report *stage = &report->stages[i];
		bool has_checks = false;

		for (size_t j = 0; j < stage->check_count; j++) {
			if (!stage->checks[j].was_asked)
				continue;
			has_checks = true;
			begin_row(text, stage);
			add_check(text, &stage->checks[j]);
		}
		if (!has_checks) {
			begin_row(text, stage);
			buf_add_text(text, " | | | | | |\n");
		}
	}
}

void report_to_markdown(const struct rollout_report *report, struct buf *ret_text)
{
	CLEANUP_BUF struct buf title = BUF_INIT(0);

	buf_add_format(&title, "Canary deployment of %s %s: %s",
		report->service ? report->service : "", report->version ? report->version : "",
		rollout_outcome_name(report->outcome));
	buf_add_format(ret_text, "## %s ", sign_of(report));
	escape_add_markdown(ret_text, buf_text(&title));
	buf_add_text(ret_text, "\n\n");
	buf_clear(&title);
	report_say_headline(report, &title);
	escape_add_markdown(ret_text, buf_text(&title));
	buf_add_text(ret_text, "\n\n");
	add_facts(ret_text, report);
	add_stages(ret_text, report);
}
