/* One change of traffic on a loop of its own, for commands that do nothing else. */
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "canaryctl/rollout.h"

#include <signal.h>

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

static void on_signal(int signal_number, void *context)
{
	(void)signal_number;
	(void)context;
}

/* Neither ^C nor a lost terminal stops a change half way: it is proven, or undone. */
static void outlive_signals(struct loop *loop)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		loop_watch_signal(loop, numbers[i], on_signal, NULL);
}

void traffic_once(struct traffic_change *change)
{
	struct once once = { .change = change };
	struct loop *loop = loop_new();

	if (change->goal != TRAFFIC_READ)
		outlive_signals(loop);
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
