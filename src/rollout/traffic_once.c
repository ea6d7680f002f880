/* One change of traffic on a loop of its own, for commands that do nothing else. */
#include "canaryctl/loop.h"
#include "canaryctl/rollout.h"

struct once {
	struct task task;
	struct traffic_change *change;
};

static enum task_next start_change(struct task *task)
{
	struct once *once = container_of(task, struct once, task);

	traffic_driver_of(once->change->config)->start(once->change, task);
	return TASK_WAIT;
}

static const struct task_step once_steps[] = { { "change traffic", start_change }, { 0 } };

void traffic_once(struct traffic_change *change)
{
	struct once once = { .change = change };
	struct loop *loop = loop_new();

	task_start(&once.task, loop, "traffic", once_steps);
	loop_run(loop, &once.task);
	loop_free(loop);
}

void traffic_change_release(struct traffic_change *change)
{
	traffic_driver_of(change->config)->release(change);
	buf_release(&change->notes);
	buf_release(&change->rendered);
}
