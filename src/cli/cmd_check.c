/* canaryctl check SUITE...: run suites of checks, once. */
#include "cli/suite_command.h"

static int run(struct cli *cli)
{
	return suite_command(cli, cli->arguments, cli->argument_count);
}

const struct cli_command cmd_check = {
	.name = "check",
	.synopsis = "SUITE... [OPTIONS]",
	.summary = "run suites of checks, once",
	.details = "The suites are those of the configuration and of the files that it includes. "
		   "What did not answer in a suite's time is no data, and no data is never a pass. "
		   "Exits 0 for GO, 1 for WARNING, 2 for NO-GO.",
	.examples = "canaryctl check predeploy --version v0.2.0 --strict\n"
		    "canaryctl check smoke --target canary\n"
		    "canaryctl check guards --only circuit-breakers\n"
		    "canaryctl check gate --list",
	.options = suite_command_options,
	.minimum_arguments = 1,
	.maximum_arguments = -1,
	.run = run,
};
