/*
 * Who listens where: the addresses of NGINX's `listen` beside the kernel's table. A port that
 * somebody else holds makes the next reload fail, and nothing says so. Pure.
 */
#ifndef DOCTOR_LISTENERS_H
#define DOCTOR_LISTENERS_H

#include <stdbool.h>
#include <stddef.h>

struct listener {
	bool is_v6;
	bool is_any; /* all addresses */
	unsigned char address[16];
	int port;            /* 0: none */
	unsigned long inode; /* of the socket; 0 for a `listen` */
};

/* "80", "*:80", "127.0.0.1:80", "localhost:80", "[::]:80"; port 0 when it is no such thing. */
void listener_of_listen(const char *text, struct listener *ret_listener);

/* The listening sockets of /proc/PID/net/tcp or tcp6; adds at most `most`, returns how many. */
size_t listeners_parse(const char *text, bool is_v6, struct listener *ret_listeners, size_t most);

/* With `held` there, is there no room for NGINX's `wanted`? */
bool listener_is_in_the_way(const struct listener *held, const struct listener *wanted);

#endif
