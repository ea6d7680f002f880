/* canaryctl weights get|set: the traffic by hand. */
#include "cli/cli_private.h"
#include "cli/traffic_output.h"

#include "canaryctl/rollout.h"

enum { WEIGHTS_GET, WEIGHTS_SET };
static const char *const subcommands[] = {
	[WEIGHTS_GET] = "get",
	[WEIGHTS_SET] = "set",
	NULL,
};

static int get(struct cli *cli, const struct config *config)
{
	struct traffic_change change = { .config = config, .goal = TRAFFIC_READ };
	int status;

	traffic_once(&change);
	status = traffic_output_reading(cli, &change);
	traffic_change_release(&change);
	return status;
}

static int set(struct cli *cli, const struct config *config, weight_t weight)
{
	struct manual_result result = { 0 };
	int status;

	/* 0 is the emergency brake: it works while a rollout runs, as `rollback` does. */
	if (weight == 0)
		rollback_run(config, "'canaryctl weights set 0' was called", &result);
	else
		weights_set(config, weight, &result);
	status = traffic_output_result(cli, &result, false);
	buf_release(&result.notes);
	return status;
}

static int parse_weight(const struct cli *cli, weight_t *ret_weight, struct error *err)
{
	if (cli->argument_count != 2) {
		error_set(err, ERROR_USAGE, 0, "'weights set' needs the canary's weight");
		return error_hint(err, "for example: canaryctl weights set 5");
	}
	if (weight_parse(cli->arguments[1], ret_weight))
		return 0;
	error_set(err, ERROR_USAGE, 0, "'%s' is not a weight", cli->arguments[1]);
	return error_hint(
		err, "a weight is a percentage from 0 to 100, in steps of 0.01: 5, 0.5, 100");
}

static int check_arguments(const struct cli *cli, weight_t *ret_weight, struct error *err)
{
	if (cli->subcommand == WEIGHTS_SET)
		return parse_weight(cli, ret_weight, err);
	if (cli->argument_count == 1)
		return 0;
	return error_set(err, ERROR_USAGE, 0, "'weights get' takes no argument, not '%s'",
		cli->arguments[1]);
}

static int run(struct cli *cli)
{
	const struct config_options options = { .traffic_only = true };
	struct error err = { 0 };
	struct config *config;
	weight_t weight = 0;
	int status = 0;

	if (check_arguments(cli, &weight, &err) < 0)
		return cli_fail(&err);
	config = cli_load_config(cli, &options, &status);
	if (!config)
		return status;
	status = cli->subcommand == WEIGHTS_GET ? get(cli, config) : set(cli, config, weight);
	config_free(config);
	return status;
}

const struct cli_command cmd_weights = {
	.name = "weights",
	.synopsis = "get | set N",
	.summary = "show or set the canary's share of the traffic by hand",
	.details =
		"`get` asks the running NGINX, not a file. `set` has the same safety as a stage: "
		"the new weight is proven in force, or the old one is put back and proven. "
		"`set 0` is the emergency brake and works like rollback.",
	.examples = "canaryctl weights get\n"
		    "canaryctl weights set 5\n"
		    "canaryctl weights set 0",
	.subcommands = subcommands,
	.minimum_arguments = 1,
	.maximum_arguments = 2,
	.run = run,
};
