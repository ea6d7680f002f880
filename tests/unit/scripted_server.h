/*
 * A tiny HTTP server in a child process that answers from a script, for what a real Prometheus
 * cannot be made to do at will. One connection per answer.
 */
#ifndef TESTS_SCRIPTED_SERVER_H
#define TESTS_SCRIPTED_SERVER_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct scripted_answer {
	const char *when; /* in the request line or body; NULL: any request */
	int times;        /* how often; 0: always */
	int status;       /* 0: closes without an answer; -1: never answers */
	const char *content_type;
	const char *body;
};

struct scripted_server {
	pid_t pid;
	char url[64];
};

static inline void scripted_read(int client, char *text, size_t size)
{
	size_t used = 0;
	ssize_t got;

	text[0] = '\0';
	while (used + 1 < size && (got = read(client, text + used, size - 1 - used)) > 0) {
		const char *end, *length;

		used += (size_t)got;
		text[used] = '\0';
		end = strstr(text, "\r\n\r\n");
		if (!end)
			continue;
		length = strstr(text, "Content-Length: ");
		if (!length || strlen(end + 4) >= strtoul(length + 16, NULL, 10))
			return;
	}
}

static inline void scripted_serve(int listener, struct scripted_answer *script)
{
	static char request[1 << 20];

	for (;;) {
		int client = accept(listener, NULL, NULL);
		struct scripted_answer *answer = script;

		scripted_read(client, request, sizeof(request));
		for (; answer->content_type; answer++) {
			if (answer->times >= 0 && (!answer->when || strstr(request, answer->when)))
				break;
		}
		if (answer->status < 0)
			continue; /* keeps the connection open */
		if (answer->content_type && answer->status)
			dprintf(client,
				"HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				"Connection: close\r\n\r\n%s",
				answer->status, answer->content_type, strlen(answer->body),
				answer->body);
		if (answer->times > 0 && !--answer->times)
			answer->times = -1;
		close(client);
	}
}

/* `script` ends with a row without content type. */
static inline struct scripted_server scripted_start(struct scripted_answer *script)
{
	struct scripted_server server = { 0 };
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t length = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(listener, (struct sockaddr *)&address, length) || listen(listener, 64) ||
		getsockname(listener, (struct sockaddr *)&address, &length))
		abort();
	snprintf(server.url, sizeof(server.url), "http://127.0.0.1:%d", ntohs(address.sin_port));
	server.pid = fork();
	if (!server.pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		scripted_serve(listener, script);
	}
	close(listener);
	return server;
}

static inline void scripted_stop(struct scripted_server *server)
{
	kill(server->pid, SIGKILL);
	waitpid(server->pid, NULL, 0);
}

#endif
