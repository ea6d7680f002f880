/*
 * JSON for programs: the final report, and one event a line while the rollout runs. The names of
 * the fields are a contract (SPEC section 10): add, never rename. What is not known is null.
 */
#include "canaryctl/clock.h"
#include "report/report_private.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void report_json_add_text(cJSON *object, const char *name, const char *value)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	if (!value || !*value) {
		cJSON_AddNullToObject(object, name);
		return;
	}
	escape_add_utf8(&text, value);
	cJSON_AddStringToObject(object, name, buf_text(&text));
}

static void add_number(cJSON *object, const char *name, bool is_known, double value)
{
	if (is_known && isfinite(value))
		cJSON_AddNumberToObject(object, name, value);
	else
		cJSON_AddNullToObject(object, name);
}

static void add_weight(cJSON *object, const char *name, weight_t weight)
{
	add_number(object, name, weight >= 0, weight / 100.0);
}

static void add_time(cJSON *object, const char *name, int64_t wall_ms)
{
	char text[CLOCK_TEXT_SIZE];

	report_json_add_text(object, name, wall_ms > 0 ? clock_format_utc(wall_ms, text) : NULL);
}

static void add_reason(cJSON *object, const struct rollout_report *report)
{
	const struct rollout_reason *reason = &report->reason;
	bool is_of_stage = reason->stage > 0, is_check = reason->check[0] != '\0';
	cJSON *json;

	if (!report->has_reason) {
		cJSON_AddNullToObject(object, "reason");
		return;
	}
	json = cJSON_AddObjectToObject(object, "reason");
	add_number(json, "stage", is_of_stage, reason->stage);
	add_weight(json, "weight", is_of_stage ? reason->weight : WEIGHT_UNKNOWN);
	report_json_add_text(json, "check", reason->check);
	report_json_add_text(json, "result", is_check ? check_result_name(reason->result) : NULL);
	add_number(json, "value", reason->has_value, reason->value);
	report_json_add_text(json, "limit", reason->limit);
	add_number(json, "samples", reason->has_samples, reason->samples);
	report_json_add_text(json, "message", reason->message);
}

static cJSON *check_to_json(const struct check_report *report)
{
	const struct measurement *measurement = &report->last.measurement;
	bool asked = report->was_asked;
	cJSON *json = cJSON_CreateObject();

	report_json_add_text(json, "name", report_check_name(report));
	report_json_add_text(json, "result", asked ? check_result_name(report->last.result) : NULL);
	add_number(json, "value", asked && measurement->has_value, measurement->value);
	add_number(json, "baseline", asked && measurement->has_baseline, measurement->baseline);
	report_json_add_text(json, "limit", report_check_limit(report));
	add_number(json, "samples", asked && measurement->has_samples, measurement->samples);
	cJSON_AddNumberToObject(json, "evaluations", report->evaluations);
	return json;
}

static void add_stages(cJSON *object, const struct rollout_report *report)
{
	cJSON *stages = cJSON_AddArrayToObject(object, "stages");

	for (size_t i = 0; i < report->stage_count; i++) {
		const struct stage_report *stage = &report->stages[i];
		cJSON *json = cJSON_CreateObject(), *checks;

		cJSON_AddItemToArray(stages, json);
		cJSON_AddNumberToObject(json, "index", stage->index);
		add_weight(json, "weight", stage->weight);
		report_json_add_text(json, "state", stage_state_name(stage->state));
		add_time(json, "shifted_at", stage->shifted_at);
		add_time(json, "ended_at", stage->ended_at);
		checks = cJSON_AddArrayToObject(json, "checks");
		for (size_t j = 0; j < stage->check_count; j++)
			cJSON_AddItemToArray(checks, check_to_json(&stage->checks[j]));
	}
}

static void add_traffic(cJSON *object, const struct traffic_state *traffic)
{
	cJSON *json = cJSON_AddObjectToObject(object, "traffic");
	weight_t canary = report_canary_weight(traffic);

	add_weight(json, "canary_weight", canary);
	add_weight(json, "production_weight", canary < 0 ? canary : WEIGHT_FULL - canary);
	cJSON_AddBoolToObject(json, "proven", traffic->is_proven);
	report_json_add_text(json, "generation", traffic->generation);
	cJSON_AddBoolToObject(json, "braked", traffic->is_braked);
}

static void fill_report(cJSON *json, const struct rollout_report *report)
{
	report_json_add_text(json, "deployment", report->deployment);
	report_json_add_text(json, "service", report->service);
	report_json_add_text(json, "version", report->version);
	report_json_add_text(json, "outcome", rollout_outcome_name(report->outcome));
	add_time(json, "started_at", report->started_at);
	add_time(json, "ended_at", report->ended_at);
	add_reason(json, report);
	add_stages(json, report);
	add_traffic(json, &report->traffic);
}

/* Takes json. */
static void print_json(cJSON *json, bool is_pretty, struct buf *ret_text)
{
	char *text = is_pretty ? cJSON_Print(json) : cJSON_PrintUnformatted(json);

	if (!text)
		BUG("out of memory for JSON");
	buf_add_text(ret_text, text);
	buf_add_text(ret_text, "\n");
	cJSON_free(text);
	cJSON_Delete(json);
}

void report_to_json(const struct rollout_report *report, struct buf *ret_json)
{
	cJSON *json = cJSON_CreateObject();

	fill_report(json, report);
	print_json(json, true, ret_json);
}

static void add_plan(cJSON *json, const struct rollout_report *report)
{
	cJSON *stages;

	report_json_add_text(json, "service", report->service);
	report_json_add_text(json, "version", report->version);
	stages = cJSON_AddArrayToObject(json, "stages");
	for (size_t i = 0; i < report->stage_count; i++) {
		cJSON *stage = cJSON_CreateObject();

		cJSON_AddItemToArray(stages, stage);
		cJSON_AddNumberToObject(stage, "index", report->stages[i].index);
		add_weight(stage, "weight", report->stages[i].weight);
		cJSON_AddNumberToObject(
			stage, "observe_seconds", (double)report->stages[i].observe_ms / 1000);
	}
}

static void add_stage(cJSON *json, const struct stage_report *stage)
{
	cJSON *object = cJSON_AddObjectToObject(json, "stage");

	cJSON_AddNumberToObject(object, "index", stage->index);
	add_weight(object, "weight", stage->weight);
	report_json_add_text(object, "state", stage_state_name(stage->state));
}

/* The checks that were asked, as in the report, each with its sentence. */
static void add_verdicts(cJSON *json, const struct stage_report *stage)
{
	cJSON *checks = cJSON_AddArrayToObject(json, "checks");

	for (size_t i = 0; i < stage->check_count; i++) {
		const struct check_report *report = &stage->checks[i];
		cJSON *check;

		if (!report->was_asked)
			continue;
		check = check_to_json(report);
		report_json_add_text(check, "message", report->last.message);
		cJSON_AddBoolToObject(check, "critical", report->last.is_critical);
		cJSON_AddNumberToObject(check, "failures_in_row", report->failures_in_row);
		cJSON_AddItemToArray(checks, check);
	}
}

static cJSON *event_to_json(const struct rollout_event *event)
{
	const struct rollout_report *report = event->report;
	bool is_evaluated = event->kind == EVENT_EVALUATED;
	cJSON *json = cJSON_CreateObject();

	add_time(json, "time", event->time);
	report_json_add_text(json, "event", rollout_event_name(event->kind));
	report_json_add_text(json, "deployment", report->deployment);
	if (event->kind == EVENT_FINISHED) {
		fill_report(cJSON_AddObjectToObject(json, "report"), report);
		return json;
	}
	report_json_add_text(json, "state", event->state);
	if (event->text)
		report_json_add_text(json, "message", event->text);
	if (event->kind == EVENT_STARTED)
		add_plan(json, report);
	if (event->stage)
		add_stage(json, event->stage);
	if (is_evaluated) {
		cJSON_AddBoolToObject(json, "counted", event->is_counted);
		cJSON_AddNumberToObject(
			json, "stage_left_seconds", (double)event->stage_left_ms / 1000);
	}
	if (event->stage && (is_evaluated || event->kind == EVENT_STAGE_ENDED))
		add_verdicts(json, event->stage);
	if (event->kind == EVENT_PREPARED || event->kind == EVENT_SHIFTED ||
		event->kind == EVENT_ROLLED_BACK)
		add_traffic(json, &report->traffic);
	return json;
}

struct json_printer {
	struct rollout_observer observer;
	FILE *stream;
};

/* A line leaves at once: who reads a pipe acts on it. */
static void on_event(struct rollout_observer *observer, const struct rollout_event *event)
{
	struct json_printer *printer = container_of(observer, struct json_printer, observer);
	CLEANUP_BUF struct buf line = BUF_INIT(0);

	print_json(event_to_json(event), false, &line);
	fwrite(buf_text(&line), 1, line.length, printer->stream);
	fflush(printer->stream);
}

static void release(struct rollout_observer *observer)
{
	free(container_of(observer, struct json_printer, observer));
}

struct rollout_observer *report_json_new(const struct report_options *options)
{
	struct json_printer *printer = mem_alloc(sizeof(*printer));

	printer->observer.on_event = on_event;
	printer->observer.release = release;
	printer->stream = options->stream;
	return &printer->observer;
}
