/*
 * The master's error log from a noted place on: a reload that fails says so only there. The log
 * is found as the master's stderr, where NGINX points it; when that is no regular file, or not
 * ours to read, nothing is ever found.
 */
#ifndef CANARYCTL_TRAFFIC_NGINX_LOG_H
#define CANARYCTL_TRAFFIC_NGINX_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Start from NGINX_LOG_INIT. */
struct nginx_log {
	int fd;
	off_t offset;
	int master;
};
#define NGINX_LOG_INIT                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* Notes the present end of the master's log. */
void nginx_log_note(struct nginx_log *log, int master);

/*
 * The first complaint ([emerg] or [alert]) of the master itself since then, without its time
 * stamp. False when there is none.
 */
bool nginx_log_find_complaint(struct nginx_log *log, char *ret_line, size_t size);

void nginx_log_release(struct nginx_log *log);

#endif
