/*
 * Completion scripts for bash, zsh and fish, written from the command table. What a value can be
 * comes from how help shows it: "a|b" are words to choose from, FILE is a file.
 */
#include "cli/cli_private.h"

#include <string.h>

static bool is_file(const struct cli_option *option)
{
	return option->argument && strcmp(option->argument, "FILE") == 0;
}

/* The tool's own --version and the options that work everywhere differ in where they apply. */
static bool is_everywhere(const struct cli_option *option)
{
	return option != &cli_global_options[GLOBAL_VERSION];
}

/* "a|b|c" as "a b c". */
static void write_choices(struct buf *script, const char *argument)
{
	for (; *argument; argument++)
		buf_add(script, *argument == '|' ? " " : argument, 1);
}

static void write_subcommands(struct buf *script, const struct cli_command *command)
{
	for (int i = 0; command->subcommands && command->subcommands[i]; i++)
		buf_add_format(script, "%s%s", i ? " " : "", command->subcommands[i]);
}

/* Text inside single quotes, with what the place needs escaped by a backslash. */
static void write_quoted(
	struct buf *script, const char *text, const char *escaped, const char *quote)
{
	for (; *text; text++) {
		if (*text == '\'') {
			buf_add_text(script, quote);
			continue;
		}
		if (strchr(escaped, *text))
			buf_add_text(script, "\\");
		buf_add(script, text, 1);
	}
}

static void bash_write_value(
	struct buf *script, const char *command, const struct cli_option *option)
{
	if (!option->argument)
		return;
	buf_add_format(script, "\t%s:--%s)\n", command, option->name);
	if (is_file(option)) {
		buf_add_text(script, "\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
				     "\t\treturn\n");
	} else if (cli_is_choice(option->argument)) {
		buf_add_text(script, "\t\twords='");
		write_choices(script, option->argument);
		buf_add_text(script, "'\n");
	} else {
		buf_add_text(script, "\t\treturn\n");
	}
	buf_add_text(script, "\t\t;;\n");
}

static void bash_write_values(struct buf *script, const struct cli_command *const *commands)
{
	const struct cli_option *option;

	buf_add_text(script, "\tcase $command:$prev in\n");
	for (; *commands; commands++) {
		for (option = (*commands)->options; option && option->name; option++)
			bash_write_value(script, (*commands)->name, option);
	}
	for (option = cli_global_options; option->name; option++)
		bash_write_value(script, "*", option);
}

/* What can stand where no option waits for its value. */
static void bash_write_words(struct buf *script, const struct cli_command *const *commands)
{
	const struct cli_option *option;

	buf_add_text(script, "\t*)\n\t\tcase $command in\n\t\t'') words='");
	for (const struct cli_command *const *at = commands; *at; at++) {
		if (!(*at)->is_hidden)
			buf_add_format(script, "%s ", (*at)->name);
	}
	buf_add_text(script, "--version' ;;\n");
	for (; *commands; commands++) {
		buf_add_format(script, "\t\t%s) words='", (*commands)->name);
		write_subcommands(script, *commands);
		for (option = (*commands)->options; option && option->name; option++)
			buf_add_format(script, " --%s", option->name);
		buf_add_text(script, "' ;;\n");
	}
	buf_add_text(script, "\t\tesac\n\t\t[[ $cur == -* ]] && words+='");
	for (option = cli_global_options; option->name; option++) {
		if (is_everywhere(option))
			buf_add_format(script, " --%s", option->name);
	}
	buf_add_text(script, "'\n\t\t;;\n\tesac\n");
}

static void write_bash(struct buf *script, const struct cli_command *const *commands)
{
	bool is_first = true;

	/* bash splits --format=json into three words, because '=' is in COMP_WORDBREAKS. */
	buf_add_text(script,
		"# canaryctl completion for bash; written by 'canaryctl completion bash'.\n"
		"_canaryctl() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
		"\tlocal command='' words='' i\n"
		"\n"
		"\tCOMPREPLY=()\n"
		"\tif [[ $cur == = ]]; then\n"
		"\t\tcur=''\n"
		"\telif [[ $prev == = ]]; then\n"
		"\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n"
		"\tfi\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tcase ${COMP_WORDS[i]} in\n\t\t");
	for (const struct cli_option *option = cli_global_options; option->name; option++) {
		if (!option->argument)
			continue;
		buf_add_format(script, "%s--%s", is_first ? "" : " | ", option->name);
		is_first = false;
	}
	buf_add_text(script, ")\n"
			     "\t\t\t[[ ${COMP_WORDS[i + 1]} == = ]] && ((i++))\n"
			     "\t\t\t((i++))\n"
			     "\t\t\t;;\n"
			     "\t\t-*) ;;\n"
			     "\t\t*)\n"
			     "\t\t\tcommand=${COMP_WORDS[i]}\n"
			     "\t\t\tbreak\n"
			     "\t\t\t;;\n"
			     "\t\tesac\n"
			     "\tdone\n");
	bash_write_values(script, commands);
	bash_write_words(script, commands);
	buf_add_text(script, "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
			     "}\n"
			     "complete -F _canaryctl canaryctl\n");
}

/* '--name[help]:FILE:_files' */
static void zsh_write_option(
	struct buf *script, const char *indent, const struct cli_option *option)
{
	buf_add_format(script, "%s'--%s%s[", indent, option->name, option->argument ? "=" : "");
	write_quoted(script, option->help, "[]:\\", "'\\''");
	buf_add_text(script, "]");
	if (is_file(option)) {
		buf_add_text(script, ":file:_files");
	} else if (cli_is_choice(option->argument)) {
		buf_add_format(script, ":%s:(", option->name);
		write_choices(script, option->argument);
		buf_add_text(script, ")");
	} else if (option->argument) {
		buf_add_text(script, ":");
		write_quoted(script, option->argument, "[]:\\", "'\\''");
		buf_add_text(script, ": ");
	}
	buf_add_text(script, "'");
}

static void zsh_write_command(struct buf *script, const struct cli_command *command)
{
	const struct cli_option *option = command->options;

	buf_add_format(script, "\t\t%s)\n\t\t\t_arguments", command->name);
	for (; option && option->name; option++)
		zsh_write_option(script, " \\\n\t\t\t\t", option);
	if (command->subcommands) {
		buf_add_text(script, " \\\n\t\t\t\t'1:subcommand:(");
		write_subcommands(script, command);
		buf_add_text(script, ")'");
	}
	buf_add_text(script, " \\\n\t\t\t\t\"${everywhere[@]}\"\n\t\t\t;;\n");
}

static void write_zsh(struct buf *script, const struct cli_command *const *commands)
{
	buf_add_text(script,
		"#compdef canaryctl\n"
		"# canaryctl completion for zsh; written by 'canaryctl completion zsh'.\n"
		"_canaryctl() {\n"
		"\tlocal context state state_descr line\n"
		"\ttypeset -A opt_args\n"
		"\tlocal -a commands=(\n");
	for (const struct cli_command *const *at = commands; *at; at++) {
		if ((*at)->is_hidden)
			continue;
		buf_add_format(script, "\t\t'%s:", (*at)->name);
		write_quoted(script, (*at)->summary, "\\", "'\\''");
		buf_add_text(script, "'\n");
	}
	buf_add_text(script, "\t)\n\tlocal -a everywhere=(");
	for (const struct cli_option *option = cli_global_options; option->name; option++) {
		if (is_everywhere(option))
			zsh_write_option(script, "\n\t\t", option);
	}
	buf_add_text(script, "\n\t)\n\n\t_arguments -C \"${everywhere[@]}\" \\\n");
	zsh_write_option(script, "\t\t", &cli_global_options[GLOBAL_VERSION]);
	buf_add_text(script, " \\\n"
			     "\t\t'1:command:->command' \\\n"
			     "\t\t'*::argument:->argument' && return\n"
			     "\tcase $state in\n"
			     "\tcommand) _describe command commands ;;\n"
			     "\targument)\n"
			     "\t\tcase $words[1] in\n");
	for (; *commands; commands++)
		zsh_write_command(script, *commands);
	buf_add_text(script, "\t\tesac\n"
			     "\t\t;;\n"
			     "\tesac\n"
			     "}\n"
			     "if [[ $funcstack[1] == _canaryctl ]]; then\n"
			     "\t_canaryctl \"$@\"\n"
			     "else\n"
			     "\tcompdef _canaryctl canaryctl\n"
			     "fi\n");
}

/* `condition` is a fish command without quotes in it; NULL: everywhere. */
static void fish_write_option(
	struct buf *script, const char *condition, const struct cli_option *option)
{
	buf_add_text(script, "complete -c canaryctl");
	if (condition)
		buf_add_format(script, " -n '%s'", condition);
	buf_add_format(script, " -l %s", option->name);
	if (is_file(option)) {
		buf_add_text(script, " -r -F");
	} else if (cli_is_choice(option->argument)) {
		buf_add_text(script, " -x -a '");
		write_choices(script, option->argument);
		buf_add_text(script, "'");
	} else if (option->argument) {
		buf_add_text(script, " -x");
	}
	buf_add_text(script, " -d '");
	write_quoted(script, option->help, "\\", "\\'");
	buf_add_text(script, "'\n");
}

static void fish_write_command(struct buf *script, const struct cli_command *command)
{
	CLEANUP_BUF struct buf condition = BUF_INIT(0);
	const struct cli_option *option = command->options;

	buf_add_format(&condition, "__fish_seen_subcommand_from %s", command->name);
	for (; option && option->name; option++)
		fish_write_option(script, buf_text(&condition), option);
	if (!command->subcommands)
		return;
	buf_add_format(script, "complete -c canaryctl -n '%s; and not __fish_seen_subcommand_from ",
		buf_text(&condition));
	write_subcommands(script, command);
	buf_add_text(script, "' -a '");
	write_subcommands(script, command);
	buf_add_text(script, "'\n");
}

static void write_fish(struct buf *script, const struct cli_command *const *commands)
{
	buf_add_text(script,
		"# canaryctl completion for fish; written by 'canaryctl completion fish'.\n"
		"complete -c canaryctl -f\n");
	for (const struct cli_option *option = cli_global_options; option->name; option++)
		fish_write_option(
			script, is_everywhere(option) ? NULL : "__fish_use_subcommand", option);
	for (; *commands; commands++) {
		if (!(*commands)->is_hidden) {
			buf_add_format(script,
				"complete -c canaryctl -n __fish_use_subcommand -a %s -d '",
				(*commands)->name);
			write_quoted(script, (*commands)->summary, "\\", "\\'");
			buf_add_text(script, "'\n");
		}
		fish_write_command(script, *commands);
	}
}

void cli_write_completion(
	const struct cli_command *const *commands, enum cli_shell shell, struct buf *ret_script)
{
	static void (*const writers[])(struct buf *, const struct cli_command *const *) = {
		[SHELL_BASH] = write_bash,
		[SHELL_ZSH] = write_zsh,
		[SHELL_FISH] = write_fish,
	};

	writers[shell](ret_script, commands);
}
