/*
 * A local socket that takes one line per connection and answers with one. Clients are bounded in
 * number and in what they may send, and none can keep others out: when there are too many, the one
 * that has been silent longest goes. Whoever may open the service's state folder may steer it.
 */
#include "canaryctl/control.h"
#include "canaryctl/mem.h"

#include "loop/loop_private.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { MAXIMUM_CLIENTS = 16, MAXIMUM_LINE_BYTES = 4096 };

struct line_server {
	uv_pipe_t pipe;
	int folder_fd;
	struct client *newest;
	int client_count;
	int open_handles; /* the pipe's and the clients'; with the last one the server is freed */
	line_fn *on_line;
	void *context;
};

struct client {
	uv_pipe_t pipe;
	uv_write_t write;
	struct line_server *server;
	struct client *older;
	struct buf line;
	struct buf reply;
	char chunk[1024];
};

static void handle_closed(struct line_server *server)
{
	if (--server->open_handles == 0)
		free(server);
}

static void on_client_closed(uv_handle_t *handle)
{
	struct client *client = handle->data;

	handle_closed(client->server);
	buf_release(&client->line);
	buf_release(&client->reply);
	free(client);
}

static void close_client(struct client *client)
{
	struct line_server *server = client->server;
	struct client **link = &server->newest;

	while (*link && *link != client)
		link = &(*link)->older;
	if (!*link)
		return; /* is being closed */
	*link = client->older;
	server->client_count--;
	uv_close((uv_handle_t *)&client->pipe, on_client_closed);
}

static void close_oldest(struct line_server *server)
{
	struct client *oldest = server->newest;

	while (oldest && oldest->older)
		oldest = oldest->older;
	if (oldest)
		close_client(oldest);
}

static void on_written(uv_write_t *write, int status)
{
	(void)status;
	close_client(write->data);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_buffer)
{
	struct client *client = handle->data;

	(void)suggested;
	*ret_buffer = uv_buf_init(client->chunk, sizeof(client->chunk));
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
	struct client *client = stream->data;
	char *end;
	uv_buf_t reply;

	if (count < 0 || !buf_add(&client->line, buffer->base, (size_t)count)) {
		close_client(client);
		return;
	}
	end = client->line.data ? strchr(client->line.data, '\n') : NULL;
	if (!end)
		return;
	*end = '\0';
	uv_read_stop(stream);
	client->server->on_line(client->line.data, &client->reply, client->server->context);
	buf_add_text(&client->reply, "\n");
	reply = uv_buf_init(client->reply.data, (unsigned)client->reply.length);
	client->write.data = client;
	if (uv_write(&client->write, stream, &reply, 1, on_written) < 0)
		close_client(client);
}

static void on_connection(uv_stream_t *stream, int status)
{
	struct line_server *server = stream->data;
	struct client *client;

	if (status < 0)
		return;
	if (server->client_count >= MAXIMUM_CLIENTS)
		close_oldest(server);
	client = mem_alloc(sizeof(*client));
	client->server = server;
	client->line.maximum = client->reply.maximum = MAXIMUM_LINE_BYTES;
	uv_pipe_init(stream->loop, &client->pipe, 0);
	client->pipe.data = client;
	client->older = server->newest;
	server->newest = client;
	server->client_count++;
	server->open_handles++;
	if (uv_accept(stream, (uv_stream_t *)&client->pipe) < 0 ||
		uv_read_start((uv_stream_t *)&client->pipe, on_alloc, on_read) < 0)
		close_client(client);
}

/* A path through /proc keeps within the 107 bytes that a socket's address may have. */
static char *socket_path(int folder_fd)
{
	return mem_format("/proc/self/fd/%d/control", folder_fd);
}

static int open_folder(const char *folder, struct error *err)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		error_set(err, ERROR_IO, errno, "cannot open '%s'", folder);
	return fd;
}

static void on_server_closed(uv_handle_t *handle)
{
	struct line_server *server = handle->data;

	unlinkat(server->folder_fd, "control", 0);
	close(server->folder_fd);
	handle_closed(server);
}

struct line_server *line_server_start(
	struct loop *loop, const char *folder, line_fn *on_line, void *context, struct error *err)
{
	int folder_fd = open_folder(folder, err);
	struct line_server *server;
	CLEANUP_FREE char *path = NULL;
	mode_t old_mask;
	int result;

	if (folder_fd < 0)
		return NULL;
	path = socket_path(folder_fd);
	/* What a process that died left behind; the caller holds the service's lock. */
	unlinkat(folder_fd, "control", 0);
	server = mem_alloc(sizeof(*server));
	server->folder_fd = folder_fd;
	server->on_line = on_line;
	server->context = context;
	uv_pipe_init(&loop->uv, &server->pipe, 0);
	server->pipe.data = server;
	server->open_handles = 1;
	uv_unref((uv_handle_t *)&server->pipe);
	old_mask = umask(0177);
	result = uv_pipe_bind(&server->pipe, path);
	umask(old_mask);
	if (result == 0)
		result = uv_listen((uv_stream_t *)&server->pipe, MAXIMUM_CLIENTS, on_connection);
	if (result < 0) {
		error_set(err, ERROR_IO, 0, "cannot listen on '%s/control': %s", folder,
			uv_strerror(result));
		line_server_stop(server);
		return NULL;
	}
	return server;
}

void line_server_stop(struct line_server *server)
{
	if (!server)
		return;
	while (server->newest)
		close_client(server->newest);
	uv_close((uv_handle_t *)&server->pipe, on_server_closed);
}

/* ---- the other side: one blocking exchange ---- */
static int wait_for(int fd, short events, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = fd, .events = events };

	return poll(&poll_fd, 1, timeout_ms) == 1 ? 0 : -1;
}

static int exchange(int fd, const char *line, int timeout_ms, struct buf *ret_reply)
{
	CLEANUP_FREE char *text = mem_format("%s\n", line);
	char chunk[1024];
	ssize_t count;

	if (send(fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
		return -1;
	for (;;) {
		if (wait_for(fd, POLLIN, timeout_ms) < 0)
			return -1;
		count = recv(fd, chunk, sizeof(chunk), 0);
		if (count <= 0)
			break;
		buf_add(ret_reply, chunk, (size_t)count);
	}
	if (ret_reply->data)
		ret_reply->data[strcspn(ret_reply->data, "\n")] = '\0';
	return count == 0 && ret_reply->length ? 0 : -1;
}

/* A socket that somebody else made may say "accepted" and do nothing. Root may ask anybody. */
static bool is_trusted(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return false;
	return peer.uid == geteuid() || peer.uid == 0 || geteuid() == 0;
}

int control_send(const char *folder, const char *line, int timeout_ms, struct buf *ret_reply,
	struct error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int folder_fd = open_folder(folder, err);
	CLEANUP_FREE char *path = NULL;
	int fd, result = -1;

	if (folder_fd < 0)
		return -1;
	path = socket_path(folder_fd);
	strncpy(address.sun_path, path, sizeof(address.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		is_trusted(fd))
		result = exchange(fd, line, timeout_ms, ret_reply);
	if (result < 0)
		error_set(err, ERROR_NET, 0, "the running rollout does not answer on '%s/control'",
			folder);
	if (fd >= 0)
		close(fd);
	close(folder_fd);
	return result;
}
