/* canaryctl debug: what docs/ is generated from. For developers and CI, hidden from help. */
#include "cli/cli_private.h"

#include "canaryctl/rollout_machine.h"

#include <stdio.h>

enum { DEBUG_CONFIG_REFERENCE, DEBUG_FSM };
static const char *const subcommands[] = {
	[DEBUG_CONFIG_REFERENCE] = "config-reference",
	[DEBUG_FSM] = "fsm",
	NULL,
};

static const struct cli_option options[] = {
	{ "dot", NULL, "fsm: as a Graphviz diagram" },
	{ "table", NULL, "fsm: as a Markdown table" },
	{ 0 },
};

static int run(struct cli *cli)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = { 0 };
	bool is_fsm = cli->subcommand == DEBUG_FSM;
	bool dot = cli_has(cli, "dot"), table = cli_has(cli, "table");

	if (is_fsm ? dot == table : dot || table) {
		error_set(&err, ERROR_USAGE, 0,
			is_fsm ? "'debug fsm' needs one of '--dot' and '--table'"
			       : "'debug config-reference' takes no options");
		return cli_fail(&err);
	}
	if (!is_fsm)
		config_write_reference(&text);
	else if (dot)
		rollout_machine_write_dot(&text);
	else
		rollout_machine_write_table(&text);
	fputs(buf_text(&text), stdout);
	return EXIT_GO;
}

const struct cli_command cmd_debug = {
	.name = "debug",
	.synopsis = "config-reference | fsm --dot | fsm --table",
	.summary = "what the documentation is generated from",
	.examples = "canaryctl debug config-reference > docs/configuration.md\n"
		    "canaryctl debug fsm --dot > docs/rollout-states.dot",
	.options = options,
	.subcommands = subcommands,
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.is_hidden = true,
	.run = run,
};
