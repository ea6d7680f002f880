/* env_file: names that must and must not be set, permissions, and that no value is ever shown. */
#include "suite_fixture.h"

#include "checks/env_text.h"

static void test_parse(void **state)
{
	struct env_text env = { 0 };

	(void)state;
	env_text_parse(&env, "# comment\nA=1\n  export B = two words # comment\nC='x # y'\nD=\"\"\n"
			     "E=\nF=a#b\nnot a line\n1G=x\nA=2\nH=\"unclosed\r\n");
	assert_string_equal(env_text_get(&env, "A"), "2");
	assert_string_equal(env_text_get(&env, "B"), "two words");
	assert_string_equal(env_text_get(&env, "C"), "x # y");
	assert_string_equal(env_text_get(&env, "D"), "");
	assert_string_equal(env_text_get(&env, "E"), "");
	assert_string_equal(env_text_get(&env, "F"), "a#b");
	assert_string_equal(env_text_get(&env, "H"), "\"unclosed");
	assert_null(env_text_get(&env, "1G"));
	assert_null(env_text_get(&env, "not"));
	env_text_release(&env);
}

static void test_names(void **state)
{
	(void)state;
	suite_write(".env", "KEY=s3cr3t\nEMPTY=\nDEBUG=true\nPASSWORD=ChangeMe\n");
	assert_verdict("env_file: {path: .env, required: [KEY]}", CHECK_PASS, "4 names");
	assert_verdict("env_file: {path: .env, required: [KEY, EMPTY, ABSENT]}", CHECK_FAIL,
		"'EMPTY' has no value; 'ABSENT' is missing");
	assert_verdict("env_file: {path: .env, forbid: [DEBUG]}", CHECK_FAIL,
		"'DEBUG' is set, and is forbidden");
	assert_verdict("env_file: {path: .env, forbid: ['DEBUG=false']}", CHECK_PASS, "");
	assert_verdict("env_file: {path: .env, forbid: ['=changeme']}", CHECK_FAIL,
		"'PASSWORD' has a value that is forbidden");
	assert_verdict("env_file: {path: none, required: [KEY]}", CHECK_FAIL, "No such file");
}

static void test_mode(void **state)
{
	(void)state;
	suite_write(".env", "KEY=s3cr3t\n");
	assert_int_equal(chmod(".env", 0644), 0);
	assert_verdict("env_file: {path: .env, max_mode: '0600'}", CHECK_FAIL,
		"its mode is 0644, at most 0600 is allowed");
	assert_int_equal(chmod(".env", 0400), 0);
	assert_verdict("env_file: {path: .env, max_mode: '0600'}", CHECK_PASS, "");
	assert_refused("env_file: {path: .env, max_mode: '0888'}", "no octal mode");
	assert_refused("env_file: {path: .env}\n    require: '> 1'", "has no number");
}

static void test_values_are_never_shown(void **state)
{
	const struct verdict *verdict;

	(void)state;
	suite_write(".env", "KEY=s3cr3t\nOTHER=s3cr3t\n");
	verdict = verdict_of("env_file: {path: .env, forbid: ['=s3cr3t'], required: [X]}");
	assert_int_equal(verdict->result, CHECK_FAIL);
	assert_null(strstr(verdict->message, "s3cr3t"));
	assert_null(strstr(verdict->measurement.message, "s3cr3t"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_mode),
		cmocka_unit_test(test_values_are_never_shown),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
