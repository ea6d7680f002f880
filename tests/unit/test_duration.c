/* Durations as Prometheus writes them. */
#include "canaryctl/duration.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_parse(void **state)
{
	static const struct {
		const char *text;
		int64_t ms;
	} cases[] = {
		{ "0", 0 },
		{ "0s", 0 },
		{ "90s", 90000 },
		{ "15m", 900000 },
		{ "1h30m", 5400000 },
		{ "250ms", 250 },
		{ "1s250ms", 1250 },
		{ "1d", 86400000 },
		{ "1w", 604800000 },
		{ "1y", INT64_C(31536000000) },
		{ "1800", 1800000 },
		{ "0.25", 250 },
		{ "100y", DURATION_MAX_MS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = -1;

		if (!duration_parse(cases[i].text, &ms) || ms != cases[i].ms)
			fail_msg("'%s' is %lld", cases[i].text, (long long)ms);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = { "", " ", "s", "soon", "-1s", "-1", "+1", "1m1h",
		"1s1s", "1.5h", "1 h", " 1h", "1h ", "1H", "1min", "1.", ".5", "1e3", "0x10", "inf",
		"nan", "101y", "99999999999999999999", "9999999999999y", "1h30", "ms" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int64_t ms = 0;

		if (duration_parse(cases[i], &ms))
			fail_msg("'%s' was taken as %lld", cases[i], (long long)ms);
	}
}

static void test_format(void **state)
{
	static const struct {
		int64_t ms;
		const char *text;
	} cases[] = {
		{ 0, "0s" },
		{ -5, "0s" },
		{ 1, "1ms" },
		{ 1000, "1s" },
		{ 90000, "1m30s" },
		{ 5400000, "1h30m" },
		{ 86400000, "1d" },
		{ 604800000, "7d" },
		{ 90061001, "1d1h1m1s1ms" },
	};
	char text[DURATION_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(duration_format(cases[i].ms, text), cases[i].text);
}

static void test_round_trip(void **state)
{
	(void)state;
	for (int64_t ms = 0; ms <= DURATION_MAX_MS; ms = ms * 7 + 13) {
		char text[DURATION_TEXT_SIZE];
		int64_t again = -1;

		assert_true(duration_parse(duration_format(ms, text), &again));
		assert_int_equal(again, ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_round_trip),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
