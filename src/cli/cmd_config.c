/* canaryctl config validate|show: is the configuration right, and what does it amount to? */
#include "cli/cli_private.h"

#include "canaryctl/mem.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONFIG_VALIDATE, CONFIG_SHOW };
static const char *const subcommands[] = {
	[CONFIG_VALIDATE] = "validate",
	[CONFIG_SHOW] = "show",
	NULL,
};

static void print_summary(const struct config *config)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	char weight[WEIGHT_TEXT_SIZE];

	buf_add_printable(&text, config->path);
	buf_add_format(&text, ": ok\n  service '%s', %zu stage%s (", config->service,
		config->rollout.stage_count, config->rollout.stage_count == 1 ? "" : "s");
	for (size_t i = 0; i < config->rollout.stage_count; i++) {
		weight_format(config->rollout.stages[i].weight, weight);
		buf_add_format(&text, "%s%s", i ? ", " : "", weight);
	}
	buf_add_format(&text, " %%), %zu check%s, %zu suite%s\n", config->check_count,
		config->check_count == 1 ? "" : "s", config->suite_count,
		config->suite_count == 1 ? "" : "s");
	fputs(buf_text(&text), stdout);
}

/* "   12 | text" and "      | ^" show a line of the file, "  hint: ..." says what to do. */
static bool continues_problem(const char *line)
{
	const char *after_number = line;

	while (isdigit((unsigned char)*after_number))
		after_number++;
	return *line == ' ' || *line == '\0' ||
	       (after_number > line && strncmp(after_number, " | ", 3) == 0);
}

/* One string per problem: its first line, "file:line:col: key: what is wrong". */
static cJSON *problems_to_json(const struct buf *diagnostics, const struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(buf_text(diagnostics));
	cJSON *problems = cJSON_CreateArray();
	char *rest = copy;
	char *line;

	while ((line = strsep(&rest, "\n"))) {
		if (!continues_problem(line))
			cJSON_AddItemToArray(problems, cJSON_CreateString(line));
	}
	/* Without a single line of a file to blame: the file itself is the problem. */
	if (err->kind != ERROR_NONE && cJSON_GetArraySize(problems) == 0)
		cJSON_AddItemToArray(problems, cJSON_CreateString(err->message));
	return problems;
}

static void print_json(
	const struct config *config, const struct buf *diagnostics, const struct error *err)
{
	cJSON *result = cJSON_CreateObject();
	char *text;

	cJSON_AddBoolToObject(result, "valid", config != NULL);
	if (config)
		cJSON_AddStringToObject(result, "file", config->path);
	cJSON_AddItemToObject(result, "errors", problems_to_json(diagnostics, err));
	text = cJSON_PrintUnformatted(result);
	if (text)
		puts(text);
	free(text);
	cJSON_Delete(result);
}

static int validate(const struct cli *cli)
{
	CLEANUP_BUF struct buf diagnostics = BUF_INIT(0);
	struct error err = { 0 };
	struct config *config = cli_read_config(cli, NULL, &diagnostics, &err);
	int status = config ? EXIT_GO : cli_exit_status(err.kind);

	if (cli->format == FORMAT_JSON)
		print_json(config, &diagnostics, &err);
	else if (config)
		print_summary(config);
	else
		status = cli_fail_config(&diagnostics, &err);
	config_free(config);
	return status;
}

static int show(const struct cli *cli)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = { 0 };
	struct config *config;
	int status;

	if (cli->format == FORMAT_JSON) {
		error_set(&err, ERROR_USAGE, 0, "'config show' prints YAML, not JSON");
		error_hint(&err, "leave out '--format json'");
		return cli_fail(&err);
	}
	config = cli_load_config(cli, NULL, &status);
	if (!config)
		return status;
	config_show(config, &text);
	fputs(buf_text(&text), stdout);
	config_free(config);
	return EXIT_GO;
}

static int run(struct cli *cli)
{
	return cli->subcommand == CONFIG_VALIDATE ? validate(cli) : show(cli);
}

const struct cli_command cmd_config = {
	.name = "config",
	.synopsis = "validate|show",
	.summary = "validate the configuration, or show what is in effect",
	.details =
		"validate names every problem of the file with its line, a caret and what to do;\n"
		"show prints all keys with their defaults filled in and secrets masked.",
	.examples = "canaryctl config validate\n"
		    "canaryctl --config staging.yaml config validate --format json\n"
		    "canaryctl config show",
	.subcommands = subcommands,
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.run = run,
};
