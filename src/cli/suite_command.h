/* What `check` and `gate` share. */
#ifndef CANARYCTL_SUITE_COMMAND_H
#define CANARYCTL_SUITE_COMMAND_H

#include "canaryctl/cli.h"

extern const struct cli_option suite_command_options[];

/* Runs the named suites one after another and prints them. Returns the exit status. */
int suite_command(struct cli *cli, char *const *names, size_t count);

#endif
