/* git: tags, HEAD and changes of a real repository. */
#include "suite_fixture.h"

static void sh(const char *script)
{
	CLEANUP_FREE char *check = mem_format("command: {argv: [sh, -ec, \"%s\"]}", script);

	assert_verdict(check, CHECK_PASS, "");
}

static void commit(const char *message)
{
	CLEANUP_FREE char *script = mem_format(
		"git -C r -c user.name=t -c user.email=t@localhost -c commit.gpgsign=false "
		"commit -q --allow-empty -m %s",
		message);

	sh(script);
}

static void test_repository(void **state)
{
	(void)state;
	sh("git init -q r");
	commit("one");
	sh("git -C r tag v0.1.0");
	assert_verdict("git: {repository: r, tag: v0.1.0, at_head: true, clean: true}", CHECK_PASS,
		"tag 'v0.1.0' is there, everything is committed");
	assert_verdict("git: {repository: r, tag: v0.2.0}", CHECK_FAIL, "no tag 'v0.2.0'");
	assert_verdict("git: {repository: r, tag: --all}", CHECK_FAIL, "no tag '--all'");
	commit("two");
	assert_verdict("git: {repository: r, tag: v0.1.0}", CHECK_PASS, "");
	assert_verdict(
		"git: {repository: r, tag: v0.1.0, at_head: true}", CHECK_FAIL, "is checked out");
	suite_write("r/new", "x");
	assert_verdict("git: {repository: r, clean: true}", CHECK_FAIL, "?? new");
}

static void test_what_cannot_be_asked(void **state)
{
	(void)state;
	mkdir("plain", 0700);
	setenv("GIT_CEILING_DIRECTORIES", "/tmp", 1);
	assert_verdict(
		"git: {repository: plain, tag: v0.1.0}", CHECK_ERROR, "not a git repository");
	assert_verdict("git: {repository: none, clean: true}", CHECK_ERROR, "could not ask");
	assert_verdict("git: {repository: r, tag: \"${version}\"}", CHECK_ERROR,
		"needs to know the version");
	assert_refused("git: {repository: r}", "asks git for nothing");
	assert_refused("git: {repository: r, at_head: true}", "names none");
	assert_refused("git: {repository: r, tag: \"${verson}\"}", "did you mean '${version}'?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_repository),
		cmocka_unit_test(test_what_cannot_be_asked),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
