/* Conditions: what is read, what is refused and where, and what holds. */
#include "canaryctl/condition.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		double number;
	} good[] = {
		{ "0", 0 },
		{ "50", 50 },
		{ "0.5%", 0.005 },
		{ "100%", 1 },
		{ "250ms", 0.25 },
		{ "2.5s", 2.5 },
		{ "-3", -3 },
		{ "+3", 3 },
		{ "1e3", 1000 },
		{ "1.5E-2", 0.015 },
		{ ".5", 0.5 },
	};
	static const char *const bad[] = { "", " 1", "1 ", "1.", "x", "1x", "0x10", "inf", "nan",
		"1%%", "1m", "1h", "--1", "1e999", "5 %", "1.2.3" };
	double number;

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(number_parse(good[i].text, &number));
		assert_true(fabs(number - good[i].number) < 1e-12);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (number_parse(bad[i], &number))
			fail_msg("'%s' was taken", bad[i]);
	}
}

static void test_conditions(void **state)
{
	static const struct {
		const char *text;
		enum condition_operator op;
		bool uses_baseline;
		double factor;
		double number;
	} cases[] = {
		{ "< 0.5%", CONDITION_LESS, false, 1, 0.005 },
		{ "<=2.5s", CONDITION_AT_MOST, false, 1, 2.5 },
		{ "  >  3 ", CONDITION_GREATER, false, 1, 3 },
		{ ">= -1", CONDITION_AT_LEAST, false, 1, -1 },
		{ "== 0", CONDITION_EQUAL, false, 1, 0 },
		{ "!= 7", CONDITION_NOT_EQUAL, false, 1, 7 },
		{ "< baseline", CONDITION_LESS, true, 1, 0 },
		{ "< 2 * baseline", CONDITION_LESS, true, 2, 0 },
		{ "<= 1.5*baseline+10ms", CONDITION_AT_MOST, true, 1.5, 0.01 },
		{ "> baseline + 5%", CONDITION_GREATER, true, 1, 0.05 },
		{ "< 150% * baseline", CONDITION_LESS, true, 1.5, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct condition condition;
		struct error err = { 0 };

		if (condition_parse(cases[i].text, &condition, &err) < 0)
			fail_msg("%s", err.message);
		assert_ptr_equal(condition.text, cases[i].text);
		assert_int_equal(condition.op, cases[i].op);
		assert_int_equal(condition.uses_baseline, cases[i].uses_baseline);
		assert_true(fabs(condition.factor - cases[i].factor) < 1e-12);
		assert_true(fabs(condition.number - cases[i].number) < 1e-12);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *message;
	} cases[] = {
		{ "", "'' is not a condition: one of < <= > >= == != expected at character 1" },
		{ "0.5%", "'0.5%' is not a condition: one of < <= > >= == != expected at character "
			  "1" },
		{ "= 5", "'= 5' is not a condition: one of < <= > >= == != expected at character "
			 "1" },
		{ "<", "'<' is not a condition: a number or 'baseline' expected at character 2" },
		{ "< five", "'< five' is not a condition: a number or 'baseline' expected at "
			    "character 3" },
		{ "< 5 6", "'< 5 6' is not a condition: '*' or the end expected at character 5" },
		{ "< 5x", "'< 5x' is not a condition: a number or 'baseline' expected at character "
			  "3" },
		{ "< 2 *", "'< 2 *' is not a condition: 'baseline' expected at character 6" },
		{ "< 2 * base", "'< 2 * base' is not a condition: 'baseline' expected at character "
				"7" },
		{ "< baseline2", "'< baseline2' is not a condition: 'baseline' expected at "
				 "character 3" },
		{ "< baseline * 2", "'< baseline * 2' is not a condition: '+' or the end expected "
				    "at character 12" },
		{ "< baseline + ", "'< baseline + ' is not a condition: a number expected at "
				   "character 14" },
		{ "< baseline + 1 2", "'< baseline + 1 2' is not a condition: the end expected at "
				      "character 16" },
		{ "< nan", "'< nan' is not a condition: a number or 'baseline' expected at "
			   "character 3" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct condition condition = { 0 };
		struct error err = { 0 };

		assert_int_equal(condition_parse(cases[i].text, &condition, &err), -1);
		assert_string_equal(err.message, cases[i].message);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_true(err.hint[0] != '\0');
		assert_null(condition.text);
	}
}

static void test_holds(void **state)
{
	static const struct {
		const char *text;
		double value;
		double baseline;
		bool holds;
	} cases[] = {
		{ "< 1", 0.9, 0, true },
		{ "< 1", 1, 0, false },
		{ "<= 1", 1, 0, true },
		{ "> 1", 1, 0, false },
		{ ">= 1", 1, 0, true },
		{ "== 0", 0, 0, true },
		{ "!= 0", 0, 0, false },
		{ "!= 0", 1, 0, true },
		{ "< 2 * baseline", 1.9, 1, true },
		{ "< 2 * baseline", 2, 1, false },
		{ "<= baseline + 1", 3, 2, true },
		{ "< 1", INFINITY, 0, false },
		{ "> 1", INFINITY, 0, true },
		{ "< 1", NAN, 0, false },
		{ ">= 1", NAN, 0, false },
		{ "!= 1", NAN, 0, false },
		{ "< 2 * baseline", 1, NAN, false },
		{ "!= baseline", 1, NAN, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct condition condition;

		assert_int_equal(condition_parse(cases[i].text, &condition, NULL), 0);
		if (condition_holds(&condition, cases[i].value, cases[i].baseline) !=
			cases[i].holds)
			fail_msg("case %zu: %g %s", i, cases[i].value, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_conditions),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
