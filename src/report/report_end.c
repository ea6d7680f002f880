/*
 * The block at the end of a rollout: how it ended, why, what to do next, where the traffic is.
 * When that is not proven, the very last line is the command to run.
 */
#include "report/report_private.h"

/* "  why      " and what follows, in as many lines as it has. */
static void add_row(
	struct buf *buf, const struct report_style *style, const char *label, const char *text)
{
	if (!text[0])
		return;
	buf_add_text(buf, "  ");
	report_add_tone(buf, style, TONE_DIM);
	buf_add_format(buf, "%-8s", label);
	report_add_tone(buf, style, TONE_PLAIN);
	buf_add_text(buf, " ");
	report_add_paragraph(buf, style, text, "         ");
	buf_add_text(buf, "\n");
}

static enum mark mark_of(const struct rollout_report *report)
{
	if (report_is_unproven(report))
		return MARK_BAD;
	if (report_is_good(report))
		return MARK_GOOD;
	return report->outcome == OUTCOME_HELD || report->outcome == OUTCOME_RUNNING ? MARK_CAUTION
										     : MARK_BAD;
}

static void add_title(
	struct buf *buf, const struct report_style *style, const struct rollout_report *report)
{
	CLEANUP_BUF struct buf headline = BUF_INIT(0);
	enum mark mark = mark_of(report);

	report_say_headline(report, &headline);
	buf_add_text(buf, "\n");
	report_add_mark(buf, style, mark);
	buf_add_text(buf, " ");
	report_add_tone(buf, style,
		mark == MARK_GOOD  ? TONE_GOOD
		: mark == MARK_BAD ? TONE_BAD
				   : TONE_CAUTION);
	buf_add_format(buf, "CANARY DEPLOYMENT %s: ", report_title(report));
	report_add_safe(buf, style, buf_text(&headline));
	report_add_tone(buf, style, TONE_PLAIN);
	buf_add_text(buf, "\n");
}

static void add_took(
	struct buf *buf, const struct report_style *style, const struct rollout_report *report)
{
	char duration[REPORT_TEXT_SIZE];

	if (report->started_at > 0 && report->ended_at >= report->started_at)
		add_row(buf, style, "took",
			report_format_duration(report->ended_at - report->started_at, duration));
}

void report_add_end(
	struct buf *buf, const struct report_style *style, const struct rollout_report *report)
{
	CLEANUP_BUF struct buf why = BUF_INIT(0), next = BUF_INIT(0), traffic = BUF_INIT(0);

	report_say_why(report, &why);
	report_say_next(report, &next);
	report_say_traffic(report, &traffic);
	add_title(buf, style, report);
	add_row(buf, style, "why", buf_text(&why));
	add_row(buf, style, "traffic", buf_text(&traffic));
	add_took(buf, style, report);
	add_row(buf, style, "next", buf_text(&next));
	if (report_is_unproven(report)) {
		report_add_tone(buf, style, TONE_BAD);
		buf_add_text(buf, "  run now  canaryctl rollback");
		report_add_tone(buf, style, TONE_PLAIN);
		buf_add_text(buf, "\n");
	}
}
