/* canaryctl completion SHELL: a script for the shell, written from the command table. */
#include "cli/cli_private.h"

#include <stdio.h>

static const char *const shells[] = {
	[SHELL_BASH] = "bash",
	[SHELL_ZSH] = "zsh",
	[SHELL_FISH] = "fish",
	NULL,
};

static int run(struct cli *cli)
{
	CLEANUP_BUF struct buf script = BUF_INIT(0);

	cli_write_completion(cli_commands, (enum cli_shell)cli->subcommand, &script);
	fputs(buf_text(&script), stdout);
	return EXIT_GO;
}

const struct cli_command cmd_completion = {
	.name = "completion",
	.synopsis = "bash|zsh|fish",
	.summary = "print a completion script for the shell",
	.details = "The script completes commands, their options and what these can be.",
	.examples = "source <(canaryctl completion bash)\n"
		    "canaryctl completion bash > /etc/bash_completion.d/canaryctl\n"
		    "canaryctl completion zsh > \"${fpath[1]}/_canaryctl\"\n"
		    "canaryctl completion fish > ~/.config/fish/completions/canaryctl.fish",
	.subcommands = shells,
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.run = run,
};
