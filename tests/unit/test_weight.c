/* Weights: hundredths of a percent, and the integers that NGINX gets for them. */
#include "canaryctl/weight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		weight_t weight;
	} cases[] = {
		{ "0", 0 },
		{ "1", 100 },
		{ "5%", 500 },
		{ "0.5", 50 },
		{ "0.05", 5 },
		{ "0.01%", 1 },
		{ "12.25", 1225 },
		{ "12.250", 1225 },
		{ "007", 700 },
		{ "100", WEIGHT_FULL },
		{ "100.00%", WEIGHT_FULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		weight_t weight = WEIGHT_UNKNOWN;

		if (!weight_parse(cases[i].text, &weight) || weight != cases[i].weight)
			fail_msg("'%s' is %d", cases[i].text, weight);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = { "", "%", "-1", "+1", "101", "100.01", "0.001", "0.015",
		"1.", ".5", "1e1", " 1", "1 ", "1 %", "1%%", "0x5", "nan", "1,5", "10000",
		"99999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		weight_t weight;

		if (weight_parse(cases[i], &weight))
			fail_msg("'%s' was taken", cases[i]);
	}
}

static void test_all_weights(void **state)
{
	(void)state;
	for (weight_t weight = 0; weight <= WEIGHT_FULL; weight++) {
		char text[WEIGHT_TEXT_SIZE];
		weight_t again;
		int canary, production;

		assert_true(weight_parse(weight_format(weight, text), &again));
		assert_int_equal(again, weight);
		weight_to_integers(weight, &canary, &production);
		/* The same ratio exactly, and never a negative or too large number. */
		assert_int_equal((canary + production) % 100, 0);
		assert_int_equal((long)canary * (WEIGHT_FULL - weight), (long)production * weight);
		assert_true(canary >= 0 && production >= 0 && canary + production <= WEIGHT_FULL);
	}
}

static void test_integers(void **state)
{
	static const struct {
		weight_t weight;
		int canary;
		int production;
	} cases[] = {
		{ 0, 0, 100 },
		{ 100, 1, 99 },
		{ 500, 5, 95 },
		{ 50, 1, 199 },
		{ 1250, 25, 175 },
		{ 1, 1, 9999 },
		{ WEIGHT_FULL, 100, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int canary, production;

		weight_to_integers(cases[i].weight, &canary, &production);
		assert_int_equal(canary, cases[i].canary);
		assert_int_equal(production, cases[i].production);
	}
	assert_true(weight_share(50) > 0.00499 && weight_share(50) < 0.00501);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_all_weights),
		cmocka_unit_test(test_integers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
