/*
 * The kind `compare`: what of Prometheus' samples is counted when, what it says, and what it
 * refuses. The server answers from a script; time 1000 is "now", scrapes come every 15 s.
 */
#include "test.h"

#include "scripted_server.h"

#include "canaryctl/check_memory.h"
#include "canaryctl/config.h"
#include "checks/check_compare.h"
#include "checks/check_kinds.h"

#define JSON          "application/json"
#define SUCCESS(data) "{\"status\":\"success\",\"data\":{" data "}}"
#define MATRIX(list)  SUCCESS("\"resultType\":\"matrix\",\"result\":[" list "]")
#define SERIES(name, values)                                                                       \
	MATRIX("{\"metric\":{\"instance\":\"" name "\",\"job\":\"app\"},\"values\":[" values "]}")
#define CLOCK                                                                                      \
	{                                                                                          \
		"query=time%28%29", 0, 200, JSON,                                                  \
			SUCCESS("\"resultType\":\"scalar\",\"result\":[1000,\"1000\"]")            \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		"query=", 0, 200, JSON, MATRIX("")                                                 \
	}
#define ALL_OF(arm, values)                                                                        \
	{                                                                                          \
		"query=n%7Bv%3D%22" arm, 0, 200, JSON, SERIES(arm, values)                         \
	}
#define BAD_OF(arm, values)                                                                        \
	{                                                                                          \
		"query=b%7Bv%3D%22" arm, 0, 200, JSON, SERIES(arm, values)                         \
	}

struct fixture {
	struct task task;
	struct evaluation evaluation;
	struct config config;
	struct compare_params params;
	struct check_config check;
	const struct check_config *checks[1];
	struct check_memory memory;
	bool is_stage;
	int64_t settled_ms;
	struct verdict verdict;
};

static char *text(const char *literal)
{
	return (char *)(uintptr_t)literal;
}

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.params = (struct compare_params){ text("b"), text("n"), text("v=\"canary\""),
		text("v=\"production\""), 0.01, 1.5, 0.002, 0.005, false };
	f.check = (struct check_config){
		.name = text("judge"), .kind = &check_kind_compare, .params = &f.params
	};
	f.checks[0] = &f.check;
	f.config.service = text("demo");
	f.config.checks = &f.check;
	f.config.check_count = 1;
	f.config.rollout.stage_count = 4;
	f.is_stage = true;
	f.settled_ms = 30000;
	*state = &f;
	return 0;
}

static enum task_next fixture_ask(struct task *task)
{
	struct fixture *f = container_of(task, struct fixture, task);

	f->evaluation = (struct evaluation){
		.context = { .config = &f->config,
			.version = "v0.2.0",
			.stage_weight = 500,
			.window_ms = 60000,
			.settled_ms = f->settled_ms },
		.checks = f->checks,
		.count = 1,
		.memories = f->is_stage ? &f->memory : NULL,
	};
	evaluation_start(&f->evaluation, task);
	return TASK_WAIT;
}

static const struct task_step steps[] = { { "ask", fixture_ask }, { 0 } };

static enum check_result evaluate(struct fixture *f, struct scripted_answer *script)
{
	struct scripted_server server = scripted_start(script);
	struct loop *loop = loop_new();

	f->config.prometheus = (struct prometheus_config){
		.url = server.url, .timeout_ms = 5000, .scrape_interval_ms = 15000
	};
	task_start(&f->task, loop, "test", steps);
	loop_run(loop, &f->task);
	f->verdict = f->evaluation.verdicts[0];
	evaluation_release(&f->evaluation);
	loop_free(loop);
	scripted_stop(&server);
	return f->verdict.result;
}

static void expect_message(const struct fixture *f, const char *part)
{
	if (!strstr(f->verdict.message, part))
		fail_msg("'%s' is not in '%s'", part, f->verdict.message);
}

#define SOME_TRAFFIC                                                                               \
	CLOCK, ALL_OF("canary", "[955,\"90\"],[970,\"100\"],[985,\"103\"],[1000,\"105\"]"),        \
		BAD_OF("canary", "[955,\"5\"],[970,\"7\"],[985,\"7\"],[1000,\"8\"]"),              \
		ALL_OF("production",                                                               \
			"[955,\"8000\"],[970,\"9000\"],[985,\"9500\"],[1000,\"10100\"]"),          \
		BAD_OF("production", "[955,\"0\"],[970,\"4\"],[985,\"5\"],[1000,\"5\"]")

/* Settled 30 s ago, at 970: what came before is not counted, each scrape since is a block. */
static void counts_from_settle_on_and_nothing_twice(void **state)
{
	struct scripted_answer script[] = { SOME_TRAFFIC, NOTHING, { 0 } };
	struct fixture *f = *state;
	struct check_memory once;

	assert_int_equal(evaluate(f, script), CHECK_NO_DATA);
	assert_true(f->memory.counted_until == 1000 && f->memory.counted_s == 30);
	assert_true(f->memory.evidence.total.nc == 5 && f->memory.evidence.total.kc == 1);
	assert_true(f->memory.evidence.total.nb == 1100 && f->memory.evidence.total.kb == 1);
	assert_true(f->memory.evidence.blocks == 2);
	assert_true(f->memory.evidence.limits.false_alarm == 0.01 / 4);
	assert_int_equal(f->verdict.measurement.reason, NO_DATA_TOO_FEW);
	assert_true(f->verdict.measurement.is_undecided);
	expect_message(f, "20% bad (1 of 5 requests), production 0.0909% of 1100: not enough");
	expect_message(f, "of the 400 that fail");
	once = f->memory;
	assert_int_equal(evaluate(f, script), CHECK_NO_DATA);
	assert_memory_equal(&once, &f->memory, sizeof(once));
}

/* What a process before had counted, up to 985, is not counted by this one. */
static void goes_on_from_what_was_journalled(void **state)
{
	struct scripted_answer script[] = { SOME_TRAFFIC, NOTHING, { 0 } };
	struct fixture *f = *state;
	struct evidence_limits limits = { 1.5, 0.002, 0.005, 0.3 };

	f->memory.counted_until = 985;
	evidence_init(&f->memory.evidence, &limits);
	evidence_take(&f->memory.evidence, &(struct evidence_block){ 500, 1, 3, 0 });
	evaluate(f, script);
	assert_true(f->memory.evidence.total.nc == 5 && f->memory.evidence.total.nb == 1100);
	assert_true(f->memory.evidence.limits.false_alarm == 0.01 / 4);
	/* Judged by other limits it is no evidence for these. */
	setup(state);
	limits.ratio = 2;
	f->memory.counted_until = 985;
	evidence_init(&f->memory.evidence, &limits);
	evidence_take(&f->memory.evidence, &(struct evidence_block){ 500, 1, 3, 0 });
	evaluate(f, script);
	assert_true(f->memory.evidence.total.nc == 2 && f->memory.evidence.total.nb == 600);
}

static void nothing_before_settle(void **state)
{
	struct scripted_answer script[] = { SOME_TRAFFIC, NOTHING, { 0 } };
	struct fixture *f = *state;

	f->settled_ms = -20000;
	assert_int_equal(evaluate(f, script), CHECK_NO_DATA);
	assert_false(f->verdict.measurement.is_undecided);
	assert_true(f->memory.counted_until == 1020 && f->memory.evidence.blocks == 0);
	expect_message(f, "before the stage has settled");
}

/* Production was scraped last at 990, so the canary's sample of 1000 waits. */
static void both_arms_are_cut_at_the_older_one(void **state)
{
	struct scripted_answer script[] = { CLOCK,
		ALL_OF("canary", "[970,\"100\"],[985,\"103\"],[1000,\"109\"]"),
		BAD_OF("canary", "[970,\"0\"],[985,\"0\"],[1000,\"0\"]"),
		ALL_OF("production", "[960,\"9000\"],[975,\"9500\"],[990,\"10000\"]"),
		BAD_OF("production", "[960,\"0\"],[975,\"0\"],[990,\"0\"]"), NOTHING, { 0 } };
	struct fixture *f = *state;

	evaluate(f, script);
	assert_true(f->memory.counted_until == 990);
	assert_true(f->memory.evidence.total.nc == 3);
	assert_true(f->memory.evidence.total.nb + f->memory.evidence.pool.nb == 1000);
}

static void what_cannot_be_seen_is_discarded(void **state)
{
	struct scripted_answer down[] = { { "query=up", 0, 200, JSON,
						  SERIES("canary", "[985,\"1\"],[1000,\"0\"]") },
		SOME_TRAFFIC, NOTHING, { 0 } };
	struct scripted_answer script[] = { SOME_TRAFFIC, NOTHING, { 0 } };
	struct fixture *f = *state;

	assert_int_equal(evaluate(f, down), CHECK_NO_DATA);
	assert_int_equal(f->verdict.measurement.reason, NO_DATA_SCRAPE_DOWN);
	assert_false(f->verdict.measurement.is_undecided);
	expect_message(f, "canary: target 'canary' of job 'app' is down");
	assert_true(f->memory.counted_until == 1000);
	evaluate(f, script);
	assert_true(f->memory.evidence.blocks == 0);
}

/* Could not be asked: nothing is lost, the next look counts it. */
static void what_was_not_answered_is_counted_later(void **state)
{
	struct scripted_answer refused[] = { CLOCK, { "query=", 0, 400, JSON, "{}" }, { 0 } };
	struct scripted_answer script[] = { SOME_TRAFFIC, NOTHING, { 0 } };
	struct fixture *f = *state;

	assert_int_equal(evaluate(f, refused), CHECK_ERROR);
	assert_true(f->memory.counted_until == 970);
	evaluate(f, script);
	assert_true(f->memory.evidence.total.nc == 5);
}

static void worse_is_decisive(void **state)
{
	struct scripted_answer script[] = { CLOCK,
		ALL_OF("canary",
			"[940,\"0\"],[955,\"20\"],[970,\"40\"],[985,\"60\"],[1000,\"80\"]"),
		BAD_OF("canary",
			"[940,\"0\"],[955,\"10\"],[970,\"20\"],[985,\"30\"],[1000,\"40\"]"),
		ALL_OF("production",
			"[940,\"0\"],[955,\"1000\"],[970,\"2000\"],[985,\"3000\"],[1000,\"4000\"]"),
		BAD_OF("production",
			"[940,\"0\"],[955,\"0\"],[970,\"0\"],[985,\"0\"],[1000,\"0\"]"),
		NOTHING, { 0 } };
	struct scripted_answer refused[] = { CLOCK, { "query=", 0, 400, JSON, "{}" }, { 0 } };
	struct fixture *f = *state;

	f->settled_ms = 60000;
	assert_int_equal(evaluate(f, script), CHECK_FAIL);
	assert_true(f->verdict.is_critical);
	assert_string_equal(f->verdict.message,
		"worse than production: 50% bad (40 of 80 requests), production 0% of 4000; "
		"evidence 1e+04 and 1e+04, of 400 needed");
	assert_true(f->verdict.measurement.value == 0.5 && f->verdict.measurement.samples == 80);
	/* It stays so, whatever is answered later. */
	assert_int_equal(evaluate(f, refused), CHECK_FAIL);
}

static void good_enough_passes(void **state)
{
	struct scripted_answer script[] = { CLOCK,
		ALL_OF("canary", "[970,\"0\"],[985,\"500\"],[1000,\"1000\"]"),
		BAD_OF("canary", "[970,\"0\"],[985,\"0\"],[1000,\"0\"]"),
		ALL_OF("production", "[970,\"0\"],[985,\"9000\"],[1000,\"18000\"]"),
		BAD_OF("production", "[970,\"0\"],[985,\"9\"],[1000,\"18\"]"), NOTHING, { 0 } };
	struct fixture *f = *state;

	assert_int_equal(evaluate(f, script), CHECK_PASS);
	assert_false(f->verdict.measurement.may_end_stage);
	expect_message(
		f, "0% (0 bad of 1000 requests): proven below 0.5%: evidence 75.4, of 20 needed");
	assert_true(f->verdict.measurement.baseline == 0.001);
	f->params.early = true;
	assert_int_equal(evaluate(f, script), CHECK_PASS);
	assert_true(f->verdict.measurement.may_end_stage);
}

/* In a suite: one look at the last window, by the check's whole false alarm. */
static void a_suite_looks_once(void **state)
{
	struct scripted_answer script[] = { SOME_TRAFFIC, NOTHING, { 0 } };
	struct fixture *f = *state;

	f->is_stage = false;
	assert_int_equal(evaluate(f, script), CHECK_NO_DATA);
	expect_message(f, "of the 100 that fail");
	expect_message(f, "; one look at 1m can decide with about ");
	assert_true(f->verdict.measurement.samples == 15);
}

static void a_canary_without_requests_is_no_pass(void **state)
{
	struct scripted_answer script[] = { CLOCK,
		ALL_OF("canary", "[970,\"100\"],[985,\"100\"],[1000,\"100\"]"),
		BAD_OF("canary", "[970,\"7\"],[985,\"7\"],[1000,\"7\"]"),
		ALL_OF("production", "[970,\"9000\"],[985,\"9500\"],[1000,\"10100\"]"),
		BAD_OF("production", "[970,\"4\"],[985,\"5\"],[1000,\"5\"]"), NOTHING, { 0 } };
	struct fixture *f = *state;

	assert_int_equal(evaluate(f, script), CHECK_NO_DATA);
	assert_int_equal(f->verdict.measurement.reason, NO_DATA_NO_REQUESTS);
	assert_false(f->verdict.measurement.is_undecided);
	assert_true(f->verdict.measurement.baseline_samples == 1100);
}

/* A counter that neither version has is a wrong name, not a canary without requests. */
static void a_wrong_name_is_said(void **state)
{
	struct scripted_answer script[] = { CLOCK,
		{ "query=up", 0, 200, JSON,
			MATRIX("{\"metric\":{\"__name__\":\"up\",\"instance\":\"a\",\"job\":"
			       "\"app\"},"
			       "\"values\":[[970,\"1\"],[985,\"1\"],[1000,\"1\"]]}") },
		NOTHING, { 0 } };
	struct fixture *f = *state;

	assert_int_equal(evaluate(f, script), CHECK_NO_DATA);
	assert_int_equal(f->verdict.measurement.reason, NO_DATA_NO_SERIES);
	expect_message(f, "there is no series of 'n' at all");
}

static void what_is_refused(void **state)
{
	struct fixture *f = *state;
	struct error err = { 0 };

	assert_int_equal(check_kind_compare.validate(&f->check, &err), 0);
	assert_int_equal(condition_parse("< 1%", &f->check.require, &err), 0);
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	setup(state);
	f->check.min_samples = 50;
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	setup(state);
	f->check.no_data = NO_DATA_PASS;
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	assert_non_null(strstr(err.hint, "undecided: pass"));
	setup(state);
	f->params.canary = text("canary");
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	assert_non_null(strstr(err.message, "'canary' is no list of labels"));
	setup(state);
	f->params.baseline = f->params.canary;
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	assert_non_null(strstr(err.message, "with itself"));
	/* One version's label in the counter of both. */
	setup(state);
	f->params.bad = text("b{status=~\"5..\",v=\"canary\"}");
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	assert_string_equal(err.message,
		"'bad' of check 'judge' has v=\"canary\", and 'v=\"production\"' asks for another");
	setup(state);
	f->params.total = text("n{v=\"production\"}");
	assert_int_equal(check_kind_compare.validate(&f->check, &err), -1);
	setup(state);
	f->params.total = text("n{job=\"app\"}");
	assert_int_equal(check_kind_compare.validate(&f->check, &err), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(counts_from_settle_on_and_nothing_twice, setup),
		cmocka_unit_test_setup(goes_on_from_what_was_journalled, setup),
		cmocka_unit_test_setup(nothing_before_settle, setup),
		cmocka_unit_test_setup(both_arms_are_cut_at_the_older_one, setup),
		cmocka_unit_test_setup(what_cannot_be_seen_is_discarded, setup),
		cmocka_unit_test_setup(what_was_not_answered_is_counted_later, setup),
		cmocka_unit_test_setup(worse_is_decisive, setup),
		cmocka_unit_test_setup(good_enough_passes, setup),
		cmocka_unit_test_setup(a_suite_looks_once, setup),
		cmocka_unit_test_setup(a_canary_without_requests_is_no_pass, setup),
		cmocka_unit_test_setup(a_wrong_name_is_said, setup),
		cmocka_unit_test_setup(what_is_refused, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
