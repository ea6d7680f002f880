/*
 * The application behind the HTTP server: its state, and one function per route. Nothing in here
 * knows the HTTP library, so tests call it directly.
 *
 * Per request: app_begin(), wait as long as it says, app_answer(). All from one thread.
 */
#ifndef REFAPP_APP_H
#define REFAPP_APP_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "refapp/cache.h"
#include "refapp/checkpoint.h"
#include "refapp/distributor.h"
#include "refapp/event_log.h"
#include "refapp/evolution.h"
#include "refapp/llm.h"
#include "refapp/load.h"
#include "refapp/metrics.h"
#include "refapp/options.h"
#include "refapp/random.h"
#include "refapp/reward_normalizer.h"
#include "refapp/settings.h"
#include "refapp/training.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>

#define REQUEST_PARAMS_MAX 8
#define REQUEST_BODY_MAX   ((size_t)64 << 10)
#define APP_HANG_MS        30000

struct request_param {
	const char *name;
	const char *value;
};

struct request {
	const char *method;
	const char *path;
	struct request_param params[REQUEST_PARAMS_MAX]; /* of the query */
	size_t param_count;
	const char *body; /* never NULL */
	bool body_too_large;
	int64_t now_ms;    /* monotonic */
	int64_t waited_ms; /* since app_begin(), really */
};

struct reply {
	unsigned int status;
	const char *content_type;
	const char *allow; /* methods, with 405 */
	const char *mode;  /* label of the request's metrics */
	struct buf body;
};

struct app {
	const struct options *options;
	struct fault_set faults;
	struct load load;
	struct metrics metrics;
	struct random latencies; /* separate streams: a fault in one leaves the other as it is */
	struct random briefs;
	struct random jitter;
	struct training training;
	struct event_log log;
	struct settings settings; /* ask app_settings(): faults switch guards off */
	struct llm_state llms[LLM_COUNT];
	enum mode ceiling; /* the dearest mode that requests are served in, as set by hand */
	uint64_t downshifts;
	struct cache cache;
	struct distributor distributor;
	struct reward_normalizer normalizer;
	struct checkpoints checkpoints;
	double normalized_reward;
	struct evolution evolution;
};

int app_open(struct app *app, const struct options *options, struct error *err) WARN_UNUSED;
void app_close(struct app *app); /* accepts an app that is not open */

/* Counts the request, may crash (a fault); returns for how long the answer is to be held back. */
int64_t app_begin(struct app *app, const struct request *request);
void app_answer(struct app *app, const struct request *request, struct reply *ret_reply);

/* The version that is reported, which a fault can change. */
const char *app_version(struct app *app, int64_t now_ms);
struct fault_facts app_facts(struct app *app, int64_t now_ms);

/* The settings with what faults change in them. */
struct settings app_settings(struct app *app, int64_t now_ms);

/* Ends the process when the fault 'crash' is active. */
void app_crash_if_due(struct app *app, int64_t now_ms);

const char *request_param(const struct request *request, const char *name); /* NULL: not there */

/* The body as a JSON object, owned by the caller. NULL: it is none, and the reply says so. */
cJSON *request_object(const struct request *request, struct reply *reply);

/* The text of a member; NULL: not there, or no text. */
const char *object_text(const cJSON *object, const char *name);

/* {"error":"..."} with a status. */
void reply_error(struct reply *reply, unsigned int status, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* `json` is the body; it is deleted. */
void reply_json(struct reply *reply, cJSON *json);

/* Adds `text` as a JSON string, in quotes. */
void reply_add_json_text(struct buf *out, const char *text);

#endif
