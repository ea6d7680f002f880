/*
 * Suites for programs. The names of the fields are a contract (specification, section 5): add,
 * never rename. What is not known is null.
 */
#include "canaryctl/clock.h"
#include "report/suite_lines.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>

static cJSON *check_json(const struct suite_check *check)
{
	const struct verdict *verdict = &check->verdict;
	const struct measurement *m = &verdict->measurement;
	cJSON *json = cJSON_CreateObject();

	report_json_add_text(json, "name", verdict->check->name);
	report_json_add_text(json, "kind", verdict->check->kind->name);
	cJSON_AddStringToObject(json, "status", suite_status_name(check->status));
	cJSON_AddStringToObject(json, "result", check_result_name(verdict->result));
	if (m->has_value && isfinite(m->value))
		cJSON_AddNumberToObject(json, "value", m->value);
	else
		cJSON_AddNullToObject(json, "value");
	report_json_add_text(json, "require",
		verdict->check->require.text ? verdict->check->require.text : m->limit);
	report_json_add_text(json, "message", verdict->message);
	report_json_add_text(json, "hint", suite_hint(check));
	cJSON_AddNumberToObject(json, "duration_ms", (double)verdict->duration_ms);
	return json;
}

void suite_to_json(const struct suite_report *report, struct buf *ret_json)
{
	cJSON *json = cJSON_CreateObject();
	cJSON *counts, *checks;
	char time[CLOCK_TEXT_SIZE];
	char *text;

	report_json_add_text(json, "suite", report->suite);
	cJSON_AddStringToObject(json, "verdict", suite_status_name(report->verdict));
	report_json_add_text(json, "started_at", clock_format_utc(report->started_at, time));
	cJSON_AddNumberToObject(json, "duration_ms", (double)report->duration_ms);
	counts = cJSON_AddObjectToObject(json, "counts");
	for (int i = 0; i < SUITE_STATUS_COUNT; i++)
		cJSON_AddNumberToObject(
			counts, suite_status_name((enum suite_status)i), report->counts[i]);
	checks = cJSON_AddArrayToObject(json, "checks");
	for (size_t i = 0; i < report->count; i++)
		cJSON_AddItemToArray(checks, check_json(&report->checks[i]));
	text = cJSON_Print(json);
	if (!text)
		abort();
	buf_add_text(ret_json, text);
	buf_add_text(ret_json, "\n");
	free(text);
	cJSON_Delete(json);
}
