/* docs/configuration.md, from the same rows that the loader reads. */
#include "canaryctl/check.h"
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "config/schema_rows.h"

#include <ctype.h>
#include <string.h>

static const char *const type_names[] = {
	[SCHEMA_STRING] = "text",
	[SCHEMA_PATH] = "path",
	[SCHEMA_PROGRAM] = "program",
	[SCHEMA_URL] = "URL",
	[SCHEMA_SECRET] = "secret",
	[SCHEMA_SECRET_URL] = "URL, secret",
	[SCHEMA_TEXT_MAP] = "map of text",
	[SCHEMA_SELECTOR] = "series selector",
	[SCHEMA_DURATION] = "duration",
	[SCHEMA_BOOL] = "true, false",
	[SCHEMA_INT] = "whole number",
	[SCHEMA_NUMBER] = "number",
	[SCHEMA_WEIGHT] = "weight",
	[SCHEMA_ARGV] = "argv",
	[SCHEMA_STRINGS] = "list of text",
	[SCHEMA_CONDITION] = "condition",
	[SCHEMA_MAP] = "map",
};

static const char *const custom_names[] = {
	[CUSTOM_NONE] = "",
	[CUSTOM_INCLUDE] = "list of paths",
	[CUSTOM_HEADERS] = "map of text",
	[CUSTOM_STAGES] = "list of stages",
	[CUSTOM_CHECKS] = "list of checks",
	[CUSTOM_SUITES] = "map of suites",
	[CUSTOM_MIN_SAMPLES] = "number or map",
	[CUSTOM_NOTIFY] = "list of maps",
	[CUSTOM_SCALE_RULES] = "map of maps",
};

static const char introduction[] =
	"# Configuration\n"
	"\n"
	"<!-- Generated from the tables in src/config and src/checks: canaryctl debug "
	"config-reference -->\n"
	"\n"
	"The file is YAML. It is the one named by `--config`, else by `$CANARYCTL_CONFIG`, else "
	"the\n"
	"first of `./canaryctl.yaml`, `./configs/canaryctl.yaml`, "
	"`/etc/canaryctl/canaryctl.yaml`.\n"
	"A complete example with comments is [configs/canaryctl.yaml](../configs/canaryctl.yaml).\n"
	"\n"
	"- Relative paths are relative to the file that names them.\n"
	"- `${env:NAME}` and `${env:NAME:-default}` are replaced when the file is read. A "
	"variable\n"
	"  that is not set and has no default is an error.\n"
	"- All errors are reported in one run, each as `file:line:column: key: problem`.\n"
	"- Programs are argv lists and never run through a shell.\n"
	"- `canaryctl config show` prints what is in force, with secrets as `***`.\n"
	"\n";

static const char values[] =
	"## Values\n"
	"\n"
	"**Durations** are written as in Prometheus: `250ms`, `90s`, `15m`, `1h30m`. A bare number "
	"is seconds.\n"
	"\n"
	"**Numbers** take `%` (`0.5%` is 0.005), `ms` (`250ms` is 0.25) and `s`.\n"
	"\n"
	"**Weights** are percent of traffic for the canary, from 0.01 to 100 in steps of 0.01.\n"
	"\n"
	"**Conditions** are `OP number`, or `OP [number *] baseline [+ number]`, with OP one of\n"
	"`<` `<=` `>` `>=` `==` `!=`: `< 0.5%`, `<= 2.5s`, `< 2 * baseline`, `<= baseline + "
	"10ms`.\n"
	"\n"
	"**Series selectors** name counters, not expressions: "
	"`http_requests_total{version=\"canary\"}`"
	"\n"
	"without a range and without functions. canaryctl takes the differences itself.\n"
	"\n"
	"**Variables in queries and in a check's other texts**: `${window}` (a PromQL duration: "
	"the "
	"time\n"
	"since the stage's shift, at most 5m), `${version}`, `${stage_weight}`, `${service}`, "
	"`${target}`\n"
	"(`production` or `canary`), `${target_url}` (scheme and host of its health page), "
	"`${prometheus_url}`;\n"
	"in a suite also what earlier checks captured, but never in a query.\n"
	"\n";

static void add_bounds(struct buf *text, const struct schema_row *row)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	if (row->minimum == 0 && row->maximum == 0)
		return;
	if (row->type == SCHEMA_DURATION)
		buf_add_format(text, "; from %s to %s", duration_format((int64_t)row->minimum, low),
			duration_format((int64_t)row->maximum, high));
	else if (row->maximum < 1e15)
		buf_add_format(text, "; from %.15g to %.15g", row->minimum, row->maximum);
}

static void add_type(struct buf *text, const struct schema_row *row)
{
	if (row->type == SCHEMA_CUSTOM) {
		buf_add_text(text, custom_names[row->custom]);
	} else if (row->type == SCHEMA_ENUM) {
		for (int i = 0; row->names[i]; i++)
			buf_add_format(text, "%s`%s`", i ? ", " : "", row->names[i]);
	} else {
		buf_add_text(text, type_names[row->type]);
	}
}

/* Text inside a table: a bar would end the cell. */
static void add_cell(struct buf *text, const char *value)
{
	for (; *value; value++) {
		if (*value == '|')
			buf_add(text, "\\", 1);
		buf_add(text, value, 1);
	}
}

/* `within`: the optional map that a required key belongs to; NULL: the key is always required. */
static void add_default(struct buf *text, const struct schema_row *row, const char *within)
{
	if (row->is_required && within)
		buf_add_format(text, "required in `%s`", within);
	else if (row->is_required)
		buf_add_text(text, "required");
	else if (row->default_text)
		buf_add_format(text, "`%s`", row->default_text);
}

static void add_row(
	struct buf *text, const struct schema_row *row, const char *prefix, const char *within)
{
	buf_add_format(text, "| `%s%s` | ", prefix, row->name);
	add_type(text, row);
	buf_add_text(text, " | ");
	add_default(text, row, within);
	buf_add_text(text, " | ");
	add_cell(text, row->help ? row->help : "");
	add_bounds(text, row);
	buf_add_text(text, " |\n");
}

static void add_rows(
	struct buf *text, const struct schema_row *rows, const char *prefix, const char *within)
{
	for (const struct schema_row *row = rows; row->name; row++) {
		CLEANUP_FREE char *nested = mem_format("%s%s.", prefix, row->name);

		if (row->type == SCHEMA_MAP)
			add_rows(text, row->nested, nested, row->is_required ? within : row->name);
		else
			add_row(text, row, prefix, within);
	}
}

/* Help texts are phrases, for use after a colon. */
static char *sentence_of(const char *help)
{
	bool is_whole = *help && help[strlen(help) - 1] == '.';

	return mem_format("%c%s%s", toupper((unsigned char)help[0]), *help ? help + 1 : "",
		is_whole ? "" : ".");
}

static void add_table(
	struct buf *text, const char *title, const char *help, const struct schema_row *rows)
{
	buf_add_format(text, "## %s\n\n%s\n\n| key | type | default | meaning |\n", title, help);
	buf_add_text(text, "| --- | --- | --- | --- |\n");
	add_rows(text, rows, "", NULL);
	buf_add_text(text, "\n");
}

/* The top of the file: keys that are no map, then a section for each that is. */
static void add_config(struct buf *text)
{
	buf_add_text(text, "## The file\n\n| key | type | default | meaning |\n");
	buf_add_text(text, "| --- | --- | --- | --- |\n");
	for (const struct schema_row *row = config_rows; row->name; row++)
		add_row(text, row, "", NULL);
	buf_add_text(text, "\n");
	for (const struct schema_row *row = config_rows; row->name; row++) {
		CLEANUP_FREE char *title = mem_format("`%s`", row->name);
		CLEANUP_FREE char *help = sentence_of(row->help);

		if (row->type == SCHEMA_MAP)
			add_table(text, title, help, row->nested);
	}
}

static void add_kinds(struct buf *text)
{
	buf_add_text(text, "## Kinds of check\n\nEach check has exactly one of these keys.\n\n");
	for (size_t i = 0; check_kinds[i]; i++) {
		const struct check_kind *kind = check_kinds[i];
		CLEANUP_FREE char *help = sentence_of(kind->help);

		buf_add_format(text, "### `%s`\n\n%s\n\n| key | type | default | meaning |\n",
			kind->name, help);
		buf_add_text(text, "| --- | --- | --- | --- |\n");
		add_rows(text, kind->rows, "", NULL);
		buf_add_text(text, "\n");
	}
}

void config_write_reference(struct buf *ret_text)
{
	buf_add_text(ret_text, introduction);
	add_config(ret_text);
	add_table(ret_text, "Stages",
		"An item of `rollout.stages` is a weight, or a map with these keys.", stage_rows);
	add_table(ret_text, "Checks",
		"An item of `checks`: a name, exactly one kind (below), and what follows from it.",
		check_rows);
	add_table(ret_text, "`min_samples` with a query",
		"Where the kind cannot count by itself what is behind a value.", min_samples_rows);
	add_table(ret_text, "Suites",
		"`suites.NAME` is a list of checks, or a map with these keys.", suite_rows);
	add_table(ret_text, "Notifications", "An item of `notify`.", notify_rows);
	add_table(ret_text, "Autoscaling rules",
		"`autoscaling.services.NAME` is a map with these keys. One file has the section.",
		scale_rule_rows);
	buf_add_text(ret_text, values);
	add_kinds(ret_text);
	/* One newline at the end, not two. */
	if (ret_text->length && !ret_text->overflowed)
		ret_text->data[--ret_text->length] = '\0';
}
