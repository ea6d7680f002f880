/*
 * The event loop: turns of libuv, and between them the steps of the tasks that became ready. No
 * step runs inside a callback, so none can pull the ground from under libuv or libcurl.
 */
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"

#include "loop/loop_private.h"

#include <stdlib.h>

struct signal_watch {
	uv_signal_t handle;
	loop_signal_fn *on_signal;
	void *context;
	struct signal_watch *next;
};

/*
 * A turn of libuv first runs the timers that are due, then waits for whatever comes next. When a
 * timer has made a task ready, nothing may be waited for.
 */
static void before_poll(uv_prepare_t *handle)
{
	struct loop *loop = container_of(handle, struct loop, before_poll);

	if (loop->ready.first)
		uv_stop(&loop->uv);
}

struct loop *loop_new(void)
{
	struct loop *loop = mem_alloc(sizeof(*loop));

	if (uv_loop_init(&loop->uv) < 0)
		BUG("cannot create an event loop: out of file descriptors?");
	uv_timer_init(&loop->uv, &loop->sleep_timer);
	uv_prepare_init(&loop->uv, &loop->before_poll);
	uv_prepare_start(&loop->before_poll, before_poll);
	uv_unref((uv_handle_t *)&loop->before_poll);
	return loop;
}

static void on_signal_closed(uv_handle_t *handle)
{
	free(container_of((uv_signal_t *)(void *)handle, struct signal_watch, handle));
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	while (loop->signals) {
		struct signal_watch *watch = loop->signals;

		loop->signals = watch->next;
		uv_close((uv_handle_t *)&watch->handle, on_signal_closed);
	}
	http_engine_free(loop->http);
	uv_close((uv_handle_t *)&loop->sleep_timer, NULL);
	uv_close((uv_handle_t *)&loop->before_poll, NULL);
	uv_run(&loop->uv, UV_RUN_DEFAULT);
	if (uv_loop_close(&loop->uv) < 0)
		BUG("the event loop still has open handles");
	free(loop);
}

void loop_run(struct loop *loop, struct task *task)
{
	uv_update_time(&loop->uv);
	task_queue_run(&loop->ready);
	while (!task->is_done) {
		if (!uv_run(&loop->uv, UV_RUN_ONCE) && !loop->ready.first && !task->is_done)
			BUG("task '%s' waits for nothing", task->name);
		task_queue_run(&loop->ready);
	}
}

struct task_queue *loop_task_queue(struct loop *loop)
{
	return &loop->ready;
}

int64_t loop_now_ms(const struct loop *loop)
{
	return (int64_t)uv_now(&loop->uv);
}

static void on_uv_signal(uv_signal_t *handle, int signal_number)
{
	struct signal_watch *watch = container_of(handle, struct signal_watch, handle);

	watch->on_signal(signal_number, watch->context);
}

void loop_watch_signal(
	struct loop *loop, int signal_number, loop_signal_fn *on_signal, void *context)
{
	struct signal_watch *watch = mem_alloc(sizeof(*watch));

	watch->on_signal = on_signal;
	watch->context = context;
	watch->next = loop->signals;
	loop->signals = watch;
	if (uv_signal_init(&loop->uv, &watch->handle) < 0 ||
		uv_signal_start(&watch->handle, on_uv_signal, signal_number) < 0)
		BUG("cannot watch signal %d", signal_number);
	uv_unref((uv_handle_t *)&watch->handle);
}
