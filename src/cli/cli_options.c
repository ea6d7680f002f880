/*
 * argv, read against the tables of global options, commands and their options. Every word is
 * either understood or refused with what is wrong about it; nothing is guessed.
 */
#include "cli/cli_private.h"

#include "canaryctl/mem.h"
#include "canaryctl/semver.h"
#include "canaryctl/suggest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 64 };

const struct cli_option cli_global_options[] = {
	[GLOBAL_CONFIG] = { "config", "FILE",
		"configuration file; default $CANARYCTL_CONFIG, "
		"./canaryctl.yaml, ./configs/canaryctl.yaml, /etc/canaryctl/canaryctl.yaml" },
	[GLOBAL_FORMAT] = { "format", "text|json", "what is printed on standard output" },
	[GLOBAL_COLOR] = { "color", "auto|always|never", "colors; auto heeds NO_COLOR" },
	[GLOBAL_LOG_LEVEL] = { "log-level", "error|warn|info|debug", "logs on standard error" },
	[GLOBAL_HELP] = { "help", NULL, "help for the tool, or for a command" },
	[GLOBAL_VERSION] = { "version", NULL, "version of the tool (before a command)" },
	[GLOBAL_COUNT] = { 0 },
};

/* Where the parser stands. */
struct parser {
	const struct cli_command *const *commands;
	char *const *next; /* the word to read */
	struct cli_call *call;
	struct error *err;
};

/* One option as it was written. */
struct written_option {
	char name[72];     /* "stages" */
	const char *value; /* behind '='; NULL: none */
};

const struct cli_command *cli_find_command(
	const struct cli_command *const *commands, const char *name)
{
	for (; *commands; commands++) {
		if (strcmp((*commands)->name, name) == 0)
			return *commands;
	}
	return NULL;
}

int cli_unknown_command(
	const struct cli_command *const *commands, const char *name, struct error *err)
{
	const char *names[NAMES_MAX] = { NULL };
	const char *meant;
	size_t count = 0;

	for (; *commands && count + 1 < NAMES_MAX; commands++) {
		if (!(*commands)->is_hidden)
			names[count++] = (*commands)->name;
	}
	error_set(err, ERROR_USAGE, 0, "unknown command '%.200s'", name);
	meant = suggest_name(name, names);
	if (meant)
		return error_hint(err, "did you mean '%s'?", meant);
	return error_hint(err, "'canaryctl --help' lists the commands");
}

bool cli_is_choice(const char *argument)
{
	if (!argument || !strchr(argument, '|'))
		return false;
	for (; *argument; argument++) {
		if (isupper((unsigned char)*argument))
			return false;
	}
	return true;
}

/* Is text one of the words of "a|b|c"? */
static int check_choice(const struct cli_option *option, const char *text, struct error *err)
{
	CLEANUP_FREE char *words = mem_strdup(option->argument);
	const char *names[NAMES_MAX] = { NULL };
	const char *meant;
	char *rest = words;
	size_t count = 0;

	while (rest && count + 1 < NAMES_MAX) {
		names[count] = strsep(&rest, "|");
		if (strcmp(names[count++], text) == 0)
			return 0;
	}
	error_set(err, ERROR_USAGE, 0, "option '--%s' cannot be '%.200s'", option->name, text);
	meant = suggest_name(text, names);
	if (meant)
		return error_hint(err, "did you mean '%s'?", meant);
	return error_hint(err, "use one of %s", option->argument);
}

static const struct cli_option *find_option(const struct cli_option *options, const char *name)
{
	for (; options && options->name; options++) {
		if (strcmp(options->name, name) == 0)
			return options;
	}
	return NULL;
}

/* Splits "--name=value". */
static void read_written(const char *word, struct written_option *ret_written)
{
	const char *name = word + 2;
	size_t length = strcspn(name, "=");

	ret_written->value = name[length] ? name + length + 1 : NULL;
	if (length >= sizeof(ret_written->name))
		length = 0; /* longer than any option: unknown */
	memcpy(ret_written->name, name, length);
	ret_written->name[length] = '\0';
}

/* `written` as it stood on the command line, `name` what it could be the name of. */
static int unknown_option(struct parser *parser, const char *written, const char *name)
{
	const struct cli_command *command = parser->call->cli.command;
	const struct cli_option *option;
	const char *names[NAMES_MAX] = { NULL };
	const char *meant;
	size_t count = 0;

	for (option = command ? command->options : NULL; option && option->name; option++) {
		if (count + 1 < NAMES_MAX)
			names[count++] = option->name;
	}
	for (option = cli_global_options; option->name; option++) {
		bool applies = !command || option != &cli_global_options[GLOBAL_VERSION];

		if (applies && count + 1 < NAMES_MAX)
			names[count++] = option->name;
	}
	error_set(parser->err, ERROR_USAGE, 0, "unknown option '%.200s'%s%s%s", written,
		command ? " of '" : "", command ? command->name : "", command ? "'" : "");
	meant = suggest_name(name, names);
	if (meant)
		return error_hint(parser->err, "did you mean '--%s'?", meant);
	if (command)
		return error_hint(
			parser->err, "'canaryctl %s --help' lists its options", command->name);
	return error_hint(parser->err, "'canaryctl --help' lists the global options");
}

/* The value of `option`, from behind '=' or from the next word. "" for a switch. */
static const char *read_value(struct parser *parser, const struct cli_option *option,
	const struct written_option *written)
{
	const char *value = written->value;

	if (!option->argument) {
		if (!value)
			return "";
		error_set(parser->err, ERROR_USAGE, 0,
			"option '--%s' takes no value, but got '%.200s'", option->name, value);
		error_hint(parser->err, "write '--%s' alone", option->name);
		return NULL;
	}
	if (!value && parser->next[1] && strncmp(parser->next[1], "--", 2) != 0)
		value = *++parser->next;
	if (!value || !*value) {
		error_set(parser->err, ERROR_USAGE, 0, "option '--%s' needs a value", option->name);
		error_hint(parser->err, "write '--%s %s'", option->name, option->argument);
		return NULL;
	}
	if (cli_is_choice(option->argument) && check_choice(option, value, parser->err) != 0)
		return NULL;
	return value;
}

static int given_twice(struct parser *parser, const struct cli_option *option)
{
	error_set(
		parser->err, ERROR_USAGE, 0, "option '--%s' is given more than once", option->name);
	return error_hint(parser->err, "give it once, with the value that you mean");
}

static int set_global(struct parser *parser, const struct cli_option *option,
	const struct written_option *written)
{
	const char **slot = &parser->call->globals[option - cli_global_options];

	if (*slot)
		return given_twice(parser, option);
	*slot = read_value(parser, option, written);
	return *slot ? 0 : -1;
}

static int set_own(struct parser *parser, const struct cli_option *option,
	const struct written_option *written)
{
	struct cli *cli = &parser->call->cli;
	const char *value;

	if (cli_has(cli, option->name))
		return given_twice(parser, option);
	value = read_value(parser, option, written);
	if (!value)
		return -1;
	cli->values = mem_resize(cli->values, cli->value_count + 1, sizeof(*cli->values));
	cli->values[cli->value_count++] =
		(struct cli_value){ .name = option->name, .value = value };
	return 0;
}

/* A command's own options come before global ones of the same name. */
static int read_option(struct parser *parser)
{
	const char *word = *parser->next;
	const struct cli_command *command = parser->call->cli.command;
	const struct cli_option *option;
	struct written_option written = { .name = "help" };

	if (strncmp(word, "--", 2) == 0)
		read_written(word, &written);
	else if (strcmp(word, "-h") != 0)
		return unknown_option(parser, word, word + 1);
	option = command ? find_option(command->options, written.name) : NULL;
	if (option)
		return set_own(parser, option, &written);
	option = find_option(cli_global_options, written.name);
	if (!option)
		return unknown_option(parser, word, written.name);
	if (command && option == &cli_global_options[GLOBAL_VERSION]) {
		unknown_option(parser, word, written.name);
		return error_hint(parser->err, "'canaryctl --version' prints the tool's version");
	}
	return set_global(parser, option, &written);
}

/* The first plain word is the command, the others are its arguments. */
static int read_word(struct parser *parser)
{
	struct cli *cli = &parser->call->cli;

	if (!cli->command) {
		cli->command = cli_find_command(parser->commands, *parser->next);
		if (!cli->command)
			return cli_unknown_command(parser->commands, *parser->next, parser->err);
		return 0;
	}
	cli->arguments = mem_resize(cli->arguments, cli->argument_count + 2, sizeof(char *));
	cli->arguments[cli->argument_count++] = *parser->next;
	cli->arguments[cli->argument_count] = NULL;
	return 0;
}

/* The first argument must be one of the command's subcommands, when it has them. */
static int find_subcommand(struct cli *cli, struct error *err)
{
	const struct cli_command *command = cli->command;
	const char *meant;

	if (!command->subcommands || !cli->argument_count)
		return 0;
	for (int i = 0; command->subcommands[i]; i++) {
		if (strcmp(command->subcommands[i], cli->arguments[0]) == 0) {
			cli->subcommand = i;
			return 0;
		}
	}
	error_set(err, ERROR_USAGE, 0, "unknown subcommand '%.200s' of '%s'", cli->arguments[0],
		command->name);
	meant = suggest_name(cli->arguments[0], command->subcommands);
	if (meant)
		return error_hint(err, "did you mean '%s'?", meant);
	return error_hint(err, "usage: canaryctl %s %s", command->name, command->synopsis);
}

static int check_arguments(struct cli *cli, struct error *err)
{
	const struct cli_command *command = cli->command;
	int count = (int)cli->argument_count;

	if (count < command->minimum_arguments) {
		error_set(err, ERROR_USAGE, 0, "too few arguments for '%s'", command->name);
	} else if (command->maximum_arguments >= 0 && count > command->maximum_arguments) {
		const char *extra = cli->arguments[command->maximum_arguments];

		error_set(err, ERROR_USAGE, 0, "too many arguments for '%s': '%.200s'",
			command->name, extra);
		if (semver_valid(extra) && find_option(command->options, "version"))
			return error_hint(err, "did you mean '--version %s'?", extra);
	} else {
		return find_subcommand(cli, err);
	}
	return error_hint(err, "usage: canaryctl %s %s", command->name, command->synopsis);
}

static void finish_globals(struct cli_call *call)
{
	const char *format = call->globals[GLOBAL_FORMAT];
	const char *level = call->globals[GLOBAL_LOG_LEVEL];

	call->cli.config_path = call->globals[GLOBAL_CONFIG];
	call->cli.format = format && strcmp(format, "json") == 0 ? FORMAT_JSON : FORMAT_TEXT;
	call->log_level = LOG_LEVEL_WARN;
	if (level)
		(void)log_parse_level(level, &call->log_level); /* the table let it pass */
}

int cli_parse(const struct cli_command *const *commands, char *const *argv,
	struct cli_call *ret_call, struct error *err)
{
	struct parser parser = { .commands = commands, .next = argv, .call = ret_call, .err = err };
	bool options_ended = false;

	*ret_call = (struct cli_call){ 0 };
	/* An execve() without even a program name is possible. */
	for (parser.next += *argv != NULL; *parser.next; parser.next++) {
		const char *word = *parser.next;
		/* "-5" is a number and "-" is a word. */
		bool is_option = word[0] == '-' && word[1] && !isdigit((unsigned char)word[1]);
		int result = 0;

		if (!options_ended && strcmp(word, "--") == 0)
			options_ended = true;
		else if (!options_ended && is_option)
			result = read_option(&parser);
		else
			result = read_word(&parser);
		if (result != 0)
			return -1;
	}
	finish_globals(ret_call);
	if (ret_call->cli.command && !ret_call->globals[GLOBAL_HELP])
		return check_arguments(&ret_call->cli, err);
	return 0;
}

void cli_call_release(struct cli_call *call)
{
	free(call->cli.values);
	free(call->cli.arguments);
	*call = (struct cli_call){ 0 };
}

const char *cli_value(const struct cli *cli, const char *name)
{
	for (size_t i = 0; i < cli->value_count; i++) {
		if (strcmp(cli->values[i].name, name) == 0)
			return cli->values[i].value;
	}
	return NULL;
}

bool cli_has(const struct cli *cli, const char *name)
{
	return cli_value(cli, name) != NULL;
}
