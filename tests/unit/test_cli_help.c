/* Help as it is printed, from a table that does not move. */
#include "test.h"

#include "cli_fixture.h"

#include <string.h>

static void test_help_of_a_command(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	cli_write_command_help(&fixture_deploy, &text);
	assert_string_equal(buf_text(&text),
		"canaryctl deploy: run a rollout in the foreground\n"
		"\n"
		"usage: canaryctl deploy --version V [OPTIONS]\n"
		"\n"
		"Moves traffic in stages. Each shift is proven in force by what NGINX itself\n"
		"answers to fresh connections.\n"
		"\n"
		"options:\n"
		"  --version V          the canary's version\n"
		"  --stages 1,5,25,100  weights of the stages, ascending\n"
		"  --output FILE        write the final report, JSON\n"
		"  --mode fast|slow     it's [only] an example: of choices\n"
		"  --dry-run            rehearse; change nothing\n"
		"\n"
		"global options:\n"
		"  --config, --format, --color, --log-level, --help: see 'canaryctl --help'\n"
		"\n"
		"examples:\n"
		"  canaryctl deploy --version v0.2.0\n"
		"  canaryctl deploy --version v0.2.0 --dry-run\n");
}

static void test_help_of_the_tool(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	cli_write_help(fixture_commands, &text);
	assert_non_null(strstr(buf_text(&text), "\n"
						"commands:\n"
						"  deploy  run a rollout in the foreground\n"
						"  config  validate or show the configuration\n"
						"  check   run suites of checks\n"
						"\n"));
	assert_null(strstr(buf_text(&text), "secret"));
	for (const struct cli_option *option = cli_global_options; option->name; option++)
		assert_non_null(strstr(buf_text(&text), option->name));
	assert_non_null(strstr(buf_text(&text), "\n  78   configuration invalid"));
}

static void test_lines_fit_a_terminal(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	const char *line;

	(void)state;
	cli_write_help(cli_commands, &text);
	for (const struct cli_command *const *at = cli_commands; *at; at++)
		cli_write_command_help(*at, &text);
	for (line = buf_text(&text); *line; line += strcspn(line, "\n") + 1)
		assert_true(strcspn(line, "\n") <= 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_help_of_a_command),
		cmocka_unit_test(test_help_of_the_tool),
		cmocka_unit_test(test_lines_fit_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
