/* What the files of src/loop share. The only header of the project that shows libuv. */
#ifndef CANARYCTL_LOOP_PRIVATE_H
#define CANARYCTL_LOOP_PRIVATE_H

#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "loop/task_queue.h"

#include <uv.h>

struct http_engine; /* libcurl's multi handle and its sockets: op_http.c */
struct signal_watch;

struct loop {
	uv_loop_t uv;
	struct task_queue ready;
	struct sleep_op *sleeping; /* by due time */
	uv_timer_t sleep_timer;    /* for the first of them */
	uv_prepare_t before_poll;  /* no waiting while a task is ready */
	struct http_engine *http;  /* NULL until the first request */
	struct signal_watch *signals;
};

void http_engine_free(struct http_engine *engine);

#endif
