/*
 * GET or POST /api/generate: a brief from the model of a mode. The mode is in the query or in a
 * JSON body; without one (or with "auto") the distributor chooses. A body may have a "prompt" or
 * "notes"; only such briefs are served from the cache.
 */
#include "refapp/brief_service.h"
#include "refapp/modes.h"
#include "refapp/routes.h"

#include <string.h>

#define PROMPT_MAX 2000

struct wish {
	enum mode mode;
	char *prompt; /* as JSON; NULL: none. To be freed with cJSON_free() */
};

/* False: the request asks for what is not there, and the reply says so. */
static bool read_body(
	struct app *app, const struct request *request, struct wish *wish, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const cJSON *mode = cJSON_GetObjectItemCaseSensitive(body, "mode");
	const cJSON *prompt = cJSON_GetObjectItemCaseSensitive(body, "prompt");
	const char *name = request_param(request, "mode");
	bool known = false;

	if (!body)
		return false;
	if (mode)
		name = cJSON_IsString(mode) ? mode->valuestring : "";
	if (!prompt)
		prompt = cJSON_GetObjectItemCaseSensitive(body, "notes");
	if (prompt)
		wish->prompt = cJSON_PrintUnformatted(prompt);
	if (wish->prompt && strlen(wish->prompt) > PROMPT_MAX)
		reply_error(reply, 400, "the prompt is longer than %d bytes", PROMPT_MAX);
	else
		known = mode_wanted(app, name, request->now_ms, &wish->mode, reply);
	cJSON_Delete(body);
	return known;
}

static bool read_wish(
	struct app *app, const struct request *request, struct wish *wish, struct reply *reply)
{
	if (*request->body)
		return read_body(app, request, wish, reply);
	return mode_wanted(
		app, request_param(request, "mode"), request->now_ms, &wish->mode, reply);
}

static void add_answer(struct app *app, const struct request *request, enum mode mode,
	const struct brief_answer *answer, struct reply *reply)
{
	char *brief = cJSON_PrintUnformatted(answer->brief);

	buf_add_format(&reply->body,
		"{\"mode\":\"%s\",\"version\":\"%s\",\"deployment\":\"%s\",\"elapsed_ms\":%.0f,"
		"\"requested_mode\":\"%s\",\"cached\":%s,\"fallback\":%s,\"brief\":%s}\n",
		mode_name(answer->served), app_version(app, request->now_ms), app->options->role,
		answer->elapsed_s * 1000, mode_name(mode), answer->cached ? "true" : "false",
		answer->fallback ? "true" : "false", brief);
	cJSON_free(brief);
}

void route_generate(struct app *app, const struct request *request, struct reply *reply)
{
	struct wish wish = { 0 };
	struct brief_answer answer;

	if (read_wish(app, request, &wish, reply)) {
		const struct brief_order order = { .mode = wish.mode, .prompt = wish.prompt };

		reply->mode = mode_name(wish.mode);
		if (brief_serve(app, request, &order, &answer, reply) == 0) {
			add_answer(app, request, wish.mode, &answer, reply);
			cJSON_Delete(answer.brief);
		}
	}
	cJSON_free(wish.prompt);
}
