/* What the files of src/loop share. The only header of the project that shows libuv. */
#ifndef CANARYCTL_LOOP_PRIVATE_H
#define CANARYCTL_LOOP_PRIVATE_H

#include "canaryctl/loop.h"
#include "canaryctl/mem.h"

#include <uv.h>

struct http_engine; /* libcurl's multi handle and its sockets: op_http.c */
struct signal_watch;

struct loop {
	uv_loop_t uv;
	struct task *ready_first;
	struct task *ready_last;
	struct sleep_op *sleeping; /* by due time */
	uv_timer_t sleep_timer;    /* for the first of them */
	struct http_engine *http;  /* NULL until the first request */
	struct signal_watch *signals;
};

void loop_queue_task(struct loop *loop, struct task *task);
void tasks_run_ready(struct loop *loop);

void http_engine_free(struct http_engine *engine);

#endif
