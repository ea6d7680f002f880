/* The completion scripts: bash is asked for real, the others are looked at. */
#include "test.h"

#include "cli_fixture.h"

#include "canaryctl/mem.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Writes the script and the questions into bash's standard input and reads what it prints. */
static void ask_bash(const char *script, struct buf *ret_answer)
{
	char chunk[4096];
	int input[2], output[2];
	ssize_t length;
	int status;
	pid_t pid;

	assert_int_equal(pipe(input), 0);
	assert_int_equal(pipe(output), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(input[0], STDIN_FILENO);
		dup2(output[1], STDOUT_FILENO);
		close(input[1]);
		close(output[0]);
		execlp("bash", "bash", "--norc", "-s", (char *)NULL);
		_exit(127);
	}
	close(input[0]);
	close(output[1]);
	/* Less than a pipe holds, so this cannot wait for its reader. */
	assert_true(strlen(script) < 65536);
	assert_int_equal(write(input[1], script, strlen(script)), strlen(script));
	close(input[1]);
	while ((length = read(output[0], chunk, sizeof(chunk))) > 0)
		buf_add(ret_answer, chunk, (size_t)length);
	close(output[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_bash_completes(void **state)
{
	static const struct {
		const char *words; /* as bash splits them; the last one is being completed */
		const char *answer;
	} cases[] = {
		{ "canaryctl ''", "deploy config check --version\n" },
		{ "canaryctl de", "deploy\n" },
		{ "canaryctl --co", "--config --color\n" },
		{ "canaryctl --format ''", "text json\n" },
		{ "canaryctl --format = j", "json\n" },
		{ "canaryctl --format =", "text json\n" },
		{ "canaryctl --config deploy ch", "check\n" },
		{ "canaryctl --format = json co", "config\n" },
		{ "canaryctl config ''", "validate show\n" },
		{ "canaryctl config s", "show\n" },
		{ "canaryctl deploy --d", "--dry-run\n" },
		{ "canaryctl deploy --ver", "--version\n" },
		{ "canaryctl config --ver", "\n" },
		{ "canaryctl deploy --version ''", "\n" },
		{ "canaryctl deploy --mode f", "fast\n" },
		{ "canaryctl deploy --output /etc/passw", "/etc/passwd\n" },
		{ "canaryctl deploy --log-level d", "debug\n" },
	};
	CLEANUP_BUF struct buf script = BUF_INIT(0);
	CLEANUP_BUF struct buf expected = BUF_INIT(0);
	CLEANUP_BUF struct buf answer = BUF_INIT(0);

	(void)state;
	cli_write_completion(fixture_commands, SHELL_BASH, &script);
	buf_add_text(&script, "ask() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _canaryctl; "
			      "echo \"${COMPREPLY[*]}\"; }\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strstr(cases[i].words, "/etc/passw") != NULL) {
			/* Which files there are is up to the machine. */
			buf_add_format(&script, "ask %s | grep -c /etc/passwd\n", cases[i].words);
			buf_add_text(&expected, "1\n");
			continue;
		}
		buf_add_format(&script, "ask %s\n", cases[i].words);
		buf_add_text(&expected, cases[i].answer);
	}
	ask_bash(buf_text(&script), &answer);
	assert_string_equal(buf_text(&answer), buf_text(&expected));
}

/* Every shell's script knows every command and option that there is. */
static void test_all_commands_are_there(void **state)
{
	static const enum cli_shell shells[] = { SHELL_BASH, SHELL_ZSH, SHELL_FISH };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shells); i++) {
		CLEANUP_BUF struct buf script = BUF_INIT(0);

		cli_write_completion(cli_commands, shells[i], &script);
		for (const struct cli_command *const *at = cli_commands; *at; at++) {
			const struct cli_option *option = (*at)->options;

			assert_true((*at)->is_hidden || strstr(buf_text(&script), (*at)->name));
			for (; option && option->name; option++)
				assert_non_null(strstr(buf_text(&script), option->name));
		}
		assert_false(script.overflowed);
	}
}

static void test_zsh_quotes_help(void **state)
{
	CLEANUP_BUF struct buf script = BUF_INIT(0);

	(void)state;
	cli_write_completion(fixture_commands, SHELL_ZSH, &script);
	assert_non_null(strstr(buf_text(&script),
		"'--mode=[it'\\''s \\[only\\] an example\\: of choices]:mode:(fast slow)'"));
	assert_non_null(strstr(buf_text(&script), "'--output=[write the final report, JSON]:file:"
						  "_files'"));
	assert_non_null(strstr(buf_text(&script), "'1:subcommand:(validate show)'"));
}

static void test_fish_quotes_help(void **state)
{
	CLEANUP_BUF struct buf script = BUF_INIT(0);

	(void)state;
	cli_write_completion(fixture_commands, SHELL_FISH, &script);
	assert_non_null(strstr(buf_text(&script),
		"complete -c canaryctl -n '__fish_seen_subcommand_from deploy' -l mode -x -a "
		"'fast slow' -d 'it\\'s [only] an example: of choices'\n"));
	assert_non_null(strstr(buf_text(&script), "-l output -r -F -d"));
	assert_null(strstr(buf_text(&script), "-a secret"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bash_completes),
		cmocka_unit_test(test_all_commands_are_there),
		cmocka_unit_test(test_zsh_quotes_help),
		cmocka_unit_test(test_fish_quotes_help),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
