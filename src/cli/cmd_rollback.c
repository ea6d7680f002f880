/* canaryctl rollback: canary to 0 %, proven, whatever else is broken. */
#include "cli/cli_private.h"
#include "cli/traffic_output.h"

#include "canaryctl/rollout.h"

static int run(struct cli *cli)
{
	const struct config_options options = { .traffic_only = true };
	const char *reason = cli_value(cli, "reason");
	struct manual_result result = { 0 };
	int status = 0;
	struct config *config = cli_load_config(cli, &options, &status);

	if (!config)
		return status;
	rollback_run(config, reason ? reason : "asked for by hand", &result);
	status = traffic_output_result(cli, &result, true);
	buf_release(&result.notes);
	config_free(config);
	return status;
}

static const struct cli_option options[] = {
	{ "reason", "TEXT", "why; kept in the history" },
	{ 0 },
};

const struct cli_command cmd_rollback = {
	.name = "rollback",
	.synopsis = "[--reason TEXT]",
	.summary = "put the canary to 0 % now, and prove it",
	.details =
		"Works while a rollout runs (it is told, and ends), after one died, and with none "
		"at all. Needs neither Prometheus nor a healthy journal. Exits 0 when 0 % is "
		"proven by weights, 1 when only the brake holds the traffic, and 3 when nothing "
		"is proven.",
	.examples = "canaryctl rollback\n"
		    "canaryctl rollback --reason 'checkout is slow'",
	.options = options,
	.run = run,
};
