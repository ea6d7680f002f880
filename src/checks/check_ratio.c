/*
 * ratio {of, over}: the share of bad requests, from exact counts of two selectors. The value is
 * bad / total, both of the same arm, window and server time.
 */
#include "canaryctl/config.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ratio_params {
	char *of;
	char *over;
};

static const struct schema_row rows[] = {
	{ .name = "of",
		.type = SCHEMA_SELECTOR,
		.offset = offsetof(struct ratio_params, of),
		.is_required = true,
		.help = "counter of what is bad, a plain series selector" },
	{ .name = "over",
		.type = SCHEMA_SELECTOR,
		.offset = offsetof(struct ratio_params, over),
		.is_required = true,
		.help = "counter of everything, a plain series selector" },
	{ 0 },
};

static enum task_next ratio_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct ratio_params *params = run->check->params;
	const struct check_context *context = run->context;
	CLEANUP_FREE char *of = config_expand_query(params->of, context);
	CLEANUP_FREE char *over = config_expand_query(params->over, context);
	struct count_request request = {
		.config = &context->config->prometheus,
		.over = over,
		.of = of,
		.time = context->server_time,
		.window_ms = context->window_ms,
	};

	count_query_start(run->state, task, &request);
	return TASK_WAIT;
}

/* No series of another metric may also be a misspelt name: said, not hidden behind a 0. */
static void note_absent(struct measurement *m, const struct count_query *count)
{
	const char *metric = count->of_selector.metric;

	if (m->measured == MEASURED_VALUE && !count->of.result.series_count &&
		strcmp(metric, count->over_selector.metric) != 0)
		snprintf(m->message, sizeof(m->message),
			"'%.200s' has no series here, which counts as 0", metric);
}

static enum task_next ratio_counted(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct measurement *m = &run->measurement;
	const struct count_query *count = run->state;

	if (measure_count(m, count)) {
		m->has_value = m->has_bad = true;
		m->bad = count->window.of;
		m->value = m->samples > 0 ? m->bad / m->samples : (double)INFINITY;
	}
	note_absent(m, count);
	measure_note_restarts(m, count);
	measurement_apply_conditions(m, run->check);
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", ratio_ask },
	{ "counted", ratio_counted },
	{ 0 },
};

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct count_query));
	task_start_child(&run->task, parent, "ratio", steps);
}

static void release(struct check_run *run)
{
	count_query_release(run->state);
	free(run->state);
	run->state = NULL;
}

const struct check_kind check_kind_ratio = {
	.name = "ratio",
	.help = "share of bad requests, counted exactly from two counters",
	.needs_prometheus = true,
	.unit = UNIT_SHARE,
	.rows = rows,
	.params_size = sizeof(struct ratio_params),
	.validate = check_validate_counting,
	.start = start,
	.release = release,
};
