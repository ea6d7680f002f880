/*
 * Steering a running rollout from another terminal: a socket in the service's state folder that
 * takes one line of JSON, {"command":"rollback","reason":"...","by":"..."}, and answers with one,
 * {"accepted":true,"message":"..."}.
 */
#ifndef CANARYCTL_CONTROL_H
#define CANARYCTL_CONTROL_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/loop.h"

struct line_server;

/* Called between steps with each line that came; the reply is sent and the connection closed. */
typedef void line_fn(const char *line, struct buf *ret_reply, void *context);

/* Listens on <folder>/control, mode 0600. NULL and *err on error. */
struct line_server *line_server_start(
	struct loop *loop, const char *folder, line_fn *on_line, void *context, struct error *err);
void line_server_stop(struct line_server *server); /* before loop_free(); NULL is fine */

/* Sends one line and waits for the answer. ERROR_NET when nobody listens or answers in time. */
int control_send(const char *folder, const char *line, int timeout_ms, struct buf *ret_reply,
	struct error *err);

#endif
