/*
 * Child processes: argv arrays, bounded output, a deadline after which the whole process group
 * gets TERM and then KILL. An operation ends when the process has exited, both outputs are at
 * their end and every libuv handle is closed.
 */
#include "canaryctl/log.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"

#include "loop/loop_private.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

enum { HANDLE_PROCESS, HANDLE_OUTPUT, HANDLE_ERRORS, HANDLE_TIMER, HANDLE_COUNT };

struct proc_child {
	struct proc_op *proc; /* who waits */
	uv_process_t process;
	uv_pipe_t output;
	uv_pipe_t errors;
	uv_timer_t timer;
	char chunk[4096];
	char *program;
	int open_handles;
	bool has_exited;
	bool output_ended;
	bool errors_ended;
	int64_t started_ms;
	int64_t timeout_ms;
	bool is_spawned;
	bool term_sent;
	bool timed_out;
	bool canceled;
	int64_t exit_status;
	int term_signal;
};

static void on_handle_closed(uv_handle_t *handle)
{
	struct proc_child *child = handle->data;
	struct proc_op *proc = child->proc;

	if (--child->open_handles)
		return;
	proc->elapsed_ms = loop_now_ms(proc->op.task->loop) - child->started_ms;
	proc->exit_status = child->is_spawned && !child->term_signal ? (int)child->exit_status : -1;
	if (child->timed_out)
		error_set(&proc->error, ERROR_IO, 0,
			"'%s' did not end within %lld ms and was killed", child->program,
			(long long)child->timeout_ms);
	else if (child->canceled)
		error_set(&proc->error, ERROR_CANCELED, 0, "'%s' was stopped", child->program);
	else if (child->term_signal)
		error_set(&proc->error, ERROR_IO, 0, "'%s' was killed by signal %d", child->program,
			child->term_signal);
	proc->child = NULL;
	free(child->program);
	free(child);
	op_end(&proc->op);
}

static void close_all(struct proc_child *child)
{
	uv_close((uv_handle_t *)&child->process, on_handle_closed);
	uv_close((uv_handle_t *)&child->output, on_handle_closed);
	uv_close((uv_handle_t *)&child->errors, on_handle_closed);
	uv_close((uv_handle_t *)&child->timer, on_handle_closed);
}

static bool has_ended(const struct proc_child *child)
{
	return child->has_exited && child->output_ended && child->errors_ended;
}

static void on_exit_status(uv_process_t *process, int64_t exit_status, int term_signal)
{
	struct proc_child *child = process->data;

	child->exit_status = exit_status;
	child->term_signal = term_signal;
	child->has_exited = true;
	if (has_ended(child))
		close_all(child);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct proc_child *child = handle->data;

	(void)suggested;
	*ret_buffer = uv_buf_init(child->chunk, sizeof(child->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct proc_child *child = stream->data;
	bool is_output = stream == (uv_stream_t *)&child->output;

	if (count >= 0) {
		buf_add(is_output ? &child->proc->output : &child->proc->errors, buffer->base,
			(size_t)count);
		return;
	}
	uv_read_stop(stream);
	if (is_output)
		child->output_ended = true;
	else
		child->errors_ended = true;
	if (has_ended(child))
		close_all(child);
}

static void signal_group(struct proc_child *child, int signal_number)
{
	if (child->process.pid > 0)
		kill(-child->process.pid, signal_number);
}

static void on_deadline(uv_timer_t *timer)
{
	struct proc_child *child = timer->data;

	if (child->term_sent && child->has_exited) {
		/* A daemon that it left behind still holds the outputs: that is not our child. */
		close_all(child);
		return;
	}
	if (!child->canceled)
		child->timed_out = true;
	signal_group(child, child->term_sent ? SIGKILL : SIGTERM);
	child->term_sent = true;
	uv_timer_start(
		timer, on_deadline, child->canceled ? PROC_STOP_AFTER_MS : PROC_KILL_AFTER_MS, 0);
}

static void cancel_proc(struct op *op)
{
	struct proc_op *proc = container_of(op, struct proc_op, op);

	if (!proc->child || proc->child->canceled || !proc->child->is_spawned ||
		has_ended(proc->child))
		return;
	proc->child->canceled = true;
	on_deadline(&proc->child->timer);
}

static char **join_environment(char *const *added)
{
	size_t ours = 0, more = 0, count = 0;
	char **joined;

	while (environ[ours])
		ours++;
	while (added && added[more])
		more++;
	joined = mem_array(ours + more + 1, sizeof(*joined));
	for (size_t i = 0; i < ours; i++)
		joined[count++] = environ[i];
	for (size_t i = 0; i < more; i++)
		joined[count++] = added[i];
	return joined;
}

static int spawn(struct loop *loop, struct proc_child *child, const struct proc_options *options)
{
	CLEANUP_FREE char **environment = join_environment(options->environment);
	uv_stdio_container_t stdio[3] = {
		{ .flags = UV_IGNORE },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&child->output },
		{ .flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE,
			.data.stream = (uv_stream_t *)&child->errors },
	};
	/* Detached: a session of its own, so that a ^C for us does not hit it in the middle. */
	uv_process_options_t spawn_options = { .exit_cb = on_exit_status,
		.file = options->argv[0],
		.args = (char **)(uintptr_t)options->argv,
		.env = environment,
		.flags = UV_PROCESS_DETACHED,
		.stdio_count = 3,
		.stdio = stdio };

	/*
	 * libcurl's sockets, and whatever our parent left open, are not for the child. A kernel
	 * that cannot do this (before 5.11) leaves them as they are.
	 */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	return uv_spawn(&loop->uv, &child->process, &spawn_options);
}

void proc_start(struct proc_op *proc, struct task *task, const struct proc_options *options)
{
	struct loop *loop = task->loop;
	struct proc_child *child = mem_alloc(sizeof(*child));
	size_t maximum = options->maximum_bytes ? options->maximum_bytes : PROC_MAX_BYTES;
	int result;

	proc_release(proc);
	proc->output.maximum = proc->errors.maximum = maximum;
	op_begin(&proc->op, task, cancel_proc);
	proc->child = child;
	child->proc = proc;
	child->program = mem_strdup(options->argv[0]);
	child->timeout_ms = options->timeout_ms;
	uv_update_time(&loop->uv);
	child->started_ms = loop_now_ms(loop);
	child->process.data = child->output.data = child->errors.data = child->timer.data = child;
	uv_pipe_init(&loop->uv, &child->output, 0);
	uv_pipe_init(&loop->uv, &child->errors, 0);
	uv_timer_init(&loop->uv, &child->timer);
	child->output.data = child->errors.data = child->timer.data = child;
	child->open_handles = HANDLE_COUNT;
	for (size_t i = 0; options->argv[i]; i++)
		log_debug("argv[%zu] %s", i, options->argv[i]);
	result = spawn(loop, child, options);
	child->process.data = child;
	if (result < 0) {
		error_set(&proc->error, ERROR_IO, 0, "cannot run '%s': %s", options->argv[0],
			uv_strerror(result));
		close_all(child);
		return;
	}
	child->is_spawned = true;
	uv_timer_start(&child->timer, on_deadline, (uint64_t)options->timeout_ms, 0);
	uv_read_start((uv_stream_t *)&child->output, on_alloc, on_read);
	uv_read_start((uv_stream_t *)&child->errors, on_alloc, on_read);
}

void proc_release(struct proc_op *proc)
{
	if (proc->child)
		BUG("process released while it runs");
	buf_release(&proc->output);
	buf_release(&proc->errors);
	error_clear(&proc->error);
	proc->exit_status = -1;
	proc->elapsed_ms = 0;
}
