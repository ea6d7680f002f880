/*
 * Events as lines that stay: for pipes, CI logs, and above the live view. A check gets a line when
 * its result changes and one at the end of its stage; in between one progress line now and then.
 */
#include "canaryctl/clock.h"
#include "report/report_private.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_MINIMUM_MS = 10 * 1000, PROGRESS_MAXIMUM_MS = 5 * 60 * 1000 };

/* Where a check's line begins under lines with a time of day. */
#define CHECK_INDENT "           "

void report_lines_release(struct report_lines *lines)
{
	free(lines->shown);
	lines->shown = NULL;
	lines->shown_count = 0;
}

/* "  17:03:15 " */
static void begin_time(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	char time[CLOCK_TEXT_SIZE];

	buf_add_text(text, "  ");
	report_add_tone(text, &lines->style, TONE_DIM);
	buf_add_text(text, clock_format_local(event->time, time));
	report_add_tone(text, &lines->style, TONE_PLAIN);
	buf_add_text(text, " ");
}

/* "  17:03:15 ✓ " */
static void begin_line(struct report_lines *lines, const struct rollout_event *event,
	enum mark mark, struct buf *text)
{
	begin_time(lines, event, text);
	report_add_mark(text, &lines->style, mark);
	buf_add_text(text, " ");
}

static void add_outside(struct report_lines *lines, const char *outside, struct buf *text)
{
	report_add_paragraph(text, &lines->style, outside, CHECK_INDENT);
}

static void add_text_line(struct report_lines *lines, const struct rollout_event *event,
	enum mark mark, const char *before, struct buf *text)
{
	begin_line(lines, event, mark, text);
	buf_add_text(text, before);
	if (event->text && event->text[0]) {
		buf_add_text(text, before[0] ? ": " : "");
		add_outside(lines, event->text, text);
	}
	buf_add_text(text, "\n");
}

struct check_columns report_check_columns(
	const struct report_style *style, const struct stage_report *stage)
{
	struct check_columns columns = { 0 };
	char text[REPORT_TEXT_SIZE];

	for (size_t i = 0; i < stage->check_count; i++) {
		const struct check_report *report = &stage->checks[i];
		int name = report_columns(style, report_check_name(report));
		int limit = report_columns(style, report_check_limit(report));
		int value = (int)strlen(report_format_check_value(report, text));
		int samples = (int)strlen(report_format_samples(report, text));

		columns.name = name > columns.name ? name : columns.name;
		columns.limit = limit > columns.limit ? limit : columns.limit;
		columns.value = value > columns.value ? value : columns.value;
		columns.samples = samples > columns.samples ? samples : columns.samples;
	}
	columns.name = columns.name > 40 ? 40 : columns.name;
	columns.limit = columns.limit > 32 ? 32 : columns.limit;
	columns.value = columns.value < 8 ? 8 : columns.value;
	return columns;
}

void report_add_check(struct buf *buf, const struct report_style *style,
	const struct check_report *report, const struct check_columns *columns)
{
	char text[REPORT_TEXT_SIZE];
	bool is_bad = report->was_asked && report->last.result == CHECK_FAIL;

	report_add_mark(
		buf, style, report->was_asked ? report_mark_of(report->last.result) : MARK_NOTE);
	buf_add_text(buf, " ");
	report_add_padded(buf, style, report_check_name(report), columns->name);
	buf_add_text(buf, "  ");
	report_add_tone(buf, style, is_bad ? TONE_BAD : TONE_PLAIN);
	report_add_padded(buf, style, report_format_check_value(report, text), columns->value);
	report_add_tone(buf, style, TONE_PLAIN);
	buf_add_text(buf, "  ");
	report_add_padded(buf, style, report_check_limit(report), columns->limit);
	if (columns->samples > 0) {
		buf_add_text(buf, "  ");
		report_add_padded(
			buf, style, report_format_samples(report, text), columns->samples);
	}
}

static void trim_spaces(struct buf *text)
{
	while (text->length && text->data[text->length - 1] == ' ')
		text->data[--text->length] = '\0';
}

/* The check's columns, its result in a word unless it passed, and what there is to say. */
static void add_check_line(struct report_lines *lines, const struct check_report *report,
	const struct check_columns *columns, const char *remark, struct buf *text)
{
	CLEANUP_BUF struct buf detail = BUF_INIT(0);

	report_add_check(text, &lines->style, report, columns);
	if (report->last.result != CHECK_PASS)
		buf_add_format(text, "  %s", check_result_name(report->last.result));
	buf_add_text(text, remark);
	report_say_detail(report, &detail);
	if (detail.length) {
		buf_add_text(text, report->last.result == CHECK_PASS ? "  " : ": ");
		add_outside(lines, buf_text(&detail), text);
	}
	trim_spaces(text);
	buf_add_text(text, "\n");
}

static void begin_stage(struct report_lines *lines, const struct stage_report *stage)
{
	report_lines_release(lines);
	lines->stage = stage->index;
	lines->shown_count = stage->check_count;
	lines->shown = mem_array(stage->check_count + 1, sizeof(*lines->shown));
	for (size_t i = 0; i < stage->check_count; i++)
		lines->shown[i] = (struct shown_result){ .counted = -1, .early = -1 };
	lines->progress_due = 0;
}

/* Before it counts only a failure is news; then every change is, but not that it begins by passing.
 */
static bool is_news(const struct shown_result *shown, enum check_result result, bool is_early)
{
	if (is_early)
		return result == CHECK_FAIL && shown->early != (int)result;
	return shown->counted < 0 ? result != CHECK_PASS : shown->counted != (int)result;
}

static void add_changes(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	const struct stage_report *stage = event->stage;
	struct check_columns columns = report_check_columns(&lines->style, stage);

	for (size_t i = 0; i < stage->check_count && i < lines->shown_count; i++) {
		const struct check_report *report = &stage->checks[i];
		struct shown_result *shown = &lines->shown[i];
		bool is_early = !event->is_counted && !report->last.is_critical &&
				!(report->check && report->check->counts_at_once);

		if (!report->was_asked)
			continue;
		/* Before its first shift a stage is rehearsed: every answer is of interest. */
		if (!stage->shifted_at || is_news(shown, report->last.result, is_early)) {
			begin_time(lines, event, text);
			add_check_line(lines, report, &columns,
				is_early ? " (settling: not counted yet)" : "", text);
		}
		*(is_early ? &shown->early : &shown->counted) = (int)report->last.result;
	}
}

/* "error-rate FAIL, p95-fast NO_DATA", at most three. */
static void add_not_passing(
	struct report_lines *lines, const struct stage_report *stage, struct buf *text)
{
	int passing = 0, asked = 0, others = 0;

	for (size_t i = 0; i < stage->check_count; i++) {
		asked += stage->checks[i].was_asked;
		passing += stage->checks[i].was_asked && stage->checks[i].last.result == CHECK_PASS;
	}
	if (passing == asked) {
		buf_add_format(text, asked == 1 ? "the check passes" : "all %d checks pass", asked);
		return;
	}
	buf_add_format(text, "%d of %d checks pass", passing, asked);
	for (size_t i = 0; i < stage->check_count; i++) {
		const struct check_report *report = &stage->checks[i];

		if (!report->was_asked || report->last.result == CHECK_PASS || ++others > 3)
			continue;
		buf_add_text(text, ", ");
		report_add_safe(text, &lines->style, report_check_name(report));
		buf_add_format(text, " %s", check_result_name(report->last.result));
	}
	if (others > 3)
		buf_add_format(text, ", and %d more", others - 3);
}

static void add_progress(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	const struct stage_report *stage = event->stage;
	int64_t whole = stage->observe_ms + stage->extended_ms, step = whole / 10;
	int64_t left = event->stage_left_ms > 0 ? event->stage_left_ms : 0;
	char duration[REPORT_TEXT_SIZE];

	step = step < PROGRESS_MINIMUM_MS ? PROGRESS_MINIMUM_MS : step;
	step = step > PROGRESS_MAXIMUM_MS ? PROGRESS_MAXIMUM_MS : step;
	if (!lines->progress_due)
		lines->progress_due = event->time + step;
	if (lines->is_live || whole <= 0 || !left || event->time < lines->progress_due)
		return;
	lines->progress_due = event->time + step;
	begin_line(lines, event, MARK_NOTE, text);
	buf_add_format(text,
		"%d%% observed, %s left: ", (int)(left < whole ? (whole - left) * 100 / whole : 0),
		report_format_duration(left, duration));
	if (event->is_counted)
		add_not_passing(lines, stage, text);
	else
		buf_add_text(text, "settling, not counted yet");
	buf_add_text(text, "\n");
}

static void add_stage_plan(
	struct report_lines *lines, const struct rollout_report *report, struct buf *text)
{
	const char *arrow = lines->style.ascii ? " -> " : " → ";
	char weight[REPORT_TEXT_SIZE], duration[REPORT_TEXT_SIZE];
	bool is_even = true;

	if (!report->stage_count)
		return;
	for (size_t i = 1; i < report->stage_count; i++)
		is_even &= report->stages[i].observe_ms == report->stages[0].observe_ms;
	buf_add_format(
		text, "  %zu stage%s: ", report->stage_count, report->stage_count == 1 ? "" : "s");
	for (size_t i = 0; i < report->stage_count; i++) {
		const struct stage_report *stage = &report->stages[i];

		buf_add_format(
			text, "%s%s", i ? arrow : "", report_format_weight(stage->weight, weight));
		if (!is_even)
			buf_add_format(text, " for %s",
				report_format_duration(stage->observe_ms, duration));
	}
	if (is_even)
		buf_add_format(text, ", %s each",
			report_format_duration(report->stages[0].observe_ms, duration));
	buf_add_text(text, "\n");
}

static void add_started(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	const struct rollout_report *report = event->report;
	char time[CLOCK_TEXT_SIZE];

	report_add_tone(text, &lines->style, TONE_STRONG);
	buf_add_text(text, "CANARY DEPLOYMENT: ");
	report_add_safe(text, &lines->style, report->service ? report->service : "");
	buf_add_text(text, " ");
	report_add_safe(text, &lines->style, report->version ? report->version : "");
	report_add_tone(text, &lines->style, TONE_PLAIN);
	buf_add_text(text, "\n  ");
	report_add_safe(text, &lines->style, report->deployment ? report->deployment : "");
	buf_add_format(text, ", started %s\n", clock_format_utc(event->time, time));
	add_stage_plan(lines, report, text);
	begin_line(lines, event, MARK_NOTE, text);
	buf_add_text(text, "preparing\n");
}

/* "1% canary, 99% production" */
static void add_split(weight_t canary, struct buf *text)
{
	char share[REPORT_TEXT_SIZE], rest[REPORT_TEXT_SIZE];

	buf_add_format(text, "%s canary, %s production", report_format_weight(canary, share),
		report_format_weight(WEIGHT_FULL - canary, rest));
}

static void add_stage_started(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	begin_stage(lines, event->stage);
	buf_add_text(text, "\n");
	report_add_tone(text, &lines->style, TONE_STRONG);
	buf_add_format(text, "[STAGE %d/%zu] ", event->stage->index, event->report->stage_count);
	add_split(event->stage->weight, text);
	report_add_tone(text, &lines->style, TONE_PLAIN);
	buf_add_text(text, "\n");
}

static void add_shifted(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	char duration[REPORT_TEXT_SIZE];

	begin_line(lines, event, MARK_GOOD, text);
	add_split(event->stage->weight, text);
	buf_add_format(text, ": proven in force; observing for %s\n",
		report_format_duration(event->stage->observe_ms, duration));
}

static void add_stage_ended(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	const struct stage_report *stage = event->stage;
	struct check_columns columns = report_check_columns(&lines->style, stage);
	int64_t began = stage->shifted_at ? stage->shifted_at : event->time;
	char duration[REPORT_TEXT_SIZE];

	for (size_t i = 0; i < stage->check_count; i++) {
		if (!stage->checks[i].was_asked)
			continue;
		buf_add_text(text, CHECK_INDENT);
		add_check_line(lines, &stage->checks[i], &columns, "", text);
	}
	begin_line(lines, event, stage->state == STAGE_PASSED ? MARK_GOOD : MARK_BAD, text);
	buf_add_format(text, "stage %d %s after %s", stage->index, stage_state_name(stage->state),
		report_format_duration(event->time - began, duration));
	if (event->text && event->text[0]) {
		buf_add_text(text, ": ");
		add_outside(lines, event->text, text);
	}
	buf_add_text(text, "\n");
}

static void add_rolled_back(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	const struct traffic_state *traffic = &event->report->traffic;
	bool is_clean = traffic->is_proven && !report_only_braked(traffic);
	CLEANUP_BUF struct buf where = BUF_INIT(0);

	begin_line(lines, event, is_clean ? MARK_GOOD : MARK_CAUTION, text);
	report_say_traffic(event->report, &where);
	report_add_safe(text, &lines->style, buf_text(&where));
	buf_add_text(text, "\n");
	if (event->text && event->text[0])
		add_text_line(lines, event, MARK_CAUTION, "", text);
}

/* What an operator has to know of a state beyond what the other events tell. */
static void add_state(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	static const struct {
		const char *state, *next;
	} waiting[] = {
		{ "paused", "paused; `canaryctl resume` goes on, `canaryctl abort` rolls back" },
		{ "awaiting_approval", "waiting for approval; `canaryctl approve` goes on, "
				       "`canaryctl abort` rolls "
				       "back" },
	};
	const char *state = event->state ? event->state : "";

	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		if (strcmp(state, waiting[i].state) == 0) {
			add_text_line(lines, event, MARK_CAUTION, "", text);
			/* Nobody is left to be asked; the end says what to do. */
			if (event->is_held)
				break;
			begin_line(lines, event, MARK_CAUTION, text);
			buf_add_format(text, "%s\n", waiting[i].next);
		} else if (strcmp(lines->state, waiting[i].state) == 0) {
			add_text_line(lines, event, MARK_NOTE, "", text);
		}
	}
	snprintf(lines->state, sizeof(lines->state), "%s", state);
}

static void add_stage_event(
	struct report_lines *lines, const struct rollout_event *event, struct buf *text)
{
	if (event->kind == EVENT_STAGE_STARTED) {
		add_stage_started(lines, event, text);
		return;
	}
	if (lines->stage != event->stage->index)
		begin_stage(lines, event->stage);
	switch (event->kind) {
	case EVENT_SHIFTED:
		add_shifted(lines, event, text);
		break;
	case EVENT_EVALUATED:
		add_changes(lines, event, text);
		add_progress(lines, event, text);
		break;
	case EVENT_STAGE_ENDED:
		add_stage_ended(lines, event, text);
		break;
	default:
		add_text_line(
			lines, event, MARK_UNKNOWN, "not decided yet, observing for longer", text);
	}
}

void report_lines_add(
	struct report_lines *lines, const struct rollout_event *event, struct buf *ret_text)
{
	switch (event->kind) {
	case EVENT_STARTED:
		add_started(lines, event, ret_text);
		break;
	case EVENT_PREPARED:
		add_text_line(
			lines, event, MARK_GOOD, "prepared; 0% canary: proven in force", ret_text);
		break;
	case EVENT_STATE_CHANGED:
		add_state(lines, event, ret_text);
		break;
	case EVENT_STAGE_STARTED:
	case EVENT_SHIFTED:
	case EVENT_EVALUATED:
	case EVENT_STAGE_EXTENDED:
	case EVENT_STAGE_ENDED:
		if (event->stage)
			add_stage_event(lines, event, ret_text);
		break;
	case EVENT_ROLLING_BACK:
		add_text_line(lines, event, MARK_CAUTION, "rolling back", ret_text);
		break;
	case EVENT_ROLLED_BACK:
		add_rolled_back(lines, event, ret_text);
		break;
	case EVENT_PLAN:
		report_add_safe(ret_text, &lines->style, event->text ? event->text : "");
		buf_add_text(ret_text, "\n");
		break;
	case EVENT_NOTE:
		add_text_line(lines, event, MARK_CAUTION, "", ret_text);
		break;
	case EVENT_FINISHED:
		report_add_end(ret_text, &lines->style, event->report);
		break;
	default:
		break;
	}
}
