/* What `check`, `gate` and `doctor` share. */
#ifndef CANARYCTL_SUITE_COMMAND_H
#define CANARYCTL_SUITE_COMMAND_H

#include "canaryctl/cli.h"

#include <stddef.h>
#include <stdint.h>

/* Those that every command has which runs a suite. */
#define SUITE_COMMAND_OPTIONS                                                                      \
	{ "strict", NULL, "WARNING counts as NO-GO" },                                             \
		{ "output", "FILE", "write the report there, as JSON" },                           \
		{ "junit", "FILE", "write the report there, as JUnit XML" },                       \
		{ "only", "NAME", "run this check alone" },                                        \
	{                                                                                          \
		"list", NULL, "print the checks without running them"                              \
	}

extern const struct cli_option suite_command_options[];

/* Runs the named suites one after another and prints them. Returns the exit status. */
int suite_command(struct cli *cli, char *const *names, size_t count);

/* The same with one suite that is no part of the configuration, and cost `spent_ms` already. */
int suite_command_run(struct cli *cli, const struct config *config,
	const struct suite_config *suite, int64_t spent_ms);

#endif
