/* Help of the tool and of each command, written from the tables. */
#include "cli/cli_private.h"

#include <stdio.h>
#include <string.h>

enum { LINE_COLUMNS = 92 };

/* A term and its help, which starts in `column` and is folded at LINE_COLUMNS. */
static void write_row(struct buf *text, const char *term, int column, const char *help)
{
	int at = column;

	buf_add_format(text, "  %-*s", column - 2, term);
	while (*help) {
		int length = (int)strcspn(help, " ");

		if (at > column && at + 1 + length > LINE_COLUMNS) {
			buf_add_format(text, "\n%*s", column, "");
			at = column;
		}
		if (at > column)
			buf_add_text(text, " ");
		buf_add(text, help, (size_t)length);
		at += length + (at > column);
		help += length;
		help += strspn(help, " ");
	}
	buf_add_text(text, "\n");
}

static const char *option_term(const struct cli_option *option, char *term, size_t size)
{
	snprintf(term, size, "--%s%s%s", option->name, option->argument ? " " : "",
		option->argument ? option->argument : "");
	return term;
}

static void write_options(struct buf *text, const char *title, const struct cli_option *options)
{
	char term[128];
	int column = 0;

	if (!options)
		return;
	for (const struct cli_option *option = options; option->name; option++) {
		int length = (int)strlen(option_term(option, term, sizeof(term)));

		column = length > column ? length : column;
	}
	buf_add_format(text, "\n%s:\n", title);
	for (const struct cli_option *option = options; option->name; option++)
		write_row(text, option_term(option, term, sizeof(term)), column + 4, option->help);
}

static void write_commands(struct buf *text, const struct cli_command *const *commands)
{
	int column = 0;

	for (const struct cli_command *const *command = commands; *command; command++) {
		int length = (int)strlen((*command)->name);

		if (!(*command)->is_hidden && length > column)
			column = length;
	}
	buf_add_text(text, "\ncommands:\n");
	for (; *commands; commands++) {
		if (!(*commands)->is_hidden)
			write_row(text, (*commands)->name, column + 4, (*commands)->summary);
	}
}

/* Text with its own line ends, each line behind two spaces. */
enum { TEXT_WIDTH = 80 };

/* A paragraph, broken between words. */
static void write_wrapped(struct buf *ret_text, const char *paragraph)
{
	size_t column = 0;

	while (*paragraph) {
		size_t length = strcspn(paragraph, " \n");
		bool fits = column + (column > 0) + length <= TEXT_WIDTH;

		if (column)
			buf_add_text(ret_text, fits ? " " : "\n");
		column = fits && column ? column + 1 + length : length;
		buf_add(ret_text, paragraph, length);
		paragraph += length;
		paragraph += strspn(paragraph, " \n");
	}
	buf_add_text(ret_text, "\n");
}

static void write_indented(struct buf *text, const char *lines)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");

		buf_add_text(text, "  ");
		buf_add(text, lines, length);
		buf_add_text(text, "\n");
		lines += length + (lines[length] == '\n');
	}
}

void cli_write_help(const struct cli_command *const *commands, struct buf *ret_text)
{
	char status[16];

	buf_add_text(ret_text, "canaryctl " CANARYCTL_VERSION
			       ": progressive canary rollouts on NGINX, gated by Prometheus\n"
			       "\nusage: canaryctl [GLOBAL OPTIONS] COMMAND [OPTIONS]\n");
	write_commands(ret_text, commands);
	write_options(ret_text, "global options", cli_global_options);
	buf_add_text(ret_text, "\nexit status:\n");
	for (const struct cli_exit *exits = cli_exits; exits->meaning; exits++) {
		snprintf(status, sizeof(status), "%d", exits->status);
		write_row(ret_text, status, 7, exits->meaning);
	}
	buf_add_text(
		ret_text, "\n'canaryctl COMMAND --help' shows a command's options and examples.\n");
}

void cli_write_command_help(const struct cli_command *command, struct buf *ret_text)
{
	bool has_synopsis = command->synopsis && *command->synopsis;

	buf_add_format(ret_text, "canaryctl %s: %s\n\nusage: canaryctl %s%s%s\n", command->name,
		command->summary, command->name, has_synopsis ? " " : "",
		has_synopsis ? command->synopsis : "");
	if (command->details) {
		buf_add_text(ret_text, "\n");
		write_wrapped(ret_text, command->details);
	}
	write_options(ret_text, "options", command->options);
	buf_add_text(ret_text, "\nglobal options:\n"
			       "  --config, --format, --color, --log-level, --help: see 'canaryctl "
			       "--help'\n");
	if (command->examples) {
		buf_add_text(ret_text, "\nexamples:\n");
		write_indented(ret_text, command->examples);
	}
}
