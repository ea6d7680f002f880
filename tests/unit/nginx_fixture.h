/*
 * A real NGINX on loopback with the shipped configuration, two backends behind it (served by
 * another NGINX), and a configuration of canaryctl for it. Everything is in one temporary folder,
 * on free ports, and ends with the test.
 */
#ifndef CANARYCTL_TESTS_NGINX_FIXTURE_H
#define CANARYCTL_TESTS_NGINX_FIXTURE_H

#include "canaryctl/clock.h"
#include "canaryctl/fileio.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "canaryctl/traffic.h"

#include "traffic/folder.h"
#include "traffic/nginx_proc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct fixture {
	char *folder;
	int port, production_port, canary_port, proof_port, status_port;
	int edge_pid, backend_pid;
	struct config config;
	char *test[8], *reload[8];
	struct arena arena;
};

/*
 * Below the range that the kernel takes for outgoing connections: one of those may not get in
 * between our looking and NGINX's binding.
 */
static inline int free_port(void)
{
	enum { FIRST = 10000, COUNT = 10000 };
	static int next;

	for (;;) {
		struct sockaddr_in address = { .sin_family = AF_INET };
		int port = FIRST + (int)(((unsigned)getpid() * 37u + (unsigned)next++) % COUNT);
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		int result;

		address.sin_port = htons((uint16_t)port);
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		result = bind(fd, (struct sockaddr *)&address, sizeof(address));
		close(fd);
		if (result == 0)
			return port;
		assert_true(next < COUNT);
	}
}

static inline int connect_to(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* GET / with one more header line ("" or "X: y\r\n"): the status, and the body's first letter. */
static inline int get(int port, const char *header, char *ret_letter)
{
	char request[256], answer[4096];
	size_t length = 0;
	ssize_t count;
	int fd = connect_to(port), status = 0;
	char *body;

	*ret_letter = '-';
	if (fd < 0)
		return 0;
	snprintf(request, sizeof(request),
		"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n", header);
	if (write(fd, request, strlen(request)) != (ssize_t)strlen(request)) {
		close(fd);
		return 0;
	}
	while (length < sizeof(answer) - 1 &&
		(count = read(fd, answer + length, sizeof(answer) - 1 - length)) > 0)
		length += (size_t)count;
	close(fd);
	answer[length] = '\0';
	if (length > 12)
		status = (int)strtol(answer + 9, NULL, 10);
	body = strstr(answer, "\r\n\r\n");
	if (body)
		*ret_letter = body[4];
	return status;
}

/* Of `count` requests, how many the canary answered; every one must be answered. */
static inline int count_canary(const struct fixture *f, int count)
{
	int canary = 0;
	char letter;

	for (int i = 0; i < count; i++) {
		assert_int_equal(get(f->port, "", &letter), 200);
		assert_true(letter == 'c' || letter == 'p');
		canary += letter == 'c';
	}
	return canary;
}

static inline char *path_in(struct fixture *f, const char *name)
{
	return arena_format(&f->arena, "%s/%s", f->folder, name);
}

static inline void write_file(const char *path, const char *text)
{
	struct error err = { 0 };

	if (fileio_replace(path, text, strlen(text), 0644, &err) < 0)
		fail_msg("%s", err.message);
}

static inline char *read_file(const char *path)
{
	struct buf text = { 0 };
	struct error err = { 0 };

	if (fileio_read(path, 4 << 20, &text, &err) < 0) {
		buf_release(&text);
		return NULL;
	}
	return buf_take(&text);
}

/* Every `from` in `text` becomes `to`; frees text. */
static inline char *replaced(char *text, const char *from, const char *to)
{
	struct buf out = { 0 };
	const char *next = text, *found;

	while ((found = strstr(next, from))) {
		buf_add(&out, next, (size_t)(found - next));
		buf_add_text(&out, to);
		next = found + strlen(from);
	}
	buf_add_text(&out, next);
	free(text);
	return buf_take(&out);
}

static inline void run_command(char *const *argv)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		execvp(argv[0], argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

/* The daemon writes its pid file, and takes its title, a moment after its parent has ended. */
static inline int start_nginx(struct fixture *f, const char *config, const char *pid_file)
{
	char *argv[] = { (char *)(uintptr_t) "nginx", (char *)(uintptr_t) "-c", path_in(f, config),
		NULL };
	struct nginx_processes processes = { 0 };

	run_command(argv);
	for (int64_t end = clock_monotonic_ms() + 5000; clock_monotonic_ms() < end;) {
		CLEANUP_FREE char *text = read_file(path_in(f, pid_file));
		int pid = text ? (int)strtol(text, NULL, 10) : 0;

		if (pid > 0 && nginx_proc_read(pid, &processes) && processes.accepting)
			return pid;
	}
	fail_msg("nginx did not start with '%s'", config);
	return 0;
}

/* A process that nobody waits for stays as a zombie, without a command line. */
static inline bool is_alive(int pid)
{
	char path[64], byte;
	ssize_t count;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	count = read(fd, &byte, 1);
	close(fd);
	return count > 0;
}

static inline void stop_process(int pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	for (int64_t end = clock_monotonic_ms() + 5000; clock_monotonic_ms() < end;)
		if (!is_alive(pid))
			return;
	kill(pid, SIGKILL);
}

static inline void write_configurations(struct fixture *f)
{
	char *text = read_file(SOURCE_DIR "/nginx/nginx.canary.conf");
	CLEANUP_FREE char *listen = mem_format("listen 127.0.0.1:%d;", f->port);
	CLEANUP_FREE char *status = mem_format("127.0.0.1:%d", f->status_port);
	CLEANUP_FREE char *backends =
		mem_format("pid %s/backends.pid;\nerror_log %s/backends.log;\nevents {\n}\nhttp {\n"
			   "access_log off;\n"
			   "server { listen 127.0.0.1:%d; location / { return 200 p; } }\n"
			   "server { listen 127.0.0.1:%d; location / { return 200 c; } }\n}\n",
			f->folder, f->folder, f->production_port, f->canary_port);

	assert_non_null(text);
	text = replaced(text, "/etc/nginx", f->folder);
	text = replaced(text, "/var/log/nginx", f->folder);
	text = replaced(text, "/run/nginx.pid", path_in(f, "edge.pid"));
	text = replaced(text, "/run/canaryctl", f->folder);
	text = replaced(text, "listen 80;", listen);
	text = replaced(text, "127.0.0.1:8080", status);
	write_file(path_in(f, "nginx.conf"), text);
	write_file(path_in(f, "backends.conf"), backends);
	free(text);
}

static inline void set_argv(char **argv, struct strv *vector, size_t count)
{
	argv[count] = NULL;
	vector->items = argv;
	vector->count = count;
}

static inline void configure(struct fixture *f)
{
	struct nginx_config *nginx = &f->config.nginx;
	char *config = path_in(f, "nginx.conf");

	f->test[0] = f->reload[0] = arena_strdup(&f->arena, "nginx");
	f->test[1] = f->reload[1] = arena_strdup(&f->arena, "-c");
	f->test[2] = f->reload[2] = config;
	f->test[3] = arena_strdup(&f->arena, "-t");
	f->reload[3] = arena_strdup(&f->arena, "-s");
	f->reload[4] = arena_strdup(&f->arena, "reload");
	set_argv(f->test, &nginx->test, 4);
	set_argv(f->reload, &nginx->reload, 5);
	nginx->template_path =
		arena_strdup(&f->arena, SOURCE_DIR "/nginx/conf.d/upstream.conf.template");
	nginx->output = path_in(f, "conf.d/upstream.conf");
	nginx->proof_listen = arena_format(&f->arena, "127.0.0.1:%d", f->proof_port);
	nginx->proof_url = arena_format(&f->arena, "http://127.0.0.1:%d/", f->proof_port);
	nginx->brake = path_in(f, "fragrance-ai.off");
	nginx->settle_timeout_ms = 5000;
	f->config.service = arena_strdup(&f->arena, "fragrance-ai");
	f->config.production.server = arena_format(&f->arena, "127.0.0.1:%d", f->production_port);
	f->config.canary.server = arena_format(&f->arena, "127.0.0.1:%d", f->canary_port);
}

static inline int fixture_start(void **state)
{
	struct fixture *f;
	struct error err = { 0 };

	*state = NULL;
	if (access("/usr/sbin/nginx", X_OK) < 0)
		return 0;
	f = mem_alloc(sizeof(*f));
	*state = f;
	f->folder = folder_make_temporary(&err);
	assert_non_null(f->folder);
	/* NGINX's workers are another user. */
	assert_int_equal(chmod(f->folder, 0755), 0);
	assert_int_equal(mkdir(path_in(f, "conf.d"), 0755), 0);
	f->port = free_port();
	f->production_port = free_port();
	f->canary_port = free_port();
	f->proof_port = free_port();
	f->status_port = free_port();
	configure(f);
	write_configurations(f);
	f->backend_pid = start_nginx(f, "backends.conf", "backends.pid");
	f->edge_pid = start_nginx(f, "nginx.conf", "edge.pid");
	return 0;
}

static inline int fixture_stop(void **state)
{
	struct fixture *f = *state;

	if (!f)
		return 0;
	stop_process(f->edge_pid);
	stop_process(f->backend_pid);
	folder_remove(&f->folder);
	arena_release(&f->arena);
	free(f);
	return 0;
}

static inline struct fixture *fixture_of(void **state)
{
	if (!*state)
		skip();
	return *state;
}

/* One change of the driver as a program: starts it and waits for its end. */
struct change_run {
	struct task task;
	struct traffic_change change;
};

static inline enum task_next change_run_start(struct task *task)
{
	struct change_run *run = container_of(task, struct change_run, task);

	traffic_driver_of(run->change.config)->start(&run->change, task);
	return TASK_WAIT;
}

static inline enum task_next change_run_ended(struct task *task)
{
	(void)task;
	return TASK_DONE;
}

/* The results stay valid until change_release(). */
static inline struct traffic_change *change_traffic(
	struct fixture *f, enum traffic_goal goal, weight_t canary)
{
	static const struct task_step steps[] = {
		{ "start", change_run_start },
		{ "ended", change_run_ended },
		{ 0 },
	};
	struct change_run *run = mem_alloc(sizeof(*run));
	struct loop *loop = loop_new();

	run->change.config = &f->config;
	run->change.goal = goal;
	run->change.canary = canary;
	run->change.rollout = "20261120T170313Z-v0.2.0";
	task_start(&run->task, loop, "test", steps);
	loop_run(loop, &run->task);
	loop_free(loop);
	return &run->change;
}

static inline void change_release(struct traffic_change *change)
{
	traffic_driver_of(change->config)->release(change);
	free(container_of(change, struct change_run, change));
}

/* The change must end so; says why when it does not. */
static inline void expect(
	struct fixture *f, enum traffic_goal goal, weight_t canary, enum traffic_outcome outcome)
{
	struct traffic_change *change = change_traffic(f, goal, canary);

	if (change->outcome != outcome)
		fail_msg("outcome %d, not %d: %s (%s) %s", (int)change->outcome, (int)outcome,
			change->error.message, change->error.hint, buf_text(&change->notes));
	if (outcome == TRAFFIC_PROVEN && goal == TRAFFIC_SET) {
		assert_true(change->state.is_proven);
		assert_int_equal(change->state.canary, canary);
	}
	change_release(change);
}

#endif
