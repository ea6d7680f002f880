/* The report and the event lines as programs read them, field by field. */
#include "test.h"

#include "report_fixture.h"

#include <cjson/cJSON.h>

static cJSON *report_json(const struct rollout_report *report)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	cJSON *json;

	report_to_json(report, &text);
	assert_int_equal(text.data[text.length - 1], '\n');
	json = cJSON_Parse(buf_text(&text));
	assert_non_null(json);
	return json;
}

static const cJSON *at(const cJSON *json, const char *name)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);

	assert_non_null(item);
	return item;
}

static void assert_text(const cJSON *json, const char *name, const char *text)
{
	assert_true(cJSON_IsString(at(json, name)));
	assert_string_equal(at(json, name)->valuestring, text);
}

static void assert_number(const cJSON *json, const char *name, double number)
{
	assert_true(cJSON_IsNumber(at(json, name)));
	assert_true(at(json, name)->valuedouble == number);
}

static void assert_null_field(const cJSON *json, const char *name)
{
	assert_true(cJSON_IsNull(at(json, name)));
}

/* Exactly these fields, in this order. */
static void assert_fields(const cJSON *json, const char *names)
{
	CLEANUP_BUF struct buf found = BUF_INIT(0);

	for (const cJSON *item = json->child; item; item = item->next)
		buf_add_format(&found, "%s%s", found.length ? " " : "", item->string);
	assert_string_equal(buf_text(&found), names);
}

static void the_report_has_the_fields_of_the_contract(void **state)
{
	struct fixture f;
	cJSON *json;
	const cJSON *part;

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	json = report_json(&f.report);
	assert_fields(json,
		"deployment service version outcome started_at ended_at reason stages traffic");
	assert_text(json, "deployment", "20261120T170313Z-v0.2.1");
	assert_text(json, "service", "fragrance-ai");
	assert_text(json, "version", "v0.2.1");
	assert_text(json, "outcome", "rolled_back");
	assert_text(json, "started_at", "2026-11-20T17:03:13Z");
	assert_text(json, "ended_at", "2026-11-20T17:19:55Z");

	part = at(json, "reason");
	assert_fields(part, "stage weight check result value limit samples message");
	assert_number(part, "stage", 2);
	assert_number(part, "weight", 5);
	assert_text(part, "check", "error-rate");
	assert_text(part, "result", "FAIL");
	assert_number(part, "value", 0.031);
	assert_text(part, "limit", "< 0.5%");
	assert_number(part, "samples", 812);
	assert_text(part, "message", "25 of 812 requests failed");

	part = at(json, "traffic");
	assert_fields(part, "canary_weight production_weight proven generation braked");
	assert_number(part, "canary_weight", 0);
	assert_number(part, "production_weight", 100);
	assert_true(cJSON_IsTrue(at(part, "proven")));
	assert_true(cJSON_IsFalse(at(part, "braked")));
	assert_text(part, "generation", "20261120T170313Z-v0.2.1/7");
	cJSON_Delete(json);
}

static void stages_and_checks_say_null_for_what_is_not_known(void **state)
{
	struct fixture f;
	cJSON *json;
	const cJSON *stage, *check;

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	json = report_json(&f.report);
	assert_int_equal(cJSON_GetArraySize(at(json, "stages")), 2);
	stage = cJSON_GetArrayItem(at(json, "stages"), 0);
	assert_fields(stage, "index weight state shifted_at ended_at checks");
	assert_number(stage, "index", 1);
	assert_number(stage, "weight", 0.5);
	assert_text(stage, "state", "passed");
	assert_text(stage, "shifted_at", "2026-11-20T17:03:15Z");

	check = cJSON_GetArrayItem(at(stage, "checks"), 0);
	assert_fields(check, "name result value baseline limit samples evaluations");
	assert_text(check, "result", "PASS");
	assert_number(check, "value", 0.0008);
	assert_null_field(check, "baseline");
	assert_text(check, "limit", "< 0.5%");
	assert_number(check, "samples", 812);
	assert_number(check, "evaluations", 1);

	check = cJSON_GetArrayItem(at(stage, "checks"), 2); /* from 5 % on: not asked */
	assert_text(check, "name", "rl-loss");
	assert_null_field(check, "result");
	assert_null_field(check, "value");
	assert_number(check, "evaluations", 0);

	check = cJSON_GetArrayItem(at(cJSON_GetArrayItem(at(json, "stages"), 1), "checks"), 1);
	assert_text(check, "result", "NO_DATA");
	assert_null_field(check, "value");
	assert_null_field(check, "samples");
	cJSON_Delete(json);
}

static void an_end_before_any_stage_is_valid(void **state)
{
	struct rollout_report report = { .outcome = OUTCOME_ABORTED, .has_reason = true };
	cJSON *json;

	(void)state;
	strcpy(report.reason.message, "the canary cannot be reached");
	json = report_json(&report);
	assert_null_field(json, "deployment");
	assert_null_field(json, "started_at");
	assert_null_field(at(json, "reason"), "stage");
	assert_null_field(at(json, "reason"), "weight");
	assert_null_field(at(json, "reason"), "check");
	assert_null_field(at(json, "reason"), "result");
	assert_null_field(at(json, "reason"), "value");
	assert_text(at(json, "reason"), "message", "the canary cannot be reached");
	assert_int_equal(cJSON_GetArraySize(at(json, "stages")), 0);
	/* Zero in a struct that was never filled is not "0 % is in force". */
	assert_null_field(at(json, "traffic"), "canary_weight");
	assert_null_field(at(json, "traffic"), "production_weight");
	assert_true(cJSON_IsFalse(at(at(json, "traffic"), "proven")));
	cJSON_Delete(json);

	report = (struct rollout_report){ .outcome = OUTCOME_SUCCEEDED };
	json = report_json(&report);
	assert_null_field(json, "reason");
	cJSON_Delete(json);
}

static void infinite_values_are_null_and_the_brake_is_zero(void **state)
{
	struct fixture f;
	cJSON *json;

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	f.report.reason.value = INFINITY;
	f.report.traffic =
		(struct traffic_state){ .is_reachable = true, .is_braked = true, .canary = 500 };
	json = report_json(&f.report);
	assert_null_field(at(json, "reason"), "value");
	assert_number(at(json, "traffic"), "canary_weight", 0);
	assert_true(cJSON_IsTrue(at(at(json, "traffic"), "braked")));
	cJSON_Delete(json);
}

/* One event as its line, parsed. */
static cJSON *event_json(const struct rollout_event *event)
{
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	struct report_options options = { .stream = stream };
	struct rollout_observer *observer = report_json_new(&options);
	cJSON *json;

	observer->on_event(observer, event);
	assert_true(length > 0); /* flushed before the stream is closed */
	observer->release(observer);
	fclose(stream);
	assert_ptr_equal(strchr(text, '\n'), text + length - 1);
	assert_harmless(text, "\n");
	json = cJSON_Parse(text);
	assert_non_null(json);
	free(text);
	return json;
}

static void events_are_lines(void **state)
{
	struct fixture f;
	struct rollout_event event;
	cJSON *json;

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	event = (struct rollout_event){ .kind = EVENT_EVALUATED,
		.time = T0,
		.report = &f.report,
		.stage = &f.stages[1],
		.state = "observing",
		.is_counted = true,
		.stage_left_ms = 600500 };
	json = event_json(&event);
	assert_text(json, "time", "2026-11-20T17:03:13Z");
	assert_text(json, "event", "evaluated");
	assert_text(json, "deployment", "20261120T170313Z-v0.2.1");
	assert_text(json, "state", "observing");
	assert_number(at(json, "stage"), "index", 2);
	assert_number(at(json, "stage"), "weight", 5);
	assert_number(json, "stage_left_seconds", 600.5);
	assert_true(cJSON_IsTrue(at(json, "counted")));
	assert_int_equal(cJSON_GetArraySize(at(json, "checks")), 3);
	assert_null(cJSON_GetObjectItem(json, "message"));
	cJSON_Delete(json);

	event = (struct rollout_event){
		.kind = EVENT_ROLLED_BACK, .time = T0, .report = &f.report
	};
	json = event_json(&event);
	assert_text(json, "event", "rolled_back");
	assert_null_field(json, "state");
	assert_number(at(json, "traffic"), "production_weight", 100);
	cJSON_Delete(json);

	event.kind = EVENT_FINISHED;
	json = event_json(&event);
	assert_fields(json, "time event deployment report");
	assert_text(at(json, "report"), "outcome", "rolled_back");
	cJSON_Delete(json);
}

static void every_event_kind_of_an_empty_report_is_valid(void **state)
{
	struct rollout_report report = { 0 };

	(void)state;
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		struct rollout_event event = { .kind = (enum rollout_event_kind)kind,
			.time = T0,
			.report = &report,
			.text = HOSTILE };

		cJSON_Delete(event_json(&event));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_report_has_the_fields_of_the_contract),
		cmocka_unit_test(stages_and_checks_say_null_for_what_is_not_known),
		cmocka_unit_test(an_end_before_any_stage_is_valid),
		cmocka_unit_test(infinite_values_are_null_and_the_brake_is_zero),
		cmocka_unit_test(events_are_lines),
		cmocka_unit_test(every_event_kind_of_an_empty_report_is_valid),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
