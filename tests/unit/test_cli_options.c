/* argv against the tables: what is understood, and the exact text about what is not. */
#include "test.h"

#include "cli_fixture.h"

#include "canaryctl/mem.h"

#include <string.h>

enum { WORDS_MAX = 12 };

static int parse(const char *const *words, struct cli_call *ret_call, struct error *err)
{
	char *argv[WORDS_MAX + 2] = { (char *)"canaryctl" };

	for (int i = 0; i < WORDS_MAX && words[i]; i++)
		argv[i + 1] = (char *)words[i];
	return cli_parse(fixture_commands, argv, ret_call, err);
}

struct refusal {
	const char *words[WORDS_MAX];
	const char *message;
	const char *hint;
};

static const struct refusal refusals[] = {
	{ { "deplyo" }, "unknown command 'deplyo'", "did you mean 'deploy'?" },
	{ { "kubectl" }, "unknown command 'kubectl'", "'canaryctl --help' lists the commands" },
	/* A hidden command is not proposed. */
	{ { "secre" }, "unknown command 'secre'", "'canaryctl --help' lists the commands" },
	{ { "" }, "unknown command ''", "'canaryctl --help' lists the commands" },
	{ { "--version", "v1", "deploy" }, "unknown command 'v1'",
		"'canaryctl --help' lists the commands" },
	{ { "--confg", "x" }, "unknown option '--confg'", "did you mean '--config'?" },
	{ { "--bogus" }, "unknown option '--bogus'",
		"'canaryctl --help' lists the global options" },
	{ { "-x", "deploy" }, "unknown option '-x'",
		"'canaryctl --help' lists the global options" },
	{ { "deploy", "--satges", "1" }, "unknown option '--satges' of 'deploy'",
		"did you mean '--stages'?" },
	{ { "deploy", "--satges=1" }, "unknown option '--satges=1' of 'deploy'",
		"did you mean '--stages'?" },
	{ { "deploy", "--formta", "json" }, "unknown option '--formta' of 'deploy'",
		"did you mean '--format'?" },
	{ { "deploy", "--kubernetes" }, "unknown option '--kubernetes' of 'deploy'",
		"'canaryctl deploy --help' lists its options" },
	{ { "deploy", "---" }, "unknown option '---' of 'deploy'",
		"'canaryctl deploy --help' lists its options" },
	{ { "deploy", "--=x" }, "unknown option '--=x' of 'deploy'",
		"'canaryctl deploy --help' lists its options" },
	{ { "--stages", "1", "deploy" }, "unknown option '--stages'",
		"'canaryctl --help' lists the global options" },
	{ { "config", "--version" }, "unknown option '--version' of 'config'",
		"'canaryctl --version' prints the tool's version" },
	{ { "deploy", "--version" }, "option '--version' needs a value", "write '--version V'" },
	{ { "deploy", "--version=" }, "option '--version' needs a value", "write '--version V'" },
	{ { "deploy", "--version", "" }, "option '--version' needs a value",
		"write '--version V'" },
	{ { "deploy", "--version", "--dry-run" }, "option '--version' needs a value",
		"write '--version V'" },
	{ { "--config" }, "option '--config' needs a value", "write '--config FILE'" },
	{ { "deploy", "--dry-run=yes" }, "option '--dry-run' takes no value, but got 'yes'",
		"write '--dry-run' alone" },
	{ { "--help=deploy" }, "option '--help' takes no value, but got 'deploy'",
		"write '--help' alone" },
	{ { "deploy", "--version", "a", "--version=b" },
		"option '--version' is given more than once",
		"give it once, with the value that you mean" },
	{ { "deploy", "--dry-run", "--dry-run" }, "option '--dry-run' is given more than once",
		"give it once, with the value that you mean" },
	{ { "--format", "json", "deploy", "--format", "json" },
		"option '--format' is given more than once",
		"give it once, with the value that you mean" },
	{ { "--format", "xml" }, "option '--format' cannot be 'xml'", "use one of text|json" },
	{ { "--format=jsno" }, "option '--format' cannot be 'jsno'", "did you mean 'json'?" },
	{ { "--format=JSON" }, "option '--format' cannot be 'JSON'", "use one of text|json" },
	{ { "--color", "yes" }, "option '--color' cannot be 'yes'",
		"use one of auto|always|never" },
	{ { "--log-level", "trace" }, "option '--log-level' cannot be 'trace'",
		"use one of error|warn|info|debug" },
	{ { "deploy", "--mode", "fats" }, "option '--mode' cannot be 'fats'",
		"did you mean 'fast'?" },
	{ { "deploy", "now" }, "too many arguments for 'deploy': 'now'",
		"usage: canaryctl deploy --version V [OPTIONS]" },
	{ { "config" }, "too few arguments for 'config'", "usage: canaryctl config validate|show" },
	{ { "config", "show", "all" }, "too many arguments for 'config': 'all'",
		"usage: canaryctl config validate|show" },
	{ { "config", "validat" }, "unknown subcommand 'validat' of 'config'",
		"did you mean 'validate'?" },
	{ { "config", "edit" }, "unknown subcommand 'edit' of 'config'",
		"usage: canaryctl config validate|show" },
	{ { "check" }, "too few arguments for 'check'", "usage: canaryctl check SUITE..." },
	{ { "--", "--help" }, "unknown command '--help'", "'canaryctl --help' lists the commands" },
};

static void test_refusals(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++) {
		const struct refusal *refusal = &refusals[i];
		struct error err = { 0 };
		struct cli_call call;

		assert_int_equal(parse(refusal->words, &call, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_string_equal(err.message, refusal->message);
		assert_string_equal(err.hint, refusal->hint);
		cli_call_release(&call);
	}
}

static void understand(const char *const *words, struct cli_call *ret_call)
{
	struct error err = { 0 };

	if (parse(words, ret_call, &err) != 0)
		fail_msg("refused: %s", err.message);
}

static void test_own_and_global_options_in_any_order(void **state)
{
	const char *words[] = { "--config", "a.yaml", "deploy", "--version", "v0.2.0",
		"--stages=1,100", "--format=json", "--dry-run", "--log-level", "debug", NULL };
	struct cli_call call;

	(void)state;
	understand(words, &call);
	assert_ptr_equal(call.cli.command, &fixture_deploy);
	assert_string_equal(call.cli.config_path, "a.yaml");
	assert_int_equal(call.cli.format, FORMAT_JSON);
	assert_int_equal(call.log_level, LOG_LEVEL_DEBUG);
	assert_string_equal(cli_value(&call.cli, "version"), "v0.2.0");
	assert_string_equal(cli_value(&call.cli, "stages"), "1,100");
	assert_string_equal(cli_value(&call.cli, "dry-run"), "");
	assert_true(cli_has(&call.cli, "dry-run"));
	assert_false(cli_has(&call.cli, "output"));
	assert_null(cli_value(&call.cli, "output"));
	assert_null(call.globals[GLOBAL_VERSION]);
	cli_call_release(&call);
}

static void test_defaults(void **state)
{
	const char *words[] = { "deploy", NULL };
	struct cli_call call;

	(void)state;
	understand(words, &call);
	assert_null(call.cli.config_path);
	assert_int_equal(call.cli.format, FORMAT_TEXT);
	assert_int_equal(call.log_level, LOG_LEVEL_WARN);
	assert_int_equal(call.cli.argument_count, 0);
	cli_call_release(&call);
}

static void test_version_of_tool_and_of_command(void **state)
{
	const char *tool[] = { "--version", NULL };
	const char *both[] = { "--version", "deploy", "--version", "v1", NULL };
	struct cli_call call;

	(void)state;
	understand(tool, &call);
	assert_non_null(call.globals[GLOBAL_VERSION]);
	assert_null(call.cli.command);
	cli_call_release(&call);
	understand(both, &call);
	assert_non_null(call.globals[GLOBAL_VERSION]);
	assert_string_equal(cli_value(&call.cli, "version"), "v1");
	cli_call_release(&call);
}

static void test_help_needs_no_arguments(void **state)
{
	const char *asked[][4] = { { "config", "--help" }, { "--help", "config" },
		{ "config", "-h" }, { "config", "bogus", "--help" } };
	struct cli_call call;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		understand(asked[i], &call);
		assert_non_null(call.globals[GLOBAL_HELP]);
		assert_ptr_equal(call.cli.command, &fixture_config);
		cli_call_release(&call);
	}
}

static void test_arguments(void **state)
{
	const char *words[] = { "check", "gate", "-5", "-", "--", "--format", "--", NULL };
	const char *show[] = { "config", "show", NULL };
	struct cli_call call;

	(void)state;
	understand(words, &call);
	assert_int_equal(call.cli.argument_count, 5);
	assert_string_equal(call.cli.arguments[0], "gate");
	assert_string_equal(call.cli.arguments[1], "-5");
	assert_string_equal(call.cli.arguments[2], "-");
	assert_string_equal(call.cli.arguments[3], "--format");
	assert_string_equal(call.cli.arguments[4], "--");
	assert_null(call.cli.arguments[5]);
	cli_call_release(&call);
	understand(show, &call);
	assert_int_equal(call.cli.subcommand, 1);
	cli_call_release(&call);
}

static void test_a_value_can_look_like_a_short_option(void **state)
{
	const char *words[] = { "deploy", "--stages", "-1", "--output=--strange", NULL };
	struct cli_call call;

	(void)state;
	understand(words, &call);
	assert_string_equal(cli_value(&call.cli, "stages"), "-1");
	assert_string_equal(cli_value(&call.cli, "output"), "--strange");
	cli_call_release(&call);
}

static void test_no_words_at_all(void **state)
{
	char *nothing[] = { NULL };
	struct error err = { 0 };
	struct cli_call call;

	(void)state;
	assert_int_equal(cli_parse(fixture_commands, nothing, &call, &err), 0);
	assert_null(call.cli.command);
	cli_call_release(&call);
}

static void test_long_words(void **state)
{
	char option[4096];
	const char *words[] = { "deploy", option, NULL };
	struct error err = { 0 };
	struct cli_call call;

	(void)state;
	memset(option, '-', 2);
	memset(option + 2, 'v', sizeof(option) - 3);
	option[sizeof(option) - 1] = '\0';
	assert_int_equal(parse(words, &call, &err), -1);
	assert_non_null(strstr(err.message, "vvv' of 'deploy'"));
	cli_call_release(&call);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_own_and_global_options_in_any_order),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_version_of_tool_and_of_command),
		cmocka_unit_test(test_help_needs_no_arguments),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_a_value_can_look_like_a_short_option),
		cmocka_unit_test(test_no_words_at_all),
		cmocka_unit_test(test_long_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
