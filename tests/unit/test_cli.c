/* The whole program in this process: exit status, standard output and standard error. */
#include "test.h"

#include "cli/cli_private.h"

#include "canaryctl/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 8 };

struct outcome {
	int status;
	struct buf out;
	struct buf err;
};

/* A stream that goes into memory for a while. */
struct capture {
	FILE *stream;
	int kept;   /* where it went before */
	int memory; /* where it goes now */
};

static void capture_start(struct capture *capture, FILE *stream)
{
	capture->stream = stream;
	fflush(stream);
	capture->kept = dup(fileno(stream));
	capture->memory = memfd_create("capture", MFD_CLOEXEC);
	assert_true(capture->kept >= 0 && capture->memory >= 0);
	dup2(capture->memory, fileno(stream));
}

static void capture_end(struct capture *capture, struct buf *ret_text)
{
	char chunk[4096];
	ssize_t length;

	fflush(capture->stream);
	dup2(capture->kept, fileno(capture->stream));
	close(capture->kept);
	lseek(capture->memory, 0, SEEK_SET);
	while ((length = read(capture->memory, chunk, sizeof(chunk))) > 0)
		buf_add(ret_text, chunk, (size_t)length);
	close(capture->memory);
}

static void run(const char *const *words, struct outcome *ret_outcome)
{
	struct capture out, err;
	char *argv[WORDS_MAX + 2] = { (char *)"canaryctl" };
	int argc = 1;

	for (; argc <= WORDS_MAX && words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	*ret_outcome = (struct outcome){ 0 };
	capture_start(&out, stdout);
	capture_start(&err, stderr);
	ret_outcome->status = cli_main(argc, argv);
	capture_end(&err, &ret_outcome->err);
	capture_end(&out, &ret_outcome->out);
}

static void outcome_release(struct outcome *outcome)
{
	buf_release(&outcome->out);
	buf_release(&outcome->err);
}

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
		struct outcome outcome;

		run(cases[i].words, &outcome);
		assert_int_equal(outcome.status, cases[i].status);
		if (cases[i].out)
			assert_string_equal(buf_text(&outcome.out), cases[i].out);
		else
			assert_true(outcome.out.length > 0);
		if (cases[i].err)
			assert_string_equal(buf_text(&outcome.err), cases[i].err);
		else
			assert_true(outcome.err.length > 0);
		outcome_release(&outcome);
	}
}

static void test_nothing_at_all_prints_help_on_stderr(void **state)
{
	const char *nothing[] = { NULL };
	CLEANUP_BUF struct buf help = BUF_INIT(0);
	struct outcome outcome;

	(void)state;
	cli_write_help(cli_commands, &help);
	run(nothing, &outcome);
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_string_equal(buf_text(&outcome.err), buf_text(&help));
	outcome_release(&outcome);
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
