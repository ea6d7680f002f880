/*
 * What the files of src/cli share: the tables, the parser, and the writers of help and completion.
 * All but cli_fail() and the commands themselves are pure: they fill a struct or a buffer.
 */
#ifndef CANARYCTL_CLI_PRIVATE_H
#define CANARYCTL_CLI_PRIVATE_H

#include "canaryctl/buf.h"
#include "canaryctl/cli.h"
#include "canaryctl/log.h"

#include <cjson/cJSON.h>
#include <stdio.h>

/* Every command, ended by NULL: the one place that lists them (cli.c). */
extern const struct cli_command *const cli_commands[];

/* Global options, in the order of enum cli_global (cli_options.c). */
enum cli_global {
	GLOBAL_CONFIG,
	GLOBAL_FORMAT,
	GLOBAL_COLOR,
	GLOBAL_LOG_LEVEL,
	GLOBAL_HELP,
	GLOBAL_VERSION, /* of the tool: only before the command, which may have its own */
	GLOBAL_COUNT
};
extern const struct cli_option cli_global_options[];

/* argv, understood. Everything is borrowed from argv but the two arrays in `cli`. */
struct cli_call {
	struct cli cli;                    /* command NULL: none was named */
	const char *globals[GLOBAL_COUNT]; /* as in struct cli_value; NULL: not given */
	enum log_level log_level;
};

/*
 * Reads argv against the tables; changes nothing outside *ret_call. Arguments are only counted
 * when the command is going to run, not when its help is asked for.
 */
int cli_parse(const struct cli_command *const *commands, char *const *argv,
	struct cli_call *ret_call, struct error *err);
void cli_call_release(struct cli_call *call);

const struct cli_command *cli_find_command(
	const struct cli_command *const *commands, const char *name);

/* ERROR_USAGE for a name that no command has, with what was meant. Returns -1. */
int cli_unknown_command(
	const struct cli_command *const *commands, const char *name, struct error *err);

/* Is this argument of an option "a|b|c", a list of all that is allowed? */
bool cli_is_choice(const char *argument);

/* What cli_fail() prints: the message and its hint, without anything that steers a terminal. */
void cli_format_error(const struct error *err, struct buf *ret_text);

/* cli_print.c: the same care for results: lines, and JSON on a line of its own on stdout. */
void cli_print_lines(const char *lines, FILE *stream);
void cli_print_json(const cJSON *json);

/* cli_load_config() in its two halves, for `config validate`: nothing is printed by the first. */
struct config *cli_read_config(const struct cli *cli, const struct config_options *options,
	struct buf *ret_diagnostics, struct error *err);
int cli_fail_config(const struct buf *diagnostics, const struct error *err);

/* Exit statuses with their meaning, ended by a NULL meaning; for help. */
struct cli_exit {
	int status;
	const char *meaning;
};
extern const struct cli_exit cli_exits[];

void cli_write_help(const struct cli_command *const *commands, struct buf *ret_text);
void cli_write_command_help(const struct cli_command *command, struct buf *ret_text);

enum cli_shell { SHELL_BASH, SHELL_ZSH, SHELL_FISH };
void cli_write_completion(
	const struct cli_command *const *commands, enum cli_shell shell, struct buf *ret_script);

/* ---- cmd_deploy.c: what `deploy` and a resuming `recover` have in common ---- */
struct cli_rollout {
	const char *version;
	size_t start_stage;   /* index into the stages */
	bool is_approved;     /* that stage was approved before */
	const char *evidence; /* as in struct rollout_request */
	bool is_dry_run;
	const char *output; /* files for the report; NULL: none */
	const char *junit;
};

/* Runs or rehearses it with the printers that the options ask for. Returns the exit status. */
int cli_roll_out(
	const struct cli *cli, const struct config *config, const struct cli_rollout *rollout);

#endif
