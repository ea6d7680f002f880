/*
 * command {argv, exit, match, timeout}: one program, never through a shell. Where `match` has a
 * group that is a number, that is the value, and the conditions are about it.
 */
#include "canaryctl/condition.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"
#include "checks/program.h"
#include "checks/regex.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct command_params {
	struct strv argv;
	int64_t exit;
	char *match;
	int64_t timeout_ms;
};

static const struct schema_row rows[] = {
	{ .name = "argv",
		.type = SCHEMA_ARGV,
		.offset = offsetof(struct command_params, argv),
		.is_required = true,
		.help = "program and arguments" },
	{ .name = "exit",
		.type = SCHEMA_INT,
		.offset = offsetof(struct command_params, exit),
		.default_text = "0",
		.maximum = 255,
		.help = "exit status that it must have" },
	{ .name = "match",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct command_params, match),
		.help = "regular expression (PCRE) that its output must match; a group that is a "
			"number is the value" },
	{ .name = "timeout",
		.type = SCHEMA_DURATION,
		.offset = offsetof(struct command_params, timeout_ms),
		.default_text = "10s",
		.minimum = 100,
		.maximum = 24 * 3600 * 1000.0,
		.help = "then it is killed" },
	{ 0 },
};

static enum task_next command_run(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct command_params *params = run->check->params;
	struct error err = { 0 };

	if (program_start(run->state, run, &params->argv, params->timeout_ms, &err) < 0)
		return measure_unasked(run, &err);
	return TASK_WAIT;
}

/* The number in the match's group, when it has one. */
static void take_value(struct measurement *m, const struct regex *regex)
{
	const char *start;
	size_t length;
	CLEANUP_FREE char *text = NULL;

	if (!regex_group(regex, &start, &length))
		return;
	text = mem_strndup(start, length);
	m->has_value = number_parse(text, &m->value);
}

/* False, with *err or a message, when the output is not what it must be. */
static bool check_output(struct check_run *run, const struct proc_op *proc, struct error *err)
{
	const struct command_params *params = run->check->params;
	struct measurement *m = &run->measurement;
	struct regex *regex;
	enum regex_result result;

	if (!params->match)
		return true;
	regex = regex_new(params->match, err);
	if (!regex)
		return false;
	result = regex_match(regex, buf_text(&proc->output), proc->output.length, err);
	if (result == REGEX_MATCH)
		take_value(m, regex);
	else if (result == REGEX_NO_MATCH)
		snprintf(m->message, sizeof(m->message), "the output does not match '%.200s'",
			params->match);
	regex_free(regex);
	return result == REGEX_MATCH;
}

static enum task_next command_ended(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct command_params *params = run->check->params;
	const struct proc_op *proc = run->state;
	struct measurement *m = &run->measurement;
	CLEANUP_BUF struct buf problem = BUF_INIT(sizeof(m->message) - 1);
	struct error err = { 0 };

	if (proc->error.kind && proc->exit_status < 0)
		return measure_error(run, &proc->error);
	m->measured = MEASURED_VALUE;
	if (proc->exit_status != params->exit) {
		CLEANUP_FREE char *why = mem_format("'%s' exited %d, %lld was expected",
			params->argv.items[0], proc->exit_status, (long long)params->exit);

		program_explain(proc, why, &problem);
		snprintf(m->message, sizeof(m->message), "%s", buf_text(&problem));
		m->fails = true;
		return measure_end(run);
	}
	m->fails = !check_output(run, proc, &err);
	if (err.kind)
		return measure_error(run, &err);
	if (!m->fails && run->check->require.text && !m->has_value) {
		m->fails = true;
		snprintf(m->message, sizeof(m->message), "the group of '%.200s' is no number",
			params->match);
	}
	measurement_apply_conditions(m, run->check);
	if (!m->fails && !m->has_value)
		snprintf(m->message, sizeof(m->message), "'%.200s' exited %d",
			params->argv.items[0], proc->exit_status);
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "run", command_run },
	{ "ended", command_ended },
	{ 0 },
};

static int validate(const struct check_config *check, struct error *err)
{
	const struct command_params *params = check->params;
	struct regex *regex;

	if (check_validate_once(check, err) < 0)
		return -1;
	if (!params->argv.count)
		return error_set(err, ERROR_CONFIG, 0, "check '%s' has an empty argv", check->name);
	if (!params->match && (check->require.text || check->prefer.text || check->critical.text))
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' has a condition but no number: give it a 'match' with a group",
			check->name);
	if (!params->match)
		return 0;
	regex = regex_new(params->match, err);
	if (!regex)
		return -1;
	regex_free(regex);
	return 0;
}

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct proc_op));
	task_start_child(&run->task, parent, "command", steps);
}

static void release(struct check_run *run)
{
	proc_release(run->state);
	free(run->state);
	run->state = NULL;
}

const struct check_kind check_kind_command = {
	.name = "command",
	.help = "a program: its exit status, its output, a number in its output",
	.unit = UNIT_PLAIN,
	.rows = rows,
	.params_size = sizeof(struct command_params),
	.validate = validate,
	.start = start,
	.release = release,
};
