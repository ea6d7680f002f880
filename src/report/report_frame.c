/*
 * The live part of the screen as a list of lines: what runs, which weight is in force, how far the
 * stage is, and every check with its recent values. Pure: the same facts give the same lines, none
 * wider than the screen and no more than fit on it.
 */
#include "report/report_private.h"

#include <string.h>

enum { BAR_COLUMNS = 30, FIXED_LINES = 4, MINIMUM_COLUMNS = 20 };

/* A line being built, and how many columns are left for it. */
struct line {
	const struct report_frame *frame;
	struct buf *text;
	int left;
};

static struct line line_begin(const struct report_frame *frame, struct buf *text)
{
	/* The last column stays free: some terminals wrap when it is written. */
	return (struct line){ .frame = frame, .text = text, .left = frame->columns - 1 };
}

static void line_add(struct line *line, enum tone tone, const char *text)
{
	if (line->left <= 0)
		return;
	if (tone != TONE_PLAIN)
		report_add_tone(line->text, line->frame->style, tone);
	line->left -= report_add_cut(line->text, line->frame->style, text, line->left);
	if (tone != TONE_PLAIN)
		report_add_tone(line->text, line->frame->style, TONE_PLAIN);
}

static void line_add_padded(struct line *line, enum tone tone, const char *text, int columns)
{
	int pad = columns - report_columns(line->frame->style, text);

	line_add(line, tone, text);
	while (pad-- > 0)
		line_add(line, TONE_PLAIN, " ");
}

static void line_add_mark(struct line *line, enum mark mark)
{
	if (line->left < 2)
		return;
	report_add_mark(line->text, line->frame->style, mark);
	buf_add_text(line->text, " ");
	line->left -= 2;
}

static int line_end(struct line *line)
{
	buf_add_text(line->text, "\n");
	return 1;
}

static enum tone tone_of_state(const char *state)
{
	if (strcmp(state, "rolling_back") == 0 || strcmp(state, "rollback_failed") == 0)
		return TONE_BAD;
	if (strcmp(state, "paused") == 0 || strcmp(state, "awaiting_approval") == 0)
		return TONE_CAUTION;
	return TONE_STRONG;
}

static const char *separator(const struct report_frame *frame)
{
	return frame->style->ascii ? " - " : " · ";
}

/* "fragrance-ai v0.2.0 · observing · 5% canary in force · 12m30s" */
static int add_header(const struct report_frame *frame, struct buf *text)
{
	struct line line = line_begin(frame, text);
	char weight[REPORT_TEXT_SIZE], duration[REPORT_TEXT_SIZE];
	const char *service = frame->report->service, *version = frame->report->version;

	line_add(&line, TONE_STRONG, service ? service : "");
	line_add(&line, TONE_PLAIN, " ");
	line_add(&line, TONE_STRONG, version ? version : "");
	line_add(&line, TONE_DIM, separator(frame));
	line_add(&line, tone_of_state(frame->state), frame->state);
	line_add(&line, TONE_DIM, separator(frame));
	if (frame->in_force < 0) {
		line_add(&line, TONE_CAUTION, "weights are changing");
	} else {
		line_add(&line, TONE_PLAIN, report_format_weight(frame->in_force, weight));
		line_add(&line, TONE_PLAIN, " canary in force");
	}
	line_add(&line, TONE_DIM, separator(frame));
	line_add(&line, TONE_DIM, report_format_duration(frame->elapsed_ms, duration));
	return line_end(&line);
}

/* "1% ✓  5% ·  25%  100%" */
static int add_stages(const struct report_frame *frame, struct buf *text)
{
	static const enum mark marks[] = {
		[STAGE_PENDING] = MARK_NOTE,
		[STAGE_OBSERVING] = MARK_NOTE,
		[STAGE_PASSED] = MARK_GOOD,
		[STAGE_FAILED] = MARK_BAD,
	};
	struct line line = line_begin(frame, text);
	char weight[REPORT_TEXT_SIZE];

	line_add(&line, TONE_DIM, "stages");
	for (size_t i = 0; i < frame->report->stage_count; i++) {
		const struct stage_report *stage = &frame->report->stages[i];
		bool is_now = stage == frame->stage;

		line_add(&line, TONE_PLAIN, "  ");
		if (stage->state == STAGE_PASSED || stage->state == STAGE_FAILED)
			line_add_mark(&line, marks[stage->state]);
		line_add(&line, is_now ? TONE_STRONG : TONE_DIM, is_now ? "[" : "");
		line_add(&line, is_now ? TONE_STRONG : TONE_DIM,
			report_format_weight(stage->weight, weight));
		line_add(&line, is_now ? TONE_STRONG : TONE_DIM, is_now ? "]" : "");
	}
	return line_end(&line);
}

/* "stage 2/4 ██████░░░░ 43%  8m32s left" */
static int add_progress(const struct report_frame *frame, struct buf *text)
{
	const struct stage_report *stage = frame->stage;
	int64_t whole = stage->observe_ms + stage->extended_ms;
	int64_t left = frame->left_ms < 0 ? 0 : frame->left_ms > whole ? whole : frame->left_ms;
	double done = whole > 0 ? (double)(whole - left) / (double)whole : 0;
	struct line line = line_begin(frame, text);
	char number[REPORT_TEXT_SIZE];
	int bar = frame->columns - 50;

	snprintf(number, sizeof(number), "stage %d/%zu ", stage->index, frame->report->stage_count);
	line_add(&line, TONE_PLAIN, number);
	if (!stage->shifted_at) {
		line_add(&line, TONE_PLAIN, "shifting to ");
		line_add(&line, TONE_PLAIN, report_format_weight(stage->weight, number));
		return line_end(&line);
	}
	bar = bar > BAR_COLUMNS ? BAR_COLUMNS : bar;
	if (bar >= 5) {
		report_add_bar(text, frame->style, done, bar);
		line.left -= bar;
		line_add(&line, TONE_PLAIN, " ");
	}
	snprintf(number, sizeof(number), "%3d%%  ", (int)(done * 100));
	line_add(&line, TONE_PLAIN, number);
	line_add(&line, TONE_STRONG, report_format_duration(left, number));
	line_add(&line, TONE_PLAIN, " left");
	if (frame->is_settling)
		line_add(&line, TONE_DIM, ", settling");
	if (stage->extended_ms > 0) {
		line_add(&line, TONE_CAUTION, ", extended by ");
		line_add(&line, TONE_CAUTION, report_format_duration(stage->extended_ms, number));
	}
	return line_end(&line);
}

static bool is_passing(const struct check_report *check)
{
	return !check->was_asked || check->last.result == CHECK_PASS;
}

static void add_check_state(struct line *line, const struct check_report *check)
{
	CLEANUP_BUF struct buf detail = BUF_INIT(0);
	char weight[REPORT_TEXT_SIZE];

	if (!check->was_asked && check->check &&
		check->check->from_stage > line->frame->stage->weight) {
		line_add(line, TONE_DIM, "from ");
		line_add(line, TONE_DIM, report_format_weight(check->check->from_stage, weight));
		line_add(line, TONE_DIM, " on");
		return;
	}
	if (!check->was_asked)
		return;
	if (check->last.result != CHECK_PASS) {
		line_add(line, check->last.result == CHECK_FAIL ? TONE_BAD : TONE_CAUTION,
			check_result_name(check->last.result));
		line_add(line, TONE_PLAIN, " ");
	}
	report_say_detail(check, &detail);
	line_add(line, TONE_DIM, buf_text(&detail));
}

/* "✓ error-rate  0.08 %  < 0.5%  812 samples  ▁▁▂▁  detail": what doesn't fit is cut at the end. */
static int add_check(const struct report_frame *frame, const struct check_report *check,
	const struct check_columns *columns, struct buf *text)
{
	struct line line = line_begin(frame, text);
	bool is_bad = check->was_asked && check->last.result == CHECK_FAIL;
	char value[REPORT_TEXT_SIZE];
	CLEANUP_BUF struct buf sparkline = BUF_INIT(0);

	line_add(&line, TONE_PLAIN, "  ");
	line_add_mark(&line, check->was_asked ? report_mark_of(check->last.result) : MARK_NOTE);
	line_add_padded(&line, TONE_PLAIN, report_check_name(check), columns->name + 2);
	line_add_padded(&line, is_bad ? TONE_BAD : TONE_STRONG,
		report_format_check_value(check, value), columns->value + 2);
	line_add_padded(&line, TONE_PLAIN, report_check_limit(check), columns->limit + 2);
	line_add_padded(&line, TONE_DIM, report_format_samples(check, value), columns->samples + 2);
	report_add_sparkline(&sparkline, frame->style, check);
	line_add_padded(
		&line, is_bad ? TONE_BAD : TONE_PLAIN, buf_text(&sparkline), check->recent_count);
	line_add(&line, TONE_PLAIN, "  ");
	add_check_state(&line, check);
	return line_end(&line);
}

/* When the screen is too low, passing checks are hidden first, from the bottom. */
static int add_checks(const struct report_frame *frame, int rows, struct buf *text)
{
	const struct stage_report *stage = frame->stage;
	struct check_columns columns = report_check_columns(frame->style, stage);
	int room = rows, lines = 0, hidden = 0, passing_room;

	if ((int)stage->check_count > rows)
		room = rows - 1; /* one line says what is hidden */
	passing_room = room;
	for (size_t i = 0; i < stage->check_count; i++)
		passing_room -= !is_passing(&stage->checks[i]);
	for (size_t i = 0; i < stage->check_count; i++) {
		const struct check_report *check = &stage->checks[i];

		if (lines >= room || (is_passing(check) && passing_room-- <= 0)) {
			hidden++;
			continue;
		}
		lines += add_check(frame, check, &columns, text);
	}
	if (hidden && rows > 0) {
		struct line line = line_begin(frame, text);
		char more[REPORT_TEXT_SIZE];

		snprintf(more, sizeof(more), "    and %d more, the screen is too low", hidden);
		line_add(&line, TONE_DIM, more);
		lines += line_end(&line);
	}
	return lines;
}

/* What can be done from another terminal, when the rollout waits for somebody. */
static int add_remedy(const struct report_frame *frame, struct buf *text)
{
	struct line line = line_begin(frame, text);

	if (strcmp(frame->state, "paused") == 0)
		line_add(&line, TONE_CAUTION, "paused: canaryctl resume, or canaryctl abort");
	else if (strcmp(frame->state, "awaiting_approval") == 0)
		line_add(&line, TONE_CAUTION,
			"waits for approval: canaryctl approve, or canaryctl abort");
	else if (strcmp(frame->state, "rolling_back") == 0)
		line_add(&line, TONE_CAUTION, "taking the traffic back to production");
	else
		line_add(&line, TONE_DIM, "^C stops safely");
	return line_end(&line);
}

int report_frame_add(const struct report_frame *frame, struct buf *ret_text)
{
	int rows = frame->rows - 1; /* the cursor stands on the line below */
	int lines = 0;

	if (rows < 1 || frame->columns < MINIMUM_COLUMNS)
		return 0;
	if (rows > FIXED_LINES) {
		buf_add_text(ret_text, "\n");
		lines++;
	}
	lines += add_header(frame, ret_text);
	if (rows - lines >= 1 && frame->report->stage_count)
		lines += add_stages(frame, ret_text);
	if (rows - lines >= 1 && frame->stage)
		lines += add_progress(frame, ret_text);
	if (rows - lines >= 2 && frame->stage)
		lines += add_checks(frame, rows - lines - 1, ret_text);
	if (rows - lines >= 1)
		lines += add_remedy(frame, ret_text);
	return lines;
}
