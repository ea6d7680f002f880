/* A small command table for the tests of parser, help and completion: it does not move. */
#ifndef CANARYCTL_TESTS_CLI_FIXTURE_H
#define CANARYCTL_TESTS_CLI_FIXTURE_H

#include "cli/cli_private.h"

static const struct cli_option fixture_deploy_options[] = {
	{ "version", "V", "the canary's version" },
	{ "stages", "1,5,25,100", "weights of the stages, ascending" },
	{ "output", "FILE", "write the final report, JSON" },
	{ "mode", "fast|slow", "it's [only] an example: of choices" },
	{ "dry-run", NULL, "rehearse; change nothing" },
	{ 0 },
};
static const struct cli_command fixture_deploy = {
	.name = "deploy",
	.synopsis = "--version V [OPTIONS]",
	.summary = "run a rollout in the foreground",
	.details = "Moves traffic in stages. Each shift is proven in force by what NGINX itself "
		   "answers to fresh connections.",
	.examples =
		"canaryctl deploy --version v0.2.0\ncanaryctl deploy --version v0.2.0 --dry-run",
	.options = fixture_deploy_options,
};

static const char *const fixture_config_subcommands[] = { "validate", "show", NULL };
static const struct cli_command fixture_config = {
	.name = "config",
	.synopsis = "validate|show",
	.summary = "validate or show the configuration",
	.subcommands = fixture_config_subcommands,
	.minimum_arguments = 1,
	.maximum_arguments = 1,
};

static const struct cli_command fixture_check = {
	.name = "check",
	.synopsis = "SUITE...",
	.summary = "run suites of checks",
	.minimum_arguments = 1,
	.maximum_arguments = -1,
};

static const struct cli_command fixture_secret = {
	.name = "secret",
	.summary = "not for everybody",
	.is_hidden = true,
};

static const struct cli_command *const fixture_commands[] = {
	&fixture_deploy,
	&fixture_config,
	&fixture_check,
	&fixture_secret,
	NULL,
};

#endif
