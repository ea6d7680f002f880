/* State, and what every request goes through on its way to its route: see app.h. */
#include "refapp/app.h"
#include "canaryctl/clock.h"
#include "canaryctl/mem.h"
#include "refapp/routes.h"
#include "refapp/trainer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_CRASHED 70

enum stream { STREAM_LATENCIES, STREAM_BRIEFS, STREAM_TRAINING, STREAM_JITTER, STREAM_EVOLUTION };

static void open_guards(struct app *app)
{
	for (int i = 0; i < LLM_COUNT; i++)
		app->llms[i].loaded = true;
	app->ceiling = MODE_CREATIVE;
	cache_init(&app->cache, &app->settings.cache);
	reward_normalizer_init(&app->normalizer, (size_t)app->settings.normalizer.window_size);
}

int app_open(struct app *app, const struct options *options, struct error *err)
{
	/* Two instances with one seed are to behave alike, but not to draw the same numbers. */
	uint64_t role = strcmp(options->role, "canary") == 0 ? 16 : 0;
	const char *version = options->version + (options->version[0] == 'v');

	*app = (struct app){ .options = options, .faults = options->faults };
	random_init(&app->latencies, options->seed, role + STREAM_LATENCIES);
	random_init(&app->briefs, options->seed, role + STREAM_BRIEFS);
	random_init(&app->jitter, options->seed, role + STREAM_JITTER);
	evolution_init(&app->evolution, options->seed, role + STREAM_EVOLUTION);
	settings_defaults(&app->settings);
	if (options->config && settings_load(&app->settings, options->config, err) < 0)
		return -1;
	open_guards(app);
	training_init(&app->training, options->seed, role + STREAM_TRAINING);
	trainer_begin(app, options->training_step);
	metrics_set(&app->metrics, METRIC_START_TIME, LABELS(), (double)clock_wall_ms() / 1000);
	metrics_set(&app->metrics, METRIC_BUILD_INFO,
		LABELS(LABEL("version", options->role) LABEL("app_version", version)), 1);
	if (options->log && event_log_open(&app->log, options->log, err) < 0) {
		app_close(app);
		return -1;
	}
	return 0;
}

void app_close(struct app *app)
{
	event_log_close(&app->log);
	cache_release(&app->cache);
	reward_normalizer_release(&app->normalizer);
	metrics_release(&app->metrics);
}

struct fault_facts app_facts(struct app *app, int64_t now_ms)
{
	return (struct fault_facts){ .handled = app->load.handled,
		.per_second = load_per_second(&app->load, now_ms) };
}

const char *app_version(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	if (fault_active(&app->faults, FAULT_VERSION_LIE, &facts))
		return app->faults.faults[FAULT_VERSION_LIE].text;
	return app->options->version;
}

void app_crash_if_due(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	/* As a real crash: no answers, no clean-up. */
	if (fault_active(&app->faults, FAULT_CRASH, &facts))
		_exit(EXIT_CRASHED);
}

/* Also an unknown path under /api/ is a client's request. */
static bool is_api(const struct request *request)
{
	const struct route *route = route_find(request->path);

	return route ? (route->flags & ROUTE_API) != 0 : strncmp(request->path, "/api/", 5) == 0;
}

struct settings app_settings(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);
	struct settings settings = app->settings;

	if (fault_active(&app->faults, FAULT_JSON_GUARD_OFF, &facts))
		settings.json_guard.enabled = false;
	if (fault_active(&app->faults, FAULT_BREAKER_OFF, &facts))
		settings.breaker.enabled = false;
	if (fault_active(&app->faults, FAULT_CACHE_OFF, &facts))
		settings.cache.enabled = false;
	return settings;
}

int64_t app_begin(struct app *app, const struct request *request)
{
	struct fault_facts facts;

	if (!is_api(request))
		return 0;
	load_note(&app->load, request->now_ms);
	facts = app_facts(app, request->now_ms);
	app_crash_if_due(app, request->now_ms);
	if (app->load.handled % TRAINING_BATCH == 0)
		trainer_update(app, request->now_ms);
	if (fault_hits(&app->faults, FAULT_HANG, &facts))
		return APP_HANG_MS;
	return (int64_t)fault_value(&app->faults, FAULT_SLEEP_MS, &facts, 0);
}

static void run_route(struct app *app, const struct request *request, struct reply *reply)
{
	const struct route *route = route_find(request->path);

	if (!route) {
		reply_error(reply, 404, "no such path '%s'", request->path);
	} else if (!route_allows(route, request->method)) {
		reply_error(reply, 405, "'%s' does not answer %s", request->path, request->method);
		reply->allow = route_methods(route);
	} else if (request->body_too_large) {
		reply_error(reply, 413, "the body is larger than %zu bytes", REQUEST_BODY_MAX);
	} else {
		route->run(app, request, reply);
	}
}

void app_answer(struct app *app, const struct request *request, struct reply *ret_reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	char status[16];

	*ret_reply =
		(struct reply){ .status = 200, .content_type = "application/json", .mode = "none" };
	run_route(app, request, ret_reply);
	if (!is_api(request))
		return;
	if (ret_reply->status < 400 && fault_hits(&app->faults, FAULT_ERROR_RATE, &facts))
		reply_error(ret_reply, 500, "injected by the fault 'error_rate'");
	snprintf(status, sizeof(status), "%u", ret_reply->status);
	metrics_add(&app->metrics, METRIC_REQUESTS,
		LABELS(LABEL("version", app->options->role) LABEL("mode", ret_reply->mode)
				LABEL("status", status)),
		1);
}

const char *request_param(const struct request *request, const char *name)
{
	for (size_t i = 0; i < request->param_count; i++) {
		if (strcmp(request->params[i].name, name) == 0)
			return request->params[i].value;
	}
	return NULL;
}

cJSON *request_object(const struct request *request, struct reply *reply)
{
	cJSON *object = cJSON_Parse(request->body);

	if (cJSON_IsObject(object))
		return object;
	cJSON_Delete(object);
	reply_error(reply, 400, "the body is no JSON object");
	return NULL;
}

const char *object_text(const cJSON *object, const char *name)
{
	return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
}

void reply_json(struct reply *reply, cJSON *json)
{
	char *text = cJSON_PrintUnformatted(json);

	buf_add_format(&reply->body, "%s\n", text);
	cJSON_free(text);
	cJSON_Delete(json);
}

void reply_add_json_text(struct buf *out, const char *text)
{
	buf_add_text(out, "\"");
	for (const char *p = text; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_format(out, "\\%c", *p);
		else if ((unsigned char)*p < 0x20)
			buf_add_format(out, "\\u%04x", *p);
		else
			buf_add(out, p, 1);
	}
	buf_add_text(out, "\"");
}

void reply_error(struct reply *reply, unsigned int status, const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	reply->status = status;
	buf_clear(&reply->body);
	buf_add_text(&reply->body, "{\"error\":");
	reply_add_json_text(&reply->body, message);
	buf_add_text(&reply->body, "}\n");
}
