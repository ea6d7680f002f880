/*
 * The tasks that may run their next step. A loop has one such queue and runs it between its turns;
 * tasks know nothing else of their loop, so another kind of loop (tests/sim) can drive them.
 */
#ifndef CANARYCTL_TASK_QUEUE_H
#define CANARYCTL_TASK_QUEUE_H

struct loop;
struct task;

struct task_queue {
	struct task *first;
	struct task *last;
};

/* The loop's own. */
struct task_queue *loop_task_queue(struct loop *loop);

/* Runs steps until every task waits or is done. */
void task_queue_run(struct task_queue *queue);

#endif
