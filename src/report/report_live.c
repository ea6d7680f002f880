/*
 * The live view: what is finished stays above as plain lines, the frame below is drawn again in
 * place by moving the cursor up over it. No alternate screen, so that everything is still there
 * afterwards; nothing is left switched on, so that a kill leaves a usable terminal.
 *
 * Between events only the clock moves: tick() draws the frame of the last event again. The report
 * of an event is read until EVENT_FINISHED.
 */
#include "canaryctl/clock.h"
#include "report/report_private.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

struct live_view {
	struct rollout_observer observer;
	FILE *stream;
	struct report_lines lines;
	struct buf frame; /* as drawn last, lines without the tones */
	int frame_lines;
	const struct rollout_report *report; /* NULL: nothing to draw */
	const struct stage_report *stage;
	char state[32];
	weight_t in_force;
	bool is_settling;
	int64_t left_ms;
	int64_t left_at; /* wall time that left_ms is of; 0: does not run */
};

static void read_size(FILE *stream, int *ret_columns, int *ret_rows)
{
	struct winsize size = { 0 };

	*ret_columns = 80;
	*ret_rows = 24;
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) != 0)
		return;
	if (size.ws_col)
		*ret_columns = size.ws_col;
	if (size.ws_row)
		*ret_rows = size.ws_row;
}

/* Columns of a line of the last frame, which holds escape sequences of ours and nobody else's. */
static int drawn_columns(const char *line, const char *end)
{
	int columns = 0;

	while (line < end) {
		if (*line == '\x1b') {
			line += strcspn(line, "m") + 1;
			continue;
		}
		columns += utf8_columns(utf8_next(&line));
	}
	return columns;
}

/* Rows that the last frame takes now: a terminal made narrower has wrapped its lines. */
static int drawn_rows(const struct live_view *view, int columns)
{
	const char *line = buf_text(&view->frame), *end;
	int rows = 0;

	for (; *line; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			break;
		rows += 1 + (drawn_columns(line, end) - 1) / columns;
	}
	return rows;
}

static int64_t left_now(const struct live_view *view, int64_t now)
{
	int64_t left = view->left_ms;

	if (view->left_at && now > view->left_at)
		left -= now - view->left_at;
	return left > 0 ? left : 0;
}

/* Writes the new lines where the old frame was, and the frame as it is now below them. */
static void draw(struct live_view *view, const struct buf *above, int64_t now)
{
	CLEANUP_BUF struct buf out = BUF_INIT(0);
	struct report_frame frame = { .style = &view->lines.style,
		.report = view->report,
		.stage = view->stage,
		.state = view->state,
		.in_force = view->in_force,
		.is_settling = view->is_settling,
		.left_ms = left_now(view, now) };
	int rows;

	read_size(view->stream, &frame.columns, &frame.rows);
	rows = drawn_rows(view, frame.columns);
	buf_add_text(&out, "\r");
	if (rows > 0)
		buf_add_format(&out, "\x1b[%dA", rows);
	buf_add_text(&out, "\x1b[J");
	if (above)
		buf_add(&out, buf_text(above), above->length);
	buf_clear(&view->frame);
	if (view->report) {
		frame.elapsed_ms = view->report->started_at ? now - view->report->started_at : 0;
		report_frame_add(&frame, &view->frame);
	}
	buf_add(&out, buf_text(&view->frame), view->frame.length);
	fwrite(buf_text(&out), 1, out.length, view->stream);
	fflush(view->stream);
}

/* The time left as the event says it, else what is left by now; it runs while observing. */
static void note_time(struct live_view *view, const struct rollout_event *event)
{
	bool is_observing = event->state && strcmp(event->state, "observing") == 0;

	if (event->kind == EVENT_EVALUATED)
		view->left_ms = event->stage_left_ms;
	else if (event->kind == EVENT_SHIFTED && event->stage)
		view->left_ms = event->stage->observe_ms;
	else
		view->left_ms = left_now(view, event->time);
	view->left_at = is_observing || event->kind == EVENT_SHIFTED ? event->time : 0;
}

static void note_event(struct live_view *view, const struct rollout_event *event)
{
	snprintf(view->state, sizeof(view->state), "%s", event->state ? event->state : "");
	view->report = event->kind == EVENT_FINISHED ? NULL : event->report;
	note_time(view, event);
	switch (event->kind) {
	case EVENT_PREPARED:
		view->in_force = 0;
		break;
	case EVENT_STAGE_STARTED:
		view->stage = event->stage;
		view->in_force = WEIGHT_UNKNOWN;
		view->is_settling = true;
		break;
	case EVENT_SHIFTED:
		view->stage = event->stage;
		view->in_force = event->stage ? event->stage->weight : WEIGHT_UNKNOWN;
		break;
	case EVENT_EVALUATED:
		view->stage = event->stage;
		view->is_settling = !event->is_counted;
		break;
	case EVENT_STAGE_ENDED:
		view->stage = NULL;
		break;
	case EVENT_ROLLING_BACK:
		view->stage = NULL;
		view->in_force = WEIGHT_UNKNOWN;
		break;
	case EVENT_ROLLED_BACK:
		view->in_force = report_canary_weight(&event->report->traffic);
		break;
	default:
		break;
	}
}

static void on_event(struct rollout_observer *observer, const struct rollout_event *event)
{
	struct live_view *view = container_of(observer, struct live_view, observer);
	CLEANUP_BUF struct buf above = BUF_INIT(0);

	report_lines_add(&view->lines, event, &above);
	note_event(view, event);
	draw(view, &above, event->time);
}

static void tick(struct rollout_observer *observer)
{
	struct live_view *view = container_of(observer, struct live_view, observer);

	if (view->report)
		draw(view, NULL, clock_wall_ms());
}

static void release(struct rollout_observer *observer)
{
	struct live_view *view = container_of(observer, struct live_view, observer);

	report_lines_release(&view->lines);
	buf_release(&view->frame);
	free(view);
}

struct rollout_observer *report_live_new(const struct report_options *options)
{
	struct live_view *view = mem_alloc(sizeof(*view));

	view->observer.on_event = on_event;
	view->observer.tick = tick;
	view->observer.release = release;
	view->stream = options->stream;
	view->lines.style = report_style_of(options);
	view->lines.is_live = true;
	view->in_force = WEIGHT_UNKNOWN;
	return &view->observer;
}
