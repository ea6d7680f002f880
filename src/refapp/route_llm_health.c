/* GET /health/llm?model=all|qwen|mistral|llama: how the language models are. 503 unless all that
 * was asked for is healthy. */
#include "refapp/llm_service.h"
#include "refapp/routes.h"

#include <string.h>

static cJSON *one_model(struct app *app, enum llm llm, int64_t now_ms, bool *healthy)
{
	struct llm_health health = llm_health(app, llm, now_ms);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddStringToObject(json, "status", health.status);
	cJSON_AddStringToObject(json, "model", llm_name(llm));
	cJSON_AddStringToObject(json, "name", llm_full_name(llm));
	cJSON_AddStringToObject(json, "mode", mode_name(llm_mode(llm)));
	cJSON_AddBoolToObject(json, "loaded", app->llms[llm].loaded);
	cJSON_AddStringToObject(json, "circuit_breaker", breaker_state_name(health.breaker));
	cJSON_AddNumberToObject(json, "latency_ms", health.latency_s * 1000);
	if (*health.reason)
		cJSON_AddStringToObject(json, "reason", health.reason);
	*healthy = *healthy && health.healthy;
	return json;
}

static cJSON *all_models(struct app *app, int64_t now_ms, bool *healthy)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *models = cJSON_CreateObject();

	for (int i = 0; i < LLM_COUNT; i++)
		cJSON_AddItemToObject(models, llm_name((enum llm)i),
			one_model(app, (enum llm)i, now_ms, healthy));
	cJSON_AddStringToObject(json, "status", *healthy ? "healthy" : "unhealthy");
	cJSON_AddItemToObject(json, "models", models);
	return json;
}

void route_llm_health(struct app *app, const struct request *request, struct reply *reply)
{
	const char *name = request_param(request, "model");
	bool healthy = true;
	enum llm llm;

	if (!name || strcmp(name, "all") == 0) {
		reply_json(reply, all_models(app, request->now_ms, &healthy));
	} else if (llm_parse(name, &llm)) {
		reply_json(reply, one_model(app, llm, request->now_ms, &healthy));
	} else {
		reply_error(reply, 400,
			"unknown model '%s': all, qwen, mistral and llama are known", name);
		return;
	}
	reply->status = healthy ? 200 : 503;
}
