/*
 * One evaluation. Checks that need no Prometheus start at once; the others start as soon as the
 * server's clock is known, all at that one time, so that no two of them look at different
 * moments. Nobody waits for anybody: the time taken is that of the slowest check.
 */
#include "canaryctl/check.h"
#include "canaryctl/check_memory.h"
#include "canaryctl/config.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"

#include <stdlib.h>

/* The part that asks Prometheus, as a child of its own: it must not wait for the other checks. */
struct prometheus_part {
	struct task task;
	struct evaluation *evaluation;
	struct prom_query clock;
};

static bool needs_prometheus(const struct check_config *check)
{
	return check->kind->needs_prometheus || check->min_samples_query;
}

static void start_run(struct evaluation *evaluation, size_t i, struct task *parent)
{
	struct check_run *run = &evaluation->runs[i];

	run->check = evaluation->checks[i];
	run->context = &evaluation->context;
	run->memory = evaluation->memories ? &evaluation->memories[i] : NULL;
	run->started_ms = loop_now_ms(parent->loop);
	run->check->kind->start(run, parent);
}

static enum task_next part_ask_clock(struct task *task)
{
	struct prometheus_part *part = container_of(task, struct prometheus_part, task);
	const struct config *config = part->evaluation->context.config;

	prom_query_start(&part->clock, task, &config->prometheus, PROM_TIME, 0);
	return TASK_WAIT;
}

static enum task_next part_start_checks(struct task *task)
{
	struct prometheus_part *part = container_of(task, struct prometheus_part, task);
	struct evaluation *evaluation = part->evaluation;
	bool known = prom_query_time(&part->clock, &evaluation->context.server_time,
			     &evaluation->prometheus_error) == 0;

	evaluation->prometheus_answered = known;
	for (size_t i = 0; i < evaluation->count; i++) {
		struct check_run *run = &evaluation->runs[i];

		if (!needs_prometheus(evaluation->checks[i]))
			continue;
		if (known) {
			start_run(evaluation, i, task);
			continue;
		}
		run->measurement.measured = MEASURED_ERROR;
		run->measurement.error = evaluation->prometheus_error;
	}
	return TASK_WAIT;
}

static const struct task_step part_steps[] = {
	{ "ask server's time", part_ask_clock },
	{ "start checks", part_start_checks },
	{ 0 },
};

static enum task_next evaluation_ask(struct task *task)
{
	struct evaluation *evaluation = container_of(task, struct evaluation, task);
	struct prometheus_part *part;

	for (size_t i = 0; i < evaluation->count; i++) {
		if (needs_prometheus(evaluation->checks[i]))
			evaluation->asked_prometheus = true;
		else
			start_run(evaluation, i, task);
	}
	if (!evaluation->asked_prometheus)
		return TASK_WAIT;
	part = mem_alloc(sizeof(*part));
	part->evaluation = evaluation;
	evaluation->clock_query = part;
	task_start_child(&part->task, task, "prometheus part", part_steps);
	return TASK_WAIT;
}

static enum task_next evaluation_judge(struct task *task)
{
	struct evaluation *evaluation = container_of(task, struct evaluation, task);

	for (size_t i = 0; i < evaluation->count; i++) {
		struct check_run *run = &evaluation->runs[i];
		struct verdict *verdict = &evaluation->verdicts[i];

		check_judge(evaluation->checks[i], &run->measurement, verdict);
		if (run->ended_ms > run->started_ms)
			verdict->duration_ms = run->ended_ms - run->started_ms;
	}
	return TASK_DONE;
}

static const struct task_step steps[] = {
	{ "ask", evaluation_ask },
	{ "judge", evaluation_judge },
	{ 0 },
};

void evaluation_start(struct evaluation *evaluation, struct task *parent)
{
	evaluation->runs = mem_array(evaluation->count, sizeof(*evaluation->runs));
	evaluation->verdicts = mem_array(evaluation->count, sizeof(*evaluation->verdicts));
	task_start_child(&evaluation->task, parent, "evaluation", steps);
}

void evaluation_release(struct evaluation *evaluation)
{
	struct prometheus_part *part = evaluation->clock_query;

	for (size_t i = 0; evaluation->runs && i < evaluation->count; i++) {
		struct check_run *run = &evaluation->runs[i];

		if (run->state && run->check->kind->release)
			run->check->kind->release(run);
	}
	if (part)
		prom_query_release(&part->clock);
	free(part);
	free(evaluation->runs);
	free(evaluation->verdicts);
	evaluation->clock_query = NULL;
	evaluation->runs = NULL;
	evaluation->verdicts = NULL;
}
