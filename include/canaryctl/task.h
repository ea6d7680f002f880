/*
 * Procedures that read from top to bottom. A procedure is a struct that embeds a `struct task`
 * and its operations by value, plus an array of named steps in running order, ended by an empty
 * row:
 *
 *	static const struct task_step steps[] = {
 *		{ "render", shift_render }, { "tested", shift_tested }, { 0 },
 *	};
 *
 * A step does something, may start operations, and returns:
 *	TASK_MORE	go on with the next step now
 *	TASK_WAIT	go on with the next step when all operations that were started have ended
 *	TASK_DONE	the procedure is over
 * task_goto() chooses another next step. Starting three operations before TASK_WAIT is fan-out
 * and join. A child task counts as an operation of its parent.
 *
 * Callbacks of operations only store a result and call op_end(); steps run only from loop_run(),
 * between turns of the event loop, so no step ever runs inside a library's callback.
 *
 * Ownership: the owner of the struct keeps it alive until the task is done.
 */
#ifndef CANARYCTL_TASK_H
#define CANARYCTL_TASK_H

#include <stdbool.h>

struct loop;
struct task;

enum task_next { TASK_MORE, TASK_WAIT, TASK_DONE };

struct task_step {
	const char *name;
	enum task_next (*run)(struct task *task);
};

/* Something a task waits for. Ends exactly once. */
struct op {
	struct task *task; /* NULL: not running */
	struct op *next;
	struct op *previous;
	void (*cancel)(struct op *op); /* asks it to end soon; NULL: cannot be canceled */
};

struct task {
	const char *name;
	struct loop *loop;
	const struct task_step *step; /* the next one to run */
	struct op *operations;        /* those that are running */
	struct task *next_ready;
	bool is_ready; /* in the loop's queue */
	bool is_done;
	bool is_canceled;   /* task_cancel() was called; steps may look at it */
	struct op as_child; /* this task as its parent's operation */
};

/* Starts at the first step. A task with a parent is one of the parent's operations. */
void task_start(
	struct task *task, struct loop *loop, const char *name, const struct task_step *steps);
void task_start_child(
	struct task *task, struct task *parent, const char *name, const struct task_step *steps);

/* `return task_goto(task, &steps[2], TASK_WAIT);` */
enum task_next task_goto(struct task *task, const struct task_step *step, enum task_next next);

/*
 * Cancels all running operations, children included, and those that the task starts later: its
 * steps go on, see canceled results (and is_canceled), and the task soon ends.
 */
void task_cancel(struct task *task);

/* From now on a parent's task_cancel() leaves this child alone: an undo must run to its end. */
void task_shield(struct task *task);

/* For operations. `op` must not be running. */
void op_begin(struct op *op, struct task *task, void (*cancel)(struct op *op));
void op_end(struct op *op);
bool op_is_running(const struct op *op);

#endif
