/*
 * One arm's exact count: see canaryctl/count_query.h. All samples are asked for at one server
 * time and concurrently: (1) `over`, `of` and `up` by the selector's labels; (2) `up` by job and
 * instance for targets that do not carry these labels; (3) only when there is nothing, why.
 */
#include "canaryctl/count_query.h"
#include "canaryctl/duration.h"

#include <stdio.h>
#include <string.h>

static enum task_next count_ask(struct task *task);
static enum task_next count_answered(struct task *task);
static enum task_next count_complete(struct task *task);
static enum task_next count_diagnosed(struct task *task);

static const struct task_step steps[] = {
	{ "ask for samples", count_ask },
	{ "samples came", count_answered },
	{ "count", count_complete },
	{ "diagnose", count_diagnosed },
	{ 0 },
};

void count_query_start(
	struct count_query *query, struct task *parent, const struct count_request *request)
{
	memset(query, 0, sizeof(*query));
	query->config = request->config;
	query->time = request->time;
	query->window_ms = request->window_ms;
	query->over_text = arena_strdup(&query->arena, request->over);
	if (request->of)
		query->of_text = arena_strdup(&query->arena, request->of);
	task_start_child(&query->task, parent, "count requests", steps);
}

void count_query_release(struct count_query *query)
{
	window_release(&query->window);
	prom_query_release(&query->over);
	prom_query_release(&query->of);
	prom_query_release(&query->up);
	prom_query_release(&query->more_up);
	prom_query_release(&query->existing);
	prom_query_release(&query->recent);
	arena_release(&query->arena);
}

static void ask(struct count_query *query, struct prom_query *which, const char *expression)
{
	prom_query_start(which, &query->task, query->config, expression, query->time);
}

static void ask_range(
	struct count_query *query, struct prom_query *which, const struct selector *selector)
{
	CLEANUP_BUF struct buf text = { 0 };
	char window[DURATION_TEXT_SIZE];

	selector_write(selector, &text);
	buf_add_format(&text, "[%s]", duration_format(query->window_ms, window));
	ask(query, which, buf_text(&text));
}

static enum task_next finish(struct count_query *query, enum count_outcome outcome)
{
	query->outcome = outcome;
	return TASK_DONE;
}

static enum task_next fail(struct count_query *query, const struct error *error)
{
	query->error = *error;
	snprintf(query->why, sizeof(query->why), "%.500s", error->message);
	return finish(query, COUNT_ERROR);
}

/* ---- round 1 ---- */

static enum task_next count_ask(struct task *task)
{
	struct count_query *query = container_of(task, struct count_query, task);
	CLEANUP_BUF struct buf up = { 0 };
	char window[DURATION_TEXT_SIZE];
	struct error error = { 0 };

	if (selector_parse(query->over_text, &query->arena, &query->over_selector, &error) ||
		(query->of_text &&
			selector_parse(query->of_text, &query->arena, &query->of_selector, &error)))
		return fail(query, &error);
	ask_range(query, &query->over, &query->over_selector);
	query->asked_of = query->of_text != NULL;
	if (query->asked_of)
		ask_range(query, &query->of, &query->of_selector);
	query->asked_up = selector_write_up(&query->over_selector, &up);
	if (query->asked_up) {
		buf_add_format(&up, "[%s]", duration_format(query->window_ms, window));
		ask(query, &query->up, buf_text(&up));
	}
	return TASK_WAIT;
}

/* Both the error and the type of an answer that must be samples. */
static bool came(struct prom_query *which, struct error *err)
{
	if (which->error.kind) {
		*err = which->error;
		return false;
	}
	if (which->result.type == PROM_MATRIX)
		return true;
	error_set(err, ERROR_METRICS, 0, "Prometheus answered a range query without a matrix");
	return false;
}

static void note_warning(struct count_query *query, const struct prom_query *which)
{
	if (which->result.warnings && !*query->warning)
		snprintf(query->warning, sizeof(query->warning), "%s", which->result.warnings);
}

static struct window_input input_of(const struct count_query *query)
{
	return (struct window_input){
		.over = &query->over.result,
		.of = query->asked_of ? &query->of.result : NULL,
		.up = query->asked_up ? &query->up.result : NULL,
		.more_up = query->asked_more_up ? &query->more_up.result : NULL,
		.time = query->time,
		.scrape_interval = (double)query->config->scrape_interval_ms / 1000,
	};
}

static enum task_next count_answered(struct task *task)
{
	struct count_query *query = container_of(task, struct count_query, task);
	struct window_input input = input_of(query);
	CLEANUP_BUF struct buf up = { 0 };
	char window[DURATION_TEXT_SIZE];
	struct error error = { 0 };

	if (!came(&query->over, &error) || (query->asked_of && !came(&query->of, &error)) ||
		(query->asked_up && !came(&query->up, &error)))
		return fail(query, &error);
	note_warning(query, &query->over);
	note_warning(query, &query->of);
	note_warning(query, &query->up);
	/* ---- round 2 ---- */
	query->asked_more_up = window_write_missing_up(&input, &up);
	if (!query->asked_more_up)
		return TASK_MORE;
	buf_add_format(&up, "[%s]", duration_format(query->window_ms, window));
	ask(query, &query->more_up, buf_text(&up));
	return TASK_WAIT;
}

/* ---- the count, and round 3 ---- */

/* Would this matcher refuse a series that lacks the label? In doubt, no. */
static bool needs_label(const struct matcher *matcher)
{
	if (matcher->op == MATCH_EQUAL)
		return *matcher->value;
	return matcher->op == MATCH_REGEX && *matcher->value &&
	       !matcher->value[strcspn(matcher->value, "*?|{")];
}

static bool any_has_label(const struct prom_result *result, const char *name)
{
	for (size_t i = 0; i < result->series_count; i++) {
		if (*prom_series_label(&result->series[i], name))
			return true;
	}
	return false;
}

/*
 * `of` without series counts as 0; but when it asks the same metric for a label that none of its
 * series has, that is a misspelt label, and would be 0 for ever.
 */
static const char *misspelt_label(const struct count_query *query)
{
	const struct selector *of = &query->of_selector;

	if (!query->asked_of || query->of.result.series_count || !*of->metric ||
		strcmp(of->metric, query->over_selector.metric) != 0)
		return NULL;
	for (size_t i = 0; i < of->matcher_count; i++) {
		if (needs_label(&of->matchers[i]) &&
			!any_has_label(&query->over.result, of->matchers[i].name))
			return of->matchers[i].name;
	}
	return NULL;
}

static void start_diagnosis(struct count_query *query)
{
	CLEANUP_BUF struct buf existing = { 0 };
	CLEANUP_BUF struct buf recent = { 0 };

	query->asked_existing = selector_write_diagnosis(&query->over_selector, &existing);
	if (query->asked_existing)
		ask(query, &query->existing, buf_text(&existing));
	buf_add_text(&recent, "count by (job, instance) (last_over_time(");
	selector_write(&query->over_selector, &recent);
	buf_add_text(&recent, "[1h]))");
	ask(query, &query->recent, buf_text(&recent));
}

static enum task_next count_complete(struct task *task)
{
	struct count_query *query = container_of(task, struct count_query, task);
	struct window_input input = input_of(query);
	struct error error = { 0 };
	const char *label;

	if (query->asked_more_up && !came(&query->more_up, &error))
		return fail(query, &error);
	note_warning(query, &query->more_up);
	window_count(&input, &query->window);
	if (*query->warning) {
		snprintf(query->why, sizeof(query->why),
			"the answer may be incomplete; Prometheus warns: %s", query->warning);
		return finish(query, COUNT_PARTIAL);
	}
	if (query->window.state == WINDOW_DOWN) {
		snprintf(query->why, sizeof(query->why), "%s", query->window.problem);
		return finish(query, COUNT_DOWN);
	}
	if (query->window.state == WINDOW_NO_SERIES) {
		start_diagnosis(query);
		return TASK_WAIT;
	}
	label = misspelt_label(query);
	if (label) {
		snprintf(query->why, sizeof(query->why),
			"no series of '%s' has a label '%s', which 'of' asks for",
			query->over_selector.metric, label);
		return finish(query, COUNT_NO_SERIES);
	}
	if (query->window.over > 0 || query->window.of > 0)
		return finish(query, COUNT_DONE);
	snprintf(query->why, sizeof(query->why), "no requests yet: '%.300s' did not grow",
		query->over_text);
	return finish(query, COUNT_NO_REQUESTS);
}

void count_query_between(
	const struct count_query *query, double after, double until, struct window *ret_window)
{
	struct window_input input = input_of(query);

	input.after = after;
	input.until = until;
	window_count(&input, ret_window);
}

static void write_label_set(const struct prom_series *series, struct buf *text)
{
	CLEANUP_BUF struct buf shown = BUF_INIT(120);

	for (size_t i = 0; i < series->label_count; i++) {
		buf_add_text(&shown, i ? "," : "");
		buf_add_printable(&shown, series->labels[i].name);
		buf_add_text(&shown, "=\"");
		buf_add_printable(&shown, series->labels[i].value);
		buf_add_text(&shown, "\"");
	}
	buf_add_format(text, "{%s} (%.0f series)", buf_text(&shown), series->samples[0].value);
}

/* "nothing matches S; there is M with {version="production"} (3 series), ..." */
static void describe_existing(struct count_query *query)
{
	const struct prom_result *sets = &query->existing.result;
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(query->why) - 1);
	enum { SHOWN_SETS = 4 };

	buf_add_text(&text, "no series matches '");
	buf_add_printable(&text, query->over_text);
	buf_add_text(&text, "'");
	if (query->asked_existing && !query->existing.error.kind && !sets->series_count)
		buf_add_format(
			&text, ": there is no series of '%s' at all", query->over_selector.metric);
	else if (sets->series_count)
		buf_add_format(&text, "; '%s' exists with ", query->over_selector.metric);
	for (size_t i = 0; i < sets->series_count && i < SHOWN_SETS; i++) {
		buf_add_text(&text, i ? ", " : "");
		write_label_set(&sets->series[i], &text);
	}
	if (sets->series_count > SHOWN_SETS)
		buf_add_format(&text, " and %zu more", sets->series_count - SHOWN_SETS);
	snprintf(query->why, sizeof(query->why), "%s", buf_text(&text));
}

static void describe_gone(struct count_query *query)
{
	const struct prom_series *series = &query->recent.result.series[0];
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(query->why) - 1);
	char window[DURATION_TEXT_SIZE];

	buf_add_text(&text, "target '");
	buf_add_printable(&text, prom_series_label(series, "instance"));
	buf_add_text(&text, "' of job '");
	buf_add_printable(&text, prom_series_label(series, "job"));
	buf_add_format(&text,
		"' is gone: it had series within the last hour, but none in the last %s",
		duration_format(query->window_ms, window));
	snprintf(query->why, sizeof(query->why), "%s", buf_text(&text));
}

static enum task_next count_diagnosed(struct task *task)
{
	struct count_query *query = container_of(task, struct count_query, task);
	bool recently = !query->recent.error.kind && query->recent.result.series_count;

	if (recently && query->window.scraped_count) {
		snprintf(query->why, sizeof(query->why),
			"no requests yet: the targets are up, and '%.300s' has no series since",
			query->over_text);
		return finish(query, COUNT_NO_REQUESTS);
	}
	if (recently) {
		describe_gone(query);
		return finish(query, COUNT_DOWN);
	}
	describe_existing(query);
	return finish(query, COUNT_NO_SERIES);
}
