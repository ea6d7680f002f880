/*
 * What NGINX's whole configuration says that matters to a canary. Pure: made of the text of
 * `nginx -T`. Places are "file:line".
 */
#ifndef DOCTOR_SURVEY_H
#define DOCTOR_SURVEY_H

#include "doctor/listeners.h"

#include "canaryctl/mem.h"
#include "traffic/nginx_dump.h"

#include <stdbool.h>
#include <stddef.h>

enum { SURVEY_MOST = 256 };

struct survey_listen {
	char *text; /* as written */
	char *place;
	struct listener address; /* port 0: not to be compared */
};

struct survey_upstream {
	char *name;
	const char *file;
	char *place;
};

struct survey {
	struct nginx_dump dump; /* owned */
	int worker_processes;   /* 0: not said, or auto */
	/* Where it was seen first; NULL: nowhere. */
	char *shutdown_timeout; /* worker_shutdown_timeout */
	char *retries_http;     /* ..._next_upstream with http_5xx */
	char *retries;          /* ..._next_upstream with anything but off */
	char *no_retries;       /* ..._next_upstream off */
	char *intercept;        /* ..._intercept_errors on */
	char *error_page_5xx;
	char *error_page_200; /* a 5xx becomes a 2xx */
	char *file_cache;     /* open_file_cache, not off */
	char *file_cache_errors;
	char *reuseport;
	char *unix_listen;
	struct survey_listen listens[SURVEY_MOST];
	size_t listen_count;
	char *includes[SURVEY_MOST]; /* patterns, absolute */
	size_t include_count;
	struct survey_upstream upstreams[SURVEY_MOST];
	size_t upstream_count;
	char *passes[SURVEY_MOST]; /* what requests are passed to: "http://$pool" */
	size_t pass_count;
};

void survey_make(const char *dump_text, struct survey *ret_survey);
void survey_release(struct survey *survey);

/* How often NGINX reads this file; *ret_would says whether an include fits, also when it is not
 * there yet. `real` is its path without symbolic links; may be NULL. */
int survey_reads(const struct survey *survey, const char *path, const char *real, bool *ret_would);

#endif
