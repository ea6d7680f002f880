/*
 * loadgen: steady HTTP load for tests and the demo, and the count of what clients would have seen.
 * An open loop: requests start on a schedule, over a few keep-alive connections, from one thread.
 *
 * It behaves as real clients do: a kept connection that the server closes before the first byte of
 * an answer is replaced and the request sent again, once (`retried`). Everything else that is not
 * an answer of the application is `failed`; the application's own errors are `app_errors`.
 */
#include "canaryctl/buf.h"
#include "canaryctl/clock.h"
#include "canaryctl/error.h"
#include "canaryctl/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX   64
#define DURATION_MAX_S    900
#define RATE_MAX          10000
#define ANSWER_TIMEOUT_MS 10000
#define REPORT_EVERY_MS   500
#define BACKLOG_MAX_NS    100000000 /* later than this, requests are dropped, not caught up on */
#define HEAD_MAX          8192
#define MODES             3

static const char *const mode_names[MODES] = { "fast", "balanced", "creative" };

struct options {
	struct sockaddr_in address;
	char host[64]; /* with the port, for Host: */
	const char *path;
	double rate;
	double duration_s;
	int connections;
	int mix[MODES];
	const char *out;
};

struct totals {
	unsigned long requests, ok, app_errors, failed, retried;
	unsigned long production, canary;
	unsigned long by_status[600];
	char first_failure[256];
};

enum connection_state { CLOSED, IDLE, SENDING, READING_HEAD, READING_BODY };

struct connection {
	enum connection_state state;
	int fd;
	bool reused; /* has answered before: the server may close it at any time */
	bool retried;
	char request[512];
	size_t request_length;
	size_t sent;
	char head[HEAD_MAX];
	size_t head_length;
	int status;
	bool closes;
	long long body_left; /* -1: until the server closes */
	int64_t deadline_ms;
};

struct generator {
	const struct options *options;
	struct totals totals;
	struct connection connections[CONNECTIONS_MAX];
	uint64_t random;
	int64_t started_ns;
	int64_t next_ns;
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	(void)number;
	/* A second signal doesn't wait for the answers that are still out. */
	if (interrupted)
		_exit(130);
	interrupted = 1;
}

static int64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void hang_up(struct connection *connection)
{
	if (connection->state != CLOSED)
		close(connection->fd);
	connection->state = CLOSED;
}

static void note_failure(struct totals *totals, const char *what, const char *cause)
{
	if (totals->failed++ == 0)
		snprintf(totals->first_failure, sizeof(totals->first_failure), "%s: %s", what,
			cause);
}

static void count_failure(struct generator *generator, struct connection *connection,
	const char *what, const char *cause)
{
	note_failure(&generator->totals, what, cause);
	hang_up(connection);
}

static int open_socket(const struct sockaddr_in *address)
{
	const int on = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
		errno != EINPROGRESS) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static void send_request(struct generator *generator, struct connection *connection);

/* (Re)connects for the request that the connection holds. */
static void connect_and_send(struct generator *generator, struct connection *connection)
{
	hang_up(connection);
	connection->fd = open_socket(&generator->options->address);
	if (connection->fd < 0) {
		count_failure(generator, connection, "cannot connect", strerror(errno));
		return;
	}
	connection->reused = false;
	connection->sent = 0;
	connection->state = SENDING;
	send_request(generator, connection);
}

/* The connection is gone. Only a kept one, before any byte of the answer, may be tried again. */
static void lose(struct generator *generator, struct connection *connection, const char *cause)
{
	if (connection->reused && connection->head_length == 0 && !connection->retried) {
		connection->retried = true;
		generator->totals.retried++;
		connect_and_send(generator, connection);
		return;
	}
	count_failure(generator, connection, "no answer", cause);
}

static void send_request(struct generator *generator, struct connection *connection)
{
	ssize_t count = send(connection->fd, connection->request + connection->sent,
		connection->request_length - connection->sent, MSG_NOSIGNAL);

	if (count < 0) {
		/* ENOTCONN: the connect is still under way; poll tells when it isn't. */
		if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN)
			lose(generator, connection, strerror(errno));
		return;
	}
	connection->sent += (size_t)count;
	if (connection->sent == connection->request_length)
		connection->state = READING_HEAD;
}

/* The value of a header in `head`, which ends with an empty line; false when it isn't there. */
static bool find_header(const char *head, const char *name, char *ret_value, size_t size)
{
	size_t length = strlen(name);

	for (const char *line = strstr(head, "\r\n"); line; line = strstr(line + 2, "\r\n")) {
		const char *field = line + 2;

		if (strncasecmp(field, name, length) != 0 || field[length] != ':')
			continue;
		field += length + 1;
		field += strspn(field, " \t");
		snprintf(ret_value, size, "%.*s", (int)strcspn(field, "\r\n"), field);
		return true;
	}
	return false;
}

static void count_answer(struct generator *generator, const struct connection *connection)
{
	struct totals *totals = &generator->totals;
	int status = connection->status;
	char deployment[32] = "";
	bool from_app =
		find_header(connection->head, "X-Deployment", deployment, sizeof(deployment));

	totals->by_status[status]++;
	totals->production += strcmp(deployment, "production") == 0;
	totals->canary += strcmp(deployment, "canary") == 0;
	if (status < 400) {
		totals->ok++;
	} else if (from_app && (status < 502 || status > 504)) {
		totals->app_errors++;
	} else {
		char what[32];

		snprintf(what, sizeof(what), "status %d", status);
		note_failure(totals, what, from_app ? deployment : "from the proxy");
	}
}

static void end_answer(struct generator *generator, struct connection *connection)
{
	count_answer(generator, connection);
	if (connection->closes)
		hang_up(connection);
	else
		connection->state = IDLE;
}

/* The head is complete at head[0..end). Returns false when the answer can't be understood. */
static bool understand_head(struct connection *connection, size_t end)
{
	char value[64];
	char *rest;

	connection->head[end - 1] = '\0';
	if (sscanf(connection->head, "HTTP/1.%*1[01] %3d", &connection->status) != 1 ||
		connection->status < 200 || connection->status > 599)
		return false;
	connection->closes = find_header(connection->head, "Connection", value, sizeof(value)) &&
			     strcasecmp(value, "close") == 0;
	if (find_header(connection->head, "Transfer-Encoding", value, sizeof(value)))
		return false;
	connection->body_left = -1;
	if (find_header(connection->head, "Content-Length", value, sizeof(value))) {
		connection->body_left = strtoll(value, &rest, 10);
		return connection->body_left >= 0 && rest != value && !*rest;
	}
	connection->closes = true;
	return true;
}

static void take_body(struct generator *generator, struct connection *connection, size_t count)
{
	if (connection->body_left < 0)
		return;
	connection->body_left -= (long long)count;
	if (connection->body_left < 0)
		count_failure(generator, connection, "broken answer", "more than Content-Length");
	else if (connection->body_left == 0)
		end_answer(generator, connection);
}

static void take_head(struct generator *generator, struct connection *connection, size_t count)
{
	size_t length = connection->head_length += count;
	char *blank = memmem(connection->head, length, "\r\n\r\n", 4);
	size_t end;

	if (!blank) {
		if (length == sizeof(connection->head) - 1)
			count_failure(
				generator, connection, "broken answer", "its head is too long");
		return;
	}
	end = (size_t)(blank - connection->head) + 4;
	if (!understand_head(connection, end)) {
		count_failure(generator, connection, "broken answer", "no status line or length");
		return;
	}
	connection->state = READING_BODY;
	take_body(generator, connection, length - end);
}

static void read_answer(struct generator *generator, struct connection *connection)
{
	char body[16384];
	bool head = connection->state == READING_HEAD;
	ssize_t count = head ? recv(connection->fd, connection->head + connection->head_length,
				       sizeof(connection->head) - 1 - connection->head_length, 0)
			     : recv(connection->fd, body, sizeof(body), 0);

	if (count < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (count == 0 && !head && connection->body_left < 0) {
		end_answer(generator, connection);
		return;
	}
	if (count <= 0)
		lose(generator, connection, count ? strerror(errno) : "connection closed");
	else if (head)
		take_head(generator, connection, (size_t)count);
	else
		take_body(generator, connection, (size_t)count);
}

/*
 * Drawn, not cycled: NGINX's weighted round robin has a cycle too, and two cycles in step would
 * send one mode always to the same side.
 */
static int draw_mode(struct generator *generator)
{
	const int *mix = generator->options->mix;
	uint64_t total = (uint64_t)mix[0] + (uint64_t)mix[1] + (uint64_t)mix[2];
	uint64_t drawn;
	int mode = 0;

	/* splitmix64, with a fixed seed: every run sends the same modes in the same order. */
	uint64_t z = generator->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	drawn = (z ^ (z >> 31)) % total;
	while (drawn >= (uint64_t)mix[mode])
		drawn -= (uint64_t)mix[mode++];
	return mode;
}

static void start_request(struct generator *generator, struct connection *connection)
{
	const struct options *options = generator->options;
	int length = snprintf(connection->request, sizeof(connection->request),
		"GET %s?mode=%s HTTP/1.1\r\nHost: %s\r\nUser-Agent: loadgen\r\nAccept: */*\r\n\r\n",
		options->path, mode_names[draw_mode(generator)], options->host);

	generator->totals.requests++;
	connection->request_length = (size_t)length;
	connection->sent = 0;
	connection->head_length = 0;
	connection->retried = false;
	connection->deadline_ms = clock_monotonic_ms() + ANSWER_TIMEOUT_MS;
	if (connection->state == IDLE) {
		connection->reused = true;
		connection->state = SENDING;
		send_request(generator, connection);
	} else {
		connect_and_send(generator, connection);
	}
}

static struct connection *find_free(struct generator *generator)
{
	struct connection *closed = NULL;

	for (int i = 0; i < generator->options->connections; i++) {
		struct connection *connection = &generator->connections[i];

		if (connection->state == IDLE)
			return connection;
		if (connection->state == CLOSED && !closed)
			closed = connection;
	}
	return closed;
}

static void start_due(struct generator *generator)
{
	int64_t step_ns = (int64_t)(1e9 / generator->options->rate);
	int64_t now = now_ns();

	if (generator->next_ns < now - BACKLOG_MAX_NS)
		generator->next_ns = now - BACKLOG_MAX_NS;
	while (generator->next_ns <= now) {
		struct connection *connection = find_free(generator);

		if (!connection)
			return;
		start_request(generator, connection);
		generator->next_ns += step_ns;
	}
}

static void handle(struct generator *generator, struct connection *connection, short events)
{
	if (connection->state >= SENDING && clock_monotonic_ms() > connection->deadline_ms)
		count_failure(generator, connection, "no answer", "none in 10 s");
	else if (!events)
		return;
	else if (connection->state == IDLE)
		hang_up(connection); /* the server closed it, as it may */
	else if (connection->state == SENDING)
		send_request(generator, connection);
	else if (connection->state != CLOSED)
		read_answer(generator, connection);
}

/* Waits for answers, until the next request is due at the latest. */
static void turn(struct generator *generator, bool starting)
{
	int count = generator->options->connections;
	struct pollfd fds[CONNECTIONS_MAX];
	int64_t wait_ns = 50000000;

	/* When the next is overdue, every connection is busy: wait for those. */
	if (starting && generator->next_ns > now_ns() && generator->next_ns - now_ns() < wait_ns)
		wait_ns = generator->next_ns - now_ns();
	for (int i = 0; i < count; i++) {
		const struct connection *connection = &generator->connections[i];

		fds[i] = (struct pollfd){
			.fd = connection->state == CLOSED ? -1 : connection->fd,
			.events = connection->state == SENDING ? POLLOUT : POLLIN,
		};
	}
	struct timespec timeout = { .tv_nsec = wait_ns > 0 ? wait_ns : 0 };
	if (ppoll(fds, (nfds_t)count, &timeout, NULL) < 0)
		return;
	for (int i = 0; i < count; i++)
		handle(generator, &generator->connections[i], fds[i].revents);
}

static void write_report(const struct generator *generator, struct buf *out)
{
	const struct totals *totals = &generator->totals;
	const char *comma = "";

	buf_add_format(out,
		"{\"requests\":%lu,\"ok\":%lu,\"app_errors\":%lu,\"failed\":%lu,\"retried\":%lu,"
		"\"by_version\":{\"production\":%lu,\"canary\":%lu},\"by_status\":{",
		totals->requests, totals->ok, totals->app_errors, totals->failed, totals->retried,
		totals->production, totals->canary);
	for (int status = 0; status < (int)ARRAY_SIZE(totals->by_status); status++) {
		if (!totals->by_status[status])
			continue;
		buf_add_format(out, "%s\"%d\":%lu", comma, status, totals->by_status[status]);
		comma = ",";
	}
	buf_add_format(out, "},\"seconds\":%.1f", (double)(now_ns() - generator->started_ns) / 1e9);
	/* Made of our own words and strerror(): nothing to escape. */
	if (*totals->first_failure)
		buf_add_format(out, ",\"first_failure\":\"%s\"", totals->first_failure);
	buf_add_text(out, "}\n");
}

/* Readers see the old report or the new one. No fsync: it would hold the load up. */
static void publish(const struct generator *generator, const char *path)
{
	CLEANUP_BUF struct buf text = { 0 };
	CLEANUP_FREE char *temporary = mem_format("%s.new", path);
	FILE *file = fopen(temporary, "we");

	write_report(generator, &text);
	if (!file || fputs(buf_text(&text), file) < 0 || fclose(file) != 0 ||
		rename(temporary, path) < 0) {
		fprintf(stderr, "loadgen: cannot write '%s': %s\n", path, strerror(errno));
		exit(EXIT_FAILURE);
	}
}

static bool any_busy(const struct generator *generator)
{
	for (int i = 0; i < generator->options->connections; i++) {
		if (generator->connections[i].state >= SENDING)
			return true;
	}
	return false;
}

static void run(struct generator *generator)
{
	const struct options *options = generator->options;
	int64_t end_ns, report_ms = 0;

	generator->started_ns = generator->next_ns = now_ns();
	end_ns = generator->started_ns + (int64_t)(options->duration_s * 1e9);
	for (;;) {
		bool starting = !interrupted && now_ns() < end_ns;

		if (starting)
			start_due(generator);
		else if (!any_busy(generator))
			break;
		turn(generator, starting);
		if (options->out && clock_monotonic_ms() >= report_ms) {
			publish(generator, options->out);
			report_ms = clock_monotonic_ms() + REPORT_EVERY_MS;
		}
	}
	for (int i = 0; i < options->connections; i++)
		hang_up(&generator->connections[i]);
}

_Noreturn static void usage_error(const char *problem, const char *subject)
{
	fprintf(stderr, "loadgen: %s '%s'\n", problem, subject);
	fprintf(stderr, "usage: loadgen --url http://127.0.0.1:PORT/PATH --rate PER_SECOND "
			"--duration SECONDS\n"
			"       [--connections 8] [--mode-mix 60,30,10] [--out FILE]\n");
	exit(64);
}

static double parse_number(const char *option, const char *text, double maximum)
{
	char *end;
	double value = strtod(text, &end);

	if (end != text && !*end && value > 0 && value <= maximum)
		return value;
	fprintf(stderr, "loadgen: '%s' is above 0 and at most %g\n", option, maximum);
	usage_error("not such a number:", text);
}

/* http://127.x.x.x[:PORT]/PATH or localhost: never anybody else's server. */
static void parse_url(struct options *options, const char *url)
{
	const char *rest = url + strlen("http://");
	size_t length;
	char host[64];
	char *colon;
	unsigned long port = 80;

	if (strncmp(url, "http://", 7) != 0)
		usage_error("only http:// is known, not", url);
	length = strcspn(rest, "/?");
	if (length >= sizeof(host) || strlen(rest) > 256 || strchr(rest, '?'))
		usage_error("the URL is too long, or has a query:", url);
	snprintf(host, sizeof(host), "%.*s", (int)length, rest);
	memcpy(options->host, host, sizeof(host));
	options->path = rest[length] ? rest + length : "/";
	colon = strchr(host, ':');
	if (colon) {
		*colon = '\0';
		port = strspn(colon + 1, "0123456789") == strlen(colon + 1)
			       ? strtoul(colon + 1, NULL, 10)
			       : 0;
	}
	options->address.sin_family = AF_INET;
	options->address.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, strcmp(host, "localhost") == 0 ? "127.0.0.1" : host,
		    &options->address.sin_addr) != 1 ||
		(ntohl(options->address.sin_addr.s_addr) >> 24) != 127)
		usage_error("only loopback addresses (127.0.0.1, localhost) are loaded, not", url);
	if (port == 0 || port > UINT16_MAX)
		usage_error("not a port in", url);
}

static void parse_option(struct options *options, const char *name, const char *value)
{
	char rest;

	if (strcmp(name, "--url") == 0)
		parse_url(options, value);
	else if (strcmp(name, "--rate") == 0)
		options->rate = parse_number(name, value, RATE_MAX);
	else if (strcmp(name, "--duration") == 0)
		options->duration_s = parse_number(name, value, DURATION_MAX_S);
	else if (strcmp(name, "--connections") == 0)
		options->connections = (int)parse_number(name, value, CONNECTIONS_MAX);
	else if (strcmp(name, "--out") == 0)
		options->out = value;
	else if (strcmp(name, "--mode-mix") != 0)
		usage_error("unknown option", name);
	else if (sscanf(value, "%4d,%4d,%4d%c", &options->mix[0], &options->mix[1],
			 &options->mix[2], &rest) != MODES ||
		 options->mix[0] < 0 || options->mix[1] < 0 || options->mix[2] < 0 ||
		 options->mix[0] + options->mix[1] + options->mix[2] == 0)
		usage_error("a mode mix is three shares such as 60,30,10, not", value);
}

static void parse_options(struct options *options, int argc, char *argv[])
{
	*options = (struct options){ .connections = 8, .mix = { 60, 30, 10 } };
	for (int i = 1; i < argc; i += 2) {
		if (i + 1 == argc)
			usage_error("a value is missing after", argv[i]);
		parse_option(options, argv[i], argv[i + 1]);
	}
	if (!options->path || options->rate <= 0 || options->duration_s <= 0)
		usage_error("an option is missing:", !options->path       ? "--url"
						     : options->rate <= 0 ? "--rate"
									  : "--duration");
	if (options->connections < 1)
		usage_error("not a number of connections:", "0");
}

int main(int argc, char *argv[])
{
	struct sigaction action = { .sa_handler = on_signal };
	struct options options;
	struct generator *generator;
	CLEANUP_BUF struct buf text = { 0 };

	parse_options(&options, argc, argv);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	generator = mem_alloc(sizeof(*generator));
	generator->options = &options;
	run(generator);
	if (options.out)
		publish(generator, options.out);
	write_report(generator, &text);
	fputs(buf_text(&text), stdout);
	free(generator);
	return EXIT_SUCCESS;
}
