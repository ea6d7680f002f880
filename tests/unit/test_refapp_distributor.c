/* The distribution of modes, what was measured of it, and which model serves what. */
#include "test.h"

#include "refapp/distributor.h"
#include "refapp/gpu.h"
#include "refapp/llm.h"

#include <math.h>
#include <string.h>

static const struct distributor_settings settings = { .percent = { 60, 30, 10 },
	.alert_deviation = 10 };

static void test_exact_in_any_hundred(void **state)
{
	static const struct distributor_settings uneven = { .percent = { 37, 62, 1 } };
	const struct distributor_settings *const all[] = { &settings, &uneven };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct distributor distributor = { 0 };

		for (int round = 0; round < 5; round++) {
			int counts[MODE_COUNT] = { 0 };

			for (int n = 0; n < 100; n++)
				counts[distributor_pick(&distributor, all[i])]++;
			for (int mode = 0; mode < MODE_COUNT; mode++)
				assert_int_equal(counts[mode], all[i]->percent[mode]);
		}
	}
}

static void test_no_mode_comes_in_a_row(void **state)
{
	struct distributor distributor = { 0 };
	int since_creative = 0;

	(void)state;
	for (int n = 0; n < 1000; n++) {
		since_creative = distributor_pick(&distributor, &settings) == MODE_CREATIVE
					 ? 0
					 : since_creative + 1;
		assert_in_range(since_creative, 0, 18);
	}
}

static void note(struct distributor *distributor, enum mode mode, int count, int64_t now_ms)
{
	for (int i = 0; i < count; i++)
		distributor_note(distributor, mode, now_ms);
}

static void test_deviation(void **state)
{
	struct distributor distributor = { 0 };
	struct distribution actual;

	(void)state;
	note(&distributor, MODE_FAST, 50, 1000);
	note(&distributor, MODE_BALANCED, 30, 1000);
	note(&distributor, MODE_CREATIVE, 20, 1000);
	actual = distributor_actual(&distributor, &settings, 2000);
	assert_int_equal(actual.requests, 100);
	assert_true(actual.percent[MODE_FAST] == 50 && actual.deviation[MODE_FAST] == 10);
	assert_true(actual.deviation[MODE_BALANCED] == 0);
	assert_true(actual.deviation[MODE_CREATIVE] == 10);
	/* The limit itself is still allowed. */
	assert_false(actual.alert[MODE_FAST]);
	note(&distributor, MODE_CREATIVE, 5, 2000);
	actual = distributor_actual(&distributor, &settings, 2000);
	assert_true(actual.alert[MODE_FAST] && actual.alert[MODE_CREATIVE]);
	assert_false(actual.alert[MODE_BALANCED]);
}

static void test_only_the_last_five_minutes(void **state)
{
	struct distributor distributor = { 0 };
	const int64_t start_ms = INT64_C(1000000000);

	(void)state;
	assert_int_equal(distributor_actual(&distributor, &settings, start_ms).requests, 0);
	note(&distributor, MODE_FAST, 7, start_ms);
	note(&distributor, MODE_CREATIVE, 3, start_ms + 200000);
	assert_int_equal(
		distributor_actual(&distributor, &settings, start_ms + 294999).requests, 10);
	assert_int_equal(
		distributor_actual(&distributor, &settings, start_ms + 300000).requests, 3);
	assert_int_equal(
		distributor_actual(&distributor, &settings, start_ms + 999999).requests, 0);
}

static void test_candidates(void **state)
{
	static const struct {
		enum mode mode, ceiling, expected[MODE_COUNT];
	} cases[] = {
		{ MODE_CREATIVE, MODE_CREATIVE, { MODE_CREATIVE, MODE_BALANCED, MODE_FAST } },
		{ MODE_BALANCED, MODE_CREATIVE, { MODE_BALANCED, MODE_FAST, MODE_CREATIVE } },
		{ MODE_FAST, MODE_CREATIVE, { MODE_FAST, MODE_BALANCED, MODE_CREATIVE } },
		{ MODE_CREATIVE, MODE_BALANCED, { MODE_BALANCED, MODE_FAST, MODE_CREATIVE } },
		{ MODE_CREATIVE, MODE_FAST, { MODE_FAST, MODE_BALANCED, MODE_CREATIVE } },
		{ MODE_FAST, MODE_BALANCED, { MODE_FAST, MODE_BALANCED, MODE_CREATIVE } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum mode modes[MODE_COUNT];

		llm_candidates(cases[i].mode, cases[i].ceiling, modes);
		assert_memory_equal(modes, cases[i].expected, sizeof(modes));
	}
}

static void test_models(void **state)
{
	enum llm llm;

	(void)state;
	for (int i = 0; i < LLM_COUNT; i++) {
		assert_true(llm_parse(llm_name((enum llm)i), &llm) && (int)llm == i);
		assert_true(llm_parse(llm_full_name((enum llm)i), &llm) && (int)llm == i);
		assert_int_equal(llm_of_mode(llm_mode((enum llm)i)), i);
	}
	assert_false(llm_parse("gpt", &llm));
	assert_false(llm_parse("", &llm));
}

static void test_gpu_memory(void **state)
{
	struct llm_state llms[LLM_COUNT] = { { .loaded = true }, { .loaded = true },
		{ .loaded = true } };
	struct gpu_memory all = gpu_memory(llms, 0);
	struct gpu_memory less, full;

	(void)state;
	assert_int_equal(all.used_bytes + all.free_bytes, all.total_bytes);
	/* In good health there is the headroom that the gate wants. */
	assert_true((double)all.free_bytes >= 0.2 * (double)all.total_bytes);
	llms[LLM_LLAMA].loaded = false;
	less = gpu_memory(llms, 0);
	assert_int_equal(less.free_bytes - all.free_bytes, (uint64_t)5 << 30);
	full = gpu_memory(llms, 0.9);
	assert_true(fabs((double)full.free_bytes / (double)full.total_bytes - 0.1) < 1e-6);
	assert_int_equal(gpu_memory(llms, 1).free_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exact_in_any_hundred),
		cmocka_unit_test(test_no_mode_comes_in_a_row),
		cmocka_unit_test(test_deviation),
		cmocka_unit_test(test_only_the_last_five_minutes),
		cmocka_unit_test(test_candidates),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_gpu_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
