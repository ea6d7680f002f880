/* Faults: grammar, triggers, even spreading. */
#include "canaryctl/buf.h"
#include "refapp/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void set(struct fault_set *faults, const char *text, uint64_t handled)
{
	struct error err = { 0 };

	if (fault_parse(faults, text, handled, &err) < 0)
		fail_msg("'%s': %s", text, err.message);
}

static void test_values(void **state)
{
	static const struct {
		const char *text;
		enum fault_id id;
		double value;
	} cases[] = {
		{ "error_rate=0.08", FAULT_ERROR_RATE, 0.08 },
		{ "error_rate=8%", FAULT_ERROR_RATE, 0.08 },
		{ "error_rate=1", FAULT_ERROR_RATE, 1 },
		{ "latency_factor=2.5", FAULT_LATENCY_FACTOR, 2.5 },
		{ "latency_ms=1500", FAULT_LATENCY_MS, 1500 },
		{ "unhealthy=1", FAULT_UNHEALTHY, 1 },
		{ "hang=100%", FAULT_HANG, 1 },
		{ "vram_full=95%", FAULT_VRAM_FULL, 0.95 },
		{ "reward_drop=0.6", FAULT_REWARD_DROP, 0.6 },
		{ "backlog=1000", FAULT_BACKLOG, 1000 },
	};
	const struct fault_facts facts = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault_set faults = { 0 };

		set(&faults, cases[i].text, 0);
		assert_true(fault_active(&faults, cases[i].id, &facts));
		assert_true(fault_value(&faults, cases[i].id, &facts, -1) == cases[i].value);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = { "", "error_rate", "=1", "nix=1",
		"error_rate=", "error_rate=x", "error_rate=1.1", "error_rate=101%",
		"error_rate=-0.1", "error_rate=nan", "error_rate=inf", "error_rate=0x1",
		"error_rate= 1", "latency_factor=5%", "latency_ms=1e9", "unhealthy=0.5",
		"version_lie=1.2", "version_lie=v1.0.0;rm", "error_rate=8%@", "error_rate=8%@rps",
		"error_rate=8%@2.5", "error_rate=8%@5 rps", "error_rate=8%@-5", "model_down=1",
		"model_down=gpt", "model_down=", "reward_drop=2e6", "cache_off=2" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault_set faults = { 0 };
		const struct fault_set untouched = { 0 };
		struct error err = { 0 };

		assert_int_equal(fault_parse(&faults, cases[i], 0, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_memory_equal(&faults, &untouched, sizeof(faults));
	}
}

static void test_refused_keeps_the_old(void **state)
{
	const struct fault_facts facts = { 0 };
	struct fault_set faults = { 0 };

	(void)state;
	set(&faults, "error_rate=0.5", 0);
	assert_int_equal(fault_parse(&faults, "error_rate=7", 0, NULL), -1);
	assert_true(fault_value(&faults, FAULT_ERROR_RATE, &facts, 0) == 0.5);
}

static void test_off(void **state)
{
	static const char *const cases[] = { "0", "off", "0.0", "0%", "0@20rps" };
	const struct fault_facts facts = { .per_second = 100 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault_set faults = { 0 };
		struct error err = { 0 };

		set(&faults, "error_rate=1", 0);
		assert_int_equal(fault_assign(&faults, "error_rate", cases[i], 0, &err), 0);
		assert_false(fault_active(&faults, FAULT_ERROR_RATE, &facts));
		assert_true(fault_value(&faults, FAULT_ERROR_RATE, &facts, 7) == 7);
	}
}

static void test_version_lie(void **state)
{
	struct fault_set faults = { 0 };

	(void)state;
	set(&faults, "version_lie=v9.9.9@500", 0);
	assert_string_equal(faults.faults[FAULT_VERSION_LIE].text, "v9.9.9");
	assert_int_equal(faults.faults[FAULT_VERSION_LIE].trigger, FAULT_AFTER_REQUESTS);
}

static void test_model_down(void **state)
{
	static const struct {
		const char *text;
		bool qwen, llama;
	} cases[] = {
		{ "model_down=qwen", true, false },
		{ "model_down=llama3_8b", false, true },
		{ "model_down=all", true, true },
		{ "model_down=off", false, false },
		{ "model_down=all@20rps", false, false },
	};
	const struct fault_facts facts = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fault_set faults = { 0 };

		set(&faults, cases[i].text, 0);
		assert_int_equal(fault_names_model(&faults, LLM_QWEN, &facts), cases[i].qwen);
		assert_int_equal(fault_names_model(&faults, LLM_LLAMA, &facts), cases[i].llama);
	}
}

static void test_all_off(void **state)
{
	const struct fault_facts facts = { 0 };
	struct fault_set faults = { 0 };
	struct error err = { 0 };

	(void)state;
	set(&faults, "error_rate=1", 0);
	set(&faults, "model_down=all", 0);
	assert_int_equal(fault_parse(&faults, "all=1", 0, &err), -1);
	assert_string_equal(err.message, "'all' faults can only be switched off, not set to '1'");
	assert_true(fault_active(&faults, FAULT_ERROR_RATE, &facts));
	set(&faults, "all=off", 0);
	for (int i = 0; i < FAULT_COUNT; i++)
		assert_false(fault_active(&faults, (enum fault_id)i, &facts));
}

/* The hint with all names fits whole. */
static void test_unknown_names_all(void **state)
{
	struct fault_set faults = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(fault_parse(&faults, "nix=1", 0, &err), -1);
	for (int i = 0; i < FAULT_COUNT; i++)
		assert_non_null(strstr(err.hint, fault_name((enum fault_id)i)));
}

static void test_trigger_requests(void **state)
{
	struct fault_set faults = { 0 };

	(void)state;
	/* 10 more, counted from the 100 that there were. */
	set(&faults, "unhealthy=1@10", 100);
	assert_false(
		fault_active(&faults, FAULT_UNHEALTHY, &(struct fault_facts){ .handled = 110 }));
	assert_true(
		fault_active(&faults, FAULT_UNHEALTHY, &(struct fault_facts){ .handled = 111 }));
}

static void test_trigger_rate(void **state)
{
	struct fault_set faults = { 0 };

	(void)state;
	set(&faults, "error_rate=8%@20rps", 0);
	assert_false(
		fault_active(&faults, FAULT_ERROR_RATE, &(struct fault_facts){ .per_second = 20 }));
	assert_true(fault_active(
		&faults, FAULT_ERROR_RATE, &(struct fault_facts){ .per_second = 20.5 }));
}

static void test_share_is_spread_evenly(void **state)
{
	static const double shares[] = { 0.001, 0.005, 0.08, 0.3, 0.5, 0.9, 1 };
	const struct fault_facts facts = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		struct fault_set faults = { 0 };
		int hits = 0;

		faults.faults[FAULT_ERROR_RATE] = (struct fault){ .set = true, .value = shares[i] };
		for (int n = 1; n <= 20000; n++) {
			hits += fault_hits(&faults, FAULT_ERROR_RATE, &facts);
			assert_true(hits <= shares[i] * n + 1e-6 && hits > shares[i] * n - 1);
		}
	}
}

static void test_json(void **state)
{
	const struct fault_facts facts = { 0 };
	struct fault_set faults = { 0 };
	CLEANUP_BUF struct buf out = { 0 };

	(void)state;
	set(&faults, "error_rate=8%@20rps", 0);
	fault_add_json(&faults, &facts, &out);
	assert_non_null(strstr(buf_text(&out),
		"{\"name\":\"error_rate\",\"set\":true,\"active\":false,\"value\":0.08,"
		"\"trigger\":\"above 20 requests per second\","));
	assert_non_null(strstr(buf_text(&out), "503 \\\"unhealthy\\\"\"}"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_refused_keeps_the_old),
		cmocka_unit_test(test_off),
		cmocka_unit_test(test_version_lie),
		cmocka_unit_test(test_model_down),
		cmocka_unit_test(test_all_off),
		cmocka_unit_test(test_unknown_names_all),
		cmocka_unit_test(test_trigger_requests),
		cmocka_unit_test(test_trigger_rate),
		cmocka_unit_test(test_share_is_spread_evenly),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
