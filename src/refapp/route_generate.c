/*
 * GET or POST /api/generate: a brief from the model of a mode. The mode is in the query or in a
 * JSON body; without one it is balanced.
 */
#include "refapp/model.h"
#include "refapp/routes.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

/* False when the request asks for something that is not there; the reply then says so. */
static bool read_mode(const struct request *request, enum mode *ret_mode, struct reply *reply)
{
	const char *name = request_param(request, "mode");
	cJSON *body = NULL;
	bool known;

	if (*request->body) {
		body = cJSON_Parse(request->body);
		if (!cJSON_IsObject(body)) {
			cJSON_Delete(body);
			reply_error(reply, 400, "the body is no JSON object");
			return false;
		}
		const cJSON *mode = cJSON_GetObjectItemCaseSensitive(body, "mode");

		if (mode)
			name = cJSON_IsString(mode) ? mode->valuestring : "";
	}
	known = mode_parse(name ? name : "balanced", ret_mode);
	if (!known)
		reply_error(reply, 400, "unknown mode '%s': fast, balanced and creative are known",
			name);
	cJSON_Delete(body);
	return known;
}

static double elapsed_s(struct app *app, const struct request *request, enum mode mode)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	double factor = fault_value(&app->faults, FAULT_LATENCY_FACTOR, &facts, 1);
	double added_ms = fault_value(&app->faults, FAULT_LATENCY_MS, &facts, 0);

	return model_latency_s(mode, &app->latencies) * factor + added_ms / 1000 +
	       (double)request->waited_ms / 1000;
}

void route_generate(struct app *app, const struct request *request, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	const char *role = app->options->role;
	enum mode mode;
	double elapsed;
	bool malformed;

	if (!read_mode(request, &mode, reply))
		return;
	reply->mode = mode_name(mode);
	elapsed = elapsed_s(app, request, mode);
	malformed = fault_hits(&app->faults, FAULT_MALFORMED, &facts);

	const struct label *labels = LABELS(LABEL("version", role) LABEL("mode", mode_name(mode)));
	metrics_observe(&app->metrics, METRIC_DURATION, labels, elapsed);
	metrics_add(&app->metrics, METRIC_BRIEFS, labels, 1);
	if (malformed)
		metrics_add(
			&app->metrics, METRIC_SCHEMA_FAILURES, LABELS(LABEL("version", role)), 1);
	event_log_write(&app->log,
		"llm_brief{mode=%s,elapsed_ms=%.0f,duration=%.3f,model=%s,schema=%s}",
		mode_name(mode), elapsed * 1000, elapsed, mode_model(mode),
		malformed ? "failed" : "ok");

	buf_add_format(&reply->body,
		"{\"mode\":\"%s\",\"version\":\"%s\",\"deployment\":\"%s\",\"elapsed_ms\":%.0f,"
		"\"brief\":",
		mode_name(mode), app_version(app, request->now_ms), role, elapsed * 1000);
	model_write_brief(mode, malformed, &app->briefs, &reply->body);
	buf_add_text(&reply->body, "}\n");
}
