/* command: exit status, output, a number in the output, time. */
#include "suite_fixture.h"

static void test_exit(void **state)
{
	(void)state;
	assert_verdict("command: {argv: ['true']}", CHECK_PASS, "exited 0");
	assert_verdict("command: {argv: ['false']}", CHECK_FAIL, "exited 1, 0 was expected");
	assert_verdict("command: {argv: ['false'], exit: 1}", CHECK_PASS, "exited 1");
	assert_verdict("command: {argv: [sh, -c, 'echo one; echo why >&2; exit 3']}", CHECK_FAIL,
		"exited 3, 0 was expected: why");
	assert_verdict("command: {argv: [no-such-program-here]}", CHECK_ERROR, "no-such-program");
}

static void test_output(void **state)
{
	(void)state;
	assert_verdict("command: {argv: [echo, 'ready: 5'], match: '^ready'}", CHECK_PASS, "");
	assert_verdict(
		"command: {argv: [echo, busy], match: '^ready'}", CHECK_FAIL, "does not match");
	assert_verdict("command: {argv: [echo, 'use 83%'], match: '(\\d+)%'}\n"
		       "    require: '< 90'\n    prefer: '< 80'",
		CHECK_WARN, "83 is not < 80");
	assert_verdict("command: {argv: [echo, 'use 93%'], match: '(\\d+)%'}\n    require: '< 90'",
		CHECK_FAIL, "93 is not < 90");
	assert_verdict(
		"command: {argv: [echo, 'use x%'], match: 'use (\\w)%'}\n    require: '< 90'",
		CHECK_FAIL, "is no number");
	assert_refused("command: {argv: [echo]}\n    require: '< 90'", "no number");
	assert_refused("command: {argv: [echo], match: '('}", "no regular expression");
	assert_refused("command: {argv: echo}", "must be a list");
}

static void test_no_shell(void **state)
{
	(void)state;
	assert_verdict("command: {argv: [echo, 'a; false | `id`'], match: '^a; false \\| `id`$'}",
		CHECK_PASS, "");
}

static void test_time(void **state)
{
	(void)state;
	assert_verdict("command: {argv: [sleep, 30], timeout: 100ms}", CHECK_ERROR, "was killed");
}

/* The suite's own time-out is NO_DATA, and ends the program. */
static void test_suite_time(void **state)
{
	const struct suite_report *report;

	(void)state;
	report = suite_of("    timeout: 200ms\n    checks:\n"
			  "    - {name: slow, command: {argv: [sleep, 30]}}\n"
			  "    - {name: fast, command: {argv: ['true']}}\n",
		NULL);
	assert_int_equal(report->verdict, SUITE_NO_GO);
	assert_int_equal(report->checks[0].verdict.result, CHECK_NO_DATA);
	assert_string_equal(
		report->checks[0].verdict.message, "no answer within the suite's timeout of 200ms");
	assert_int_equal(report->checks[1].verdict.result, CHECK_PASS);
	assert_true(report->duration_ms < 5000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit),
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_no_shell),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_suite_time),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
