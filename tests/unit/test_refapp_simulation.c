/* Load, model latencies and training: measured against what they promise. */
#include "canaryctl/mem.h"
#include "refapp/load.h"
#include "refapp/model.h"
#include "refapp/training.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_load_follows_the_rate(void **state)
{
	struct load load = { 0 };
	int64_t now_ms = 1000000;

	(void)state;
	for (int i = 0; i < 400; i++)
		load_note(&load, now_ms += 20); /* 50 per second */
	assert_int_equal(load.handled, 400);
	assert_true(fabs(load_per_second(&load, now_ms) - 50) <= 2.5);
	assert_true(fabs(load_per_second(&load, now_ms + 1000) - 25) <= 2.5);
	assert_true(load_per_second(&load, now_ms + LOAD_WINDOW_MS + LOAD_SLOT_MS) == 0);
}

static void test_load_after_a_long_pause(void **state)
{
	struct load load = { 0 };

	(void)state;
	load_note(&load, 5000);
	load_note(&load, INT64_C(1) << 40);
	assert_true(load_per_second(&load, INT64_C(1) << 40) == 0.5);
}

static void test_latencies_keep_the_gates_limits(void **state)
{
	static const double limits[MODE_COUNT] = { 2.5, 3.2, 4.5 };
	static const double p95s[MODE_COUNT] = { 1.8, 2.5, 3.6 };
	const int count = 20000;

	(void)state;
	for (int mode = 0; mode < MODE_COUNT; mode++) {
		struct random random;
		int slow = 0, above_p95 = 0;

		random_init(&random, 1, (uint64_t)mode);
		for (int i = 0; i < count; i++) {
			double latency = model_latency_s((enum mode)mode, &random);

			slow += latency > limits[mode];
			above_p95 += latency > p95s[mode];
		}
		assert_in_range(above_p95, count * 45 / 1000, count * 55 / 1000);
		assert_in_range(slow, 0, count / 100);
	}
}

static void test_streams_repeat_and_differ(void **state)
{
	struct random a, b, c;

	(void)state;
	random_init(&a, 7, 0);
	random_init(&b, 7, 0);
	random_init(&c, 7, 1);
	for (int i = 0; i < 100; i++) {
		uint64_t number = random_next(&a);

		assert_true(number == random_next(&b));
		assert_true(number != random_next(&c));
	}
}

static void test_malformed_brief_lacks_notes(void **state)
{
	CLEANUP_BUF struct buf good = { 0 };
	CLEANUP_BUF struct buf bad = { 0 };
	struct random random;

	(void)state;
	random_init(&random, 1, 0);
	model_write_brief(MODE_FAST, false, &random, &good);
	model_write_brief(MODE_FAST, true, &random, &bad);
	assert_non_null(strstr(buf_text(&good), "\"notes\":"));
	assert_null(strstr(buf_text(&bad), "\"notes\":"));
}

/* Two healthy sides never differ by the factor 2 that the gate allows. */
static void test_loss_stays_in_its_band(void **state)
{
	struct training training;

	(void)state;
	training_init(&training, 3, 0);
	for (int i = 0; i < 5000; i++) {
		assert_true(training.loss > 0.23 && training.loss < 0.32);
		training_update(&training);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_follows_the_rate),
		cmocka_unit_test(test_load_after_a_long_pause),
		cmocka_unit_test(test_latencies_keep_the_gates_limits),
		cmocka_unit_test(test_streams_repeat_and_differ),
		cmocka_unit_test(test_malformed_brief_lacks_notes),
		cmocka_unit_test(test_loss_stays_in_its_band),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
