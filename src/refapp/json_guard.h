/*
 * Between a model, which may answer with anything, and code that wants JSON: an answer that is no
 * JSON object is asked for again, after a back-off that doubles and is jittered. The back-off is
 * computed and reported, not slept: the simulation's time is not the clock's. Pure but for what
 * `ask` does.
 */
#ifndef REFAPP_JSON_GUARD_H
#define REFAPP_JSON_GUARD_H

#include "canaryctl/buf.h"
#include "refapp/random.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct json_guard_settings {
	bool enabled;
	int max_retries;
	double backoff_base_s;
	double jitter; /* 0.5: up to half of a back-off is added to it */
	bool fallback_enabled;
};

/* Writes the model's answer to the attempt (from 1) into *ret_text, which is empty. */
typedef void (*json_guard_ask)(void *context, int attempt, struct buf *ret_text);

struct json_guard_result {
	cJSON *json; /* NULL: no attempt gave any; owned by the caller */
	int attempts;
	double backoff_s;     /* all of them together */
	struct buf last_text; /* what the model said last; owned by the caller */
};

/* The wait before a retry (from 1): base * 2^(retry - 1), plus its jitter. */
double json_guard_backoff_s(
	const struct json_guard_settings *settings, int retry, struct random *random);

struct json_guard_result json_guard_run(const struct json_guard_settings *settings,
	struct random *random, json_guard_ask ask, void *context);

#endif
