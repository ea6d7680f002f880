/*
 * log {file | command, match, fields, since}: the value is the number of lines that match and carry
 * all fields. A file is read a piece at a time, so that other checks go on meanwhile.
 */
#include "canaryctl/clock.h"
#include "canaryctl/duration.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/log_lines.h"
#include "checks/measure.h"
#include "checks/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK_BYTES = 1 << 20, COMMAND_TIMEOUT_MS = 20000 };

/* Of a larger file only the end is read. */
static const off_t FILE_MAX_BYTES = (off_t)1 << 30;

struct log_params {
	char *file;
	struct strv command;
	char *match;
	struct strv fields;
	int64_t since_ms;
};

static const struct schema_row rows[] = {
	{ .name = "file",
		.type = SCHEMA_PATH,
		.offset = offsetof(struct log_params, file),
		.help = "the log" },
	{ .name = "command",
		.type = SCHEMA_ARGV,
		.offset = offsetof(struct log_params, command),
		.help = "a program that prints it (stdout and stderr): `[docker, logs, --since, "
			"10m, app]`" },
	{ .name = "match",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct log_params, match),
		.is_required = true,
		.help = "regular expression (PCRE) of the lines that are counted" },
	{ .name = "fields",
		.type = SCHEMA_STRINGS,
		.offset = offsetof(struct log_params, fields),
		.help = "fields that a line must carry to be counted: `name=`, `name:` or "
			"`\"name\":`" },
	{ .name = "since",
		.type = SCHEMA_DURATION,
		.offset = offsetof(struct log_params, since_ms),
		.help = "only lines of this last time; the lines must begin with a date and time" },
	{ 0 },
};

struct log_state {
	struct regex *regex;
	struct log_lines lines;
	struct proc_op proc;
	struct sleep_op pause;
	char *path;
	char *chunk;
	int fd;
	off_t left; /* what is written while it is read is not read */
};

static enum task_next log_open(struct task *task);
static enum task_next log_read(struct task *task);
static enum task_next log_printed(struct task *task);
static enum task_next log_end(struct task *task);

enum { STEP_READ = 1, STEP_PRINTED, STEP_END };
static const struct task_step steps[] = {
	{ "open", log_open },
	{ "read", log_read },
	{ "printed", log_printed },
	{ "end", log_end },
	{ 0 },
};

static int open_file(struct log_state *state, struct error *err)
{
	struct stat st;

	state->fd = open(state->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (state->fd < 0 || fstat(state->fd, &st) < 0)
		return error_set(err, ERROR_IO, errno, "cannot open '%s'", state->path);
	if (!S_ISREG(st.st_mode))
		return error_set(err, ERROR_IO, 0, "'%s' is no regular file", state->path);
	state->left = st.st_size;
	if (st.st_size <= FILE_MAX_BYTES)
		return 0;
	state->left = FILE_MAX_BYTES;
	if (lseek(state->fd, -FILE_MAX_BYTES, SEEK_END) < 0)
		return error_set(err, ERROR_IO, errno, "cannot read the end of '%s'", state->path);
	return 0;
}

static enum task_next log_open(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct log_params *params = run->check->params;
	struct log_state *state = run->state;
	struct error err = { 0 };

	state->regex = regex_new(params->match, &err);
	if (!state->regex)
		return measure_error(run, &err);
	log_lines_init(&state->lines, state->regex, &params->fields,
		params->since_ms ? clock_wall_ms() - params->since_ms : 0);
	if (params->command.count) {
		if (program_start(&state->proc, run, &params->command, COMMAND_TIMEOUT_MS, &err) <
			0)
			return measure_unasked(run, &err);
		return task_goto(task, &steps[STEP_PRINTED], TASK_WAIT);
	}
	state->path = check_expand(run->context, params->file, &err);
	if (!state->path)
		return measure_unasked(run, &err);
	if (open_file(state, &err) < 0)
		return measure_error(run, &err);
	state->chunk = mem_alloc(CHUNK_BYTES);
	return TASK_MORE;
}

static enum task_next log_read(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct log_state *state = run->state;
	struct error err = { 0 };
	ssize_t length;

	if (task->is_canceled) {
		error_set(&err, ERROR_CANCELED, 0, "'%s' was not read to its end", state->path);
		return measure_error(run, &err);
	}
	length = read(state->fd, state->chunk,
		state->left < CHUNK_BYTES ? (size_t)state->left : CHUNK_BYTES);
	if (length < 0 && errno != EINTR) {
		error_set(&err, ERROR_IO, errno, "cannot read '%s'", state->path);
		return measure_error(run, &err);
	}
	if (length == 0)
		return task_goto(task, &steps[STEP_END], TASK_MORE);
	if (length > 0) {
		state->left -= length;
		if (log_lines_add(&state->lines, state->chunk, (size_t)length, &err) < 0)
			return measure_error(run, &err);
	}
	sleep_start(&state->pause, task, 0); /* lets the others have a turn */
	return task_goto(task, &steps[STEP_READ], TASK_WAIT);
}

static int add_output(struct log_state *state, const struct buf *output, struct error *err)
{
	if (log_lines_add(&state->lines, buf_text(output), output->length, err) < 0)
		return -1;
	return log_lines_end(&state->lines, err);
}

/* `docker logs` prints what the program wrote to stderr on stderr. */
static enum task_next log_printed(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct log_params *params = run->check->params;
	struct log_state *state = run->state;
	struct error err = { 0 };

	if (!proc_succeeded(&state->proc, params->command.items[0], &err) ||
		add_output(state, &state->proc.output, &err) < 0 ||
		add_output(state, &state->proc.errors, &err) < 0)
		return measure_error(run, &err);
	return TASK_MORE;
}

static void say_counts(
	const struct log_params *params, const struct log_lines *lines, struct measurement *m)
{
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(m->message) - 1);

	buf_add_format(&text, "of %llu lines", (unsigned long long)lines->lines);
	if (params->fields.count && lines->matching > lines->counted)
		buf_add_format(&text, " %llu match, but do not carry all fields (%s)",
			(unsigned long long)(lines->matching - lines->counted),
			lines->missing ? lines->missing : params->fields.items[0]);
	if (lines->sample.length) {
		buf_add_text(&text, "; the last: ");
		buf_add_printable(&text, buf_text(&lines->sample));
	}
	snprintf(m->message, sizeof(m->message), "%s", buf_text(&text));
}

static enum task_next log_end(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct log_params *params = run->check->params;
	struct log_state *state = run->state;
	struct log_lines *lines = &state->lines;
	struct measurement *m = &run->measurement;
	struct error err = { 0 };

	if (log_lines_end(lines, &err) < 0)
		return measure_error(run, &err);
	/* Without times nobody knows which lines are meant. An empty log says nothing either way.
	 */
	if (params->since_ms && !lines->has_times) {
		measure_no_data(m, NO_DATA_NO_SERIES,
			"no line begins with a date and time, which 'since' needs");
		return measure_end(run);
	}
	m->measured = MEASURED_VALUE;
	m->has_value = true;
	m->value = (double)lines->counted;
	measurement_apply_conditions(m, run->check);
	say_counts(params, lines, m);
	return measure_end(run);
}

static int validate(const struct check_config *check, struct error *err)
{
	const struct log_params *params = check->params;
	struct regex *regex;

	if (check_validate_judged(check, err) < 0 || check_validate_once(check, err) < 0)
		return -1;
	if (!params->file == !params->command.count)
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' needs a file or a command: one of the two", check->name);
	regex = regex_new(params->match, err);
	if (!regex)
		return -1;
	regex_free(regex);
	return 0;
}

static void start(struct check_run *run, struct task *parent)
{
	struct log_state *state = mem_alloc(sizeof(*state));

	state->fd = -1;
	run->state = state;
	task_start_child(&run->task, parent, "log", steps);
}

static void release(struct check_run *run)
{
	struct log_state *state = run->state;

	log_lines_release(&state->lines);
	regex_free(state->regex);
	proc_release(&state->proc);
	if (state->fd >= 0)
		close(state->fd);
	free(state->path);
	free(state->chunk);
	free(state);
	run->state = NULL;
}

const struct check_kind check_kind_log = {
	.name = "log",
	.help = "number of lines of a log, from a file or a program, that match and carry fields",
	.unit = UNIT_PLAIN,
	.rows = rows,
	.params_size = sizeof(struct log_params),
	.validate = validate,
	.start = start,
	.release = release,
};
