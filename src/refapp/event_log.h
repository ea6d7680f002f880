/* The application's log: one line per event, `llm_brief{mode=fast,...}`. Off until opened. */
#ifndef REFAPP_EVENT_LOG_H
#define REFAPP_EVENT_LOG_H

#include "canaryctl/error.h"
#include "canaryctl/fileio.h"

#include <stdio.h>

struct event_log {
	FILE *file; /* NULL: off */
};

/* Appends to `path`; "-" is standard output. */
int event_log_open(struct event_log *log, const char *path, struct error *err) WARN_UNUSED;
void event_log_close(struct event_log *log);

void event_log_write(struct event_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void event_log_error(struct event_log *log, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
