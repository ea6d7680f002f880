/* GET /health: who this is, and whether it is well. */
#include "canaryctl/clock.h"
#include "refapp/model.h"
#include "refapp/routes.h"

void route_health(struct app *app, const struct request *request, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	bool healthy = !fault_active(&app->faults, FAULT_UNHEALTHY, &facts);
	const char *version = app_version(app, request->now_ms);
	char now[CLOCK_TEXT_SIZE];

	/* The seeds' answer has the bare version, without the tag's v. */
	buf_add_format(&reply->body,
		"{\"status\":\"%s\",\"version\":\"%s\",\"deployment\":\"%s\","
		"\"llm_ensemble\":{\"enabled\":%s,\"models\":[",
		healthy ? "healthy" : "unhealthy", version + (version[0] == 'v'),
		app->options->role, app->settings.ensemble_enabled ? "true" : "false");
	for (int i = 0; i < MODE_COUNT; i++)
		buf_add_format(&reply->body, "%s\"%s\"", i ? "," : "", mode_model((enum mode)i));
	buf_add_format(
		&reply->body, "]},\"timestamp\":\"%s\"}\n", clock_format_utc(clock_wall_ms(), now));
	reply->status = healthy ? 200 : 503;
}
