/* GET /metrics: the Prometheus text format. */
#include "refapp/routes.h"

void route_metrics(struct app *app, const struct request *request, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	double spike = fault_value(&app->faults, FAULT_LOSS_SPIKE, &facts, 1);

	metrics_set(&app->metrics, METRIC_TRAINING_LOSS,
		LABELS(LABEL("version", app->options->role)), app->training.loss * spike);
	metrics_render(&app->metrics, &reply->body);
	reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
}
