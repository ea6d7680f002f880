/* POST /admin/model/unload and /admin/model/load {"model":"llama3_8b"}: a model in or out of GPU
 * memory. What it served is served by another mode's meanwhile. */
#include "refapp/gpu.h"
#include "refapp/routes.h"

static void set_loaded(
	struct app *app, const struct request *request, bool loaded, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const char *name = object_text(body, "model");
	struct gpu_memory memory;
	cJSON *answer;
	enum llm llm;

	if (!body)
		return;
	if (!name || !llm_parse(name, &llm)) {
		reply_error(reply, 400,
			"'model' is qwen_32b, mistral_7b or llama3_8b, or qwen, mistral or llama");
	} else {
		app->llms[llm].loaded = loaded;
		memory = gpu_memory(app->llms, 0);
		answer = cJSON_CreateObject();
		cJSON_AddStringToObject(answer, "model", llm_full_name(llm));
		cJSON_AddBoolToObject(answer, "loaded", loaded);
		cJSON_AddNumberToObject(answer, "gpu_free_bytes", (double)memory.free_bytes);
		event_log_write(&app->log, "model_%s{model=%s}", loaded ? "loaded" : "unloaded",
			llm_full_name(llm));
		reply_json(reply, answer);
	}
	cJSON_Delete(body);
}

void route_model_unload(struct app *app, const struct request *request, struct reply *reply)
{
	set_loaded(app, request, false, reply);
}

void route_model_load(struct app *app, const struct request *request, struct reply *reply)
{
	set_loaded(app, request, true, reply);
}
