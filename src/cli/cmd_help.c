/* canaryctl help [COMMAND]: the same as --help. */
#include "cli/cli_private.h"

#include <stdio.h>

static int run(struct cli *cli)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	const struct cli_command *command;
	struct error err = { 0 };

	if (!cli->argument_count) {
		cli_write_help(cli_commands, &text);
		fputs(buf_text(&text), stdout);
		return EXIT_GO;
	}
	command = cli_find_command(cli_commands, cli->arguments[0]);
	if (!command) {
		cli_unknown_command(cli_commands, cli->arguments[0], &err);
		return cli_fail(&err);
	}
	cli_write_command_help(command, &text);
	fputs(buf_text(&text), stdout);
	return EXIT_GO;
}

const struct cli_command cmd_help = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "help for the tool, or for a command",
	.examples = "canaryctl help\n"
		    "canaryctl help completion",
	.maximum_arguments = 1,
	.run = run,
};
