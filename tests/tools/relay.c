/*
 * A relay between a client and an HTTP server that cuts answers short: relay PORT TO_PORT
 * FAULT_FILE. While FAULT_FILE holds "close N" or "hang N", of each answer only the first N bytes
 * come through, and then the connection is closed, or silent for ever. One process per connection.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

struct fault {
	char kind[16]; /* empty: none */
	long bytes;
};

static struct fault read_fault(const char *path)
{
	struct fault fault = { 0 };
	FILE *file = fopen(path, "re");

	if (!file)
		return fault;
	if (fscanf(file, "%15s %ld", fault.kind, &fault.bytes) != 2)
		fault.kind[0] = '\0';
	fclose(file);
	return fault;
}

static struct sockaddr_in loopback(const char *port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtol(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static bool send_all(int fd, const char *data, ssize_t size)
{
	while (size > 0) {
		ssize_t sent = send(fd, data, (size_t)size, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		data += sent;
		size -= sent;
	}
	return true;
}

/* The server's side of it: passes on what the fault lets through. False: the connection is over. */
static bool pass_answer(int client, int server, const char *fault_file, long *passed)
{
	char data[65536];
	ssize_t count = read(server, data, sizeof(data));
	struct fault fault = read_fault(fault_file);
	long room;

	if (count <= 0)
		return false;
	if (!fault.kind[0])
		return send_all(client, data, count);
	room = fault.bytes > *passed ? fault.bytes - *passed : 0;
	if (!send_all(client, data, count < room ? count : room))
		return false;
	*passed += count;
	if (*passed < fault.bytes)
		return true;
	while (strcmp(fault.kind, "hang") == 0)
		pause();
	return false;
}

static bool pass_request(int client, int server)
{
	char data[65536];
	ssize_t count = read(client, data, sizeof(data));

	return count > 0 && send_all(server, data, count);
}

static void relay(int client, const char *to_port, const char *fault_file)
{
	struct sockaddr_in to = loopback(to_port);
	int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct pollfd ends[2] = { { .fd = client, .events = POLLIN },
		{ .fd = server, .events = POLLIN } };
	long passed = 0;

	if (connect(server, (struct sockaddr *)&to, sizeof(to)) < 0)
		return;
	while (poll(ends, 2, -1) > 0) {
		if (ends[0].revents && !pass_request(client, server))
			return;
		if (ends[0].revents)
			passed = 0; /* the next answer */
		else if (!pass_answer(client, server, fault_file, &passed))
			return;
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in from = loopback(argc == 4 ? argv[1] : "0");
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client;

	if (argc != 4) {
		fputs("usage: relay PORT TO_PORT FAULT_FILE\n", stderr);
		return 64;
	}
	signal(SIGCHLD, SIG_IGN);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(listener, (struct sockaddr *)&from, sizeof(from)) < 0 ||
		listen(listener, 64) < 0) {
		perror("relay");
		return 1;
	}
	while ((client = accept(listener, NULL, NULL)) >= 0) {
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			relay(client, argv[2], argv[3]);
			_exit(0);
		}
		close(client);
	}
	return 1;
}
