/*
 * env_file {path, required, forbid, max_mode}: NAME=VALUE lines as Docker Compose reads them. Only
 * names are ever shown: the values are secrets.
 */
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/env_text.h"
#include "checks/measure.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX_BYTES = 1 << 20, MODE_BITS = 07777 };

struct env_file_params {
	char *path;
	struct strv required;
	struct strv forbid;
	char *max_mode;
};

static const struct schema_row rows[] = {
	{ .name = "path",
		.type = SCHEMA_PATH,
		.offset = offsetof(struct env_file_params, path),
		.is_required = true,
		.help = "file with NAME=VALUE lines" },
	{ .name = "required",
		.type = SCHEMA_STRINGS,
		.offset = offsetof(struct env_file_params, required),
		.help = "names that must have a value" },
	{ .name = "forbid",
		.type = SCHEMA_STRINGS,
		.offset = offsetof(struct env_file_params, forbid),
		.help = "what must not be in it: `NAME`, `NAME=VALUE`, or `=VALUE` for any name "
			"(placeholders such as `=changeme`; compared without regard to case)" },
	{ .name = "max_mode",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct env_file_params, max_mode),
		.help = "most permissions that it may have, octal: \"0600\"" },
	{ 0 },
};

static void add_problem(struct buf *problem, const char *name, const char *what)
{
	buf_add_format(problem, "%s'%s' %s", problem->length ? "; " : "", name, what);
}

static void check_mode(
	const struct env_file_params *params, const struct stat *st, struct buf *problem)
{
	unsigned long allowed, mode = st->st_mode & MODE_BITS;

	if (!params->max_mode)
		return;
	allowed = strtoul(params->max_mode, NULL, 8);
	if (!(mode & ~allowed))
		return;
	buf_add_format(problem, "its mode is %04lo, at most %04lo is allowed", mode, allowed);
}

static void check_required(
	const struct env_file_params *params, const struct env_text *env, struct buf *problem)
{
	for (size_t i = 0; i < params->required.count; i++) {
		const char *name = params->required.items[i];
		const char *value = env_text_get(env, name);

		if (!value)
			add_problem(problem, name, "is missing");
		else if (!*value)
			add_problem(problem, name, "has no value");
	}
}

static bool is_forbidden(const char *rule, const char *name, const char *value)
{
	size_t length = strcspn(rule, "=");
	bool is_named = length == 0 || (strlen(name) == length && strncmp(rule, name, length) == 0);

	return is_named && (!rule[length] || strcasecmp(rule + length + 1, value) == 0);
}

static void check_forbidden(
	const struct env_file_params *params, const struct env_text *env, struct buf *problem)
{
	for (size_t i = 0; i < env->count; i++) {
		for (size_t j = 0; j < params->forbid.count; j++) {
			const char *rule = params->forbid.items[j];

			if (!is_forbidden(rule, env->names[i], env->values[i]))
				continue;
			add_problem(problem, env->names[i],
				strchr(rule, '=') ? "has a value that is forbidden"
						  : "is set, and is forbidden");
			break;
		}
	}
}

static int examine(struct check_run *run, const char *path, struct buf *problem, struct error *err)
{
	const struct env_file_params *params = run->check->params;
	CLEANUP_BUF struct buf text = BUF_INIT(FILE_MAX_BYTES);
	struct env_text env = { 0 };
	struct stat st;

	if (stat(path, &st) < 0)
		return error_set(err, ERROR_IO, errno, "cannot look at '%s'", path);
	if (fileio_read(path, FILE_MAX_BYTES, &text, err) < 0)
		return -1;
	check_mode(params, &st, problem);
	env_text_parse(&env, buf_text(&text));
	check_required(params, &env, problem);
	check_forbidden(params, &env, problem);
	if (!problem->length)
		snprintf(run->measurement.message, sizeof(run->measurement.message),
			"%zu names, all of the %zu required ones have a value", env.count,
			params->required.count);
	env_text_release(&env);
	if (text.length)
		explicit_bzero(text.data, text.length);
	return 0;
}

static enum task_next env_file_look(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct env_file_params *params = run->check->params;
	struct measurement *m = &run->measurement;
	CLEANUP_BUF struct buf problem = BUF_INIT(sizeof(m->message) - 1);
	struct error err = { 0 };
	CLEANUP_FREE char *path = check_expand(run->context, params->path, &err);

	if (!path)
		return measure_unasked(run, &err);
	m->measured = MEASURED_VALUE;
	if (examine(run, path, &problem, &err) < 0)
		buf_add_text(&problem, err.message);
	m->fails = problem.length > 0;
	if (m->fails)
		snprintf(m->message, sizeof(m->message), "%s", buf_text(&problem));
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "look", env_file_look },
	{ 0 },
};

static int validate(const struct check_config *check, struct error *err)
{
	const struct env_file_params *params = check->params;

	if (check_validate_no_condition(check, err) < 0)
		return -1;
	if (!params->max_mode || (params->max_mode[strspn(params->max_mode, "01234567")] == '\0' &&
					 strlen(params->max_mode) <= 4))
		return 0;
	error_set(err, ERROR_CONFIG, 0, "max_mode '%s' of check '%s' is no octal mode",
		params->max_mode, check->name);
	return error_hint(err, "write  max_mode: \"0600\"");
}

static void start(struct check_run *run, struct task *parent)
{
	task_start_child(&run->task, parent, "env_file", steps);
}

const struct check_kind check_kind_env_file = {
	.name = "env_file",
	.help = "a file of NAME=VALUE lines: names that must and must not be set, permissions; "
		"values are never shown",
	.unit = UNIT_PLAIN,
	.rows = rows,
	.params_size = sizeof(struct env_file_params),
	.validate = validate,
	.start = start,
};
