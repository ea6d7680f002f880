/*
 * prometheus {query, baseline}: any expression. Each series of the answer is judged, against each
 * series of the baseline, and the worst pair is the measurement.
 */
#include "canaryctl/config.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_PAIRS = 1000000 };

struct prometheus_params {
	char *query;
	char *baseline;
};

static const struct schema_row rows[] = {
	{ .name = "query",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct prometheus_params, query),
		.is_required = true,
		.help = "PromQL expression; every series of the answer is judged" },
	{ .name = "baseline",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct prometheus_params, baseline),
		.help = "PromQL expression of what 'baseline' is in the conditions" },
	{ 0 },
};

struct questions {
	struct arena arena;
	struct prom_query value;
	struct prom_query baseline;
	struct prom_query samples;
	struct prom_query existing; /* why there is nothing */
	struct selector selector;   /* that `existing` is about */
	bool has_baseline;
	bool has_samples;
	bool asked_existing;
};

static enum task_next questions_ask(struct task *task);
static enum task_next questions_answered(struct task *task);
static enum task_next questions_diagnosed(struct task *task);

static const struct task_step steps[] = {
	{ "ask", questions_ask },
	{ "answered", questions_answered },
	{ "diagnosed", questions_diagnosed },
	{ 0 },
};

static bool ask(struct check_run *run, struct prom_query *which, const char *expression)
{
	const struct check_context *context = run->context;
	CLEANUP_FREE char *expanded = NULL;

	if (!expression)
		return false;
	expanded = config_expand_query(expression, context);
	prom_query_start(
		which, &run->task, &context->config->prometheus, expanded, context->server_time);
	return true;
}

static enum task_next questions_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct questions *q = run->state;
	const struct prometheus_params *params = run->check->params;

	ask(run, &q->value, params->query);
	q->has_baseline = ask(run, &q->baseline, params->baseline);
	q->has_samples = ask(run, &q->samples, run->check->min_samples_query);
	return TASK_WAIT;
}

/* ---- the worst pair ---- */

/* How bad is it, as check_judge() will see it? Not a number never passes, but proves nothing. */
static int badness(const struct measurement *m)
{
	if (isnan(m->value) || (m->has_baseline && !isfinite(m->baseline)))
		return 2;
	if (m->critical_holds)
		return 4;
	if (!m->require_holds || isinf(m->value))
		return 3;
	return m->prefer_holds ? 0 : 1;
}

/* Of equally bad values the one that is nearer to, or further beyond, the limit. */
static bool is_further(
	const struct check_config *check, const struct measurement *a, const struct measurement *b)
{
	const struct condition *first = check->require.text  ? &check->require
					: check->prefer.text ? &check->prefer
							     : &check->critical;
	bool low_is_good = first->op == CONDITION_LESS || first->op == CONDITION_AT_MOST;
	double one = a->value, other = b->value;

	if (first == &check->critical)
		low_is_good = !low_is_good;
	if (a->has_baseline && b->has_baseline && first->uses_baseline) {
		one -= condition_limit(first, a->baseline);
		other -= condition_limit(first, b->baseline);
	}
	return low_is_good ? one > other : one < other;
}

static void write_labels(const struct prom_series *series, char *text, size_t size)
{
	CLEANUP_BUF struct buf shown = BUF_INIT(size - 1);

	for (size_t i = 0; i < series->label_count; i++) {
		buf_add_text(&shown, i ? "," : "");
		buf_add_printable(&shown, series->labels[i].name);
		buf_add_text(&shown, "=\"");
		buf_add_printable(&shown, series->labels[i].value);
		buf_add_text(&shown, "\"");
	}
	memcpy(text, buf_text(&shown), shown.length + 1);
}

static void judge_pair(const struct check_config *check, const struct prom_series *value,
	const struct prom_series *baseline, struct measurement *ret_pair)
{
	ret_pair->value = value->samples[0].value;
	ret_pair->has_baseline = baseline != NULL;
	ret_pair->baseline = baseline ? baseline->samples[0].value : 0;
	measurement_apply_conditions(ret_pair, check);
}

static void find_worst(const struct check_config *check, const struct prom_result *values,
	const struct prom_result *baselines, struct measurement *m)
{
	const struct prom_series *worst = NULL;
	size_t baseline_count = baselines && baselines->series_count ? baselines->series_count : 1;

	for (size_t i = 0; i < values->series_count; i++) {
		for (size_t j = 0; j < baseline_count; j++) {
			struct measurement pair = *m;

			judge_pair(check, &values->series[i],
				baselines && baselines->series_count ? &baselines->series[j] : NULL,
				&pair);
			if (worst && (badness(&pair) < badness(m) ||
					     (badness(&pair) == badness(m) &&
						     !is_further(check, &pair, m))))
				continue;
			*m = pair;
			worst = &values->series[i];
		}
	}
	m->measured = MEASURED_VALUE;
	m->has_value = true;
	if (values->series_count > 1 && worst)
		write_labels(worst, m->series, sizeof(m->series));
}

/* ---- the answers ---- */

/* A value for each series, or an error that names the query. */
static bool came(const struct prom_query *which, const char *name, struct error *err)
{
	*err = which->error;
	if (err->kind)
		return false;
	if (which->result.type == PROM_VECTOR || which->result.type == PROM_SCALAR)
		return true;
	error_set(err, ERROR_CONFIG, 0, "%s returns a %s: an instant vector or a scalar is needed",
		name, which->result.type == PROM_MATRIX ? "range vector" : "string");
	if (which->result.type == PROM_MATRIX)
		error_hint(err, "remove the range, or put a function around it, such as "
				"max_over_time(...)");
	return false;
}

/* min_samples' query: the sum of its series; NaN is no number of samples. */
static void count_samples(const struct questions *q, struct measurement *m)
{
	const struct prom_result *result = &q->samples.result;

	m->has_samples = true;
	m->samples = 0;
	for (size_t i = 0; i < result->series_count; i++) {
		if (isfinite(result->series[i].samples[0].value))
			m->samples += result->series[i].samples[0].value;
	}
}

static const char *any_warning(const struct questions *q)
{
	if (q->value.result.warnings)
		return q->value.result.warnings;
	return q->baseline.result.warnings ? q->baseline.result.warnings
					   : q->samples.result.warnings;
}

static enum task_next be_partial(struct check_run *run, const char *warning)
{
	struct measurement *m = &run->measurement;

	measure_no_data(m, NO_DATA_PARTIAL, "");
	snprintf(m->warning, sizeof(m->warning), "%s", warning);
	snprintf(m->message, sizeof(m->message),
		"the answer may be incomplete; Prometheus warns: %s", warning);
	return measure_end(run);
}

static enum task_next ask_why_empty(struct check_run *run)
{
	struct questions *q = run->state;
	CLEANUP_BUF struct buf query = { 0 };

	if (!selector_find(q->value.expression, &q->arena, &q->selector) ||
		!selector_write_diagnosis(&q->selector, &query))
		return TASK_MORE;
	q->asked_existing = ask(run, &q->existing, buf_text(&query));
	return TASK_WAIT;
}

static enum task_next questions_answered(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct questions *q = run->state;
	struct measurement *m = &run->measurement;
	const struct prom_result *baseline = q->has_baseline ? &q->baseline.result : NULL;
	struct error error;

	if (!came(&q->value, "the query", &error) ||
		(q->has_baseline && !came(&q->baseline, "the baseline's query", &error)) ||
		(q->has_samples && !came(&q->samples, "the query of min_samples", &error)))
		return measure_error(run, &error);
	if (any_warning(q))
		return be_partial(run, any_warning(q));
	if (q->has_samples) {
		count_samples(q, m);
		m->span_s = (double)run->context->window_ms / 1000;
	}
	if (!q->value.result.series_count)
		return ask_why_empty(run);
	if (baseline && q->value.result.series_count * baseline->series_count > MAX_PAIRS) {
		error_set(&error, ERROR_CONFIG, 0, "too many series to compare: %zu with %zu",
			q->value.result.series_count, baseline->series_count);
		return measure_error(run, &error);
	}
	find_worst(run->check, &q->value.result, baseline, m);
	if (baseline && !baseline->series_count)
		snprintf(m->message, sizeof(m->message),
			"the baseline's query returns nothing: no series matches it");
	return measure_end(run);
}

/* `a < b` on series returns nothing where it does not hold, which looks like no data. */
static bool has_filter(const char *expression)
{
	char quote = 0;

	for (const char *p = expression; *p; p++) {
		if (quote && *p == '\\' && p[1])
			p++;
		else if (quote)
			quote = *p == quote ? 0 : quote;
		else if (strchr("\"'`", *p))
			quote = *p;
		else if (*p == '<' || *p == '>')
			return !strstr(expression, "bool");
	}
	return false;
}

static enum task_next questions_diagnosed(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct questions *q = run->state;
	const struct prom_result *sets = &q->existing.result;
	bool asked = q->asked_existing && !q->existing.error.kind;
	CLEANUP_BUF struct buf text = BUF_INIT(480);
	bool idle = q->has_samples && run->measurement.samples == 0;
	char labels[120];

	buf_add_text(&text, idle ? "no requests yet, and the query returns nothing"
				 : "the query returns nothing");
	if (has_filter(q->value.expression))
		buf_add_text(&text, " (a comparison without 'bool' drops what does not hold)");
	if (asked && !sets->series_count)
		buf_add_format(&text, ": there is no series of '%s' at all", q->selector.metric);
	for (size_t i = 0; asked && i < sets->series_count && i < 4; i++) {
		write_labels(&sets->series[i], labels, sizeof(labels));
		if (i)
			buf_add_text(&text, ",");
		else
			buf_add_format(&text, "; '%s' exists with", q->selector.metric);
		buf_add_format(&text, " {%s}", labels);
	}
	measure_no_data(
		&run->measurement, idle ? NO_DATA_NO_REQUESTS : NO_DATA_NO_SERIES, buf_text(&text));
	return measure_end(run);
}

static int validate(const struct check_config *check, struct error *err)
{
	const struct prometheus_params *params = check->params;

	if (check_validate_judged(check, err))
		return -1;
	if (!params->baseline && check_validate_no_baseline(check, NULL)) {
		error_set(err, ERROR_CONFIG, 0,
			"a condition of check '%s' compares with 'baseline', but there is no "
			"query for it",
			check->name);
		return error_hint(err, "add  baseline: 'QUERY'  beside the query");
	}
	if (check->min_samples > 0 && !check->min_samples_query) {
		error_set(err, ERROR_CONFIG, 0,
			"check '%s' does not know how many samples its query has", check->name);
		return error_hint(err,
			"write  min_samples: { query: 'sum(increase(..._total[${window}]))', "
			"at_least: %.0f }",
			check->min_samples);
	}
	return 0;
}

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct questions));
	task_start_child(&run->task, parent, "prometheus", steps);
}

static void release(struct check_run *run)
{
	struct questions *q = run->state;

	prom_query_release(&q->value);
	prom_query_release(&q->baseline);
	prom_query_release(&q->samples);
	prom_query_release(&q->existing);
	arena_release(&q->arena);
	free(q);
	run->state = NULL;
}

const struct check_kind check_kind_prometheus = {
	.name = "prometheus",
	.help = "value of a PromQL expression, also compared with a baseline's",
	.needs_prometheus = true,
	.unit = UNIT_PLAIN,
	.rows = rows,
	.params_size = sizeof(struct prometheus_params),
	.validate = validate,
	.start = start,
	.release = release,
};
