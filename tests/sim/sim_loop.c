/*
 * The event loop on a virtual clock: a list of what will happen, by time. Instead of src/loop's
 * loop.c, op_sleep.c, op_http.c, op_proc.c and line_server.c.
 */
#include "sim.h"

#include "canaryctl/control.h"
#include "loop/task_queue.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_EVENTS = 64, MAX_WATCHES = 4 };

struct event {
	int64_t due_ms;
	uint64_t order;
	void (*fire)(void *context);
	void *context;
};

struct signal_watch {
	int number;
	loop_signal_fn *on_signal;
	void *context;
};

struct line_server {
	line_fn *on_line;
	void *context;
};

struct loop {
	struct task_queue ready;
	struct event events[MAX_EVENTS];
	size_t event_count;
	uint64_t order;
	struct signal_watch watches[MAX_WATCHES];
	size_t watch_count;
	struct line_server server;
	struct loop *outer;
};

struct loop *loop_new(void)
{
	struct loop *loop = mem_alloc(sizeof(*loop));

	loop->outer = sim.loop;
	sim.loop = loop;
	return loop;
}

void loop_free(struct loop *loop)
{
	if (sim_is_running() && loop->event_count)
		sim_violated(
			"nothing-is-left", "%zu operations were left running", loop->event_count);
	sim.loop = loop->outer;
	free(loop);
}

struct task_queue *loop_task_queue(struct loop *loop)
{
	return &loop->ready;
}

int64_t loop_now_ms(const struct loop *loop)
{
	(void)loop;
	return sim.world.now_ms;
}

void sim_loop_after(struct loop *loop, int64_t delay_ms, void (*fire)(void *context), void *context)
{
	if (loop->event_count == MAX_EVENTS)
		BUG("the simulated loop is full");
	loop->events[loop->event_count++] = (struct event){
		.due_ms = sim.world.now_ms + (delay_ms > 0 ? delay_ms : 0),
		.order = loop->order++,
		.fire = fire,
		.context = context,
	};
}

void sim_loop_forget(struct loop *loop, const void *context)
{
	for (size_t i = 0; i < loop->event_count; i++) {
		if (loop->events[i].context == context) {
			loop->events[i] = loop->events[--loop->event_count];
			return;
		}
	}
}

static size_t first_event(const struct loop *loop)
{
	size_t first = 0;

	for (size_t i = 1; i < loop->event_count; i++) {
		const struct event *a = &loop->events[i], *b = &loop->events[first];

		if (a->due_ms < b->due_ms || (a->due_ms == b->due_ms && a->order < b->order))
			first = i;
	}
	return first;
}

/* ---- what people do ---- */
static void deliver_signal(struct loop *loop, int number)
{
	for (size_t i = 0; i < loop->watch_count; i++) {
		if (loop->watches[i].number == number) {
			oracle_signal();
			loop->watches[i].on_signal(number, loop->watches[i].context);
			return;
		}
	}
}

static void deliver_line(struct loop *loop, enum action_kind kind, const char *line)
{
	CLEANUP_BUF struct buf reply = { 0 };
	bool accepted;

	if (!loop->server.on_line)
		return;
	if ((sim.mutation == MUTATION_ABORT_IGNORED && kind == ACTION_ABORT) ||
		(sim.mutation == MUTATION_PAUSE_IGNORED && kind == ACTION_PAUSE))
		buf_add_text(&reply, "{\"accepted\":true}");
	else
		loop->server.on_line(line, &reply, loop->server.context);
	accepted = strstr(buf_text(&reply), "\"accepted\":true") != NULL;
	sim_trace("  answer: %s", buf_text(&reply));
	oracle_command(kind, accepted);
}

static void do_action(struct loop *loop, enum action_kind kind)
{
	static const int signals[ACTION_COUNT] = {
		[ACTION_SIGINT] = SIGINT, [ACTION_SIGTERM] = SIGTERM, [ACTION_SIGHUP] = SIGHUP
	};
	static const char *const lines[ACTION_COUNT] = {
		[ACTION_PAUSE] = "{\"command\":\"pause\"}",
		[ACTION_RESUME] = "{\"command\":\"resume\"}",
		[ACTION_APPROVE] = "{\"command\":\"approve\"}",
		[ACTION_ABORT] = "{\"command\":\"abort\",\"reason\":\"sim\"}",
		[ACTION_ROLLBACK] = "{\"command\":\"rollback\",\"reason\":\"sim\"}",
		[ACTION_NONSENSE] = "{\"command\":7}",
	};

	sim_trace("* %s", sim_action_name(kind));
	if (signals[kind])
		deliver_signal(loop, signals[kind]);
	else if (lines[kind])
		deliver_line(loop, kind, lines[kind]);
}

/* What is due now: an action of the plan, an approval, a resume. */
static bool act(struct loop *loop)
{
	for (int i = 0; i < SIM_ACTIONS; i++) {
		unsigned bit = 1u << i;

		if (!(sim.actions_pending & bit))
			continue;
		sim.actions_pending &= ~bit;
		do_action(loop, sim.plan.actions[i].kind);
		return true;
	}
	if (sim.approve_at && sim.world.now_ms >= sim.approve_at) {
		sim.approve_at = 0;
		do_action(loop, ACTION_APPROVE);
		return true;
	}
	if (sim.resume_at && sim.world.now_ms >= sim.resume_at) {
		sim.resume_at = 0;
		do_action(loop, ACTION_RESUME);
		return true;
	}
	if (sim.give_up_at && sim.world.now_ms >= sim.give_up_at) {
		sim.give_up_at = 0;
		do_action(loop, ACTION_SIGTERM);
		return true;
	}
	return false;
}

static int64_t next_action_ms(void)
{
	int64_t next = INT64_MAX;

	for (int i = 0; i < SIM_ACTIONS; i++) {
		const struct action *action = &sim.plan.actions[i];

		if (action->at_ms && !(sim.actions_done & (1u << i)) &&
			sim.world.began_ms + action->at_ms < next)
			next = sim.world.began_ms + action->at_ms;
	}
	if (sim.approve_at && sim.approve_at < next)
		next = sim.approve_at;
	if (sim.resume_at && sim.resume_at < next)
		next = sim.resume_at;
	if (sim.give_up_at && sim.give_up_at < next)
		next = sim.give_up_at;
	return next;
}

/* One turn: the next thing that happens, in the world or in the process. */
static void turn(struct loop *loop)
{
	int64_t action_ms = next_action_ms();
	struct event event;
	size_t first;

	if (act(loop))
		return;
	if (!loop->event_count) {
		sim_violated("ends", "the loop waits for nothing");
		return;
	}
	first = first_event(loop);
	event = loop->events[first];
	if (action_ms <= event.due_ms) {
		sim.world.now_ms = action_ms > sim.world.now_ms ? action_ms : sim.world.now_ms;
		sim_boundary("time passes");
		return;
	}
	loop->events[first] = loop->events[--loop->event_count];
	sim.world.now_ms = event.due_ms;
	sim_boundary("before a callback");
	if (!sim_is_running())
		return;
	event.fire(event.context);
	sim_boundary("after a callback");
}

void loop_run(struct loop *loop, struct task *task)
{
	if (sim_is_running())
		task_queue_run(&loop->ready);
	while (!task->is_done && sim_is_running()) {
		turn(loop);
		if (sim_is_running())
			task_queue_run(&loop->ready);
	}
}

void loop_watch_signal(
	struct loop *loop, int signal_number, loop_signal_fn *on_signal, void *context)
{
	if (loop->watch_count == MAX_WATCHES)
		BUG("too many signals are watched");
	loop->watches[loop->watch_count++] = (struct signal_watch){
		.number = signal_number, .on_signal = on_signal, .context = context
	};
}

struct line_server *line_server_start(
	struct loop *loop, const char *folder, line_fn *on_line, void *context, struct error *err)
{
	(void)folder;
	(void)err;
	loop->server = (struct line_server){ .on_line = on_line, .context = context };
	return &loop->server;
}

void line_server_stop(struct line_server *server)
{
	if (server)
		server->on_line = NULL;
}

int control_send(const char *folder, const char *line, int timeout_ms, struct buf *ret_reply,
	struct error *err)
{
	(void)folder;
	(void)line;
	(void)timeout_ms;
	(void)ret_reply;
	return error_set(err, ERROR_NET, 0, "nobody listens");
}

/* ---- a pause ---- */
static void sleep_over(void *context)
{
	struct sleep_op *sleep = context;

	op_end(&sleep->op);
}

static void cancel_sleep(struct op *op)
{
	struct sleep_op *sleep = container_of(op, struct sleep_op, op);

	sim_loop_forget(op->task->loop, sleep);
	op_end(op);
}

void sleep_start(struct sleep_op *sleep, struct task *task, int64_t delay_ms)
{
	op_begin(&sleep->op, task, cancel_sleep);
	sim_loop_after(task->loop, delay_ms, sleep_over, sleep);
}

/* ---- an HTTP request ---- */
struct http_transfer {
	int target;
	int64_t began_ms;
};

static void end_transfer(struct http_op *http)
{
	http->elapsed_ms = sim.world.now_ms - http->transfer->began_ms;
	free(http->transfer);
	http->transfer = NULL;
	op_end(&http->op);
}

static void http_answered(void *context)
{
	struct http_op *http = context;

	sim_http_answer(http, http->transfer->target);
	end_transfer(http);
}

static void cancel_http(struct op *op)
{
	struct http_op *http = container_of(op, struct http_op, op);

	sim_loop_forget(op->task->loop, http);
	error_set(&http->error, ERROR_CANCELED, 0, "canceled");
	end_transfer(http);
}

void http_start(struct http_op *http, struct task *task, const struct http_request *request)
{
	http_release(http);
	http->status = 0;
	http->timed_out = http->could_not_connect = http->too_large = false;
	http->transfer = mem_alloc(sizeof(*http->transfer));
	http->transfer->target = sim_http_target(request->url);
	http->transfer->began_ms = sim.world.now_ms;
	op_begin(&http->op, task, cancel_http);
	sim_loop_after(task->loop, sim_http_delay_ms(http->transfer->target, request->timeout_ms),
		http_answered, http);
}

void http_release(struct http_op *http)
{
	free(http->transfer);
	http->transfer = NULL;
	buf_release(&http->body);
	error_clear(&http->error);
}

/* ---- a child process: only hooks here ---- */
static void proc_over(void *context)
{
	struct proc_op *proc = context;

	proc->exit_status = sim.plan.hooks_fail && chance_percent(50) ? 1 : 0;
	op_end(&proc->op);
}

static void cancel_proc(struct op *op)
{
	struct proc_op *proc = container_of(op, struct proc_op, op);

	sim_loop_forget(op->task->loop, proc);
	error_set(&proc->error, ERROR_CANCELED, 0, "canceled");
	op_end(op);
}

void proc_start(struct proc_op *proc, struct task *task, const struct proc_options *options)
{
	int64_t length_ms = sim.plan.hook_ms;

	proc_release(proc);
	op_begin(&proc->op, task, cancel_proc);
	sim_loop_after(task->loop,
		length_ms < options->timeout_ms ? length_ms : options->timeout_ms, proc_over, proc);
}

void proc_release(struct proc_op *proc)
{
	error_clear(&proc->error);
	proc->exit_status = -1;
}
