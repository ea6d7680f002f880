/*
 * Commands: a row per command in src/cli/cli.c, a file per command. A command parses its own
 * options through the table it names, does its work through the modules below, and returns an
 * exit status. Errors are printed in one place: a command returns cli_fail().
 */
#ifndef CANARYCTL_CLI_H
#define CANARYCTL_CLI_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"

#include <stdbool.h>
#include <stddef.h>

enum exit_status {
	EXIT_GO = 0,
	EXIT_WARNING = 1,
	EXIT_NO_GO = 2,
	EXIT_UNPROVEN = 3, /* the traffic is not proven to be where it should be */
	EXIT_USAGE = 64,
	EXIT_UNREACHABLE = 69,
	EXIT_LOCKED = 75,
	EXIT_BAD_CONFIG = 78,
	EXIT_SIGINT = 130,
	EXIT_SIGTERM = 143
};

enum output_format { FORMAT_TEXT, FORMAT_JSON };

/* An option of a command, or a global one. */
struct cli_option {
	const char *name; /* "stages" for --stages; NULL ends a table */
	/* As shown in help: "FILE", "1,5,25,100"; "text|json" allows only these; NULL: a switch. */
	const char *argument;
	const char *help;
};

struct cli_value {
	const char *name;
	const char *value; /* "" for a switch */
};

/* One call of the program: global options, the command's own, and what is left. */
struct cli {
	const char *config_path; /* --config; NULL */
	enum output_format format;
	bool color;
	const struct cli_command *command;
	struct cli_value *values;
	size_t value_count;
	char **arguments; /* positional ones, NULL-terminated */
	size_t argument_count;
	int subcommand; /* index into command->subcommands, when it has them */
};

struct cli_command {
	const char *name;
	const char *synopsis;             /* "--version V [OPTIONS]" */
	const char *summary;              /* one line */
	const char *details;              /* a paragraph; may be NULL */
	const char *examples;             /* lines */
	const struct cli_option *options; /* may be NULL */
	/* NULL-terminated: what the first argument can be, checked before run(); may be NULL. */
	const char *const *subcommands;
	int minimum_arguments;
	int maximum_arguments; /* -1: any number */
	bool is_hidden;
	int (*run)(struct cli *cli);
};

/* The value of an option ("" for a switch that is set), or NULL when it was not given. */
const char *cli_value(const struct cli *cli, const char *name);
bool cli_has(const struct cli *cli, const char *name);

/* Prints the error with its hint on stderr and returns the exit status of its kind. */
int cli_fail(const struct error *err);
int cli_exit_status(enum error_kind kind);

/* Finds and loads the configuration; on failure prints everything and sets *ret_status. */
struct config *cli_load_config(
	const struct cli *cli, const struct config_options *options, int *ret_status);

/* main() is this. */
int cli_main(int argc, char **argv);

#endif
