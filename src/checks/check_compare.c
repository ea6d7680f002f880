/*
 * compare {bad, total, canary, baseline}: the sequential judge (canaryctl/evidence.h) on exact
 * counts of both arms. Each evaluation counts what came since the last counted sample, a block for
 * each scrape, up to where all targets of both arms were scraped; what is counted is kept in the
 * stage's memory. Where an arm cannot be seen the block is discarded: HOLD, never a guess.
 */
#include "checks/check_compare.h"
#include "canaryctl/check_memory.h"
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SPARE_SCRAPES = 2,     /* asked for before what is counted: what the counters stood at */
	SPARE_S = 2,           /* a slow scrape is stored late */
	MOST_BLOCKS = 400,     /* of one look: 5 minutes of the shortest scrapes, and more */
	LONGEST_S = 3600,      /* that is asked back for, at most */
	FORECAST_BLOCKS = 6000 /* 25 hours of scrapes every 15 s */
};

static const struct schema_row rows[] = {
	{ .name = "bad",
		.type = SCHEMA_SELECTOR,
		.offset = offsetof(struct compare_params, bad),
		.is_required = true,
		.help = "counter of what is bad, a plain series selector; of both versions" },
	{ .name = "total",
		.type = SCHEMA_SELECTOR,
		.offset = offsetof(struct compare_params, total),
		.is_required = true,
		.help = "counter of everything, a plain series selector; of both versions" },
	{ .name = "canary",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct compare_params, canary),
		.is_required = true,
		.help = "their labels for the canary, such as `version=\"canary\"`" },
	{ .name = "baseline",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct compare_params, baseline),
		.is_required = true,
		.help = "their labels for production" },
	{ .name = "false_alarm",
		.type = SCHEMA_NUMBER,
		.offset = offsetof(struct compare_params, false_alarm),
		.default_text = "1%",
		.minimum = 1e-9,
		.maximum = 0.5,
		.help = "how often a good canary may be rolled back, in a whole rollout; shared by "
			"its stages and `compare` checks" },
	{ .name = "ratio",
		.type = SCHEMA_NUMBER,
		.offset = offsetof(struct compare_params, ratio),
		.default_text = "1.5",
		.minimum = 1,
		.maximum = 1000,
		.help = "up to so many times production's share of bad requests is no harm" },
	{ .name = "floor",
		.type = SCHEMA_NUMBER,
		.offset = offsetof(struct compare_params, floor),
		.default_text = "0.2%",
		.minimum = 1e-6,
		.maximum = 0.5,
		.help = "nor is a share of bad requests up to this" },
	{ .name = "limit",
		.type = SCHEMA_NUMBER,
		.offset = offsetof(struct compare_params, limit),
		.default_text = "0.5%",
		.minimum = 1e-6,
		.maximum = 0.5,
		.help = "passes when the canary's share is proven to be below this" },
	{ .name = "early",
		.type = SCHEMA_BOOL,
		.offset = offsetof(struct compare_params, early),
		.default_text = "false",
		.help = "the stage may end as soon as this passes, and all others do" },
	{ 0 },
};

struct compare_state {
	struct count_query canary;
	struct count_query baseline;
	struct check_memory own; /* where no stage keeps one */
	struct check_memory *memory;
};

/* ---- configuration ---- */

static int validate_arm(const struct compare_params *params, const char *matchers, const char *key,
	struct error *err)
{
	CLEANUP_BUF struct buf text = { 0 };

	if (measure_write_arm(params->total, matchers, &text, err) == 0)
		return 0;
	error_set(err, ERROR_CONFIG, 0, "'%s' is no list of labels: '%.200s'", key, matchers);
	return error_hint(err, "write label=\"value\", such as version=\"canary\"");
}

/* The counter's own label that no series of an arm can have as well; NULL: none. */
static const struct matcher *find_contradiction(
	const struct selector *counter, const struct selector *arm)
{
	for (size_t i = 0; i < counter->matcher_count; i++) {
		const struct matcher *own = &counter->matchers[i];

		for (size_t j = 0; j < arm->matcher_count; j++) {
			const struct matcher *other = &arm->matchers[j];

			if (own->op == MATCH_EQUAL && other->op == MATCH_EQUAL &&
				strcmp(own->name, other->name) == 0 &&
				strcmp(own->value, other->value) != 0)
				return own;
		}
	}
	return NULL;
}

/*
 * A `bad` that names one version has no series of the other, and none is no failures: a canary that
 * always passes, or is compared with a production that never fails.
 */
static int validate_counter(
	const struct check_config *check, const char *key, const char *counter, struct error *err)
{
	const struct compare_params *params = check->params;
	const char *const arms[] = { params->canary, params->baseline };
	struct arena arena = { 0 };
	struct selector selector, arm;
	int result = selector_parse(counter, &arena, &selector, err);

	for (size_t i = 0; !result && i < ARRAY_SIZE(arms); i++) {
		const struct matcher *own;

		result =
			selector_parse(arena_format(&arena, "arm{%s}", arms[i]), &arena, &arm, err);
		own = result ? NULL : find_contradiction(&selector, &arm);
		if (!own)
			continue;
		error_set(err, ERROR_CONFIG, 0,
			"'%s' of check '%s' has %s=\"%.100s\", and '%.100s' asks for another", key,
			check->name, own->name, own->value, arms[i]);
		result = error_hint(err, "leave the label that tells the versions apart to "
					 "'canary' and 'baseline'");
	}
	arena_release(&arena);
	return result;
}

static int validate(const struct check_config *check, struct error *err)
{
	const struct compare_params *params = check->params;

	if (check->require.text || check->prefer.text || check->critical.text ||
		check->min_samples > 0 || check->min_samples_query) {
		error_set(err, ERROR_CONFIG, 0,
			"check '%s' decides by evidence: it takes no require, prefer, critical or "
			"min_samples",
			check->name);
		return error_hint(err, "'limit', 'floor' and 'ratio' say what is good enough");
	}
	if (check->no_data != NO_DATA_INCONCLUSIVE) {
		error_set(err, ERROR_CONFIG, 0,
			"check '%s' has no_data, but too little evidence is never a result",
			check->name);
		return error_hint(err, "a stage may end without a verdict when it has "
				       "'undecided: pass'");
	}
	if (validate_arm(params, params->canary, "canary", err) < 0 ||
		validate_arm(params, params->baseline, "baseline", err) < 0)
		return -1;
	if (strcmp(params->canary, params->baseline) == 0)
		return error_set(err, ERROR_CONFIG, 0, "check '%s' compares '%.200s' with itself",
			check->name, params->canary);
	if (validate_counter(check, "bad", params->bad, err) < 0)
		return -1;
	return validate_counter(check, "total", params->total, err);
}

static size_t count_judges(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->check_count; i++)
		count += config->checks[i].kind && config->checks[i].kind->keeps_evidence;
	return count ? count : 1;
}

bool check_evidence_limits(const struct config *config, const struct check_config *check,
	bool is_in_rollout, struct evidence_limits *ret_limits)
{
	const struct compare_params *params = check->params;
	double shares =
		is_in_rollout ? (double)(config->rollout.stage_count * count_judges(config)) : 1;

	if (!check->kind->keeps_evidence)
		return false;
	*ret_limits = (struct evidence_limits){
		.ratio = params->ratio,
		.floor = params->floor,
		.limit = params->limit,
		.false_alarm = params->false_alarm / fmax(shares, 1),
	};
	return true;
}

/* ---- asking ---- */

static double scrape_s(const struct check_run *run)
{
	return (double)run->context->config->prometheus.scrape_interval_ms / 1000;
}

/*
 * What was judged by other limits is no evidence for these; and nothing before the stage has
 * settled is counted, nor what an earlier process has.
 */
static void begin_memory(struct check_run *run, struct check_memory *memory)
{
	const struct check_context *context = run->context;
	bool is_stage = run->memory != NULL;
	double ago_s = (double)(is_stage ? context->settled_ms : context->window_ms) / 1000;
	struct evidence *evidence = &memory->evidence;
	struct evidence_limits limits = { 0 };

	if (memory->is_begun)
		return;
	check_evidence_limits(context->config, run->check, is_stage, &limits);
	if (evidence->limits.ratio != limits.ratio || evidence->limits.floor != limits.floor ||
		evidence->limits.limit != limits.limit)
		evidence_init(evidence, &limits);
	evidence->limits = limits;
	memory->counted_until = fmax(memory->counted_until, context->server_time - ago_s);
	memory->is_begun = true;
}

static int start_arm(
	struct check_run *run, struct count_query *query, const char *matchers, struct error *err)
{
	const struct compare_params *params = run->check->params;
	const struct check_context *context = run->context;
	const struct compare_state *state = run->state;
	double ago_s = fmax(context->server_time - state->memory->counted_until, 0) +
		       SPARE_SCRAPES * scrape_s(run) + SPARE_S;
	CLEANUP_FREE char *bad = config_expand_query(params->bad, context);
	CLEANUP_FREE char *total = config_expand_query(params->total, context);
	CLEANUP_FREE char *labels = config_expand_query(matchers, context);
	CLEANUP_BUF struct buf of = { 0 };
	CLEANUP_BUF struct buf over = { 0 };

	if (measure_write_arm(bad, labels, &of, err) < 0 ||
		measure_write_arm(total, labels, &over, err) < 0)
		return -1;
	count_query_start(query, &run->task,
		&(struct count_request){ .config = &context->config->prometheus,
			.of = buf_text(&of),
			.over = buf_text(&over),
			.time = context->server_time,
			.window_ms = (int64_t)ceil(fmin(ago_s, LONGEST_S)) * 1000 });
	return 0;
}

static enum task_next compare_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct compare_params *params = run->check->params;
	struct compare_state *state = run->state;
	struct error error = { 0 };

	state->memory = run->memory ? run->memory : &state->own;
	begin_memory(run, state->memory);
	if (start_arm(run, &state->canary, params->canary, &error) < 0 ||
		start_arm(run, &state->baseline, params->baseline, &error) < 0) {
		error.kind = ERROR_CONFIG;
		return measure_error(run, &error);
	}
	return TASK_WAIT;
}

/* ---- counting ---- */

static struct evidence_block count_block(
	const struct compare_state *state, double after, double until)
{
	struct window canary, baseline;
	struct evidence_block block;

	count_query_between(&state->canary, after, until, &canary);
	count_query_between(&state->baseline, after, until, &baseline);
	block = (struct evidence_block){
		.nb = baseline.over, .kb = baseline.of, .nc = canary.over, .kc = canary.of
	};
	window_release(&canary);
	window_release(&baseline);
	return block;
}

/* A Prometheus that has not been there for so long has no samples of before. */
static double first_seen(const struct compare_state *state)
{
	const struct window *canary = &state->canary.window, *baseline = &state->baseline.window;

	return baseline->first_time > 0 ? baseline->first_time : canary->first_time;
}

/* A block for each scrape since the last counted sample, up to where all were scraped. */
static void count_blocks(const struct check_run *run, struct compare_state *state)
{
	struct check_memory *memory = state->memory;
	double after = memory->counted_until;
	double until = fmin(state->canary.window.common_time, state->baseline.window.common_time);
	int blocks = (int)fmin(fmax(round((until - after) / scrape_s(run)), 1), MOST_BLOCKS);

	if (!(until > after))
		return;
	for (int i = 0; i < blocks; i++) {
		double from = after + (until - after) * i / blocks;
		double to = i + 1 < blocks ? after + (until - after) * (i + 1) / blocks : until;
		struct evidence_block block = count_block(state, from, to);

		evidence_take(&memory->evidence, &block);
	}
	memory->counted_until = until;
	memory->counted_s += until - fmax(after, fmin(first_seen(state), until));
}

/* ---- what it says ---- */

static void fill_values(struct measurement *m, const struct check_memory *memory)
{
	struct evidence_block all = evidence_counted(&memory->evidence);

	m->has_samples = m->has_bad = true;
	m->samples = all.nc;
	m->bad = all.kc;
	m->span_s = memory->counted_s;
	m->has_value = all.nc > 0;
	m->value = all.nc > 0 ? all.kc / all.nc : 0;
	m->baseline_samples = all.nb;
	m->has_baseline = all.nb > 0;
	m->baseline = all.nb > 0 ? all.kb / all.nb : 0;
}

/* To fail, worse than both; to pass, proven below the other. */
static void fill_limit(
	struct measurement *m, const struct evidence *evidence, const struct compare_params *params)
{
	char share[CHECK_VALUE_TEXT_SIZE];

	if (evidence_verdict(evidence) == EVIDENCE_PROMOTE)
		snprintf(m->limit, sizeof(m->limit), "< %s",
			check_format_value(UNIT_SHARE, params->limit, share));
	else
		snprintf(m->limit, sizeof(m->limit), "<= %g * baseline or %s", params->ratio,
			check_format_value(UNIT_SHARE, params->floor, share));
}

/* A look in vain still tells the rehearsal how much traffic there is. */
static void note_baseline(struct measurement *m, const struct compare_state *state)
{
	const struct window *window = &state->baseline.window;

	if (m->has_baseline || state->baseline.outcome != COUNT_DONE || !(window->over > 0))
		return;
	m->has_baseline = true;
	m->baseline = window->of / window->over;
	m->baseline_samples = window->over;
	m->span_s = window->last_time - window->first_time;
}

/* "0.4% bad (3 of 812 requests), production 0.1% of 65000" */
static void write_counts(const struct measurement *m, struct buf *text)
{
	char share[CHECK_VALUE_TEXT_SIZE];

	check_format_value(UNIT_SHARE, m->value, share);
	buf_add_format(text, "%s bad (%.0f of %.0f requests)", share, m->bad, m->samples);
	if (m->has_baseline)
		buf_add_format(text, ", production %s of %.0f",
			check_format_value(UNIT_SHARE, m->baseline, share), m->baseline_samples);
	else
		buf_add_text(text, ", production had no requests to compare with");
}

static void write_forecast(const struct check_run *run, const struct check_memory *memory,
	const struct measurement *m, struct buf *text)
{
	double blocks_seen = fmax(m->span_s / scrape_s(run), 1);
	struct evidence_traffic traffic = {
		.baseline_per_block = m->baseline_samples / blocks_seen,
		.canary_per_block = m->samples / blocks_seen,
		.baseline_share = m->baseline,
		.canary_share = m->value,
	};
	char duration[DURATION_TEXT_SIZE];
	int64_t blocks;

	if (evidence_forecast(&memory->evidence, &traffic, FORECAST_BLOCKS, &blocks) ==
		EVIDENCE_HOLD) {
		duration_format((int64_t)(FORECAST_BLOCKS * scrape_s(run)) * 1000, duration);
		buf_add_format(text, "; at this rate it cannot be decided within %s", duration);
		return;
	}
	if (!run->memory) {
		/* Each look of a suite begins anew: waiting longer decides nothing. */
		duration_format(run->context->window_ms, duration);
		buf_add_format(text,
			"; one look at %s can decide with about %.0f requests at this share",
			duration, m->samples + ceil((double)blocks * traffic.canary_per_block));
		return;
	}
	duration_format((int64_t)ceil((double)blocks * scrape_s(run)) * 1000, duration);
	buf_add_format(text, "; at this rate it can be after about %.0f more requests, in %s",
		ceil((double)blocks * traffic.canary_per_block), duration);
}

static void hold(const struct check_run *run, const struct check_memory *memory,
	struct measurement *m, struct buf *text)
{
	const struct evidence *evidence = &memory->evidence;

	m->measured = MEASURED_NO_DATA;
	if (!(evidence->total.nc > 0)) {
		m->reason = NO_DATA_NO_REQUESTS;
		if (run->memory && run->context->settled_ms < 0)
			buf_add_text(text, "nothing is counted before the stage has settled");
		else
			buf_add_text(text, "no requests of the canary yet");
		return;
	}
	m->reason = NO_DATA_TOO_FEW;
	m->is_undecided = true;
	write_counts(m, text);
	buf_add_format(text,
		": not enough to decide (evidence %.3g and %.3g of the %.4g that fail, %.3g of "
		"the %.3g that pass)",
		evidence_rel(evidence), evidence_abs(evidence), evidence_needed_to_fail(evidence),
		evidence_promote(evidence), evidence_needed_to_pass());
	write_forecast(run, memory, m, text);
}

static void measure_evidence(
	const struct check_run *run, const struct check_memory *memory, struct measurement *m)
{
	const struct compare_params *params = run->check->params;
	const struct evidence *evidence = &memory->evidence;
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(m->message) - 1);
	char share[CHECK_VALUE_TEXT_SIZE];

	fill_values(m, memory);
	m->measured = MEASURED_VALUE;
	switch (evidence_verdict(evidence)) {
	case EVIDENCE_ROLLBACK:
		m->fails = m->is_decisive = true;
		buf_add_text(&text, "worse than production: ");
		write_counts(m, &text);
		buf_add_format(&text, "; evidence %.3g and %.3g, of %.4g needed",
			exp(fmin(evidence->rel.ln_best, 700)),
			exp(fmin(evidence->abs.ln_best, 700)), evidence_needed_to_fail(evidence));
		break;
	case EVIDENCE_PROMOTE:
		m->may_end_stage = params->early;
		buf_add_format(&text, "proven below %s: evidence %.3g, of %.3g needed",
			check_format_value(UNIT_SHARE, params->limit, share),
			evidence_promote(evidence), evidence_needed_to_pass());
		break;
	case EVIDENCE_HOLD:
		hold(run, memory, m, &text);
		break;
	}
	snprintf(m->message, sizeof(m->message), "%s", buf_text(&text));
}

/* Of both versions there is nothing: no version without requests, but a name that is wrong. */
static bool is_unknown(const struct compare_state *state)
{
	return state->canary.outcome == COUNT_NO_SERIES &&
	       state->baseline.outcome == COUNT_NO_SERIES;
}

static enum task_next compare_counted(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct compare_state *state = run->state;
	struct check_memory *memory = state->memory;
	struct measurement *m = &run->measurement;
	bool is_seen = measure_arm(m, &state->canary, "canary") &&
		       measure_arm(m, &state->baseline, "production");

	fill_limit(m, &memory->evidence, run->check->params);
	if (is_seen && is_unknown(state)) {
		measure_count(m, &state->canary);
		is_seen = false;
	}
	if (is_seen)
		count_blocks(run, state);
	/* What has been proven stays so, whatever can be seen now. */
	if (is_seen || evidence_verdict(&memory->evidence) == EVIDENCE_ROLLBACK) {
		measure_evidence(run, memory, m);
	} else {
		/* Not asked is asked again; but a block in which targets were down is discarded. */
		fill_values(m, memory);
		note_baseline(m, state);
		if (m->measured == MEASURED_NO_DATA && m->reason == NO_DATA_SCRAPE_DOWN)
			memory->counted_until =
				fmax(memory->counted_until, run->context->server_time);
	}
	measurement_apply_conditions(m, run->check);
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", compare_ask },
	{ "counted", compare_counted },
	{ 0 },
};

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct compare_state));
	task_start_child(&run->task, parent, "compare", steps);
}

static void release(struct check_run *run)
{
	struct compare_state *state = run->state;

	count_query_release(&state->canary);
	count_query_release(&state->baseline);
	free(state);
	run->state = NULL;
}

const struct check_kind check_kind_compare = {
	.name = "compare",
	.help = "is the canary worse than production: evidence from exact counts, that stays valid "
		"however often one looks",
	.needs_prometheus = true,
	.keeps_evidence = true,
	.unit = UNIT_SHARE,
	.rows = rows,
	.params_size = sizeof(struct compare_params),
	.validate = validate,
	.start = start,
	.release = release,
};
