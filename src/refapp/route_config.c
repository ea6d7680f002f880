/* GET /api/config: the settings in force, as in configs/app. */
#include "refapp/routes.h"

void route_config(struct app *app, const struct request *request, struct reply *reply)
{
	struct settings settings = app_settings(app, request->now_ms);

	reply_json(reply, settings_json(&settings));
}
