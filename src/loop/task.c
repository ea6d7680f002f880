/*
 * Tasks and operations: see canaryctl/task.h. A task is in exactly one of four conditions: in the
 * ready queue, waiting (it has running operations), running its step, or done.
 */
#include "canaryctl/task.h"
#include "canaryctl/error.h"
#include "canaryctl/log.h"
#include "canaryctl/mem.h"

#include "loop/task_queue.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void enqueue(struct task *task)
{
	struct task_queue *queue;

	if (task->is_ready || task->is_done)
		return;
	queue = loop_task_queue(task->loop);
	task->is_ready = true;
	task->next_ready = NULL;
	if (queue->last)
		queue->last->next_ready = task;
	else
		queue->first = task;
	queue->last = task;
}

void op_begin(struct op *op, struct task *task, void (*cancel)(struct op *op))
{
	if (op->task)
		BUG("operation started twice by task '%s'", task->name);
	op->task = task;
	op->cancel = cancel;
	op->previous = NULL;
	op->next = task->operations;
	if (op->next)
		op->next->previous = op;
	task->operations = op;
}

void op_end(struct op *op)
{
	struct task *task = op->task;

	if (!task)
		BUG("operation ended twice");
	if (op->previous)
		op->previous->next = op->next;
	else
		task->operations = op->next;
	if (op->next)
		op->next->previous = op->previous;
	op->task = NULL;
	op->next = op->previous = NULL;
	if (!task->operations)
		enqueue(task);
}

bool op_is_running(const struct op *op)
{
	return op->task != NULL;
}

void task_start(
	struct task *task, struct loop *loop, const char *name, const struct task_step *steps)
{
	memset(task, 0, sizeof(*task));
	task->name = name;
	task->loop = loop;
	task->step = steps;
	enqueue(task);
}

static void cancel_child(struct op *op)
{
	task_cancel(container_of(op, struct task, as_child));
}

void task_start_child(
	struct task *task, struct task *parent, const char *name, const struct task_step *steps)
{
	task_start(task, parent->loop, name, steps);
	op_begin(&task->as_child, parent, cancel_child);
}

enum task_next task_goto(struct task *task, const struct task_step *step, enum task_next next)
{
	task->step = step;
	return next;
}

void task_shield(struct task *task)
{
	task->as_child.cancel = NULL;
}

static void cancel_operations(struct task *task)
{
	struct op *op = task->operations;

	while (op) {
		struct op *next = op->next;

		if (op->cancel)
			op->cancel(op);
		op = next;
	}
}

void task_cancel(struct task *task)
{
	task->is_canceled = true;
	cancel_operations(task);
}

/* An operation that ended within the step that started it has queued its task. */
static void unqueue(struct task *task)
{
	struct task_queue *queue = loop_task_queue(task->loop);
	struct task **link = &queue->first;
	struct task *last = NULL;

	while (*link && *link != task) {
		last = *link;
		link = &last->next_ready;
	}
	if (!*link)
		return;
	*link = task->next_ready;
	if (queue->last == task)
		queue->last = last;
	task->is_ready = false;
}

/*
 * For the crash tests: CANARYCTL_CRASH_AT="before shift: install" kills the process there as kill
 * -9 would. The names are those that --log-level debug prints.
 */
static void crash_point(const char *when, const struct task *task, const struct task_step *step)
{
	const char *wanted = getenv("CANARYCTL_CRASH_AT");
	char here[192];

	if (!wanted)
		return;
	snprintf(here, sizeof(here), "%s %s: %s", when, task->name, step->name);
	if (strcmp(here, wanted) == 0)
		kill(getpid(), SIGKILL);
}

/* Runs steps until the task waits or is done. */
static void run_task(struct task *task)
{
	enum task_next next = TASK_MORE;

	while (next == TASK_MORE) {
		const struct task_step *step = task->step;

		if (!step->run) {
			next = TASK_DONE;
			break;
		}
		log_debug("task %s: %s", task->name, step->name);
		crash_point("before", task, step);
		task->step = step + 1;
		next = step->run(task);
		crash_point("after", task, step);
		if (next == TASK_WAIT && task->is_canceled)
			cancel_operations(task);
		/* Waiting for nothing would be waiting for ever. */
		if (next == TASK_WAIT && !task->operations)
			next = TASK_MORE;
	}
	if (next != TASK_DONE)
		return;
	if (task->operations)
		BUG("task '%s' ended with operations running", task->name);
	task->is_done = true;
	unqueue(task);
	if (op_is_running(&task->as_child))
		op_end(&task->as_child);
}

void task_queue_run(struct task_queue *queue)
{
	while (queue->first) {
		struct task *task = queue->first;

		queue->first = task->next_ready;
		if (!queue->first)
			queue->last = NULL;
		task->is_ready = false;
		if (!task->operations)
			run_task(task);
	}
}
