/* The canary's share: chance, rounding and misalignment pass; a silent or flooded canary fails. */
#include "checks/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

static struct share_result decide(double canary, double production, double expected, double span)
{
	struct share_input input = {
		.canary = { canary, span },
		.production = { production, span },
		.expected = expected,
		.scrape_interval_s = 15,
	};
	struct share_result result;

	share_decide(&input, &result);
	return result;
}

#define VERDICT(...) (decide(__VA_ARGS__).verdict)

static void right_shares_pass(void **state)
{
	(void)state;
	assert_int_equal(VERDICT(50, 950, 0.05, 60), SHARE_RIGHT);
	assert_int_equal(VERDICT(1, 99, 0.01, 60), SHARE_RIGHT);
	assert_int_equal(VERDICT(35, 965, 0.05, 60), SHARE_RIGHT);
	assert_int_equal(VERDICT(70, 930, 0.05, 60), SHARE_RIGHT);
	assert_int_equal(VERDICT(1, 20, 0.25, 300), SHARE_RIGHT);
	/* one scrape of misalignment in a window of four */
	assert_int_equal(VERDICT(750, 10000 - 1000, 0.10, 60), SHARE_RIGHT);
}

static void wrong_shares_fail(void **state)
{
	(void)state;
	assert_int_equal(VERDICT(0, 1000, 0.05, 60), SHARE_TOO_LOW);
	assert_int_equal(VERDICT(10, 9990, 0.05, 60), SHARE_TOO_LOW);
	assert_int_equal(VERDICT(880, 120, 0.05, 60), SHARE_TOO_HIGH);
	assert_int_equal(VERDICT(1000, 0, 0.25, 60), SHARE_TOO_HIGH);
	assert_int_equal(VERDICT(1000, 1000, 1, 300), SHARE_TOO_LOW);
}

static void the_last_stage(void **state)
{
	(void)state;
	assert_int_equal(VERDICT(1000, 0, 1, 60), SHARE_RIGHT);
	/* a monitor that asks production directly */
	assert_int_equal(VERDICT(1000, 12, 1, 60), SHARE_RIGHT);
}

static void too_little_decides_nothing(void **state)
{
	(void)state;
	assert_int_equal(VERDICT(0, 0, 0.05, 60), SHARE_UNDECIDED);
	assert_int_equal(VERDICT(0, 100, 0.01, 60), SHARE_UNDECIDED);
	assert_true(fabs(decide(0, 100, 0.01, 60).expected - 1) < 1e-9);
	assert_int_equal(VERDICT(0, 40, 0.05, 60), SHARE_UNDECIDED);
	assert_int_equal(VERDICT(10, 10, 0.05, 0), SHARE_UNDECIDED);
}

/* The canary has been scraped for a third of the time: rates are compared, not counts. */
static void arms_of_different_span(void **state)
{
	struct share_input input = {
		.canary = { 100, 100 },
		.production = { 900 * 3, 300 },
		.expected = 0.1,
		.scrape_interval_s = 15,
	};
	struct share_result result;

	(void)state;
	share_decide(&input, &result);
	assert_int_equal(result.verdict, SHARE_RIGHT);
	assert_true(fabs(result.share - 0.1) < 1e-9);
	assert_true(fabs(result.total - 1000) < 1e-9);
}

/* A canary that was never scraped with series has no span; its 0 counts all the same. */
static void silent_canary_without_span(void **state)
{
	struct share_input input = {
		.canary = { 0, 0 },
		.production = { 1000, 60 },
		.expected = 0.1,
		.scrape_interval_s = 15,
	};
	struct share_result result;

	(void)state;
	share_decide(&input, &result);
	assert_int_equal(result.verdict, SHARE_TOO_LOW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(right_shares_pass),
		cmocka_unit_test(wrong_shares_fail),
		cmocka_unit_test(the_last_stage),
		cmocka_unit_test(too_little_decides_nothing),
		cmocka_unit_test(arms_of_different_span),
		cmocka_unit_test(silent_canary_without_span),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
