/* POST /api/test-llm {"model":"qwen","prompt":"..."}: one answer of one model, without guards. */
#include "refapp/brief.h"
#include "refapp/llm_service.h"
#include "refapp/routes.h"

#include <string.h>

/* The ensemble's names are taken too: each votes for one mode. */
static bool find_model(const char *name, enum llm *ret_llm)
{
	for (int i = 0; i < MODE_COUNT; i++) {
		if (strcmp(name, mode_model((enum mode)i)) == 0) {
			*ret_llm = llm_of_mode((enum mode)i);
			return true;
		}
	}
	return llm_parse(name, ret_llm);
}

static void add_output(struct app *app, const struct request *request, enum llm llm, cJSON *answer)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	bool malformed = fault_hits(&app->faults, FAULT_MALFORMED, &facts);
	CLEANUP_BUF struct buf text = { 0 };
	const char *missing;
	cJSON *output;

	model_write_brief(llm_mode(llm), malformed, &app->briefs, &text);
	output = cJSON_Parse(buf_text(&text));
	missing = brief_missing_field(output);
	cJSON_AddBoolToObject(answer, "schema_valid", !missing);
	if (missing)
		cJSON_AddStringToObject(answer, "missing_field", missing);
	cJSON_AddItemToObject(answer, "output", output);
}

static void test_model(
	struct app *app, const struct request *request, const char *name, struct reply *reply)
{
	struct llm_health health;
	cJSON *answer;
	enum llm llm;

	if (!find_model(name, &llm)) {
		reply_error(reply, 404, "unknown model '%s'", name);
		return;
	}
	health = llm_health(app, llm, request->now_ms);
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(answer, "model", name);
	cJSON_AddStringToObject(answer, "status", health.status);
	cJSON_AddNumberToObject(answer, "elapsed_ms", health.latency_s * 1000);
	if (health.healthy)
		add_output(app, request, llm, answer);
	else
		cJSON_AddStringToObject(answer, "reason", health.reason);
	reply->status = health.healthy ? 200 : 503;
	reply_json(reply, answer);
}

void route_test_llm(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const char *model = object_text(body, "model");
	const char *prompt = object_text(body, "prompt");

	if (!body)
		return;
	if (!model || !prompt || !*prompt)
		reply_error(reply, 400, "the body is not {\"model\":\"...\",\"prompt\":\"...\"}");
	else
		test_model(app, request, model, reply);
	cJSON_Delete(body);
}
