/*
 * NGINX's processes as /proc shows them: which workers accept, which are draining, and since when
 * they live. In another pid namespace, or without the right to look, nothing is shown, and nothing
 * here is an error: the proof then has only NGINX's answers to go by.
 */
#ifndef CANARYCTL_TRAFFIC_NGINX_PROC_H
#define CANARYCTL_TRAFFIC_NGINX_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NGINX_MAX_WORKERS = 512 };

struct nginx_worker {
	int pid;
	int64_t start_ticks;
	bool is_draining; /* "is shutting down": accepts nothing any more */
};

struct nginx_processes {
	int master; /* 0: not shown */
	int accepting;
	int draining;
	int count;
	struct nginx_worker workers[NGINX_MAX_WORKERS];
};

/* The master of a worker that named its pid; 0 when /proc does not show them. */
int nginx_proc_master_of(int worker_pid);

/*
 * The master that was started with `-c config_path` (NULL: without -c); 0 when there is none or
 * more than one.
 */
int nginx_proc_find_master(const char *config_path);

/* Is any NGINX to be seen at all? */
bool nginx_proc_shows_any(void);

/* One master, whatever it was started with; 0 when none is to be seen. */
int nginx_proc_any_master(void);

/* "nginx: master process nginx -c /etc/nginx/nginx.conf"; false when it is gone. */
bool nginx_proc_title(int master, char *ret_title, size_t size);

/* The value of an option in a title; false when it is not there. */
bool nginx_title_option(const char *title, const char *option, char *ret_value, size_t size);

/* The master's workers now; false when the master is gone or not shown. */
bool nginx_proc_read(int master, struct nginx_processes *ret_processes);

/*
 * How many workers the master's configuration asks for; 0 when that cannot be read for certain.
 * *ret_is_guess: it says `auto`, and the master may see another number of processors than we do.
 */
int nginx_proc_expected_workers(int master, bool *ret_is_guess);

/* A time of clock_boot_ms() as /proc counts start times, rounded down. */
int64_t nginx_proc_ticks(int64_t boot_ms);

/* All accepting workers began at or after `ticks`, and none of them is in `before`. */
bool nginx_workers_are_younger(
	const struct nginx_processes *now, int64_t ticks, const struct nginx_processes *before);

/* The same workers accept as before. */
bool nginx_workers_are_same(
	const struct nginx_processes *now, const struct nginx_processes *before);

#endif
