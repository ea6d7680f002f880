/*
 * gpu {min_headroom, source, labels}: free memory of every GPU, from nvidia-smi on this host or,
 * where there is none, from an exporter in Prometheus. The value is the headroom of the fullest.
 */
#include "canaryctl/config.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/gpu_memory.h"
#include "checks/measure.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SMI_TIMEOUT_MS = 10000 };

#define SMI_PROGRAM "nvidia-smi"

enum gpu_source { SOURCE_AUTO, SOURCE_NVIDIA_SMI, SOURCE_PROMETHEUS };
static const char *const source_names[] = { "auto", "nvidia-smi", "prometheus", NULL };

struct gpu_params {
	double min_headroom;
	int source; /* enum gpu_source */
	char *labels;
};

static const struct schema_row rows[] = {
	{ .name = "min_headroom",
		.type = SCHEMA_NUMBER,
		.offset = offsetof(struct gpu_params, min_headroom),
		.default_text = "20%",
		.maximum = 1,
		.help = "share of its memory that must be free, of each GPU" },
	{ .name = "source",
		.type = SCHEMA_ENUM,
		.offset = offsetof(struct gpu_params, source),
		.default_text = "auto",
		.names = source_names,
		.help = "`auto`: nvidia-smi where it is installed, else Prometheus "
			"(`DCGM_FI_DEV_FB_*`, `nvidia_gpu_memory_*_bytes`)" },
	{ .name = "labels",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct gpu_params, labels),
		.help = "matchers for Prometheus, such as `version=\"${target}\"`" },
	{ 0 },
};

struct gpu_state {
	struct proc_op smi;
	struct prom_query query;
	struct gpu_list list;
};

static enum task_next gpu_ask(struct task *task);
static enum task_next gpu_listed(struct task *task);
static enum task_next gpu_ask_prometheus(struct task *task);
static enum task_next gpu_answered(struct task *task);

enum { STEP_ASK, STEP_LISTED, STEP_ASK_PROMETHEUS };
static const struct task_step steps[] = {
	{ "ask", gpu_ask },
	{ "listed", gpu_listed },
	{ "ask prometheus", gpu_ask_prometheus },
	{ "answered", gpu_answered },
	{ 0 },
};

static enum task_next gpu_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct gpu_params *params = run->check->params;
	struct gpu_state *state = run->state;
	char program[] = SMI_PROGRAM;
	char query[] = "--query-gpu=" GPU_CSV_FIELDS, format[] = "--format=csv,noheader,nounits";
	char *argv[] = { program, query, format, NULL };
	struct proc_options options = { .argv = argv, .timeout_ms = SMI_TIMEOUT_MS };

	if (params->source == SOURCE_PROMETHEUS ||
		(params->source == SOURCE_AUTO && !fileio_program_exists(SMI_PROGRAM)))
		return task_goto(task, &steps[STEP_ASK_PROMETHEUS], TASK_MORE);
	proc_start(&state->smi, task, &options);
	return TASK_WAIT;
}

/* "GPU 0 (NVIDIA RTX 4090): 24576 MiB, 18000 used, 6576 free (26.8%)" */
static void say_gpu(const struct gpu_memory *gpu, struct buf *text)
{
	char headroom[CHECK_VALUE_TEXT_SIZE];
	double total = gpu->total >= 0 ? gpu->total : gpu->used + gpu->free;
	double free = gpu->free >= 0 ? gpu->free : total - gpu->used;

	if (text->length)
		buf_add_text(text, "; ");
	buf_add_text(text, "GPU ");
	buf_add_printable(text, gpu->name);
	buf_add_format(text, ": %.0f MiB, %.0f used, %.0f free (%s)", total,
		gpu->used >= 0 ? gpu->used : total - free, free,
		check_format_value(UNIT_SHARE, gpu_headroom(gpu), headroom));
}

/* The fullest decides; a GPU of which nothing is known makes all of it unknown. */
static enum task_next judge_list(struct check_run *run)
{
	const struct gpu_params *params = run->check->params;
	const struct gpu_list *list = &((struct gpu_state *)run->state)->list;
	struct measurement *m = &run->measurement;
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(m->message) - 1);

	m->measured = MEASURED_VALUE;
	m->has_value = true;
	m->value = 1;
	for (size_t i = 0; i < list->count; i++) {
		double headroom = gpu_headroom(&list->gpus[i]);

		if (isnan(headroom)) {
			measure_no_data(m, NO_DATA_NO_SERIES,
				"total and free memory of a GPU are not both known");
			m->has_value = false;
			return measure_end(run);
		}
		m->value = headroom < m->value ? headroom : m->value;
		say_gpu(&list->gpus[i], &text);
	}
	m->fails = m->value < params->min_headroom;
	measurement_apply_conditions(m, run->check);
	snprintf(m->message, sizeof(m->message), "%s", buf_text(&text));
	return measure_end(run);
}

static enum task_next gpu_listed(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct gpu_params *params = run->check->params;
	struct gpu_state *state = run->state;
	struct error err = { 0 };

	if (proc_succeeded(&state->smi, SMI_PROGRAM, &err) &&
		gpu_read_csv(&state->list, buf_text(&state->smi.output), &err) == 0)
		return judge_list(run);
	if (params->source == SOURCE_NVIDIA_SMI || task->is_canceled)
		return measure_error(run, &err);
	return TASK_MORE; /* a driver without a GPU: perhaps the GPUs are elsewhere */
}

static enum task_next gpu_ask_prometheus(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct gpu_params *params = run->check->params;
	struct gpu_state *state = run->state;
	struct error err = { 0 };
	CLEANUP_FREE char *labels =
		check_expand(run->context, params->labels ? params->labels : "", &err);
	CLEANUP_FREE char *query = NULL;

	if (!labels)
		return measure_unasked(run, &err);
	query = mem_format("{__name__=~\"DCGM_FI_DEV_FB_(USED|FREE)|"
			   "nvidia_gpu_memory_(total|used|free)_bytes\"%s%s}",
		*labels ? "," : "", labels);
	gpu_list_release(&state->list);
	prom_query_start(&state->query, task, &run->context->config->prometheus, query, 0);
	return TASK_WAIT;
}

static enum task_next gpu_answered(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct gpu_state *state = run->state;
	struct measurement *m = &run->measurement;
	struct error err = state->query.error;

	if (err.kind || gpu_read_series(&state->list, &state->query.result, &err) < 0)
		return measure_error(run, &err);
	if (state->query.result.warnings) {
		CLEANUP_FREE char *why = mem_format(
			"the answer may be partial: %.300s", state->query.result.warnings);

		measure_no_data(m, NO_DATA_PARTIAL, why);
		return measure_end(run);
	}
	if (state->list.count)
		return judge_list(run);
	measure_no_data(m, NO_DATA_NO_SERIES,
		"neither nvidia-smi nor an exporter in Prometheus knows of a GPU");
	return measure_end(run);
}

static int validate(const struct check_config *check, struct error *err)
{
	return check_validate_once(check, err);
}

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct gpu_state));
	task_start_child(&run->task, parent, "gpu", steps);
}

static void release(struct check_run *run)
{
	struct gpu_state *state = run->state;

	proc_release(&state->smi);
	prom_query_release(&state->query);
	gpu_list_release(&state->list);
	free(state);
	run->state = NULL;
}

const struct check_kind check_kind_gpu = {
	.name = "gpu",
	.help = "free memory of every GPU; the value is the share that is free on the fullest",
	.unit = UNIT_SHARE,
	.rows = rows,
	.params_size = sizeof(struct gpu_params),
	.validate = validate,
	.start = start,
	.release = release,
};
