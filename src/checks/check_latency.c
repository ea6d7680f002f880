/*
 * latency {histogram, quantile}: "p95 <= 2.5s" judged by counting: at least 95 % of the requests
 * are in the bucket whose bound is 2.5. Exact; the interpolated quantile is shown, never judged.
 * The bounds are asked first: they tell which buckets are needed, and whether all are affordable.
 */
#include "canaryctl/buckets.h"
#include "canaryctl/config.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AFFORDABLE_SAMPLES = 50000 }; /* about 1.5 MB of JSON */

struct latency_params {
	char *histogram;
	double quantile;
};

static const struct schema_row rows[] = {
	{ .name = "histogram",
		.type = SCHEMA_SELECTOR,
		.offset = offsetof(struct latency_params, histogram),
		.is_required = true,
		.help = "classic histogram, a series selector without the suffix '_bucket'" },
	{ .name = "quantile",
		.type = SCHEMA_NUMBER,
		.offset = offsetof(struct latency_params, quantile),
		.default_text = "95%",
		.minimum = 0.01,
		.maximum = 0.9999,
		.help = "share of requests that must be within the limit" },
	{ 0 },
};

struct latency {
	struct arena arena;
	struct selector selector; /* of the _bucket series */
	struct prom_query bounds;
	struct count_query count;
};

static enum task_next latency_ask_bounds(struct task *task);
static enum task_next latency_ask_counts(struct task *task);
static enum task_next latency_counted(struct task *task);

static const struct task_step steps[] = {
	{ "ask bounds", latency_ask_bounds },
	{ "ask counts", latency_ask_counts },
	{ "counted", latency_counted },
	{ 0 },
};

static enum task_next latency_ask_bounds(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct latency *latency = run->state;
	const struct latency_params *params = run->check->params;
	const struct check_context *context = run->context;
	CLEANUP_FREE char *text = config_expand_query(params->histogram, context);
	CLEANUP_BUF struct buf query = { 0 };
	struct error error = { 0 };

	if (selector_parse(text, &latency->arena, &latency->selector, &error))
		return measure_error(run, &error);
	latency->selector.metric =
		arena_format(&latency->arena, "%s_bucket", latency->selector.metric);
	buf_add_text(&query, "count by (le) (");
	selector_write(&latency->selector, &query);
	buf_add_text(&query, ")");
	prom_query_start(&latency->bounds, task, &context->config->prometheus, buf_text(&query),
		context->server_time);
	return TASK_WAIT;
}

/* Is this bound the limit of a condition? +Inf, the total, always is needed. */
static bool is_needed(const struct check_config *check, double bound)
{
	const struct condition *all[] = { &check->require, &check->prefer, &check->critical };

	if (isinf(bound))
		return true;
	for (size_t i = 0; i < 3; i++) {
		if (all[i]->text &&
			fabs(all[i]->number - bound) <= 1e-9 * fmax(1, fabs(all[i]->number)))
			return true;
	}
	return false;
}

/* A regular expression for the `le` of the needed buckets, as this server spells them. */
static void write_needed_bounds(
	const struct check_config *check, const struct prom_result *bounds, struct buf *regex)
{
	for (size_t i = 0; i < bounds->series_count; i++) {
		const char *le = prom_series_label(&bounds->series[i], "le");

		if (!is_needed(check, strtod(le, NULL)))
			continue;
		if (regex->length)
			buf_add_text(regex, "|");
		selector_add_literal(regex, le);
	}
}

static bool is_affordable(const struct buckets *bounds, const struct check_context *context)
{
	double samples = (double)context->window_ms /
				 (double)context->config->prometheus.scrape_interval_ms +
			 1;
	double series = 0;

	for (size_t i = 0; i < bounds->count; i++)
		series += bounds->items[i].count;
	return series * samples <= AFFORDABLE_SAMPLES;
}

/* Every limit must be a bound: found before anything is counted. */
static int check_limits(
	const struct check_config *check, const struct buckets *bounds, struct error *err)
{
	const struct condition *all[] = { &check->require, &check->prefer, &check->critical };
	double unused;

	for (size_t i = 0; i < 3; i++) {
		if (all[i]->text && buckets_within(bounds, all[i]->number, &unused, err))
			return -1;
	}
	return 0;
}

/* le: NULL for all buckets. */
static void start_count(struct check_run *run, enum matcher_op op, const char *le)
{
	struct latency *latency = run->state;
	const struct check_context *context = run->context;
	struct selector selector = latency->selector;
	CLEANUP_BUF struct buf over = { 0 };
	struct count_request request = {
		.config = &context->config->prometheus,
		.time = context->server_time,
		.window_ms = context->window_ms,
	};

	if (le)
		selector = selector_with(&latency->arena, &selector, "le", op, le);
	selector_write(&selector, &over);
	request.over = buf_text(&over);
	count_query_start(&latency->count, &run->task, &request);
}

static enum task_next latency_ask_counts(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct latency *latency = run->state;
	const struct prom_result *result = &latency->bounds.result;
	CLEANUP_BUF struct buf regex = { 0 };
	struct buckets bounds;
	struct error error = { 0 };

	if (latency->bounds.error.kind)
		return measure_error(run, &latency->bounds.error);
	if (!result->series_count) { /* nothing now: the count finds out why */
		start_count(run, MATCH_EQUAL, "+Inf");
		return TASK_WAIT;
	}
	if (buckets_build(result, NULL, &latency->arena, &bounds, &error) ||
		check_limits(run->check, &bounds, &error))
		return measure_error(run, &error);
	if (!is_affordable(&bounds, run->context))
		write_needed_bounds(run->check, result, &regex);
	start_count(run, MATCH_REGEX, regex.length ? buf_text(&regex) : NULL);
	return TASK_WAIT;
}

/* ---- judging by counts ---- */

struct judged {
	const struct buckets *buckets;
	double quantile;
	double total;
	struct error error;
};

/* Is the quantile within the condition's limit? *ret_bad: the requests above it. */
static bool is_within(struct judged *judged, const struct condition *condition, double *ret_bad)
{
	double within;

	if (judged->error.kind ||
		buckets_within(judged->buckets, condition->number, &within, &judged->error))
		return false;
	*ret_bad = judged->total - within;
	/* A rounding error of the product must not decide. */
	return within >= judged->quantile * judged->total * (1 - 1e-12);
}

static void write_share(struct measurement *m, const struct condition *condition)
{
	char share[CHECK_VALUE_TEXT_SIZE], limit[CHECK_VALUE_TEXT_SIZE];

	snprintf(m->message, sizeof(m->message), "%s within %s",
		check_format_value(UNIT_SHARE, (m->samples - m->bad) / m->samples, share),
		check_format_value(UNIT_SECONDS, condition->number, limit));
}

static void judge_counts(
	const struct check_config *check, struct judged *judged, struct measurement *m)
{
	enum { PREFER, REQUIRE, CRITICAL, COUNT };
	const struct condition *conditions[COUNT] = { &check->prefer, &check->require,
		&check->critical };
	bool within[COUNT] = { true, true, true };
	double bad[COUNT] = { 0 };
	int shown;

	for (int i = 0; i < COUNT; i++) {
		if (conditions[i]->text)
			within[i] = is_within(judged, conditions[i], &bad[i]);
	}
	/* The bad ones that are shown, and that `critical` counts, are those that decided. */
	shown = !within[CRITICAL] ? CRITICAL : !within[REQUIRE] ? REQUIRE : PREFER;
	if (within[CRITICAL] && within[PREFER])
		shown = check->require.text ? REQUIRE : check->prefer.text ? PREFER : CRITICAL;
	m->prefer_holds = within[PREFER];
	m->require_holds = within[REQUIRE];
	m->critical_holds = !within[CRITICAL];
	m->has_bad = true;
	m->bad = bad[shown];
	if (m->measured == MEASURED_VALUE && m->samples > 0)
		write_share(m, conditions[shown]);
}

static void show_quantile(const struct buckets *buckets, double quantile, struct measurement *m)
{
	char value[CHECK_VALUE_TEXT_SIZE];
	bool beyond;

	m->has_value = buckets_quantile(buckets, quantile, &m->value, &beyond);
	if (m->has_value)
		snprintf(m->value_text, sizeof(m->value_text), "p%g %s %.24s", quantile * 100,
			beyond ? "above" : "about",
			check_format_value(UNIT_SECONDS, m->value, value));
	else
		snprintf(m->value_text, sizeof(m->value_text), "p%g", quantile * 100);
}

/* -1: the buckets cannot be judged. */
static int judge_buckets(struct check_run *run, struct error *err)
{
	struct latency *latency = run->state;
	const struct latency_params *params = run->check->params;
	struct measurement *m = &run->measurement;
	struct judged judged = { .quantile = params->quantile };
	struct buckets buckets;

	if (buckets_build(&latency->count.over.result, latency->count.window.over_increases,
		    &latency->arena, &buckets, err))
		return -1;
	/* The sum over all buckets is no number of requests; the last bucket is. */
	m->samples = judged.total = buckets_total(&buckets);
	judged.buckets = &buckets;
	judge_counts(run->check, &judged, m);
	if (judged.error.kind) {
		*err = judged.error;
		return -1;
	}
	show_quantile(&buckets, params->quantile, m);
	return 0;
}

static enum task_next latency_counted(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct latency *latency = run->state;
	struct measurement *m = &run->measurement;
	struct error error = { 0 };

	if (!measure_count(m, &latency->count))
		return measure_end(run);
	if (!latency->bounds.result.series_count) { /* then only the total was asked for */
		m->samples = latency->count.window.over;
		if (m->measured == MEASURED_VALUE)
			measure_no_data(m, NO_DATA_NO_SERIES,
				"the histogram's series appeared only just now");
		return measure_end(run);
	}
	if (judge_buckets(run, &error) && m->measured == MEASURED_VALUE)
		return measure_error(run, &error);
	measure_note_restarts(m, &latency->count);
	return measure_end(run);
}

static int validate(const struct check_config *check, struct error *err)
{
	const struct condition *limits[] = { &check->require, &check->prefer };
	const struct latency_params *params = check->params;
	size_t length = strcspn(params->histogram, "{");

	if (check_validate_counting(check, err))
		return -1;
	while (length && params->histogram[length - 1] == ' ')
		length--;
	if (length > 7 && !strncmp(params->histogram + length - 7, "_bucket", 7)) {
		error_set(err, ERROR_CONFIG, 0, "histogram '%s' is named by its buckets",
			params->histogram);
		return error_hint(err, "leave the suffix '_bucket' out");
	}
	for (size_t i = 0; i < 2; i++) {
		if (limits[i]->text && limits[i]->op != CONDITION_AT_MOST &&
			limits[i]->op != CONDITION_LESS)
			return error_set(err, ERROR_CONFIG, 0,
				"condition '%s' of check '%s': a latency is limited with <= or <",
				limits[i]->text, check->name);
	}
	if (check->critical.text && check->critical.op != CONDITION_GREATER &&
		check->critical.op != CONDITION_AT_LEAST)
		return error_set(err, ERROR_CONFIG, 0,
			"condition '%s' of check '%s': a latency is critical with > or >=",
			check->critical.text, check->name);
	return 0;
}

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct latency));
	task_start_child(&run->task, parent, "latency", steps);
}

static void release(struct check_run *run)
{
	struct latency *latency = run->state;

	prom_query_release(&latency->bounds);
	count_query_release(&latency->count);
	arena_release(&latency->arena);
	free(latency);
	run->state = NULL;
}

const struct check_kind check_kind_latency = {
	.name = "latency",
	.help = "share of requests within a limit that is a bucket's bound, counted exactly",
	.needs_prometheus = true,
	.unit = UNIT_SECONDS,
	.rows = rows,
	.params_size = sizeof(struct latency_params),
	.validate = validate,
	.start = start,
	.release = release,
};
