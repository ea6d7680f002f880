/* The whole program in this process: exit status, standard output and standard error. */
#include "test.h"

#include "cli_capture.h"

#include "cli/cli_private.h"

#include "canaryctl/mem.h"

#include <string.h>

static void test_exit_status_and_text(void **state)
{
	static const struct {
		const char *words[WORDS_MAX];
		int status;
		const char *out; /* NULL: not empty */
		const char *err;
	} cases[] = {
		{ { "--version" }, 0, "canaryctl " CANARYCTL_VERSION "\n", "" },
		{ { "--help" }, 0, NULL, "" },
		{ { "help" }, 0, NULL, "" },
		{ { "help", "completion" }, 0, NULL, "" },
		{ { "completion", "--help" }, 0, NULL, "" },
		{ { "completion", "bash" }, 0, NULL, "" },
		{ { "completion", "zsh" }, 0, NULL, "" },
		{ { "completion", "fish" }, 0, NULL, "" },
		{ {}, 64, "", NULL },
		{ { "--format", "json" }, 64, "",
			"canaryctl: no command is given\n"
			"  hint: 'canaryctl --help' lists the commands\n" },
		{ { "compeltion" }, 64, "",
			"canaryctl: unknown command 'compeltion'\n"
			"  hint: did you mean 'completion'?\n" },
		{ { "help", "complet" }, 64, "",
			"canaryctl: unknown command 'complet'\n"
			"  hint: did you mean 'completion'?\n" },
		{ { "completion" }, 64, "",
			"canaryctl: too few arguments for 'completion'\n"
			"  hint: usage: canaryctl completion bash|zsh|fish\n" },
		{ { "completion", "tcsh" }, 64, "",
			"canaryctl: unknown subcommand 'tcsh' of 'completion'\n"
			"  hint: usage: canaryctl completion bash|zsh|fish\n" },
		{ { "--format", "json", "--bogus" }, 64, "",
			"canaryctl: unknown option '--bogus'\n"
			"  hint: 'canaryctl --help' lists the global options\n" },
		/* What comes from outside cannot steer the terminal. */
		{ { "\033[2Jx" }, 64, "",
			"canaryctl: unknown command '\\x1b[2Jx'\n"
			"  hint: 'canaryctl --help' lists the commands\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli_outcome outcome;

		cli_capture(cases[i].words, &outcome);
		assert_int_equal(outcome.status, cases[i].status);
		if (cases[i].out)
			assert_string_equal(buf_text(&outcome.out), cases[i].out);
		else
			assert_true(outcome.out.length > 0);
		if (cases[i].err)
			assert_string_equal(buf_text(&outcome.err), cases[i].err);
		else
			assert_true(outcome.err.length > 0);
		cli_outcome_release(&outcome);
	}
}

static void test_nothing_at_all_prints_help_on_stderr(void **state)
{
	const char *nothing[] = { NULL };
	CLEANUP_BUF struct buf help = BUF_INIT(0);
	struct cli_outcome outcome;

	(void)state;
	cli_write_help(cli_commands, &help);
	cli_capture(nothing, &outcome);
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_string_equal(buf_text(&outcome.err), buf_text(&help));
	cli_outcome_release(&outcome);
}

static void test_every_command_is_complete(void **state)
{
	(void)state;
	for (const struct cli_command *const *at = cli_commands; *at; at++) {
		const struct cli_command *command = *at;

		assert_non_null(command->name);
		assert_non_null(command->run);
		assert_non_null(command->summary);
		assert_non_null(command->examples);
		assert_non_null(strstr(command->examples, command->name));
		assert_ptr_equal(cli_find_command(cli_commands, command->name), command);
		for (const struct cli_option *option = command->options; option && option->name;
			option++)
			assert_non_null(option->help);
		if (command->subcommands)
			assert_true(command->minimum_arguments >= 1);
	}
}

static void test_exit_status_of_each_kind(void **state)
{
	static const int expected[ERROR_KIND_COUNT] = {
		[ERROR_NONE] = 0,
		[ERROR_USAGE] = 64,
		[ERROR_CONFIG] = 78,
		[ERROR_UNAVAILABLE] = 69,
		[ERROR_LOCKED] = 75,
		[ERROR_IO] = 69,
		[ERROR_NET] = 69,
		[ERROR_METRICS] = 69,
		[ERROR_TRAFFIC] = 3,
		[ERROR_CANCELED] = 130,
		[ERROR_BUG] = 70,
	};

	(void)state;
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		assert_int_equal(cli_exit_status((enum error_kind)kind), expected[kind]);
}

static void test_errors_are_printable(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = { 0 };

	(void)state;
	error_set(&err, ERROR_CONFIG, 0, "bad 'a\nb\033[0m'");
	error_hint(&err, "see %s", "line\r2");
	cli_format_error(&err, &text);
	assert_string_equal(
		buf_text(&text), "canaryctl: bad 'a\\x0ab\\x1b[0m'\n  hint: see line\\x0d2\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_status_and_text),
		cmocka_unit_test(test_nothing_at_all_prints_help_on_stderr),
		cmocka_unit_test(test_every_command_is_complete),
		cmocka_unit_test(test_exit_status_of_each_kind),
		cmocka_unit_test(test_errors_are_printable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
