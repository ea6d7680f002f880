/*
 * Measuring for all services at once: Prometheus' clock, then at that time how many instances there
 * are, the metric over the time that its conditions look at, and the checks that may block.
 */
#include "autoscale/scale_pass.h"

#include "autoscale/scale_memory.h"
#include "canaryctl/clock.h"
#include "canaryctl/mem.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_MS = 5 * 60 * 1000 };

static enum task_next measure_ask_clock(struct task *task);
static enum task_next measure_ask(struct task *task);
static enum task_next measure_answered(struct task *task);

static const struct task_step steps[] = {
	{ "ask server's time", measure_ask_clock },
	{ "ask", measure_ask },
	{ "answered", measure_answered },
	{ 0 },
};

/* ---- asking ---- */

static enum task_next measure_ask_clock(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, measuring);

	prom_query_start(&pass->clock, task, &pass->autoscaler->config->prometheus, PROM_TIME, 0);
	return TASK_WAIT;
}

static bool read_clock(struct scale_pass_state *pass)
{
	struct error *err = &pass->result.error;

	if (prom_query_time(&pass->clock, &pass->context.server_time, err) == 0)
		return true;
	if (err->kind == ERROR_NET) {
		err->kind = ERROR_UNAVAILABLE;
		error_hint(err, "nothing is scaled without measurements");
	}
	return false;
}

/* So far back that the longer of the two conditions is covered; the last time is now. */
static struct prom_range range_of(
	const struct scale_rule *rule, const struct check_context *context)
{
	double step_s = (double)context->config->prometheus.scrape_interval_ms / 1000;
	int64_t longest_ms =
		rule->up.for_ms > rule->down.for_ms ? rule->up.for_ms : rule->down.for_ms;
	int64_t steps_back = longest_ms / context->config->prometheus.scrape_interval_ms;

	return (struct prom_range){
		.start_s = context->server_time - (double)steps_back * step_s,
		.end_s = context->server_time,
		.step_s = step_s,
	};
}

static void ask_service(
	struct scale_pass_state *pass, const struct scale_rule *rule, struct scale_asking *asking)
{
	const struct prometheus_config *prometheus = &pass->context.config->prometheus;
	CLEANUP_FREE char *replicas = config_expand_query(rule->replicas, &pass->context);
	CLEANUP_FREE char *metric = config_expand_query(rule->metric, &pass->context);

	asking->range = range_of(rule, &pass->context);
	prom_query_start(&asking->replicas, &pass->measuring, prometheus, replicas,
		pass->context.server_time);
	prom_query_range_start(
		&asking->metric, &pass->measuring, prometheus, metric, asking->range);
}

static void add_checks(struct scale_pass_state *pass, const struct scale_rule *rule)
{
	pass->checks = mem_resize(pass->checks, pass->check_count + rule->blocked_by.count + 1,
		sizeof(*pass->checks));
	for (size_t i = 0; i < rule->blocked_by.count; i++) {
		bool is_known = false;

		for (size_t j = 0; j < pass->check_count && !is_known; j++)
			is_known = pass->checks[j] == rule->blocks[i];
		if (!is_known)
			pass->checks[pass->check_count++] = rule->blocks[i];
	}
}

static enum task_next measure_ask(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, measuring);

	if (task->is_canceled || !read_clock(pass))
		return TASK_DONE;
	for (size_t i = 0; i < pass->result.count; i++) {
		ask_service(pass, pass->result.reports[i].rule, &pass->askings[i]);
		add_checks(pass, pass->result.reports[i].rule);
	}
	if (!pass->check_count)
		return TASK_WAIT;
	pass->blocks = (struct evaluation){
		.context = pass->context, .checks = pass->checks, .count = pass->check_count
	};
	evaluation_start(&pass->blocks, task);
	return TASK_WAIT;
}

/* ---- the answers ---- */

/* One answer that means one number at a time, or *err. */
static bool is_usable(const struct prom_query *query, const char *what, struct error *err)
{
	const struct prom_result *result = &query->result;

	*err = query->error;
	if (err->kind)
		return false;
	if (result->warnings)
		error_set(err, ERROR_METRICS, 0,
			"the answer about %s may be incomplete; Prometheus warns: %.300s", what,
			result->warnings);
	else if (result->series_count > 1)
		error_set(err, ERROR_METRICS, 0,
			"the query of %s returns %zu series: put max(...) or sum(...) around it",
			what, result->series_count);
	return !err->kind;
}

static bool read_replicas(
	const struct prom_query *query, struct scale_report *report, struct error *err)
{
	const struct prom_result *result = &query->result;
	double value;

	if (!is_usable(query, "'replicas'", err))
		return false;
	if (!result->series_count || (result->type != PROM_VECTOR && result->type != PROM_SCALAR)) {
		error_set(err, ERROR_METRICS, 0,
			"the query of 'replicas' returns nothing, so how many there are is not "
			"known");
		return false;
	}
	value = result->series->samples[0].value;
	if (!isfinite(value) || value < 0 || value > 1e9 || value != floor(value)) {
		error_set(err, ERROR_METRICS, 0,
			"the query of 'replicas' returns %g, which is no number of instances",
			value);
		return false;
	}
	report->replicas_known = true;
	report->replicas = (int64_t)value;
	return true;
}

static bool read_metric(const struct scale_asking *asking, struct scale_report *report,
	struct scale_facts *facts, struct error *err)
{
	const struct prom_result *result = &asking->metric.result;
	const struct scale_rule *rule = report->rule;
	bool is_share = strchr(rule->up.when.text, '%') || strchr(rule->down.when.text, '%');
	const struct prom_sample *newest;

	if (!is_usable(&asking->metric, "'metric'", err))
		return false;
	facts->metric_known = true;
	if (!result->series_count || !result->series->sample_count)
		return true;
	facts->samples = result->series->samples;
	facts->sample_count = result->series->sample_count;
	newest = &facts->samples[facts->sample_count - 1];
	report->has_value = newest->time >= facts->until_s - facts->step_s / 2;
	report->value = newest->value;
	if (report->has_value)
		check_format_value(
			is_share ? UNIT_SHARE : UNIT_PLAIN, newest->value, report->value_text);
	return true;
}

static const struct verdict *verdict_on(
	const struct scale_pass_state *pass, const struct check_config *check)
{
	size_t i = 0;

	while (pass->checks[i] != check)
		i++;
	return &pass->blocks.verdicts[i];
}

/* Names all that block, and says why the first does. What could not be asked blocks as well. */
static void read_blocks(
	struct scale_pass_state *pass, struct scale_report *report, const char **ret_names)
{
	const struct scale_rule *rule = report->rule;
	size_t count = 0;

	for (size_t i = 0; i < rule->blocked_by.count; i++) {
		const struct verdict *verdict = verdict_on(pass, rule->blocks[i]);

		if (verdict->result == CHECK_PASS || verdict->result == CHECK_WARN)
			continue;
		if (!count)
			snprintf(report->block, sizeof(report->block), "%.100s (%s): %.240s",
				rule->blocked_by.items[i], check_result_name(verdict->result),
				verdict->message);
		ret_names[count++] = rule->blocked_by.items[i];
	}
	report->blocked_by = ret_names;
}

static void decide(struct scale_pass_state *pass, size_t index, bool rollout_runs)
{
	struct scale_report *report = &pass->result.reports[index];
	struct scale_asking *asking = &pass->askings[index];
	struct scale_facts facts = {
		.until_s = asking->range.end_s,
		.step_s = asking->range.step_s,
		.rollout_runs = rollout_runs,
		.now_ms = pass->result.time,
	};
	struct error replicas_error = { 0 }, metric_error = { 0 };

	scale_memory_read(pass->autoscaler, report->rule->service, &facts.memory);
	asking->blocked_by =
		mem_array(report->rule->blocked_by.count + 1, sizeof(*asking->blocked_by));
	read_blocks(pass, report, asking->blocked_by);
	facts.replicas_known = read_replicas(&asking->replicas, report, &replicas_error);
	facts.replicas = report->replicas;
	read_metric(asking, report, &facts, &metric_error);
	facts.unknown = replicas_error.kind ? replicas_error.message
			: metric_error.kind ? metric_error.message
					    : NULL;
	facts.block = report->block[0] ? report->block : NULL;
	scale_decide(report->rule, &facts, &report->decision);
}

static enum task_next measure_answered(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, measuring);
	struct error ignored = { 0 };
	CLEANUP_FREE char *folder = state_folder(pass->context.config, false, &ignored);
	struct lock_holder holder;

	if (task->is_canceled)
		return TASK_DONE;
	pass->result.time = clock_wall_ms();
	for (size_t i = 0; i < pass->result.count; i++)
		decide(pass, i, folder && lock_is_held(folder, &holder));
	pass->was_measured = true;
	return TASK_DONE;
}

void scale_measure_start(struct scale_pass_state *pass)
{
	pass->context = (struct check_context){
		.config = pass->autoscaler->config,
		.version = "",
		.window_ms = WINDOW_MS,
		.target = "production",
	};
	pass->askings = mem_array(pass->result.count + 1, sizeof(*pass->askings));
	task_start_child(&pass->measuring, &pass->task, "measure", steps);
}

void scale_measure_release(struct scale_pass_state *pass)
{
	prom_query_release(&pass->clock);
	for (size_t i = 0; pass->askings && i < pass->result.count; i++) {
		prom_query_release(&pass->askings[i].replicas);
		prom_query_release(&pass->askings[i].metric);
		free(pass->askings[i].blocked_by);
	}
	evaluation_release(&pass->blocks);
	free(pass->askings);
	free(pass->checks);
	pass->askings = NULL;
	pass->checks = NULL;
}
