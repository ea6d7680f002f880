/*
 * Exact counts from raw samples. rate() and increase() extrapolate, lose the first value of a new
 * series and go on reporting a target that is gone; so canaryctl asks for the samples themselves
 * (`selector[window]` at one server time) and takes the differences here. Pure.
 *
 * An arm (the canary, or production) is the set of targets, by job and instance, that have
 * series in `over`, or carry the labels that the selector asks for. Rules:
 * - differences per series between successive samples; after a reset the counter counts from 0
 * - a series born in the window counts from 0 when its target had been scraped before; otherwise
 *   its first value is only the base
 * - `of` without series for a target is 0 only while that target has `over` series
 * - every target must be up and fresh, or nothing is counted
 * - both answers of a target are cut at their common newest time: a scrape that was stored
 *   between the two queries never counts on one side only
 */
#ifndef CANARYCTL_WINDOW_H
#define CANARYCTL_WINDOW_H

#include "canaryctl/buf.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"

#include <stdbool.h>
#include <stddef.h>

struct window_input {
	const struct prom_result *over;
	const struct prom_result *of;      /* NULL: nothing to compare with */
	const struct prom_result *up;      /* up{the selector's labels}; NULL: not asked */
	const struct prom_result *more_up; /* up of targets that `up` lacks; NULL: not asked */
	double time;                       /* the server time that all were asked at */
	double scrape_interval;            /* seconds */
	/* Only what samples after `after` added, up to `until`, counts; 0: no such bound. */
	double after;
	double until;
};

enum window_state {
	WINDOW_COUNTED,
	WINDOW_NO_SERIES, /* nothing matches `over`, and no target is known to be down */
	WINDOW_DOWN,      /* a target is down, gone or stale: see `problem` */
};

struct window {
	struct arena arena;
	enum window_state state;
	double over; /* totals; also with WINDOW_DOWN: what could be seen */
	double of;
	double *over_increases; /* one per series of the answer */
	double *of_increases;
	size_t target_count;
	size_t scraped_count;   /* targets that `up` says are up and fresh */
	size_t restarted_count; /* targets with a counter reset */
	double first_time;      /* the time that the counts cover; both 0: nothing seen */
	double last_time;
	double common_time; /* up to here all targets were scraped: the oldest of their newest */
	char problem[256];  /* WINDOW_DOWN: which target, and why */
};

void window_count(const struct window_input *input, struct window *ret_window);
void window_release(struct window *window);

/*
 * Adds up{job=~...,instance=~...} for the counted targets that `up` has no series of; false when
 * there are none, or none that has a job or an instance.
 */
bool window_write_missing_up(const struct window_input *input, struct buf *ret_query);

#endif
