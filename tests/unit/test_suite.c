/* Suites: statuses, order, captures, time; and their text, JSON and JUnit. */
#include "suite_fixture.h"

#include "canaryctl/suite_report.h"
#include "checks/captures.h"
#include "scripted_server.h"

#include <cjson/cJSON.h>

/* ---- verdicts ---- */

static void test_statuses(void **state)
{
	static const struct {
		enum check_result result;
		enum severity severity;
		bool observe_only, is_strict;
		enum suite_status status;
	} cases[] = {
		{ CHECK_PASS, SEVERITY_ERROR, false, false, SUITE_GO },
		{ CHECK_PASS, SEVERITY_WARNING, false, true, SUITE_GO },
		{ CHECK_WARN, SEVERITY_ERROR, false, false, SUITE_WARNING },
		{ CHECK_WARN, SEVERITY_ERROR, false, true, SUITE_NO_GO },
		{ CHECK_FAIL, SEVERITY_ERROR, false, false, SUITE_NO_GO },
		{ CHECK_FAIL, SEVERITY_WARNING, false, false, SUITE_WARNING },
		{ CHECK_FAIL, SEVERITY_WARNING, false, true, SUITE_NO_GO },
		{ CHECK_NO_DATA, SEVERITY_ERROR, false, false, SUITE_NO_GO },
		{ CHECK_NO_DATA, SEVERITY_WARNING, false, false, SUITE_WARNING },
		{ CHECK_ERROR, SEVERITY_ERROR, false, false, SUITE_NO_GO },
		{ CHECK_ERROR, SEVERITY_WARNING, false, false, SUITE_WARNING },
		{ CHECK_FAIL, SEVERITY_ERROR, true, true, SUITE_GO },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct check_config check = { .severity = (int)cases[i].severity,
			.observe_only = cases[i].observe_only };
		const struct verdict verdict = { .check = &check, .result = cases[i].result };

		if (suite_status_of(&verdict, cases[i].is_strict) != cases[i].status)
			fail_msg("case %zu", i);
	}
}

static void test_nothing_is_no_go(void **state)
{
	struct suite_report report = { 0 };

	(void)state;
	suite_judge(&report, false);
	assert_int_equal(report.verdict, SUITE_NO_GO);
}

static void test_worst_counts(void **state)
{
	const struct suite_report *report;

	(void)state;
	report = suite_of("  - {name: a, command: {argv: ['true']}}\n"
			  "  - {name: b, command: {argv: ['false']}, severity: warning}\n",
		NULL);
	assert_int_equal(report->verdict, SUITE_WARNING);
	assert_int_equal(report->counts[SUITE_GO], 1);
	assert_int_equal(report->counts[SUITE_WARNING], 1);
	assert_int_equal(report->counts[SUITE_NO_GO], 0);
}

/* All at the same time: three pauses take as long as one. */
static void test_concurrent(void **state)
{
	const struct suite_report *report;

	(void)state;
	report = suite_of("  - {name: a, command: {argv: [sleep, '0.5']}}\n"
			  "  - {name: b, command: {argv: [sleep, '0.5']}}\n"
			  "  - {name: c, command: {argv: [sleep, '0.5']}}\n",
		NULL);
	assert_int_equal(report->verdict, SUITE_GO);
	assert_true(report->duration_ms < 1400);
}

/* ---- captures ---- */

static const char chain[] =
	"  - name: create\n"
	"    http: {url: \"${target_url}/create\", body: '{}', contains: ['items'],\n"
	"      capture: {id: 'items[0].id', n: n}}\n"
	"  - name: use\n"
	"    http: {url: \"${target_url}/use/${id}\", body: '{\"n\": ${n}}', json: {id: "
	"\"${id}\"}, contains: ['${id}']}\n"
	"  - name: after\n"
	"    command: {argv: [echo, \"${id}\"], match: '^dna_7$'}\n";

static const struct suite_report *run_chain(const char *first_answer)
{
	struct scripted_answer script[] = {
		{ .when = "POST /create",
			.status = 200,
			.content_type = "application/json",
			.body = first_answer },
		{ .when = "POST /use/dna_7",
			.status = 200,
			.content_type = "application/json",
			.body = "{\"id\":\"dna_7\"}" },
		{ 0 },
	};
	struct scripted_server server = scripted_start(script);
	const struct suite_report *report = suite_of(chain, server.url);

	scripted_stop(&server);
	return report;
}

static void test_captures(void **state)
{
	const struct suite_report *report = run_chain("{\"items\":[{\"id\":\"dna_7\"}],\"n\":3}");

	(void)state;
	for (size_t i = 0; i < report->count; i++) {
		if (report->checks[i].status != SUITE_GO)
			fail_msg("%s", report->checks[i].verdict.message);
	}
}

/* What could not be captured is no reason to ask with a hole in it. */
static void test_missing_capture(void **state)
{
	const struct suite_report *report = run_chain("{\"items\":[]}");

	(void)state;
	assert_int_equal(report->checks[0].verdict.result, CHECK_FAIL);
	assert_non_null(strstr(report->checks[0].verdict.message, "'items[0].id' is absent"));
	assert_int_equal(report->checks[1].verdict.result, CHECK_NO_DATA);
	assert_non_null(strstr(report->checks[1].verdict.message, "'${id}' has no value"));
	assert_int_equal(report->checks[2].verdict.result, CHECK_NO_DATA);
}

/* A server's answer must not become more than a value. */
static void test_hostile_capture(void **state)
{
	static const char *const hostile[] = { "x y", "x\"y", "x'y", "x`y", "x\\y", "${version}",
		"x\ny", "" };
	struct captures captures = { 0 };
	struct error err = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(hostile); i++)
		assert_int_equal(captures_set(&captures, "a", hostile[i], &err), -1);
	assert_null(captures_get(&captures, "a"));
	assert_int_equal(captures_set(&captures, "a", "dna_7", &err), 0);
	assert_int_equal(captures_set(&captures, "a", "dna_8", &err), 0);
	assert_string_equal(captures_get(&captures, "a"), "dna_8");
	captures_release(&captures);
}

static void test_unknown_variables(void **state)
{
	(void)state;
	assert_refused("http: {url: \"http://x/${targt}\"}", "did you mean '${target}'?");
	assert_refused("http: {url: \"http://x/${id}\"}", "'${id}' is not a variable");
	assert_refused("http: {url: \"http://x/\", capture: {version: v}}", "variable already");
	assert_refused("http: {url: \"http://x/\", capture: {id: 'a['}}", "not a path into JSON");
	assert_refused("prometheus: {query: 'up{x=\"${id}\"}'}\n    require: '> 0'",
		"'${id}' is not a variable");
}

/* Hanging servers cost the suite's time-out, no more, and are no pass. */
static void test_hanging_server(void **state)
{
	struct scripted_answer script[] = { { .status = -1, .content_type = "x" }, { 0 } };
	struct scripted_server server = scripted_start(script);
	const struct suite_report *report;

	(void)state;
	report = suite_of("    timeout: 300ms\n    checks:\n"
			  "    - {name: h, http: {url: \"${target_url}/\"}}\n"
			  "    - {name: p, prometheus: {query: up}, require: '> 0'}\n"
			  "    - {name: g, gpu: {source: prometheus}}\n",
		server.url);
	scripted_stop(&server);
	assert_true(report->duration_ms < 2000);
	for (size_t i = 0; i < report->count; i++) {
		assert_int_equal(report->checks[i].verdict.result, CHECK_NO_DATA);
		assert_int_equal(report->checks[i].status, SUITE_NO_GO);
	}
}

/* ---- printers ---- */

#define MIXED                                                                                      \
	"  - {name: good, command: {argv: ['true']}, hint: never seen}\n"                          \
	"  - {name: 'bad <&>', command: {argv: [echo, '7'], match: '(.)'}, require: '< 5', "       \
	"hint: 'do this'}\n"                                                                       \
	"  - {name: mild, file: {path: none}, severity: warning}\n"

static void test_json(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	cJSON *json;
	const cJSON *check;

	(void)state;
	suite_to_json(suite_of(MIXED, NULL), &text);
	json = cJSON_Parse(buf_text(&text));
	assert_non_null(json);
	assert_string_equal(cJSON_GetObjectItem(json, "suite")->valuestring, "s");
	assert_string_equal(cJSON_GetObjectItem(json, "verdict")->valuestring, "NO_GO");
	assert_non_null(cJSON_GetObjectItem(json, "started_at"));
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(json, "duration_ms")));
	check = cJSON_GetObjectItem(json, "counts");
	assert_int_equal(cJSON_GetObjectItem(check, "GO")->valueint, 1);
	assert_int_equal(cJSON_GetObjectItem(check, "WARNING")->valueint, 1);
	assert_int_equal(cJSON_GetObjectItem(check, "NO_GO")->valueint, 1);
	check = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "checks"), 1);
	assert_string_equal(cJSON_GetObjectItem(check, "name")->valuestring, "bad <&>");
	assert_string_equal(cJSON_GetObjectItem(check, "kind")->valuestring, "command");
	assert_string_equal(cJSON_GetObjectItem(check, "status")->valuestring, "NO_GO");
	assert_string_equal(cJSON_GetObjectItem(check, "result")->valuestring, "FAIL");
	assert_int_equal(cJSON_GetObjectItem(check, "value")->valueint, 7);
	assert_string_equal(cJSON_GetObjectItem(check, "require")->valuestring, "< 5");
	assert_string_equal(cJSON_GetObjectItem(check, "hint")->valuestring, "do this");
	assert_non_null(cJSON_GetObjectItem(check, "message"));
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(check, "duration_ms")));
	cJSON_Delete(json);
}

static void test_text(void **state)
{
	const struct report_options options = { .stream = stdout };
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	setenv("LC_ALL", "C", 1);
	suite_to_text(suite_of(MIXED, NULL), &options, &text);
	assert_non_null(strstr(buf_text(&text), "  + good "));
	assert_null(strstr(buf_text(&text), "never seen"));
	assert_non_null(strstr(buf_text(&text), "  x bad <&>"));
	assert_non_null(strstr(buf_text(&text), "7 is not < 5\n      do: do this\n"));
	assert_non_null(strstr(buf_text(&text), "\nNO-GO  1 of 3 checks says no, 1 warns ("));
}

static void test_junit(void **state)
{
	const struct suite_report *report = suite_of(MIXED, NULL);
	CLEANUP_BUF struct buf xml = BUF_INIT(0);

	(void)state;
	suites_to_junit("shop", &report, 1, &xml);
	assert_non_null(strstr(buf_text(&xml),
		"<testsuite name=\"s\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"0\""));
	assert_non_null(strstr(buf_text(&xml), "name=\"bad &lt;&amp;&gt;\""));
	assert_non_null(strstr(buf_text(&xml), "<failure type=\"FAIL\""));
	assert_non_null(strstr(buf_text(&xml), "what to do: do this"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_statuses),
		cmocka_unit_test(test_nothing_is_no_go),
		cmocka_unit_test(test_worst_counts),
		cmocka_unit_test(test_concurrent),
		cmocka_unit_test(test_captures),
		cmocka_unit_test(test_missing_capture),
		cmocka_unit_test(test_hostile_capture),
		cmocka_unit_test(test_unknown_variables),
		cmocka_unit_test(test_hanging_server),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_junit),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
