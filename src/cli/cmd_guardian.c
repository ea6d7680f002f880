/* canaryctl guardian: started by deploy, never by hand; puts right what a killed rollout left. */
#include "cli/cli_private.h"

#include "canaryctl/guardian.h"

#include <fcntl.h>

static int run(struct cli *cli)
{
	const struct config_options options = { .traffic_only = true };
	struct error err = { 0 };
	struct config *config;
	int status = 0;

	if (fcntl(GUARDIAN_FD, F_GETFD) < 0) {
		error_set(&err, ERROR_USAGE, 0, "'guardian' is started by 'deploy', not by hand");
		error_hint(&err, "to finish an interrupted rollout: canaryctl recover");
		return cli_fail(&err);
	}
	config = cli_load_config(cli, &options, &status);
	if (!config)
		return status;
	status = guardian_run(config);
	config_free(config);
	return status;
}

const struct cli_command cmd_guardian = {
	.name = "guardian",
	.synopsis = "",
	.summary = "watch over a rollout's process (started by deploy)",
	.examples = "canaryctl guardian",
	.is_hidden = true,
	.run = run,
};
