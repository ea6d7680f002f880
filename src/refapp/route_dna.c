/* POST /dna/create {"brief":...}: a new DNA to evolve. */
#include "refapp/routes.h"

void route_dna_create(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const cJSON *brief = cJSON_GetObjectItemCaseSensitive(body, "brief");
	cJSON *answer;

	if (!body)
		return;
	if (!cJSON_IsObject(brief) && !cJSON_IsString(brief)) {
		reply_error(reply, 400, "'brief' is missing: an object or a text");
	} else {
		answer = cJSON_CreateObject();
		cJSON_AddStringToObject(answer, "dna_id", evolution_create_dna(&app->evolution));
		cJSON_AddItemToObject(answer, "brief", cJSON_Duplicate(brief, true));
		cJSON_AddStringToObject(answer, "version", app_version(app, request->now_ms));
		reply_json(reply, answer);
	}
	cJSON_Delete(body);
}
