/*
 * POST /admin/mode/set (also /admin/set-mode) {"mode":"balanced"}: the dearest mode that requests
 * are served in from now on; "creative" or "auto" lifts it. GET /admin/downshift/stats: breakers
 * and downshifts. GET /admin/distribution/stats: the proportion of the modes.
 */
#include "refapp/routes.h"

#include <string.h>

void route_mode_set(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const char *name = object_text(body, "mode");
	enum mode ceiling = MODE_CREATIVE;

	if (!body)
		return;
	if (!name || (strcmp(name, "auto") != 0 && !mode_parse(name, &ceiling))) {
		reply_error(reply, 400, "'mode' is fast, balanced, creative or auto");
	} else {
		app->ceiling = ceiling;
		event_log_write(&app->log, "mode_set{mode=%s}", mode_name(ceiling));
		buf_add_format(&reply->body, "{\"mode\":\"%s\"}\n", mode_name(ceiling));
	}
	cJSON_Delete(body);
}

static cJSON *breaker_json(
	struct app *app, enum llm llm, const struct settings *settings, int64_t now_ms)
{
	struct llm_state *state = &app->llms[llm];
	enum breaker_state breaker = breaker_state_at(&state->breaker, &settings->breaker, now_ms);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "state", breaker_state_name(breaker));
	cJSON_AddNumberToObject(json, "failure_rate", breaker_failure_share(&state->breaker));
	cJSON_AddNumberToObject(json, "calls", (double)state->calls);
	cJSON_AddNumberToObject(json, "failures", (double)state->failures);
	cJSON_AddNumberToObject(json, "times_opened", (double)state->breaker.times_opened);
	cJSON_AddBoolToObject(json, "loaded", state->loaded);
	return json;
}

void route_downshift_stats(struct app *app, const struct request *request, struct reply *reply)
{
	struct settings settings = app_settings(app, request->now_ms);
	cJSON *json = cJSON_CreateObject();
	cJSON *breakers;

	cJSON_AddBoolToObject(json, "enabled", settings.breaker.enabled);
	cJSON_AddBoolToObject(json, "auto_downshift", settings.breaker.auto_downshift);
	cJSON_AddStringToObject(json, "mode", mode_name(app->ceiling));
	cJSON_AddNumberToObject(json, "downshifts", (double)app->downshifts);
	breakers = cJSON_AddObjectToObject(json, "circuit_breakers");
	for (int i = 0; i < LLM_COUNT; i++)
		cJSON_AddItemToObject(breakers, llm_name((enum llm)i),
			breaker_json(app, (enum llm)i, &settings, request->now_ms));
	reply_json(reply, json);
}

void route_distribution_stats(struct app *app, const struct request *request, struct reply *reply)
{
	const struct distributor_settings *settings = &app->settings.distributor;
	struct distribution actual =
		distributor_actual(&app->distributor, settings, request->now_ms);
	cJSON *json = cJSON_CreateObject();
	cJSON *modes;

	cJSON_AddNumberToObject(json, "requests", (double)actual.requests);
	modes = cJSON_AddObjectToObject(json, "modes");
	for (int i = 0; i < MODE_COUNT; i++) {
		cJSON *mode = cJSON_AddObjectToObject(modes, mode_name((enum mode)i));

		cJSON_AddNumberToObject(mode, "target", settings->percent[i]);
		if (actual.requests) {
			cJSON_AddNumberToObject(mode, "actual", actual.percent[i]);
			cJSON_AddNumberToObject(mode, "deviation", actual.deviation[i]);
		}
		cJSON_AddBoolToObject(mode, "alert", actual.alert[i]);
	}
	reply_json(reply, json);
}
