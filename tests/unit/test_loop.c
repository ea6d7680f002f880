/* Tasks, pauses, child processes and HTTP on the real loop. Every test ends with no handle left. */
#include "test.h"

#include "canaryctl/loop.h"
#include "canaryctl/mem.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- a server that gives one canned answer per connection, in a thread ---- */
struct server {
	int fd;
	int port;
	const char *answer; /* NULL: accept and say nothing */
	pthread_t thread;
};

static void *serve(void *context)
{
	struct server *server = context;
	char request[4096];
	int fd;

	while ((fd = accept(server->fd, NULL, NULL)) >= 0) {
		if (recv(fd, request, sizeof(request), 0) > 0 && server->answer) {
			(void)!write(fd, server->answer, strlen(server->answer));
		} else {
			while (recv(fd, request, sizeof(request), 0) > 0)
				continue;
		}
		close(fd);
	}
	return NULL;
}

static void server_start(struct server *server, const char *answer)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	server->answer = answer;
	server->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(server->fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(server->fd, 16), 0);
	assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &length), 0);
	server->port = ntohs(address.sin_port);
	pthread_create(&server->thread, NULL, serve, server);
}

static void server_stop(struct server *server)
{
	shutdown(server->fd, SHUT_RDWR);
	pthread_join(server->thread, NULL);
	close(server->fd);
}

/* ---- one procedure that uses everything ---- */
struct procedure {
	struct task task;
	struct sleep_op first, second;
	struct http_op http, other;
	struct proc_op proc;
	struct http_request request;
	struct proc_options options;
	char trace[64];
	int64_t started_ms;
	struct task *to_cancel;
};

static struct procedure *procedure_of(struct task *task)
{
	return container_of(task, struct procedure, task);
}

static void note(struct task *task, const char *what)
{
	struct procedure *p = procedure_of(task);
	size_t used = strlen(p->trace);

	snprintf(p->trace + used, sizeof(p->trace) - used, "%s", what);
}

static enum task_next two_pauses(struct task *task)
{
	note(task, "a");
	sleep_start(&procedure_of(task)->first, task, 20);
	sleep_start(&procedure_of(task)->second, task, 5);
	return TASK_WAIT;
}

static enum task_next waited(struct task *task)
{
	note(task, "b");
	assert_false(op_is_running(&procedure_of(task)->first.op));
	assert_false(op_is_running(&procedure_of(task)->second.op));
	return TASK_WAIT; /* for nothing: goes on at once */
}

static enum task_next last(struct task *task)
{
	note(task, "c");
	return TASK_DONE;
}

static enum task_next never(struct task *task)
{
	note(task, "x");
	return TASK_DONE;
}

static const struct task_step pause_steps[] = { { "two pauses", two_pauses }, { "waited", waited },
	{ "last", last }, { "never", never }, { 0 } };

static void pauses_join_before_the_next_step(void **state)
{
	struct loop *loop = loop_new();
	struct procedure p = { 0 };

	(void)state;
	task_start(&p.task, loop, "test", pause_steps);
	loop_run(loop, &p.task);
	assert_string_equal(p.trace, "abc");
	loop_free(loop);
}

static enum task_next long_pause(struct task *task)
{
	sleep_start(&procedure_of(task)->first, task, 3600 * 1000);
	return TASK_WAIT;
}

static enum task_next note_cancel(struct task *task)
{
	note(task, task->is_canceled ? "canceled" : "ran");
	return TASK_DONE;
}

static const struct task_step long_steps[] = { { "pause", long_pause }, { "end", note_cancel },
	{ 0 } };

static enum task_next start_child(struct task *task)
{
	task_start_child(procedure_of(task)->to_cancel, task, "child", long_steps);
	return TASK_MORE;
}

static enum task_next pause_a_moment(struct task *task)
{
	/* The child still sleeps: cancel it, then wait for it to end by itself. */
	assert_false(procedure_of(task)->to_cancel->is_done);
	task_cancel(procedure_of(task)->to_cancel);
	return TASK_WAIT;
}

static const struct task_step parent_steps[] = { { "start child", start_child },
	{ "cancel", pause_a_moment }, { "last", last }, { 0 } };

static void a_canceled_child_ends_and_wakes_its_parent(void **state)
{
	struct loop *loop = loop_new();
	struct procedure p = { 0 }, child = { 0 };

	(void)state;
	p.to_cancel = &child.task;
	task_start(&p.task, loop, "parent", parent_steps);
	loop_run(loop, &p.task);
	assert_string_equal(p.trace, "c");
	loop_free(loop);
}

static enum task_next run_program(struct task *task)
{
	struct procedure *p = procedure_of(task);

	proc_start(&p->proc, task, &p->options);
	return TASK_WAIT;
}

static const struct task_step proc_steps[] = { { "run", run_program }, { "last", last }, { 0 } };

static void run_proc(struct procedure *p, char *const *argv, int64_t timeout_ms)
{
	struct loop *loop = loop_new();

	p->options.argv = argv;
	p->options.timeout_ms = timeout_ms;
	task_start(&p->task, loop, "proc", proc_steps);
	loop_run(loop, &p->task);
	loop_free(loop);
}

static void a_program_gives_output_and_status(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"echo out; echo why >&2; exit 3",
		NULL };
	struct procedure p = { 0 };
	struct error err = { 0 };

	(void)state;
	run_proc(&p, argv, 10000);
	assert_int_equal(p.proc.exit_status, 3);
	assert_string_equal(buf_text(&p.proc.output), "out\n");
	assert_string_equal(buf_text(&p.proc.errors), "why\n");
	assert_false(proc_succeeded(&p.proc, "sh", &err));
	assert_string_equal(err.message, "sh: exit status 3: why");
	proc_release(&p.proc);
}

static void a_missing_program_is_named(void **state)
{
	char *argv[] = { (char *)"/nowhere/program", NULL };
	struct procedure p = { 0 };

	(void)state;
	run_proc(&p, argv, 10000);
	assert_string_equal(
		p.proc.error.message, "cannot run '/nowhere/program': no such file or directory");
	proc_release(&p.proc);
}

static void a_program_over_its_time_is_killed(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"sleep 600 & sleep 600", NULL };
	struct procedure p = { 0 };

	(void)state;
	run_proc(&p, argv, 50);
	assert_string_equal(p.proc.error.message, "'sh' did not end within 50 ms and was killed");
	assert_int_equal(p.proc.exit_status, -1);
	proc_release(&p.proc);
}

static enum task_next stop_program(struct task *task)
{
	struct procedure *p = procedure_of(task);

	proc_start(&p->proc, task, &p->options);
	p->proc.op.cancel(&p->proc.op);
	return TASK_WAIT;
}

static const struct task_step stop_steps[] = { { "stop", stop_program }, { "last", last }, { 0 } };

/* Somebody in a session of its own holds the outputs, and does not get the signals. */
static void a_program_that_is_stopped_keeps_nobody_waiting(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c",
		(char *)"trap '' TERM; setsid sleep 20 & sleep 600", NULL };
	struct procedure p = { .options = { .argv = argv, .timeout_ms = 600000 } };
	struct loop *loop = loop_new();
	struct error err = { 0 };

	(void)state;
	task_start(&p.task, loop, "proc", stop_steps);
	loop_run(loop, &p.task);
	loop_free(loop);
	assert_int_equal(p.proc.error.kind, ERROR_CANCELED);
	assert_in_range(p.proc.elapsed_ms, 0, 15000);
	assert_false(proc_succeeded(&p.proc, "the hook", &err));
	assert_string_equal(err.message, "the hook: 'sh' was stopped");
	proc_release(&p.proc);
}

static void output_is_bounded(void **state)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"yes | head -c 1000000", NULL };
	struct procedure p = { 0 };

	(void)state;
	p.options.maximum_bytes = 1000;
	run_proc(&p, argv, 10000);
	assert_int_equal(p.proc.exit_status, 0);
	assert_int_equal(p.proc.output.length, 1000);
	proc_release(&p.proc);
}

static enum task_next ask(struct task *task)
{
	struct procedure *p = procedure_of(task);

	http_start(&p->http, task, &p->request);
	http_start(&p->other, task, &p->request);
	return TASK_WAIT;
}

static const struct task_step http_steps[] = { { "ask", ask }, { "last", last }, { 0 } };

static void run_http(struct procedure *p, int port, int64_t timeout_ms)
{
	struct loop *loop = loop_new();
	char url[64];

	snprintf(url, sizeof(url), "http://127.0.0.1:%d/x", port);
	p->request.url = url;
	p->request.timeout_ms = timeout_ms;
	task_start(&p->task, loop, "http", http_steps);
	loop_run(loop, &p->task);
	loop_free(loop);
}

static void release_http(struct procedure *p)
{
	http_release(&p->http);
	http_release(&p->other);
}

static void answers_come_with_status_and_type(void **state)
{
	struct server server;
	struct procedure p = { 0 };

	(void)state;
	server_start(&server, "HTTP/1.1 503 Busy\r\nContent-Type: application/json\r\n"
			      "Content-Length: 2\r\nConnection: close\r\n\r\n{}");
	run_http(&p, server.port, 5000);
	assert_int_equal(p.http.error.kind, ERROR_NONE);
	assert_int_equal(p.http.status, 503);
	assert_string_equal(buf_text(&p.other.body), "{}");
	assert_string_equal(p.http.content_type, "application/json");
	release_http(&p);
	server_stop(&server);
}

static void an_answer_over_the_bound_is_refused(void **state)
{
	struct server server;
	struct procedure p = { 0 };

	(void)state;
	server_start(&server, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123456789");
	p.request.maximum_bytes = 8;
	run_http(&p, server.port, 5000);
	assert_string_equal(p.http.error.message, "the answer is larger than 8 bytes");
	release_http(&p);
	server_stop(&server);
}

static void an_answer_that_ends_in_its_headers_is_none(void **state)
{
	struct server server;
	struct procedure p = { 0 };

	(void)state;
	server_start(&server, "HTTP/1.1 200 OK\r\nContent-Type: appl");
	run_http(&p, server.port, 5000);
	assert_int_equal(p.http.error.kind, ERROR_NET);
	assert_string_equal(p.http.error.message, "the answer broke off in its headers");
	release_http(&p);
	server_stop(&server);
}

static void interim_answers_and_trailers_are_answers(void **state)
{
	struct server server;
	struct procedure p = { 0 };

	(void)state;
	server_start(&server, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
			      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
			      "2\r\nhi\r\n0\r\nChecksum: 1\r\n\r\n");
	run_http(&p, server.port, 5000);
	assert_int_equal(p.http.error.kind, ERROR_NONE);
	assert_int_equal(p.http.status, 200);
	release_http(&p);
	server_stop(&server);
}

static void silence_and_refusal_are_told_apart(void **state)
{
	struct server server;
	struct procedure p = { 0 };

	(void)state;
	server_start(&server, NULL);
	run_http(&p, server.port, 500);
	assert_true(p.http.timed_out);
	assert_false(p.http.could_not_connect);
	server_stop(&server);
	run_http(&p, server.port, 5000);
	assert_true(p.http.could_not_connect);
	assert_int_equal(p.http.error.kind, ERROR_NET);
	release_http(&p);
}

static void a_missing_secret_file_is_an_error(void **state)
{
	struct http_auth auth = { .credentials_file = (char *)"/nowhere/token" };
	struct procedure p = { 0 };

	(void)state;
	p.request.auth = &auth;
	run_http(&p, 9, 5000);
	assert_int_equal(p.http.error.kind, ERROR_IO);
	assert_non_null(strstr(p.http.error.message, "/nowhere/token"));
	release_http(&p);
}

/* ---- a pause that is over at once, while another goes on ---- */
static enum task_next pause_shortly(struct task *task)
{
	struct procedure *p = procedure_of(task);
	size_t turns = strlen(p->trace);

	if (turns == 20) {
		task_cancel(p->to_cancel);
		return TASK_DONE;
	}
	p->trace[turns] = '.';
	sleep_start(&p->first, task, 0);
	return task_goto(task, task->step - 1, TASK_WAIT);
}

static enum task_next pause_long(struct task *task)
{
	sleep_start(&procedure_of(task)->second, task, 30000);
	return TASK_WAIT;
}

static enum task_next start_both(struct task *task)
{
	static const struct task_step shortly[] = { { "shortly", pause_shortly }, { 0 } };
	static const struct task_step slow[] = { { "long", pause_long }, { 0 } };
	struct pair {
		struct procedure both, shortly, slow;
	} *pair = container_of(procedure_of(task), struct pair, both);

	pair->shortly.to_cancel = &pair->slow.task;
	task_start_child(&pair->slow.task, task, "slow", slow);
	task_start_child(&pair->shortly.task, task, "shortly", shortly);
	return TASK_WAIT;
}

/* libuv runs due timers before it waits: what they made ready must not wait with it. */
static void a_short_pause_does_not_wait_for_a_long_one(void **state)
{
	static const struct task_step both[] = { { "both", start_both }, { 0 } };
	struct procedure all[3] = { 0 };
	struct loop *loop = loop_new();
	int64_t began_ms = loop_now_ms(loop);

	(void)state;
	task_start(&all[0].task, loop, "both", both);
	loop_run(loop, &all[0].task);
	assert_true(loop_now_ms(loop) - began_ms < 5000);
	loop_free(loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pauses_join_before_the_next_step),
		cmocka_unit_test(a_short_pause_does_not_wait_for_a_long_one),
		cmocka_unit_test(a_canceled_child_ends_and_wakes_its_parent),
		cmocka_unit_test(a_program_gives_output_and_status),
		cmocka_unit_test(a_missing_program_is_named),
		cmocka_unit_test(a_program_over_its_time_is_killed),
		cmocka_unit_test(a_program_that_is_stopped_keeps_nobody_waiting),
		cmocka_unit_test(output_is_bounded),
		cmocka_unit_test(answers_come_with_status_and_type),
		cmocka_unit_test(an_answer_over_the_bound_is_refused),
		cmocka_unit_test(an_answer_that_ends_in_its_headers_is_none),
		cmocka_unit_test(interim_answers_and_trailers_are_answers),
		cmocka_unit_test(silence_and_refusal_are_told_apart),
		cmocka_unit_test(a_missing_secret_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
