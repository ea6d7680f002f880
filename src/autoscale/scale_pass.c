/* One pass: measure, then apply what was decided, one service after another. */
#include "autoscale/scale_pass.h"

#include "canaryctl/mem.h"

#include <stdlib.h>

static enum task_next pass_measure(struct task *task);
static enum task_next pass_apply_next(struct task *task);
static enum task_next pass_applied(struct task *task);

enum { STEP_MEASURE, STEP_APPLY_NEXT };
static const struct task_step steps[] = {
	{ "measure", pass_measure },
	{ "apply next", pass_apply_next },
	{ "applied", pass_applied },
	{ 0 },
};

static enum task_next pass_measure(struct task *task)
{
	scale_measure_start(container_of(task, struct scale_pass_state, task));
	return TASK_WAIT;
}

static enum task_next pass_apply_next(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, task);

	if (!pass->was_measured || !pass->autoscaler->applies)
		return TASK_DONE;
	while (pass->next < pass->result.count &&
		pass->result.reports[pass->next].decision.action == SCALE_HOLD)
		pass->next++;
	/* Stopped: what has not begun does not begin. */
	if (pass->next == pass->result.count || task->is_canceled)
		return TASK_DONE;
	scale_apply_start(pass);
	return TASK_WAIT;
}

static enum task_next pass_applied(struct task *task)
{
	struct scale_pass_state *pass = container_of(task, struct scale_pass_state, task);

	pass->next++;
	return task_goto(task, &steps[STEP_APPLY_NEXT], TASK_MORE);
}

void scale_pass_start(
	struct scale_pass_state *pass, struct autoscaler *autoscaler, struct task *parent)
{
	const struct autoscaling_config *autoscaling = &autoscaler->config->autoscaling;

	pass->autoscaler = autoscaler;
	pass->result.reports =
		mem_array(autoscaling->rule_count + 1, sizeof(*pass->result.reports));
	pass->result.count = autoscaling->rule_count;
	for (size_t i = 0; i < autoscaling->rule_count; i++)
		pass->result.reports[i].rule = &autoscaling->rules[i];
	task_start_child(&pass->task, parent, "autoscaling pass", steps);
}

void scale_pass_release(struct scale_pass_state *pass)
{
	scale_measure_release(pass);
	free(pass->result.reports);
	pass->result.reports = NULL;
}
