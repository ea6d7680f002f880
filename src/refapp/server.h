/*
 * HTTP for the application: libmicrohttpd, driven from one poll loop without threads. An answer
 * that is to be held back (faults) suspends its connection only, the others go on.
 */
#ifndef REFAPP_SERVER_H
#define REFAPP_SERVER_H

#include "canaryctl/error.h"
#include "canaryctl/fileio.h"
#include "refapp/app.h"

#include <stdint.h>

struct server;

/* Listens. The app must outlive the server. NULL with *err filled when it cannot. */
struct server *server_open(struct app *app, struct error *err) WARN_UNUSED;
uint16_t server_port(const struct server *server);

/* Serves until stop_fd becomes readable, then finishes what is in flight (at most a few seconds).
 */
int server_run(struct server *server, int stop_fd, struct error *err) WARN_UNUSED;

void server_close(struct server *server); /* accepts NULL */

#endif
