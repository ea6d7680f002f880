/*
 * The program: every command in one table, and what happens around the one that runs. To add a
 * command, add its file cmd_<name>.c and a row here.
 */
#include "cli/cli_private.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* In the order of help: what moves traffic, what shows it, what sets up, what explains. */
#define COMMANDS(ROW)                                                                              \
	ROW(deploy)                                                                                \
	ROW(rollback)                                                                              \
	ROW(weights)                                                                               \
	ROW(status)                                                                                \
	ROW(pause)                                                                                 \
	ROW(resume)                                                                                \
	ROW(approve)                                                                               \
	ROW(abort)                                                                                 \
	ROW(gate)                                                                                  \
	ROW(check)                                                                                 \
	ROW(judge)                                                                                 \
	ROW(doctor)                                                                                \
	ROW(recover)                                                                               \
	ROW(autoscale)                                                                             \
	ROW(config)                                                                                \
	ROW(guardian)                                                                              \
	ROW(debug)                                                                                 \
	ROW(completion)                                                                            \
	ROW(help)

#define DECLARE_ROW(name) extern const struct cli_command cmd_##name;
#define TABLE_ROW(name)   &cmd_##name,

COMMANDS(DECLARE_ROW)
const struct cli_command *const cli_commands[] = { COMMANDS(TABLE_ROW) NULL };

static bool wants_color(const char *wanted)
{
	const char *no_color = getenv("NO_COLOR");
	const char *terminal = getenv("TERM");

	if (wanted && strcmp(wanted, "auto") != 0)
		return strcmp(wanted, "always") == 0;
	if ((no_color && *no_color) || (terminal && strcmp(terminal, "dumb") == 0))
		return false;
	return isatty(STDOUT_FILENO) == 1;
}

static int print_help(const struct cli_command *command, FILE *stream, int status)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	if (command)
		cli_write_command_help(command, &text);
	else
		cli_write_help(cli_commands, &text);
	fputs(buf_text(&text), stream);
	return status;
}

static int dispatch(struct cli_call *call, int argc)
{
	struct error err = { 0 };

	if (call->globals[GLOBAL_HELP])
		return print_help(call->cli.command, stdout, EXIT_GO);
	if (call->globals[GLOBAL_VERSION]) {
		puts("canaryctl " CANARYCTL_VERSION);
		return EXIT_GO;
	}
	if (!call->cli.command) {
		if (argc <= 1)
			return print_help(NULL, stderr, EXIT_USAGE);
		error_set(&err, ERROR_USAGE, 0, "no command is given");
		error_hint(&err, "'canaryctl --help' lists the commands");
		return cli_fail(&err);
	}
	log_set_level(call->log_level);
	call->cli.color = wants_color(call->globals[GLOBAL_COLOR]);
	return call->cli.command->run(&call->cli);
}

/* Has whoever read our output gone? That is their decision, and no failure of ours. */
static bool reader_left(void)
{
	struct pollfd output = { .fd = STDOUT_FILENO };

	return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP));
}

/* A result that could not be written is no success. */
static int flush_output(int status)
{
	struct error err = { 0 };

	errno = 0;
	if ((fflush(stdout) == 0 && !ferror(stdout)) || reader_left())
		return status;
	error_set(&err, ERROR_IO, errno, "cannot write to standard output");
	cli_fail(&err);
	/* What was to be done is done; somebody should look why it could not be said. */
	return status == EXIT_GO ? EXIT_WARNING : status;
}

int cli_main(int argc, char **argv)
{
	struct cli_call call;
	struct error err = { 0 };
	int status;

	if (cli_parse(cli_commands, argv, &call, &err) == 0)
		status = dispatch(&call, argc);
	else
		status = cli_fail(&err);
	cli_call_release(&call);
	return flush_output(status);
}
