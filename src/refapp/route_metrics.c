/* GET /metrics: the Prometheus text format. */
#include "refapp/gauges.h"
#include "refapp/routes.h"

void route_metrics(struct app *app, const struct request *request, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);

	if (fault_active(&app->faults, FAULT_METRICS_DOWN, &facts)) {
		reply_error(reply, 503, "injected by the fault 'metrics_down'");
		return;
	}
	gauges_update(app, request->now_ms);
	metrics_render(&app->metrics, &reply->body);
	reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
