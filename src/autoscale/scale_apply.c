/*
 * Applying one decision: the intent is written down, the service's command runs, the outcome is
 * written down. Without a written intent nothing runs: the cool-down would not be kept.
 */
#include "autoscale/scale_pass.h"

#include "autoscale/scale_memory.h"
#include "canaryctl/mem.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define VARIABLE_SERVICE  "${service}"
#define VARIABLE_REPLICAS "${replicas}"

char *scale_expand(const char *argument, const char *service, int64_t replicas)
{
	struct buf text = { 0 };

	while (*argument) {
		if (strncmp(argument, VARIABLE_SERVICE, strlen(VARIABLE_SERVICE)) == 0) {
			buf_add_text(&text, service);
			argument += strlen(VARIABLE_SERVICE);
		} else if (strncmp(argument, VARIABLE_REPLICAS, strlen(VARIABLE_REPLICAS)) == 0) {
			buf_add_format(&text, "%" PRId64, replicas);
			argument += strlen(VARIABLE_REPLICAS);
		} else {
			buf_add(&text, argument++, 1);
		}
	}
	return buf_take(&text);
}

static enum task_next apply_run(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, applying);
	struct scale_report *report = &pass->result.reports[pass->next];
	const struct scale_rule *rule = report->rule;
	struct proc_options options = { .timeout_ms =
						pass->autoscaler->config->autoscaling.timeout_ms };
	char **argv;

	if (scale_memory_intend(pass->autoscaler, report, &report->error) < 0) {
		error_wrap(&report->error, "the scaling cannot be written down, so it is not done");
		return TASK_DONE;
	}
	argv = mem_array(rule->scale.count + 1, sizeof(*argv));
	for (size_t i = 0; i < rule->scale.count; i++)
		argv[i] = scale_expand(rule->scale.items[i], rule->service, report->decision.to);
	options.argv = argv;
	proc_start(&pass->command, task, &options);
	for (size_t i = 0; i < rule->scale.count; i++)
		free(argv[i]);
	free(argv);
	return TASK_WAIT;
}

static enum task_next apply_ended(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, applying);
	struct scale_report *report = &pass->result.reports[pass->next];
	struct error err = { 0 };

	report->was_applied = proc_succeeded(&pass->command, "the scale command", &report->error);
	proc_release(&pass->command);
	if (!report->was_applied) {
		error_wrap(&report->error, "'%s' was not scaled to %" PRId64, report->rule->service,
			report->decision.to);
		error_hint(&report->error, "it is tried again after the cool-down; try it by hand: "
					   "see 'canaryctl config show'");
	}
	/* The intent is written: the cool-down is kept all the same. */
	if (scale_memory_conclude(pass->autoscaler, report, &err) < 0 && report->was_applied)
		report->error = err;
	return TASK_DONE;
}

static const struct task_step steps[] = {
	{ "run", apply_run },
	{ "ended", apply_ended },
	{ 0 },
};

void scale_apply_start(struct scale_pass_state *pass)
{
	task_start_child(&pass->applying, &pass->task, "scale command", steps);
	task_shield(&pass->applying);
}
