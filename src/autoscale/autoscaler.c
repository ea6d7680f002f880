/* Pass after pass until it is stopped: see canaryctl/autoscale.h. */
#include "autoscale/scale_memory.h"
#include "autoscale/scale_pass.h"
#include "canaryctl/autoscale.h"
#include "canaryctl/mem.h"

#include <signal.h>
#include <stdlib.h>

static enum task_next autoscaler_look(struct task *task);
static enum task_next autoscaler_looked(struct task *task);

enum { STEP_LOOK };
static const struct task_step steps[] = {
	{ "look", autoscaler_look },
	{ "looked", autoscaler_looked },
	{ 0 },
};

static enum task_next autoscaler_look(struct task *task)
{
	struct autoscaler *autoscaler = container_of(task, struct autoscaler, task);

	if (task->is_canceled)
		return TASK_DONE;
	autoscaler->pass = mem_alloc(sizeof(*autoscaler->pass));
	scale_pass_start(autoscaler->pass, autoscaler, task);
	return TASK_WAIT;
}

static enum task_next autoscaler_looked(struct task *task)
{
	struct autoscaler *autoscaler = container_of(task, struct autoscaler, task);
	struct scale_pass_state *pass = autoscaler->pass;

	/* A pass that was stopped before it could decide says nothing. */
	if (pass->was_measured || !task->is_canceled)
		autoscaler->on_pass(&pass->result, autoscaler->context);
	scale_pass_release(pass);
	free(pass);
	autoscaler->pass = NULL;
	if (autoscaler->is_once || task->is_canceled)
		return TASK_DONE;
	sleep_start(&autoscaler->pause, task, autoscaler->config->autoscaling.interval_ms);
	return task_goto(task, &steps[STEP_LOOK], TASK_WAIT);
}

static void on_signal(int signal_number, void *context)
{
	struct autoscaler *autoscaler = context;

	autoscaler->signal_number = signal_number;
	task_cancel(&autoscaler->task);
}

int autoscaler_prepare(struct autoscaler *autoscaler, struct error *err)
{
	return scale_memory_open(autoscaler, err);
}

void autoscaler_run(struct autoscaler *autoscaler)
{
	struct loop *loop = loop_new();

	loop_watch_signal(loop, SIGINT, on_signal, autoscaler);
	loop_watch_signal(loop, SIGTERM, on_signal, autoscaler);
	task_start(&autoscaler->task, loop, "autoscaler", steps);
	loop_run(loop, &autoscaler->task);
	loop_free(loop);
}

void autoscaler_release(struct autoscaler *autoscaler)
{
	scale_memory_close(autoscaler);
}
