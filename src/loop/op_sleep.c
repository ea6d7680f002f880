/* Pauses: a list by due time, and one libuv timer for the first of it. */
#include "canaryctl/loop.h"

#include "loop/loop_private.h"

static void arm(struct loop *loop);

static void on_timer(uv_timer_t *timer)
{
	struct loop *loop = container_of(timer, struct loop, sleep_timer);

	while (loop->sleeping && loop->sleeping->due_ms <= loop_now_ms(loop)) {
		struct sleep_op *sleep = loop->sleeping;

		loop->sleeping = sleep->next;
		op_end(&sleep->op);
	}
	arm(loop);
}

static void arm(struct loop *loop)
{
	int64_t delay_ms;

	if (!loop->sleeping) {
		uv_timer_stop(&loop->sleep_timer);
		return;
	}
	delay_ms = loop->sleeping->due_ms - loop_now_ms(loop);
	uv_timer_start(&loop->sleep_timer, on_timer, delay_ms > 0 ? (uint64_t)delay_ms : 0, 0);
}

static void cancel_sleep(struct op *op)
{
	struct sleep_op *sleep = container_of(op, struct sleep_op, op);
	struct loop *loop = op->task->loop;

	for (struct sleep_op **link = &loop->sleeping; *link; link = &(*link)->next) {
		if (*link == sleep) {
			*link = sleep->next;
			op_end(&sleep->op);
			break;
		}
	}
	arm(loop);
}

void sleep_start(struct sleep_op *sleep, struct task *task, int64_t delay_ms)
{
	struct loop *loop = task->loop;
	struct sleep_op **link = &loop->sleeping;

	op_begin(&sleep->op, task, cancel_sleep);
	uv_update_time(&loop->uv);
	sleep->due_ms = loop_now_ms(loop) + (delay_ms > 0 ? delay_ms : 0);
	while (*link && (*link)->due_ms <= sleep->due_ms)
		link = &(*link)->next;
	sleep->next = *link;
	*link = sleep;
	arm(loop);
}
