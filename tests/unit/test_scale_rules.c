/* `autoscaling` in a configuration: values, merging, rules between values, and what is shown. */
#include "test.h"

#include "canaryctl/mem.h"

#include "config_fixture.h"

/* A rule, with what a case wants otherwise behind it. */
#define QUERIES "replicas: 'count(up)', metric: 'max(m)'"
#define UP      "scale_up: {when: '> 80%'}"
#define DOWN    "scale_down: {when: '< 30%'}"
#define COMMAND "scale: [run, '${service}=${replicas}']"
#define RULE(more)                                                                                 \
	"autoscaling: {services: {worker: {" QUERIES ", " UP ", " DOWN ", max: 4, " COMMAND more   \
	"}}}\n"

static struct config *load(const char *more, struct buf *ret_diagnostics)
{
	CLEANUP_FREE char *text = mem_format("%s%s", FIXTURE_MINIMAL, more);
	struct error err = { 0 };

	return fixture_load(text, false, ret_diagnostics, &err);
}

static struct config *load_good(const char *more)
{
	CLEANUP_BUF struct buf diagnostics = { 0 };
	struct config *config = load(more, &diagnostics);

	assert_string_equal(buf_text(&diagnostics), "");
	assert_non_null(config);
	return config;
}

static void test_defaults(void **state)
{
	struct config *config = load_good(RULE(""));
	const struct scale_rule *rule = &config->autoscaling.rules[0];

	(void)state;
	assert_int_equal(config->autoscaling.interval_ms, 30000);
	assert_int_equal(config->autoscaling.timeout_ms, 120000);
	assert_int_equal(config->autoscaling.rule_count, 1);
	assert_string_equal(rule->service, "worker");
	assert_string_equal(rule->metric, "max(m)");
	assert_string_equal(rule->up.when.text, "> 80%");
	assert_true(rule->down.when.number > 0.299 && rule->down.when.number < 0.301);
	assert_int_equal(rule->up.for_ms, 180000);
	assert_int_equal(rule->up.step, 1);
	assert_int_equal(rule->up.cooldown_ms, 180000);
	assert_int_equal(rule->down.for_ms, 600000);
	assert_int_equal(rule->down.cooldown_ms, 600000);
	assert_int_equal(rule->min, 1);
	assert_int_equal(rule->max, 4);
	assert_int_equal(rule->blocked_by.count, 0);
	assert_string_equal(rule->scale.items[1], "${service}=${replicas}");
	config_free(config);
}

/* In a file of its own, and the checks that block in the one that includes it, or in a third. */
static void test_included(void **state)
{
	struct config *config;

	(void)state;
	fixture_write("more.yaml", RULE(", blocked_by: [memory, s/room]"));
	fixture_write("again.yaml",
		"suites: {s: [{name: room, prometheus: {query: x}, require: '> 1'}]}\n");
	config = load_good("checks: [{name: memory, prometheus: {query: y}, require: '> 1'}]\n"
			   "include: [more.yaml, again.yaml]\n");
	assert_string_equal(config->autoscaling.rules[0].blocks[0]->name, "memory");
	assert_string_equal(config->autoscaling.rules[0].blocks[1]->name, "room");
	config_free(config);
}

/* Every mistake at its place, with what to do. */
static void test_mistakes(void **state)
{
	static const struct {
		const char *more, *at, *problem, *hint;
	} cases[] = {
		{ "autoscaling: {interval: 10s}\n", "c.yaml:9:14: autoscaling.services",
			"is required and missing", "by its name" },
		{ "autoscaling: {services: []}\n", "c.yaml:9:25: autoscaling.services",
			"must be a map, not a list", "write 'NAME: {metric: ...}'" },
		{ "autoscaling: {services: {-x: {" QUERIES ", " UP ", " DOWN ", max: 4, " COMMAND
		  "}}}\n",
			"c.yaml:9:26: autoscaling.services", "'-x' is not the name of a service",
			"use letters" },
		{ "autoscaling: {services: {w: {" QUERIES ", " UP ", max: 4, " COMMAND "}}}\n",
			"autoscaling.services.w.scale_down.when", "is required and missing",
			"condition" },
		{ RULE(", min: 5"), "autoscaling.services.worker.max", "4 is below min, which is 5",
			"" },
		{ RULE(", mix: 5"), "autoscaling.services.worker", "unknown key 'mix'",
			"did you mean 'm" },
		{ RULE(", blocked_by: [a/b]"), "autoscaling.services.worker.blocked_by[0]",
			"there is no check 'a/b'", "SUITE/CHECK" },
		{ "autoscaling: {services: {w: {" QUERIES ", " UP ", " DOWN
		  ", max: 4, scale: [run, '${service}']}}}\n",
			"autoscaling.services.w.scale", "does not say how many",
			"${service}=${replicas}" },
		{ "autoscaling: {services: {w: {" QUERIES ", " UP ", " DOWN
		  ", max: 4, scale: [run, '${replicas} ${version}']}}}\n",
			"autoscaling.services.w.scale", "'${version}' is no variable",
			"${service} and ${replicas}" },
		{ "autoscaling: {services: {w: {" QUERIES ", " UP ", " DOWN
		  ", max: 4, scale: 'docker up ${replicas}'}}}\n",
			"autoscaling.services.w.scale", "must be a list", "shell" },
		{ "autoscaling: {services: {w: {replicas: 'count(up[${windw}])', metric: m, " UP
		  ", " DOWN ", max: 4, " COMMAND "}}}\n",
			"autoscaling.services.w.replicas", "'${windw}' is not a variable",
			"did you mean '${window}'?" },
		{ "autoscaling: {services: {w: {" QUERIES
		  ", scale_up: {when: '> 80%', for: 10s}, " DOWN ", max: 4, " COMMAND "}}}\n",
			"autoscaling.services.w.scale_up.for",
			"10s is no usable time: prometheus.scrape_interval is 15s", "10000" },
		{ "autoscaling: {services: {w: {" QUERIES ", scale_up: {when: '!= 80%'}, " DOWN
		  ", max: 4, " COMMAND "}}}\n",
			"autoscaling.services.w.scale_up.when", "cannot tell too much", "use <" },
		{ "autoscaling: {services: {w: {" QUERIES
		  ", scale_up: {when: '> 2 * baseline'}, " DOWN ", max: 4, " COMMAND "}}}\n",
			"autoscaling.services.w.scale_up.when", "cannot tell too much", "use <" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_BUF struct buf diagnostics = { 0 };
		struct config *config = load(cases[i].more, &diagnostics);
		const char *text = buf_text(&diagnostics);

		if (config || !strstr(text, cases[i].at) || !strstr(text, cases[i].problem) ||
			!strstr(text, cases[i].hint))
			fail_msg("case %zu: %s", i, text);
	}
}

static void test_overlap(void **state)
{
	static const struct {
		const char *up, *down;
		bool is_good;
	} cases[] = {
		{ "> 80%", "< 30%", true },
		{ "< 20%", "> 60%", true }, /* what is free */
		{ "> 80%", "< 80%", false },
		{ ">= 80%", "<= 80%", false },
		{ "> 80%", "< 90%", false },
		{ "> 80%", "> 30%", false },
		{ "< 20%", "< 10%", false },
		{ "< 60%", "> 20%", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *text =
			mem_format("autoscaling: {services: {w: {" QUERIES
				   ", scale_up: {when: '%s'}, scale_down: {when: '%s'}, max: 4, "
				   "scale: [run, '${replicas}']}}}\n",
				cases[i].up, cases[i].down);
		CLEANUP_BUF struct buf diagnostics = { 0 };
		struct config *config = load(text, &diagnostics);

		if ((config != NULL) != cases[i].is_good)
			fail_msg("'%s' and '%s': %s", cases[i].up, cases[i].down,
				buf_text(&diagnostics));
		if (!config)
			assert_non_null(strstr(buf_text(&diagnostics), "overlap"));
		config_free(config);
	}
}

/* No rules are none, and nothing of them is shown. */
static void test_empty(void **state)
{
	CLEANUP_BUF struct buf shown = { 0 };
	struct config *config = load_good("autoscaling: {interval: 10s, services: {}}\n");

	(void)state;
	assert_int_equal(config->autoscaling.rule_count, 0);
	config_show(config, &shown);
	assert_null(strstr(buf_text(&shown), "autoscaling"));
	config_free(config);
}

static void test_in_two_files(void **state)
{
	CLEANUP_BUF struct buf diagnostics = { 0 };

	(void)state;
	fixture_write("more.yaml", RULE(""));
	assert_null(load("include: [more.yaml]\n" RULE(""), &diagnostics));
	assert_non_null(strstr(buf_text(&diagnostics), "more.yaml:1:25: autoscaling.services: "
						       "another file has autoscaling rules, too"));
}

/* A rollback must not stumble over a broken rule. */
static void test_not_for_a_rollback(void **state)
{
	CLEANUP_BUF struct buf diagnostics = { 0 };
	struct error err = { 0 };
	struct config *config;

	(void)state;
	config = fixture_load(FIXTURE_MINIMAL "autoscaling: {services: {w: {max: x}}, y: 1}\n",
		true, &diagnostics, &err);
	assert_non_null(config);
	assert_int_equal(config->autoscaling.rule_count, 0);
	config_free(config);
}

/* What is shown can be loaded again, and is then shown the same. */
static void test_shown(void **state)
{
	CLEANUP_BUF struct buf shown = { 0 }, again = { 0 }, diagnostics = { 0 };
	struct error err = { 0 };
	struct config *config =
		load_good("checks: [{name: memory, prometheus: {query: y}, require: '> 1'}]\n" RULE(
			", blocked_by: [memory], min: 2"));

	(void)state;
	config_show(config, &shown);
	config_free(config);
	assert_non_null(strstr(buf_text(&shown), "    worker:\n      replicas: \"count(up)\"\n"));
	assert_non_null(strstr(buf_text(&shown), "      scale_up:\n        when: \"> 80%\"\n"
						 "        for: 3m\n"));
	assert_non_null(strstr(buf_text(&shown), "      blocked_by: [memory]\n"));
	fixture_write("shown.yaml", buf_text(&shown));
	config = config_load("shown.yaml", NULL, &diagnostics, &err);
	assert_string_equal(buf_text(&diagnostics), "");
	config_show(config, &again);
	assert_string_equal(buf_text(&again), buf_text(&shown));
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_included),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_overlap),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_in_two_files),
		cmocka_unit_test(test_not_for_a_rollback),
		cmocka_unit_test(test_shown),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
