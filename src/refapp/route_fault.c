/* GET /admin/fault lists the faults; POST switches one: {"name":"error_rate","value":"8%@20rps"}.
 */
#include "canaryctl/mem.h"
#include "refapp/routes.h"

#include <cjson/cJSON.h>
#include <string.h>

static void list_faults(struct app *app, const struct request *request, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);

	buf_add_format(&reply->body, "{\"handled\":%llu,\"per_second\":%g,\"faults\":",
		(unsigned long long)facts.handled, facts.per_second);
	fault_add_json(&app->faults, &facts, &reply->body);
	buf_add_text(&reply->body, "}\n");
}

static char *value_text(const cJSON *value)
{
	if (cJSON_IsString(value))
		return mem_strdup(value->valuestring);
	if (cJSON_IsNumber(value))
		return mem_format("%.15g", value->valuedouble);
	if (cJSON_IsBool(value))
		return mem_strdup(cJSON_IsTrue(value) ? "1" : "0");
	return NULL;
}

void route_fault(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body;
	struct error err = { 0 };

	if (strcmp(request->method, "POST") != 0) {
		list_faults(app, request, reply);
		return;
	}
	body = cJSON_Parse(request->body);

	const cJSON *name = cJSON_GetObjectItemCaseSensitive(body, "name");
	CLEANUP_FREE char *value = value_text(cJSON_GetObjectItemCaseSensitive(body, "value"));

	if (!cJSON_IsString(name) || !value)
		reply_error(reply, 400, "the body is not {\"name\":\"...\",\"value\":...}");
	else if (fault_assign(&app->faults, name->valuestring, value, app->load.handled, &err) < 0)
		reply_error(reply, 400, "%s%s%s", err.message, *err.hint ? "; " : "", err.hint);
	else
		list_faults(app, request, reply);
	cJSON_Delete(body);
	app_crash_if_due(app, request->now_ms);
}
