/* Semantic versions: the examples of semver.org, and what must never reach a query or a path. */
#include "canaryctl/semver.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_valid(void **state)
{
	static const char *const cases[] = { "0.0.4", "1.2.3", "v1.2.3", "10.20.30",
		"1.1.2-prerelease+meta", "1.1.2+meta", "1.1.2+meta-valid", "1.0.0-alpha",
		"1.0.0-alpha.beta.1", "1.0.0-alpha0.valid", "1.0.0-rc.1+build.123",
		"1.2.3----RC-SNAPSHOT.12.9.1--.12+788", "1.0.0+0.build.1-rc.10000aaa-kk-0.1",
		"999999999999999999.99999999999999.9", "1.0.0-0A.is.legal", "2.0.0+001" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!semver_valid(cases[i]))
			fail_msg("'%s' was refused", cases[i]);
	}
}

static void test_refused(void **state)
{
	static const char *const cases[] = { "", "v", "1", "1.2", "1.2.3.4", "01.1.1", "1.01.1",
		"1.1.01", "1.2.3-", "1.2.3+", "1.2.3-01", "1.2.3-a..b", "1.2.3+a+b", "vv1.2.3",
		"V1.2.3", "1.2.3 ", " 1.2.3", "1.2.3\n", "1.2.3-a_b", "1.2.3;reboot", "1.2.3-$(id)",
		"1.2.3-\"", "../1.2.3", "1.2.3/..", "a.b.c", "-1.2.3", "1.2.3-\xc3\xa9" };
	char longest[SEMVER_MAX_LENGTH + 2];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (semver_valid(cases[i]))
			fail_msg("'%s' was taken", cases[i]);
	}
	memset(longest, 'a', sizeof(longest) - 1);
	memcpy(longest, "1.2.3-", 6);
	longest[SEMVER_MAX_LENGTH + 1] = '\0';
	assert_false(semver_valid(longest));
	longest[SEMVER_MAX_LENGTH] = '\0';
	assert_true(semver_valid(longest));
}

static void test_same(void **state)
{
	(void)state;
	assert_true(semver_same("v1.2.3", "1.2.3"));
	assert_true(semver_same("1.2.3", "v1.2.3"));
	assert_true(semver_same("v1.2.3", "v1.2.3"));
	assert_false(semver_same("1.2.3", "1.2.30"));
	assert_false(semver_same("1.2.3", "1.2.3+build"));
	assert_false(semver_same("v1.2.3", ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_same),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
