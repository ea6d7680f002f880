/* canaryctl gate: the go/no-go gate, which is the suite of that name. */
#include "cli/suite_command.h"

static char gate[] = "gate";

static int run(struct cli *cli)
{
	char *names[] = { gate, NULL };

	return suite_command(cli, names, 1);
}

const struct cli_command cmd_gate = {
	.name = "gate",
	.synopsis = "[OPTIONS]",
	.summary = "may be deployed now? The suite 'gate' with its traffic light",
	.details =
		"The same as 'canaryctl check gate'. Exits 0 for GO, 1 for WARNING, 2 for NO-GO.",
	.examples = "canaryctl gate --strict\n"
		    "canaryctl gate --output gate_report.json\n"
		    "jq '.checks[] | select(.status == \"NO_GO\")' gate_report.json",
	.options = suite_command_options,
	.run = run,
};
