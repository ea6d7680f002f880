/* What the kinds share: see measure.h. */
#include "checks/measure.h"

#include <stdio.h>
#include <string.h>

enum task_next measure_end(struct check_run *run)
{
	run->ended_ms = loop_now_ms(run->task.loop);
	return TASK_DONE;
}

void measure_no_data(struct measurement *m, enum no_data_reason reason, const char *why)
{
	m->measured = MEASURED_NO_DATA;
	m->reason = reason;
	snprintf(m->message, sizeof(m->message), "%s", why);
}

enum task_next measure_error(struct check_run *run, const struct error *error)
{
	run->measurement.measured = MEASURED_ERROR;
	run->measurement.error = *error;
	return measure_end(run);
}

enum task_next measure_unasked(struct check_run *run, const struct error *error)
{
	if (error->kind != ERROR_UNAVAILABLE)
		return measure_error(run, error);
	run->measurement.measured = MEASURED_NO_DATA;
	run->measurement.error = *error;
	snprintf(run->measurement.message, sizeof(run->measurement.message), "%.500s",
		error->message);
	return measure_end(run);
}

bool measure_count(struct measurement *m, const struct count_query *count)
{
	static const enum no_data_reason reasons[] = {
		[COUNT_DONE] = NO_DATA_NONE,
		[COUNT_NO_REQUESTS] = NO_DATA_NO_REQUESTS,
		[COUNT_NO_SERIES] = NO_DATA_NO_SERIES,
		[COUNT_DOWN] = NO_DATA_SCRAPE_DOWN,
		[COUNT_PARTIAL] = NO_DATA_PARTIAL,
		[COUNT_ERROR] = NO_DATA_NONE,
	};
	const struct window *window = &count->window;

	snprintf(m->warning, sizeof(m->warning), "%s", count->warning);
	if (count->outcome == COUNT_ERROR) {
		m->measured = MEASURED_ERROR;
		m->error = count->error;
		return false;
	}
	m->has_samples = true;
	m->samples = window->over;
	m->span_s = window->last_time - window->first_time;
	if (count->outcome == COUNT_DONE)
		m->measured = MEASURED_VALUE;
	else
		measure_no_data(m, reasons[count->outcome], count->why);
	return window->over > 0 || window->of > 0;
}

int measure_write_arm(
	const char *counter, const char *matchers, struct buf *text, struct error *err)
{
	struct arena arena = { 0 };
	struct selector selector, more;
	int result = selector_parse(counter, &arena, &selector, err);

	if (!result)
		result = selector_parse(
			arena_format(&arena, "arm{%s}", matchers), &arena, &more, err);
	for (size_t i = 0; !result && i < more.matcher_count; i++)
		selector = selector_with(&arena, &selector, more.matchers[i].name,
			more.matchers[i].op, more.matchers[i].value);
	if (!result)
		selector_write(&selector, text);
	arena_release(&arena);
	return result;
}

bool measure_arm(struct measurement *m, const struct count_query *arm, const char *name)
{
	struct measurement why = { 0 };

	measure_count(&why, arm);
	if (arm->outcome == COUNT_DONE || arm->outcome == COUNT_NO_REQUESTS)
		return true;
	/* Scraped, and no series at all: it has never received anything. */
	if (arm->outcome == COUNT_NO_SERIES && arm->window.scraped_count &&
		!arm->over.result.series_count)
		return true;
	m->measured = why.measured;
	m->reason = why.reason;
	m->error = why.error;
	snprintf(m->message, sizeof(m->message), "%s: %.480s", name, why.message);
	return false;
}

void measure_note_restarts(struct measurement *m, const struct count_query *count)
{
	size_t used = strlen(m->message), restarted = count->window.restarted_count;

	if (m->measured != MEASURED_VALUE || !restarted)
		return;
	snprintf(m->message + used, sizeof(m->message) - used,
		"%s%zu target%s restarted in the window (a counter was reset)", used ? "; " : "",
		restarted, restarted == 1 ? "" : "s");
}
