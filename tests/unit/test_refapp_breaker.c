/* The circuit breaker's three states, at the edges of threshold, window and time. */
#include "test.h"

#include "refapp/breaker.h"

static const struct breaker_settings settings = { .enabled = true,
	.failure_threshold = 0.5,
	.window = 10,
	.minimum_calls = 4,
	.timeout_ms = 60000,
	.auto_downshift = true };

/* `results`: '.' for a call that worked, 'x' for one that failed. */
static void call_all(struct breaker *breaker, const char *results, int64_t now_ms)
{
	for (const char *p = results; *p; p++) {
		assert_true(breaker_allow(breaker, &settings, now_ms));
		breaker_note(breaker, &settings, *p == 'x', now_ms);
	}
}

static void test_opens_at_the_threshold(void **state)
{
	static const struct {
		const char *results;
		enum breaker_state expected;
	} cases[] = {
		{ "", BREAKER_CLOSED },
		{ "xxx", BREAKER_CLOSED }, /* too few to judge */
		{ "xxxx", BREAKER_OPEN },
		{ "..xx", BREAKER_OPEN }, /* exactly half */
		{ "...xx", BREAKER_CLOSED },
		{ ".....xxxx", BREAKER_CLOSED },
		{ ".....xxxxx", BREAKER_OPEN },
		{ "....................", BREAKER_CLOSED },
		/* Only the last ten count: the successes before them are forgotten. */
		{ "....................xxxx", BREAKER_CLOSED },
		{ "....................xxxxx", BREAKER_OPEN },
		/* and so are failures. */
		{ ".....xxxx......", BREAKER_CLOSED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct breaker breaker = { 0 };

		call_all(&breaker, cases[i].results, 0);
		if (breaker.state != cases[i].expected)
			fail_msg("after '%s' it is %s", cases[i].results,
				breaker_state_name(breaker.state));
	}
}

static void test_open_until_the_timeout(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	call_all(&breaker, "xxxx", 1000);
	assert_int_equal(breaker.times_opened, 1);
	assert_false(breaker_allow(&breaker, &settings, 1000));
	assert_false(breaker_allow(&breaker, &settings, 60999));
	assert_int_equal(breaker_state_at(&breaker, &settings, 60999), BREAKER_OPEN);
	assert_int_equal(breaker_state_at(&breaker, &settings, 61000), BREAKER_HALF_OPEN);
	assert_true(breaker_allow(&breaker, &settings, 61000));
}

static void test_half_open_lets_one_call_through(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	call_all(&breaker, "xxxx", 0);
	assert_true(breaker_allow(&breaker, &settings, 60000));
	assert_false(breaker_allow(&breaker, &settings, 60001));
	breaker_note(&breaker, &settings, false, 60002);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
	/* With a clean sheet: the failures before do not count any more. */
	assert_true(breaker_failure_share(&breaker) == 0);
	call_all(&breaker, "xxx", 60003);
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

static void test_half_open_opens_again(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	call_all(&breaker, "xxxx", 0);
	assert_true(breaker_allow(&breaker, &settings, 60000));
	breaker_note(&breaker, &settings, true, 60500);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_int_equal(breaker.times_opened, 2);
	assert_false(breaker_allow(&breaker, &settings, 120499));
	assert_true(breaker_allow(&breaker, &settings, 120500));
}

static void test_late_results_change_nothing(void **state)
{
	struct breaker breaker = { 0 };

	(void)state;
	call_all(&breaker, "xxxx", 0);
	breaker_note(&breaker, &settings, false, 10);
	breaker_note(&breaker, &settings, true, 20);
	assert_int_equal(breaker.state, BREAKER_OPEN);
	assert_true(breaker_allow(&breaker, &settings, 60000));
}

static void test_disabled(void **state)
{
	const struct breaker_settings off = { .enabled = false };
	struct breaker breaker = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++) {
		assert_true(breaker_allow(&breaker, &off, i));
		breaker_note(&breaker, &off, true, i);
	}
	assert_int_equal(breaker.state, BREAKER_CLOSED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_opens_at_the_threshold),
		cmocka_unit_test(test_open_until_the_timeout),
		cmocka_unit_test(test_half_open_lets_one_call_through),
		cmocka_unit_test(test_half_open_opens_again),
		cmocka_unit_test(test_late_results_change_nothing),
		cmocka_unit_test(test_disabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
