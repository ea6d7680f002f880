/*
 * Whole evaluations against a server that answers from a script: what is asked, what follows from
 * the answers, and what happens where there are none.
 */
#include "canaryctl/config.h"
#include "checks/check_kinds.h"
#include "scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define JSON          "application/json"
#define SUCCESS(data) "{\"status\":\"success\",\"data\":{" data "}}"
#define SCALAR(value) SUCCESS("\"resultType\":\"scalar\",\"result\":[1000,\"" value "\"]")
#define VECTOR(list)  SUCCESS("\"resultType\":\"vector\",\"result\":[" list "]")
#define MATRIX(list)  SUCCESS("\"resultType\":\"matrix\",\"result\":[" list "]")
#define CLOCK                                                                                      \
	{                                                                                          \
		"query=time%28%29", 0, 200, JSON, SCALAR("1000")                                   \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		"query=", 0, 200, JSON, VECTOR("")                                                 \
	}
#define TARGET "\"instance\":\"a:1\",\"job\":\"app\""

/* The parameters of the kinds under test, laid out as the kinds' own. */
struct two_texts {
	char *first;
	char *second;
};

struct latency_texts {
	char *histogram;
	double quantile;
};

struct fixture {
	struct task task;
	struct evaluation evaluation;
	struct config config;
	struct check_config check;
	const struct check_config *checks[2];
	struct verdict verdict;
	bool answered;
	bool cancel;
};

static enum task_next fixture_ask(struct task *task)
{
	struct fixture *f = container_of(task, struct fixture, task);

	f->evaluation = (struct evaluation){
		.context = { .config = &f->config,
			.version = "v0.2.0",
			.stage_weight = 2500,
			.window_ms = 60000 },
		.checks = f->checks,
		.count = 1,
	};
	evaluation_start(&f->evaluation, task);
	if (f->cancel)
		task_cancel(task);
	return TASK_WAIT;
}

static const struct task_step steps[] = { { "ask", fixture_ask }, { 0 } };

static enum check_result evaluate(struct fixture *f, struct scripted_answer *script)
{
	struct scripted_server server = scripted_start(script);
	struct loop *loop = loop_new();

	f->config.prometheus = (struct prometheus_config){
		.url = server.url, .timeout_ms = 2000, .scrape_interval_ms = 15000
	};
	f->config.service = (char *)(uintptr_t) "demo";
	f->checks[0] = &f->check;
	if (!f->check.name)
		f->check.name = (char *)(uintptr_t) "check";
	task_start(&f->task, loop, "test", steps);
	loop_run(loop, &f->task);
	f->verdict = f->evaluation.verdicts[0];
	f->answered = f->evaluation.prometheus_answered;
	evaluation_release(&f->evaluation);
	loop_free(loop);
	scripted_stop(&server);
	return f->verdict.result;
}

static void require(struct fixture *f, const char *condition)
{
	assert_int_equal(condition_parse(condition, &f->check.require, NULL), 0);
}

static void expect_message(const struct fixture *f, const char *part)
{
	if (!strstr(f->verdict.message, part))
		fail_msg("'%s' is not in '%s'", part, f->verdict.message);
}

static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

/* The version is a label of the application only: `up` has to be asked by job and instance. */
static void a_ratio_in_three_rounds(void **state)
{
	struct scripted_answer script[] = {
		CLOCK,
		{ "query=up%7Bversion%3D%22canary%22%7D%5B1m%5D&time=1000.000", 0, 200, JSON,
			MATRIX("") },
		{ "query=up%7Bjob%3D~%22app%22%2Cinstance%3D~%22a%3A1%22%7D%5B1m%5D&time=1000.000",
			0, 200, JSON,
			MATRIX("{\"metric\":{" TARGET "},\"values\":[[970,\"1\"],[985,\"1\"],"
			       "[1000,\"1\"]]}") },
		{ "query=n%7Bversion%3D%22canary%22%7D%5B1m%5D&time=1000.000", 0, 200, JSON,
			MATRIX("{\"metric\":{" TARGET ",\"status\":\"200\"},"
			       "\"values\":[[970,\"100\"],[985,\"150\"],[1000,\"196\"]]},"
			       "{\"metric\":{" TARGET ",\"status\":\"500\"},"
			       "\"values\":[[985,\"1\"],[1000,\"4\"]]}") },
		{ "query=n%7Bversion%3D%22canary%22%2Cstatus%3D~%225..%22%7D%5B1m%5D", 0, 200, JSON,
			MATRIX("{\"metric\":{" TARGET ",\"status\":\"500\"},"
			       "\"values\":[[985,\"1\"],[1000,\"4\"]]}") },
		{ 0 },
	};
	struct two_texts params = { text("n{version=\"canary\",status=~\"5..\"}"),
		text("n{version=\"canary\"}") };
	struct fixture f = { .check = { .kind = &check_kind_ratio, .params = &params } };

	(void)state;
	require(&f, "< 5%");
	assert_int_equal(evaluate(&f, script), CHECK_PASS);
	assert_string_equal(f.verdict.message, "4% is < 5% (4 bad of 100 requests)");
	assert_true(f.answered);
	assert_true(f.verdict.measurement.span_s == 30);
	assert_true(f.evaluation.context.server_time == 1000);
}

/* A failure counter that never counted, and a canary that restarted: both are said. */
static void absent_failures_and_restarts_are_said(void **state)
{
	struct scripted_answer script[] = {
		CLOCK,
		{ "query=n%7B", 0, 200, JSON,
			MATRIX("{\"metric\":{" TARGET
			       "},\"values\":[[970,\"100\"],[985,\"3\"],[1000,\"10\"]]}") },
		{ NULL, 0, 200, JSON, MATRIX("") },
		{ 0 },
	};
	struct two_texts params = { text("failures{a=\"b\"}"), text("n{a=\"b\"}") };
	struct fixture f = { .check = { .kind = &check_kind_ratio, .params = &params } };

	(void)state;
	require(&f, "<= 0");
	assert_int_equal(evaluate(&f, script), CHECK_PASS);
	assert_string_equal(f.verdict.message,
		"0% is <= 0 (0 bad of 10 requests): 'failures' has no series here, which counts as "
		"0; 1 target restarted in the window (a counter was reset)");
	/* of the same metric, a label that no series has is a misspelt one */
	params.first = text("n{stauts=~\"5..\"}");
	script[1].when = "query=n%7Ba";
	assert_int_equal(evaluate(&f, script), CHECK_NO_DATA);
	expect_message(&f, "has a label 'stauts'");
}

static void a_warning_is_no_data(void **state)
{
	struct scripted_answer script[] = {
		CLOCK,
		{ "query=n", 0, 200, JSON,
			"{\"status\":\"success\",\"warnings\":[\"store b is down\"],\"data\":{"
			"\"resultType\":\"matrix\",\"result\":[{\"metric\":{" TARGET
			"},\"values\":[[985,\"1\"],[1000,\"900\"]]}]}}" },
		{ "query=up", 0, 200, JSON, MATRIX("") },
		{ 0 },
	};
	struct two_texts params = { text("n{a=\"b\",s=\"5\"}"), text("n{a=\"b\"}") };
	struct fixture f = { .check = { .kind = &check_kind_ratio, .params = &params } };

	(void)state;
	require(&f, "< 0.5%");
	f.check.no_data = NO_DATA_PASS;
	assert_int_equal(evaluate(&f, script), CHECK_NO_DATA);
	assert_int_equal(f.verdict.measurement.reason, NO_DATA_PARTIAL);
	expect_message(&f, "store b is down");
}

#define BUCKET(le, from, to)                                                                       \
	"{\"metric\":{" TARGET ",\"le\":\"" le "\"},\"values\":[[985,\"" from "\"],[1000,\"" to    \
	"\"]]}"
#define BOUND(le) "{\"metric\":{\"le\":\"" le "\"},\"value\":[1000,\"1\"]}"

/* 94 of 100 within 1 s: p95 is in the top bucket, where histogram_quantile says 1 and passes. */
static void latency_beyond_the_top_bucket_fails(void **state)
{
	struct scripted_answer script[] = {
		CLOCK,
		{ "query=count", 0, 200, JSON,
			VECTOR(BOUND("0.5") "," BOUND("1.0") "," BOUND("+Inf")) },
		{ "query=h_bucket", 0, 200, JSON,
			MATRIX(BUCKET("0.5", "0", "50") "," BUCKET("1.0", "0", "94") "," BUCKET(
				"+Inf", "0", "100")) },
		{ "query=up", 0, 200, JSON, MATRIX("") },
		{ 0 },
	};
	struct latency_texts params = { text("h{a=\"b\"}"), 0.95 };
	struct fixture f = { .check = { .kind = &check_kind_latency, .params = &params } };

	(void)state;
	require(&f, "<= 1s");
	assert_int_equal(evaluate(&f, script), CHECK_FAIL);
	assert_string_equal(f.verdict.message,
		"p95 above 1s is not <= 1s (6 bad of 100 requests): 94% within 1s");
	params.quantile = 0.94;
	assert_int_equal(evaluate(&f, script), CHECK_PASS);
	require(&f, "<= 0.75s");
	assert_int_equal(evaluate(&f, script), CHECK_ERROR);
	assert_int_equal(f.verdict.measurement.error.kind, ERROR_CONFIG);
	expect_message(&f, "0.5s and 1s");
}

static void the_worst_series_counts(void **state)
{
	struct scripted_answer script[] = {
		CLOCK,
		{ "query=q", 0, 200, JSON,
			VECTOR("{\"metric\":{\"pod\":\"a\"},\"value\":[1000,\"1\"]},"
			       "{\"metric\":{\"pod\":\"b\"},\"value\":[1000,\"9\"]},"
			       "{\"metric\":{\"pod\":\"c\"},\"value\":[1000,\"NaN\"]}") },
		{ "query=nan", 0, 200, JSON,
			VECTOR("{\"metric\":{},\"value\":[1000,\"1\"]},"
			       "{\"metric\":{\"pod\":\"c\"},\"value\":[1000,\"NaN\"]}") },
		NOTHING,
		{ 0 },
	};
	struct two_texts params = { text("q"), NULL };
	struct fixture f = { .check = { .kind = &check_kind_prometheus, .params = &params } };

	(void)state;
	require(&f, "< 5");
	assert_int_equal(evaluate(&f, script), CHECK_FAIL);
	assert_string_equal(f.verdict.message, "9 is not < 5 for {pod=\"b\"}");
	params.first = text("nan"); /* one NaN among good ones never passes */
	assert_int_equal(evaluate(&f, script), CHECK_NO_DATA);
	params.first = text("typo{a=\"b\"}");
	assert_int_equal(evaluate(&f, script), CHECK_NO_DATA);
	expect_message(&f, "there is no series of 'typo' at all");
}

static void baselines_are_compared_here(void **state)
{
	struct scripted_answer script[] = {
		CLOCK,
		{ "query=loss%7Bv%3D%22canary", 0, 200, JSON,
			VECTOR("{\"metric\":{\"v\":\"canary\"},\"value\":[1000,\"5\"]}") },
		{ "query=loss%7Bv%3D%22production", 0, 200, JSON,
			VECTOR("{\"metric\":{\"v\":\"production\"},\"value\":[1000,\"2\"]}") },
		NOTHING,
		{ 0 },
	};
	struct two_texts params = { text("loss{v=\"canary\"}"), text("loss{v=\"production\"}") };
	struct fixture f = { .check = { .kind = &check_kind_prometheus, .params = &params } };

	(void)state;
	require(&f, "< 2 * baseline");
	assert_int_equal(evaluate(&f, script), CHECK_FAIL);
	assert_string_equal(f.verdict.message, "5 is not < 2 * baseline (baseline 2, limit 4)");
	params.second = text("nothing{v=\"production\"}");
	assert_int_equal(evaluate(&f, script), CHECK_NO_DATA);
	expect_message(&f, "the baseline's query returns nothing");
}

static void without_a_clock_nothing_else_is_asked(void **state)
{
	struct scripted_answer script[] = {
		{ "query=time", 0, 503, "text/plain", "starting" },
		{ NULL, 0, 200, JSON, VECTOR("{\"metric\":{},\"value\":[1,\"0\"]}") },
		{ 0 },
	};
	struct two_texts params = { text("q"), NULL };
	struct fixture f = { .check = { .kind = &check_kind_prometheus, .params = &params } };

	(void)state;
	require(&f, "< 5");
	assert_int_equal(evaluate(&f, script), CHECK_ERROR);
	assert_false(f.answered);
	expect_message(&f, "HTTP 503");
}

static void canceled_evaluations_end(void **state)
{
	struct scripted_answer script[] = { { NULL, 0, -1, "silent", "" }, { 0 } };
	struct two_texts params = { text("q"), NULL };
	struct fixture f = { .check = { .kind = &check_kind_prometheus, .params = &params },
		.cancel = true };

	(void)state;
	require(&f, "< 5");
	assert_int_equal(evaluate(&f, script), CHECK_ERROR);
	assert_int_equal(f.verdict.measurement.error.kind, ERROR_CANCELED);
}

static void canary_health(void **state)
{
	struct scripted_answer script[] = {
		{ "GET /good", 0, 200, JSON, "{\"status\":\"healthy\",\"version\":\"0.2.0\"}" },
		{ "GET /old", 0, 200, JSON, "{\"status\":\"healthy\",\"version\":\"0.1.9\"}" },
		{ 0 },
	};
	struct scripted_server server = scripted_start(script);
	static const char *const paths[] = { "/good", "/old", "/closes" };
	static const enum check_result results[] = { CHECK_PASS, CHECK_FAIL, CHECK_FAIL };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct arena arena = { 0 };
		struct fixture f = { 0 };

		f.config.canary.health = arena_format(&arena, "%s%s", server.url, paths[i]);
		f.check = *check_build_health(&arena, &f.config, "v0.2.0");
		assert_int_equal(evaluate(&f, script), results[i]);
		assert_false(f.evaluation.asked_prometheus);
		arena_release(&arena);
	}
	scripted_stop(&server);
}

#define ARM(from, to)                                                                              \
	MATRIX("{\"metric\":{" TARGET "},\"values\":[[940,\"" from "\"],[1000,\"" to "\"]]}")

static void the_actual_share(void **state)
{
	struct scripted_answer right[] = {
		CLOCK,
		{ "query=n%7Bv%3D%22canary", 0, 200, JSON, ARM("0", "250") },
		{ "query=n%7Bv%3D%22production", 0, 200, JSON, ARM("0", "750") },
		{ "query=up", 0, 200, JSON, MATRIX("") },
		{ 0 },
	};
	struct scripted_answer silent[] = {
		CLOCK,
		{ "query=n%7Bv%3D%22canary", 0, 200, JSON, ARM("9", "9") },
		{ "query=n%7Bv%3D%22production", 0, 200, JSON, ARM("0", "750") },
		{ "query=up", 0, 200, JSON, MATRIX("") },
		{ 0 },
	};
	struct fixture f = { .config.share = {
				     text("n"), text("v=\"canary\""), text("v=\"production\"") } };
	struct arena arena = { 0 };

	(void)state;
	f.check = *check_build_share(&arena, &f.config);
	assert_int_equal(evaluate(&f, right), CHECK_PASS);
	assert_string_equal(f.verdict.message, "25% (1000 samples): the stage says 25%");
	assert_int_equal(evaluate(&f, silent), CHECK_FAIL);
	expect_message(&f, "receives 0% of the requests (0 of 750), the stage says 25%");
	expect_message(&f, "max_fails");
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_ratio_in_three_rounds),
		cmocka_unit_test(absent_failures_and_restarts_are_said),
		cmocka_unit_test(a_warning_is_no_data),
		cmocka_unit_test(latency_beyond_the_top_bucket_fails),
		cmocka_unit_test(the_worst_series_counts),
		cmocka_unit_test(baselines_are_compared_here),
		cmocka_unit_test(without_a_clock_nothing_else_is_asked),
		cmocka_unit_test(canceled_evaluations_end),
		cmocka_unit_test(canary_health),
		cmocka_unit_test(the_actual_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
