/* The poll loop, and the life of a request between libmicrohttpd and the app: see server.h. */
#include "refapp/server.h"
#include "canaryctl/clock.h"
#include "canaryctl/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define DRAIN_LIMIT_MS    5000
#define GONE_CHECK_MS     200
#define IDLE_LIMIT_S      75 /* more than NGINX keeps its side idle: it is never us who hang up */
#define CONNECTIONS_LIMIT 4096

/* One request, from its headers to the end of its answer. */
struct call {
	struct MHD_Connection *connection;
	struct buf body;
	bool begun;
	int64_t begun_ms;
	int64_t due_ms;            /* when a held answer is due */
	struct call *next_waiting; /* list of the suspended */
};

struct server {
	struct app *app;
	struct MHD_Daemon *daemon;
	int listen_fd;
	int epoll_fd;
	uint16_t port;
	size_t in_flight;
	struct call *waiting;
	bool draining;
};

static enum MHD_Result add_param(
	void *context, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct request *request = context;

	(void)kind;
	if (request->param_count == REQUEST_PARAMS_MAX)
		return MHD_NO;
	request->params[request->param_count++] =
		(struct request_param){ name, value ? value : "" };
	return MHD_YES;
}

static enum MHD_Result send_reply(
	struct server *server, struct call *call, struct reply *reply, int64_t now_ms)
{
	size_t length = reply->body.length;
	struct MHD_Response *response = MHD_create_response_from_buffer(
		length, buf_take(&reply->body), MHD_RESPMEM_MUST_FREE);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", reply->content_type);
	MHD_add_response_header(response, "X-App-Version", app_version(server->app, now_ms));
	MHD_add_response_header(response, "X-Deployment", server->app->options->role);
	if (reply->allow)
		MHD_add_response_header(response, "Allow", reply->allow);
	if (server->draining)
		MHD_add_response_header(response, "Connection", "close");
	result = MHD_queue_response(call->connection, reply->status, response);
	MHD_destroy_response(response);
	return result;
}

/* All of the request is here: answer it, or hold it back and be called again when it is due. */
static enum MHD_Result serve(
	struct server *server, struct call *call, const char *method, const char *path)
{
	struct request request = { .method = method,
		.path = path,
		.body = buf_text(&call->body),
		.body_too_large = call->body.overflowed,
		.now_ms = clock_monotonic_ms() };
	struct reply reply;

	MHD_get_connection_values(call->connection, MHD_GET_ARGUMENT_KIND, add_param, &request);
	if (!call->begun) {
		int64_t hold_ms = app_begin(server->app, &request);

		call->begun = true;
		call->begun_ms = request.now_ms;
		if (hold_ms > 0) {
			call->due_ms = request.now_ms + hold_ms;
			call->next_waiting = server->waiting;
			server->waiting = call;
			MHD_suspend_connection(call->connection);
			return MHD_YES;
		}
	}
	request.waited_ms = request.now_ms - call->begun_ms;
	app_answer(server->app, &request, &reply);
	return send_reply(server, call, &reply, request.now_ms);
}

static enum MHD_Result on_request(void *context, struct MHD_Connection *connection,
	const char *path, const char *method, const char *http_version, const char *upload,
	size_t *upload_length, void **call_slot)
{
	struct server *server = context;
	struct call *call = *call_slot;

	(void)http_version;
	if (!call) {
		call = mem_alloc(sizeof(*call));
		call->connection = connection;
		call->body = (struct buf)BUF_INIT(REQUEST_BODY_MAX);
		server->in_flight++;
		*call_slot = call;
		return MHD_YES;
	}
	if (*upload_length) {
		buf_add(&call->body, upload, *upload_length);
		*upload_length = 0;
		return MHD_YES;
	}
	return serve(server, call, method, path);
}

static void on_completed(void *context, struct MHD_Connection *connection, void **call_slot,
	enum MHD_RequestTerminationCode code)
{
	struct server *server = context;
	struct call *call = *call_slot;

	(void)connection;
	(void)code;
	if (!call)
		return;
	server->in_flight--;
	buf_release(&call->body);
	free(call);
	*call_slot = NULL;
}

static bool client_gone(struct call *call)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(call->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	char byte;

	return info && recv(info->connect_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* A suspended connection is not watched by the library, so clients that give up are found here. */
static void resume_due(struct server *server)
{
	struct call **link = &server->waiting;
	int64_t now_ms = clock_monotonic_ms();

	while (*link) {
		struct call *call = *link;

		if (!server->draining && now_ms < call->due_ms && !client_gone(call)) {
			link = &call->next_waiting;
			continue;
		}
		*link = call->next_waiting;
		MHD_resume_connection(call->connection);
	}
}

static int poll_timeout_ms(const struct server *server)
{
	int64_t now_ms = clock_monotonic_ms();
	int64_t timeout_ms = server->waiting ? GONE_CHECK_MS : 1000;
	MHD_UNSIGNED_LONG_LONG library_ms;

	for (const struct call *call = server->waiting; call; call = call->next_waiting) {
		if (call->due_ms - now_ms < timeout_ms)
			timeout_ms = call->due_ms - now_ms;
	}
	if (MHD_get_timeout(server->daemon, &library_ms) == MHD_YES &&
		library_ms < (MHD_UNSIGNED_LONG_LONG)INT32_MAX && (int64_t)library_ms < timeout_ms)
		timeout_ms = (int64_t)library_ms;
	return timeout_ms > 0 ? (int)timeout_ms : 0;
}

/* One turn of the loop. Returns whether stop_fd is readable, or -1. */
static int turn(struct server *server, int stop_fd, struct error *err)
{
	struct pollfd fds[] = { { .fd = server->epoll_fd, .events = POLLIN },
		{ .fd = stop_fd, .events = POLLIN } };

	if (poll(fds, ARRAY_SIZE(fds), poll_timeout_ms(server)) < 0 && errno != EINTR)
		return error_set(err, ERROR_IO, errno, "cannot wait for requests");
	resume_due(server);
	if (MHD_run(server->daemon) != MHD_YES)
		return error_set(err, ERROR_IO, 0, "libmicrohttpd cannot go on");
	return (fds[1].revents & POLLIN) != 0;
}

int server_run(struct server *server, int stop_fd, struct error *err)
{
	int64_t deadline_ms;
	int stopped = 0;

	while (!stopped) {
		stopped = turn(server, stop_fd, err);
		if (stopped < 0)
			return -1;
	}
	/* From here on nobody is let in; idle connections just close. */
	server->draining = true;
	MHD_quiesce_daemon(server->daemon);
	deadline_ms = clock_monotonic_ms() + DRAIN_LIMIT_MS;
	while (server->in_flight > 0 && clock_monotonic_ms() < deadline_ms) {
		if (turn(server, -1, err) < 0)
			return -1;
	}
	return 0;
}

static int listen_on(const struct options *options, uint16_t *ret_port, struct error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(options->port) };
	socklen_t length = sizeof(address);
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot create a socket");
	inet_pton(AF_INET, options->address, &address.sin_addr);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, SOMAXCONN) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		error_set(err, ERROR_UNAVAILABLE, errno, "cannot listen on '%s:%u'",
			options->address, options->port);
		close(fd);
		return -1;
	}
	*ret_port = ntohs(address.sin_port);
	return fd;
}

struct server *server_open(struct app *app, struct error *err)
{
	struct server *server = mem_alloc(sizeof(*server));
	const union MHD_DaemonInfo *info;

	server->app = app;
	server->listen_fd = listen_on(app->options, &server->port, err);
	if (server->listen_fd < 0) {
		free(server);
		return NULL;
	}
	server->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		on_request, server, MHD_OPTION_LISTEN_SOCKET, server->listen_fd,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, server, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned int)IDLE_LIMIT_S, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)CONNECTIONS_LIMIT, MHD_OPTION_END);
	info = server->daemon ? MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			      : NULL;
	if (!info) {
		error_set(err, ERROR_IO, 0, "libmicrohttpd cannot start");
		server_close(server);
		return NULL;
	}
	server->epoll_fd = info->epoll_fd;
	return server;
}

uint16_t server_port(const struct server *server)
{
	return server->port;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	if (server->daemon) {
		/* Quiesced, the library leaves the listening socket to its owner. */
		MHD_quiesce_daemon(server->daemon);
		server->draining = true;
		resume_due(server);
		MHD_stop_daemon(server->daemon);
	}
	close(server->listen_fd);
	free(server);
}
