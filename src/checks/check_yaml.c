/* yaml {file, path, equals | at_least | at_most}: one value of another program's configuration. */
#include "canaryctl/condition.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"
#include "checks/yaml_path.h"

#include <stdio.h>
#include <string.h>

struct yaml_params {
	char *file;
	char *path;
	char *equals;
	char *at_least;
	char *at_most;
};

static const struct schema_row rows[] = {
	{ .name = "file",
		.type = SCHEMA_PATH,
		.offset = offsetof(struct yaml_params, file),
		.is_required = true,
		.help = "YAML file" },
	{ .name = "path",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct yaml_params, path),
		.is_required = true,
		.help = "of the value: `cache.ttl_seconds`, `models[0].name`" },
	{ .name = "equals",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct yaml_params, equals),
		.help = "what it must be; numbers compare as numbers" },
	{ .name = "at_least",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct yaml_params, at_least),
		.help = "number that it must not be below" },
	{ .name = "at_most",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct yaml_params, at_most),
		.help = "number that it must not be above" },
	{ 0 },
};

static bool equals(const char *value, const char *wanted)
{
	double a, b;

	if (number_parse(value, &a) && number_parse(wanted, &b))
		return a == b;
	return strcmp(value, wanted) == 0;
}

/* Says what is wrong with the value, or nothing. */
static void judge_value(const struct yaml_params *params, const char *value, struct buf *problem)
{
	double number, limit;
	bool is_number = number_parse(value, &number);

	if (params->equals && !equals(value, params->equals))
		buf_add_format(problem, "'%s' was expected", params->equals);
	else if ((params->at_least || params->at_most) && !is_number)
		buf_add_text(problem, "a number was expected");
	else if (params->at_least && number_parse(params->at_least, &limit) && number < limit)
		buf_add_format(problem, "at least %s was expected", params->at_least);
	else if (params->at_most && number_parse(params->at_most, &limit) && number > limit)
		buf_add_format(problem, "at most %s was expected", params->at_most);
}

static enum task_next yaml_look(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct yaml_params *params = run->check->params;
	struct measurement *m = &run->measurement;
	CLEANUP_BUF struct buf text = BUF_INIT(YAML_FILE_MAX_BYTES);
	CLEANUP_BUF struct buf problem = BUF_INIT(200);
	struct error err = { 0 };
	CLEANUP_FREE char *path = check_expand(run->context, params->file, &err);
	CLEANUP_FREE char *value = NULL;

	if (!path)
		return measure_unasked(run, &err);
	m->measured = MEASURED_VALUE;
	if (fileio_read(path, YAML_FILE_MAX_BYTES, &text, &err) == 0)
		value = yaml_path_value(path, buf_text(&text), params->path, &err);
	if (!value) {
		m->fails = true;
		snprintf(m->message, sizeof(m->message), "%.500s", err.message);
		return measure_end(run);
	}
	m->has_value = number_parse(value, &m->value);
	measurement_apply_conditions(m, run->check);
	judge_value(params, value, &problem);
	m->fails = problem.length > 0;
	snprintf(m->message, sizeof(m->message), "'%.100s' is '%.100s'%s%s", params->path, value,
		m->fails ? ": " : "", buf_text(&problem));
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "look", yaml_look },
	{ 0 },
};

static int validate_limit(const char *name, const char *text, struct error *err)
{
	double number;

	if (!text || number_parse(text, &number))
		return 0;
	return error_set(err, ERROR_CONFIG, 0, "%s: '%.100s' is not a number", name, text);
}

static int validate(const struct check_config *check, struct error *err)
{
	const struct yaml_params *params = check->params;

	if (check_validate_no_condition(check, err) < 0 ||
		validate_limit("at_least", params->at_least, err) < 0 ||
		validate_limit("at_most", params->at_most, err) < 0)
		return -1;
	if (!yaml_path_valid(params->path)) {
		error_set(err, ERROR_CONFIG, 0, "'%s' is not a path into YAML", params->path);
		return error_hint(err, "paths look like  cache.ttl_seconds  or  models[0].name");
	}
	if (params->equals || params->at_least || params->at_most)
		return 0;
	return error_set(err, ERROR_CONFIG, 0,
		"check '%s' says not what the value must be: equals, at_least or at_most",
		check->name);
}

static void start(struct check_run *run, struct task *parent)
{
	task_start_child(&run->task, parent, "yaml", steps);
}

const struct check_kind check_kind_yaml = {
	.name = "yaml",
	.help = "one value of a YAML file",
	.unit = UNIT_PLAIN,
	.rows = rows,
	.params_size = sizeof(struct yaml_params),
	.validate = validate,
	.start = start,
};
