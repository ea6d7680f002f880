/* With the real kinds of check: the shipped example, and docs/configuration.md being up to date. */
#include "canaryctl/config.h"
#include "canaryctl/fileio.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct check_config *find_check(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->check_count; i++) {
		if (strcmp(config->checks[i].name, name) == 0)
			return &config->checks[i];
	}
	fail_msg("no check '%s'", name);
	return NULL;
}

static struct config *load_example(struct buf *ret_diagnostics)
{
	struct error err = { 0 };

	return config_load(SOURCE_DIR "/configs/canaryctl.yaml", NULL, ret_diagnostics, &err);
}

static void test_example(void **state)
{
	static const struct {
		const char *name;
		const char *kind;
		const char *require;
		weight_t from_stage;
	} expected[] = {
		{ "error-rate", "ratio", "< 0.5%", 0 },
		{ "p95-fast", "latency", "<= 2.5s", 500 },
		{ "p95-balanced", "latency", "<= 3.2s", 500 },
		{ "p95-creative", "latency", "<= 4.5s", 500 },
		{ "schema-failures", "ratio", "<= 0", 0 },
		{ "rl-loss", "prometheus", "< 2 * baseline", 500 },
	};
	struct buf diagnostics = { 0 };
	struct config *config;

	(void)state;
	unsetenv("PROMETHEUS_URL");
	config = load_example(&diagnostics);
	assert_string_equal(buf_text(&diagnostics), "");
	assert_non_null(config);
	assert_string_equal(config->service, "fragrance-ai");
	assert_string_equal(config->prometheus.url, "http://localhost:9090");
	assert_string_equal(config->nginx.output, "/etc/nginx/conf.d/upstream.conf");
	assert_string_equal(config->nginx.brake, "/run/canaryctl/fragrance-ai.off");
	assert_int_equal(config->rollout.stage_count, 4);
	assert_int_equal(config->check_count, ARRAY_SIZE(expected));
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct check_config *check = find_check(config, expected[i].name);

		assert_string_equal(check->kind->name, expected[i].kind);
		assert_string_equal(check->require.text, expected[i].require);
		assert_int_equal(check->from_stage, expected[i].from_stage);
		assert_non_null(check->hint);
	}
	assert_string_equal(find_check(config, "error-rate")->critical.text, "> 1%");
	assert_int_equal(find_check(config, "rl-loss")->no_data, NO_DATA_PASS);
	config_free(config);
	buf_release(&diagnostics);
}

/* A breach is answered within five minutes, also right after a scaling; memory of the GPU blocks.
 */
static void test_example_autoscaling(void **state)
{
	static const char *const services[] = { "app", "worker-llm", "worker-rl" };
	struct buf diagnostics = { 0 };
	struct config *config = load_example(&diagnostics);
	const struct autoscaling_config *autoscaling;

	(void)state;
	assert_non_null(config);
	autoscaling = &config->autoscaling;
	assert_int_equal(autoscaling->rule_count, ARRAY_SIZE(services));
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		const struct scale_rule *rule = &autoscaling->rules[i];
		int64_t late_ms = autoscaling->interval_ms + config->prometheus.scrape_interval_ms;

		assert_string_equal(rule->service, services[i]);
		assert_true(rule->up.for_ms + late_ms <= INT64_C(5) * 60 * 1000);
		assert_true(rule->up.cooldown_ms + late_ms <= INT64_C(5) * 60 * 1000);
		assert_true(rule->down.cooldown_ms >= rule->up.cooldown_ms);
		assert_int_equal(rule->blocked_by.count, i == 1 ? 1 : 0);
	}
	assert_string_equal(autoscaling->rules[1].blocks[0]->name, "vram-headroom");
	assert_string_equal(autoscaling->rules[1].blocks[0]->kind->name, "gpu");
	config_free(config);
	buf_release(&diagnostics);
}

static void test_reference_is_up_to_date(void **state)
{
	struct buf written = { 0 }, generated = { 0 };
	struct error err = { 0 };
	bool is_same;

	(void)state;
	assert_int_equal(
		fileio_read(SOURCE_DIR "/docs/configuration.md", 1 << 20, &written, &err), 0);
	config_write_reference(&generated);
	is_same = strcmp(buf_text(&written), buf_text(&generated)) == 0;
	buf_release(&written);
	buf_release(&generated);
	if (!is_same)
		fail_msg("docs/configuration.md is stale: run `canaryctl debug config-reference > "
			 "docs/configuration.md`");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_example),
		cmocka_unit_test(test_example_autoscaling),
		cmocka_unit_test(test_reference_is_up_to_date),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
