/*
 * Exact counts: see canaryctl/window.h for the rules. All series of all answers go into one list,
 * sorted by target, then by answer, then by their labels without `le`: a target is a run of the
 * list, and so is a histogram (whose buckets are reset together) within it. Pure.
 */
#include "canaryctl/window.h"
#include "canaryctl/selector.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum origin { FROM_OVER, FROM_OF, FROM_UP, FROM_MORE_UP };

struct entry {
	const char *job;
	const char *instance;
	enum origin origin;
	const struct prom_series *series;
	double *increase; /* NULL for `up` */
};

struct list {
	struct entry *entries;
	size_t count;
};

/* What is known about one target: a run of entries. */
struct target {
	const struct entry *entries;
	size_t count;
	bool has_over, has_of, has_up;
	bool in_up; /* among those that carry the selector's labels */
	double newest_over, newest_of, newest_up;
	double up;            /* its newest value */
	double first_counted; /* its first sample of any counter */
	double scrape_gap;    /* seconds between its scrapes, as far as known */
	double cut;
};

static bool is_up(const struct entry *entry)
{
	return entry->origin == FROM_UP || entry->origin == FROM_MORE_UP;
}

static const struct prom_label *next_label(const struct prom_series *series, size_t *i)
{
	while (*i < series->label_count) {
		const struct prom_label *label = &series->labels[(*i)++];

		if (strcmp(label->name, "le") != 0)
			return label;
	}
	return NULL;
}

/* Labels are sorted by name, so this is an order. */
static int compare_without_le(const struct prom_series *a, const struct prom_series *b)
{
	size_t i = 0, j = 0;

	for (;;) {
		const struct prom_label *x = next_label(a, &i), *y = next_label(b, &j);
		int order;

		if (!x || !y)
			return (x != NULL) - (y != NULL);
		order = strcmp(x->name, y->name);
		if (!order)
			order = strcmp(x->value, y->value);
		if (order)
			return order;
	}
}

static bool same_target(const struct entry *a, const struct entry *b)
{
	return !strcmp(a->job, b->job) && !strcmp(a->instance, b->instance);
}

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	int order = strcmp(a->job, b->job);

	if (!order)
		order = strcmp(a->instance, b->instance);
	if (!order)
		order = (int)a->origin - (int)b->origin;
	return order ? order : compare_without_le(a->series, b->series);
}

static void add_entries(
	struct list *list, const struct prom_result *result, enum origin origin, double *increases)
{
	for (size_t i = 0; result && i < result->series_count; i++) {
		const struct prom_series *series = &result->series[i];

		if (!series->sample_count)
			continue;
		list->entries[list->count++] = (struct entry){
			.job = prom_series_label(series, "job"),
			.instance = prom_series_label(series, "instance"),
			.origin = origin,
			.series = series,
			.increase = increases ? &increases[i] : NULL,
		};
	}
}

static size_t series_count(const struct prom_result *result)
{
	return result ? result->series_count : 0;
}

static struct list build_list(const struct window_input *input, struct window *window)
{
	size_t over = series_count(input->over), of = series_count(input->of);
	size_t total = over + of + series_count(input->up) + series_count(input->more_up);
	struct list list = { .entries = arena_alloc(&window->arena, total * sizeof(struct entry)) };

	window->over_increases = arena_alloc(&window->arena, over * sizeof(double));
	window->of_increases = arena_alloc(&window->arena, of * sizeof(double));
	add_entries(&list, input->over, FROM_OVER, window->over_increases);
	add_entries(&list, input->of, FROM_OF, window->of_increases);
	add_entries(&list, input->up, FROM_UP, NULL);
	add_entries(&list, input->more_up, FROM_MORE_UP, NULL);
	if (list.count)
		qsort(list.entries, list.count, sizeof(struct entry), compare_entries);
	return list;
}

static const struct prom_sample *last_sample(const struct prom_series *series)
{
	return &series->samples[series->sample_count - 1];
}

static void note_up(struct target *target, const struct prom_series *series)
{
	const struct prom_sample *last = last_sample(series);
	size_t gaps = series->sample_count - 1;

	if (gaps)
		target->scrape_gap = fmin(
			target->scrape_gap, (last->time - series->samples[0].time) / (double)gaps);
	/* Of several (the target was relabelled) the newest speaks; of equals, the worse. */
	if (!target->has_up || last->time > target->newest_up ||
		(last->time == target->newest_up && last->value < target->up)) {
		target->up = last->value;
		target->newest_up = last->time;
	}
	target->has_up = true;
}

static void note_newest(bool *has, double *newest, const struct prom_series *series)
{
	double time = last_sample(series)->time;

	if (!*has || time > *newest)
		*newest = time;
	*has = true;
}

/*
 * Where the target's counts end. An `of` that is behind `over` by about one scrape was asked just
 * before that scrape was stored, or its series went stale then: either way the common time is
 * right. An `of` that ended earlier is simply gone (the process restarted).
 */
static double common_time(const struct target *target, double scrape_interval)
{
	if (!target->has_over)
		return target->newest_of;
	if (target->has_of && target->newest_of < target->newest_over &&
		target->newest_over - target->newest_of <= 1.5 * scrape_interval)
		return target->newest_of;
	return target->newest_over;
}

/* The run of entries of one target, from `start`. */
static struct target take_target(const struct list *list, size_t start, double scrape_interval)
{
	struct target target = { .entries = &list->entries[start],
		.first_counted = INFINITY,
		.scrape_gap = scrape_interval };

	for (size_t i = start; i < list->count; i++) {
		const struct entry *entry = &list->entries[i];

		if (!same_target(entry, target.entries))
			break;
		target.count++;
		if (entry->origin == FROM_OVER)
			note_newest(&target.has_over, &target.newest_over, entry->series);
		else if (entry->origin == FROM_OF)
			note_newest(&target.has_of, &target.newest_of, entry->series);
		else
			note_up(&target, entry->series);
		if (!is_up(entry))
			target.first_counted =
				fmin(target.first_counted, entry->series->samples[0].time);
		target.in_up = target.in_up || entry->origin == FROM_UP;
	}
	target.cut = common_time(&target, scrape_interval);
	return target;
}

/* ---- when was it scraped before ---- */

/* Does the series carry all labels of this `up` series, that is, of the target? */
static bool carries_labels(const struct prom_series *series, const struct prom_series *up)
{
	for (size_t i = 0; i < up->label_count; i++) {
		const struct prom_label *label = &up->labels[i];

		if (strcmp(label->name, "__name__") != 0 &&
			strcmp(prom_series_label(series, label->name), label->value) != 0)
			return false;
	}
	return true;
}

static double first_success(const struct prom_series *up)
{
	for (size_t i = 0; i < up->sample_count; i++) {
		if (up->samples[i].value == 1)
			return up->samples[i].time;
	}
	return INFINITY;
}

/*
 * The first time in the window that the series' target was scraped. By `up` of exactly these
 * target labels where there is one (when a target is relabelled, old counters appear under new
 * labels, and were not born); by any `up` of the target where labels were overridden; and by the
 * target's other series where nobody says `up`.
 */
static double first_scrape(const struct target *target, const struct prom_series *series)
{
	double exact = INFINITY, any = INFINITY;
	bool has_exact = false;

	for (size_t i = target->count; i-- && is_up(&target->entries[i]);) { /* they are last */
		const struct entry *entry = &target->entries[i];

		if (carries_labels(series, entry->series)) {
			exact = fmin(exact, first_success(entry->series));
			has_exact = true;
		} else {
			any = fmin(any, first_success(entry->series));
		}
	}
	if (has_exact)
		return exact;
	return target->has_up ? any : target->first_counted;
}

/* ---- differences ---- */

static bool is_count(const struct prom_sample *sample)
{
	return isfinite(sample->value) && sample->value >= 0;
}

struct resets {
	double *times; /* rising */
	size_t count;
};

static int compare_doubles(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* The times at which any of these series, which are reset together, fell. */
static struct resets find_resets(struct arena *arena, const struct entry *entries, size_t count)
{
	struct resets resets = { 0 };
	size_t room = 0;

	for (size_t i = 0; i < count; i++)
		room += entries[i].series->sample_count;
	resets.times = arena_alloc(arena, room * sizeof(double));
	for (size_t i = 0; i < count; i++) {
		const struct prom_series *series = entries[i].series;
		double previous = -1;

		for (size_t j = 0; j < series->sample_count; j++) {
			if (!is_count(&series->samples[j]))
				continue;
			if (series->samples[j].value < previous)
				resets.times[resets.count++] = series->samples[j].time;
			previous = series->samples[j].value;
		}
	}
	if (resets.count)
		qsort(resets.times, resets.count, sizeof(double), compare_doubles);
	return resets;
}

static bool reset_between(const struct resets *resets, double after, double until)
{
	size_t low = 0, high = resets->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (resets->times[middle] > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low < resets->count && resets->times[low] <= until;
}

/* What samples after `after` added, up to `until`. */
struct span {
	double after;
	double until;
};

/*
 * `born_after`: a series whose first sample is later was born in the window, and counts from 0.
 */
static double increase_of(const struct prom_series *series, double born_after,
	const struct span *span, const struct resets *resets)
{
	const struct prom_sample *previous = NULL;
	double total = 0;

	for (size_t i = 0; i < series->sample_count; i++) {
		const struct prom_sample *sample = &series->samples[i];
		double more;

		if (!is_count(sample) || sample->time > span->until)
			continue;
		if (!previous)
			more = sample->time > born_after ? sample->value : 0;
		else if (sample->value < previous->value ||
			 reset_between(resets, previous->time, sample->time))
			more = sample->value;
		else
			more = sample->value - previous->value;
		total += sample->time > span->after ? more : 0;
		previous = sample;
	}
	return total;
}

static size_t run_of_same_labels(const struct target *target, size_t start)
{
	const struct entry *first = &target->entries[start];
	size_t end = start + 1;

	while (end < target->count && target->entries[end].origin == first->origin &&
		!compare_without_le(target->entries[end].series, first->series))
		end++;
	return end - start;
}

static void cover(struct window *window, double from, double until)
{
	if (window->last_time == 0 || from < window->first_time)
		window->first_time = from;
	window->last_time = fmax(window->last_time, until);
}

/* Counts the series of one target, a group that is reset together at a time. */
static void count_target(
	struct window *window, const struct window_input *input, const struct target *target)
{
	struct span span = { .after = input->after, .until = target->cut };
	struct arena scratch = { 0 };
	bool restarted = false;

	for (size_t start = 0, run; start < target->count; start += run) {
		struct resets resets;

		run = run_of_same_labels(target, start);
		if (is_up(&target->entries[start]))
			continue;
		resets = find_resets(&scratch, &target->entries[start], run);
		restarted = restarted || resets.count;
		for (size_t i = start; i < start + run; i++) {
			const struct entry *entry = &target->entries[i];
			double scraped = first_scrape(target, entry->series);
			/* Not just any time later: samples may bring timestamps of their own. */
			double born_after = scraped + 0.9 * target->scrape_gap;

			*entry->increase = increase_of(entry->series, born_after, &span, &resets);
			*(entry->origin == FROM_OVER ? &window->over : &window->of) +=
				*entry->increase;
			cover(window, fmin(scraped, entry->series->samples[0].time), target->cut);
		}
		arena_release(&scratch);
	}
	window->restarted_count += restarted;
}

/* ---- is it up and fresh ---- */

static void describe_target(const struct target *target, struct buf *text)
{
	const struct entry *entry = target->entries;

	buf_add_text(text, "target '");
	buf_add_printable(text, *entry->instance ? entry->instance : "(no instance label)");
	buf_add_text(text, "'");
	if (*entry->job) {
		buf_add_text(text, " of job '");
		buf_add_printable(text, entry->job);
		buf_add_text(text, "'");
	}
}

/* Adds why the target cannot be counted; false when it can. */
static bool write_problem(
	const struct target *target, const struct window_input *input, struct buf *text)
{
	double limit = 2 * input->scrape_interval + 2; /* 2 s: a slow scrape is stored late */
	double newest = target->has_over ? target->newest_over : target->newest_of;

	if (target->has_up && target->up != 1) {
		describe_target(target, text);
		buf_add_text(text, " is down (its scrape fails)");
		return true;
	}
	if (target->has_up && input->time - target->newest_up > limit) {
		describe_target(target, text);
		buf_add_format(text,
			" is gone: last scraped %.0fs ago, at a scrape interval of %gs",
			input->time - target->newest_up, input->scrape_interval);
		return true;
	}
	if ((target->has_over || target->has_of) && input->time - newest > limit) {
		describe_target(target, text);
		buf_add_format(text,
			" is stale: its series ended %.0fs ago%s, at a scrape interval of %gs",
			input->time - newest,
			target->has_up ? " though it is up (restarted, and idle since?)" : "",
			input->scrape_interval);
		return true;
	}
	return false;
}

/* ---- the arm ---- */

/* Does any target of this job, which `start` begins, have counted series? */
static bool job_is_counted(const struct list *list, size_t start)
{
	const char *job = list->entries[start].job;

	for (size_t i = start; i < list->count && !strcmp(list->entries[i].job, job); i++) {
		if (!is_up(&list->entries[i]))
			return true;
	}
	return false;
}

/*
 * A target that only `up` knows belongs to the arm when it carries the selector's labels; but one
 * of another job (an exporter on the same host) only while nothing at all was counted.
 */
static bool belongs(const struct target *target, bool job_counted, bool any_counted)
{
	if (target->has_over || target->has_of)
		return true;
	return target->in_up && (job_counted || !any_counted);
}

static void note_common_time(struct window *window, const struct target *target)
{
	double newest = target->has_over || target->has_of ? target->cut : target->newest_up;

	if (!window->target_count || newest < window->common_time)
		window->common_time = newest;
}

static void add_target(struct window *window, const struct window_input *input,
	struct target *target, struct buf *problem, size_t *problems)
{
	CLEANUP_BUF struct buf text = BUF_INIT(200);

	note_common_time(window, target);
	window->target_count++;
	if (input->until > 0)
		target->cut = fmin(target->cut, input->until);
	count_target(window, input, target);
	if (!write_problem(target, input, &text)) {
		window->scraped_count += target->has_up;
		return;
	}
	if (!*problems)
		buf_add_text(problem, buf_text(&text));
	*problems += 1;
}

void window_count(const struct window_input *input, struct window *ret_window)
{
	CLEANUP_BUF struct buf problem = BUF_INIT(220);
	struct list list;
	bool any_counted = false, any_over = false, job_counted = false;
	size_t problems = 0;

	memset(ret_window, 0, sizeof(*ret_window));
	list = build_list(input, ret_window);
	for (size_t i = 0; i < list.count; i++) {
		any_counted = any_counted || !is_up(&list.entries[i]);
		any_over = any_over || list.entries[i].origin == FROM_OVER;
	}
	for (size_t i = 0; i < list.count;) {
		struct target target = take_target(&list, i, input->scrape_interval);

		if (!i || strcmp(list.entries[i].job, list.entries[i - 1].job) != 0)
			job_counted = job_is_counted(&list, i);
		if (belongs(&target, job_counted, any_counted))
			add_target(ret_window, input, &target, &problem, &problems);
		i += target.count;
	}
	ret_window->state = problems ? WINDOW_DOWN : any_over ? WINDOW_COUNTED : WINDOW_NO_SERIES;
	if (problems > 1)
		buf_add_format(&problem, ", and %zu more", problems - 1);
	snprintf(ret_window->problem, sizeof(ret_window->problem), "%s", buf_text(&problem));
}

void window_release(struct window *window)
{
	arena_release(&window->arena);
	memset(window, 0, sizeof(*window));
}

/* ---- the third round ---- */

static void add_alternative(struct buf *regex, const char *value)
{
	if (regex->length)
		buf_add_text(regex, "|");
	selector_add_literal(regex, value);
}

bool window_write_missing_up(const struct window_input *input, struct buf *ret_query)
{
	CLEANUP_BUF struct buf jobs = { 0 };
	CLEANUP_BUF struct buf instances = { 0 };
	struct window window = { 0 };
	struct list list = build_list(input, &window);
	const char *last_job = NULL;
	bool any = false;

	for (size_t i = 0; i < list.count;) {
		struct target target = take_target(&list, i, input->scrape_interval);
		const struct entry *entry = target.entries;

		i += target.count;
		if (target.has_up || (!*entry->job && !*entry->instance))
			continue;
		if (!last_job || strcmp(last_job, entry->job) != 0)
			add_alternative(&jobs, entry->job);
		add_alternative(&instances, entry->instance);
		last_job = entry->job;
		any = true;
	}
	if (any) {
		struct selector up = { .metric = "up" };

		up = selector_with(&window.arena, &up, "job", MATCH_REGEX, buf_text(&jobs));
		up = selector_with(
			&window.arena, &up, "instance", MATCH_REGEX, buf_text(&instances));
		selector_write(&up, ret_query);
	}
	window_release(&window);
	return any;
}
