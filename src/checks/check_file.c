/*
 * file {path, exists, sha256 | manifest, contains, max_age}: is it there, is it what it was when it
 * was released, does it say what it must, is it recent. The value is its age in seconds. Large
 * files are read a few MiB at a time, so that other checks go on and the suite's time-out holds.
 */
#include "canaryctl/clock.h"
#include "canaryctl/duration.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/digest.h"
#include "checks/measure.h"

#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum { TEXT_MAX_BYTES = 16 << 20, MANIFEST_MAX_BYTES = 4 << 20 };

struct file_params {
	char *path;
	bool exists;
	char *sha256;
	char *manifest;
	struct strv contains;
	int64_t max_age_ms;
};

static const struct schema_row rows[] = {
	{ .name = "path",
		.type = SCHEMA_PATH,
		.offset = offsetof(struct file_params, path),
		.help = "the file; with a manifest: the folder that its names are in, or the one "
			"file of it that is meant; default: the manifest's folder" },
	{ .name = "exists",
		.type = SCHEMA_BOOL,
		.offset = offsetof(struct file_params, exists),
		.default_text = "true",
		.help = "`false`: it must not be there" },
	{ .name = "sha256",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct file_params, sha256),
		.help = "SHA-256 of its content, 64 hexadecimal digits" },
	{ .name = "manifest",
		.type = SCHEMA_PATH,
		.offset = offsetof(struct file_params, manifest),
		.help = "list of SHA-256 and names as `sha256sum` writes it; every file in it is "
			"read" },
	{ .name = "contains",
		.type = SCHEMA_STRINGS,
		.offset = offsetof(struct file_params, contains),
		.help = "texts that it must contain, each" },
	{ .name = "max_age",
		.type = SCHEMA_DURATION,
		.offset = offsetof(struct file_params, max_age_ms),
		.help = "how long ago it may have been changed last" },
	{ 0 },
};

struct file_state {
	char *path;
	char *folder; /* that the manifest's names are in */
	struct manifest manifest;
	size_t next;                 /* line of the manifest that is being read */
	struct manifest_line single; /* without a manifest */
	const struct manifest_line *lines;
	size_t count;
	struct digest digest;
	bool is_reading;
	char *reading; /* its path */
	size_t wrong;  /* files that are not what they should be, or are not there */
	struct sleep_op pause;
	struct buf problem;
};

static enum task_next fail(struct check_run *run, const char *why)
{
	struct measurement *m = &run->measurement;

	m->measured = MEASURED_VALUE;
	m->fails = true;
	snprintf(m->message, sizeof(m->message), "%.500s", why);
	return measure_end(run);
}

/* ---- what needs no digest ---- */

static bool check_contains(const struct file_params *params, const char *path, struct buf *problem)
{
	CLEANUP_BUF struct buf text = BUF_INIT(TEXT_MAX_BYTES);
	struct error err = { 0 };

	if (!params->contains.count)
		return true;
	if (fileio_read(path, TEXT_MAX_BYTES, &text, &err) < 0) {
		buf_add_text(problem, err.message);
		return false;
	}
	for (size_t i = 0; i < params->contains.count; i++) {
		const char *wanted = params->contains.items[i];

		if (memmem(buf_text(&text), text.length, wanted, strlen(wanted)))
			continue;
		buf_add_format(problem, "'%s' does not contain '%s'", path, wanted);
		return false;
	}
	return true;
}

static bool check_age(const struct file_params *params, struct check_run *run,
	const struct stat *st, struct buf *problem)
{
	int64_t changed_ms = (int64_t)st->st_mtim.tv_sec * 1000 + st->st_mtim.tv_nsec / 1000000;
	int64_t age_ms = clock_wall_ms() - changed_ms;
	char age[DURATION_TEXT_SIZE], limit[DURATION_TEXT_SIZE];

	age_ms = age_ms < 0 ? 0 : age_ms / 1000 * 1000;
	run->measurement.has_value = true;
	run->measurement.value = (double)age_ms / 1000;
	if (!params->max_age_ms || age_ms <= params->max_age_ms)
		return true;
	buf_add_format(problem, "it was last changed %s ago, max_age is %s",
		duration_format(age_ms, age), duration_format(params->max_age_ms, limit));
	return false;
}

/* The path, the folder and the list of digests; NO_DATA or an error when a variable is missing. */
static int prepare(struct check_run *run, struct error *err)
{
	const struct file_params *params = run->check->params;
	struct file_state *state = run->state;
	CLEANUP_FREE char *manifest = NULL;
	CLEANUP_BUF struct buf text = BUF_INIT(MANIFEST_MAX_BYTES);

	if (params->path && !(state->path = check_expand(run->context, params->path, err)))
		return -1;
	state->single = (struct manifest_line){ .digest = params->sha256, .name = state->path };
	state->lines = &state->single;
	state->count = params->sha256 != NULL;
	if (!params->manifest)
		return 0;
	manifest = check_expand(run->context, params->manifest, err);
	if (!manifest || fileio_read(manifest, MANIFEST_MAX_BYTES, &text, err) < 0)
		return -1;
	if (manifest_parse(&state->manifest, buf_text(&text), err) < 0)
		return error_wrap(err, "manifest '%s'", manifest);
	state->lines = state->manifest.lines;
	state->count = state->manifest.count;
	state->folder = mem_strdup(dirname(manifest));
	return 0;
}

/* With a path, a manifest is about the files below it, or about this one file. */
static bool narrow(struct file_state *state, const struct stat *st, struct buf *problem)
{
	if (S_ISDIR(st->st_mode)) {
		free(state->folder);
		state->folder = mem_strdup(state->path);
		return true;
	}
	for (size_t i = 0; i < state->count; i++) {
		CLEANUP_FREE char *path = fileio_resolve(state->folder, state->lines[i].name);

		if (strcmp(path, state->path) != 0)
			continue;
		state->lines += i;
		state->count = 1;
		return true;
	}
	buf_add_format(problem, "the manifest does not list '%s'", state->path);
	return false;
}

static enum task_next file_look(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct file_params *params = run->check->params;
	struct file_state *state = run->state;
	struct error err = { 0 };
	struct stat st = { 0 };
	bool is_there;

	if (prepare(run, &err) < 0)
		return err.kind == ERROR_IO ? fail(run, err.message) : measure_unasked(run, &err);
	if (!state->path)
		return TASK_MORE;
	is_there = stat(state->path, &st) == 0;
	if (!is_there && errno != ENOENT && errno != ENOTDIR) {
		error_set(&err, ERROR_IO, errno, "cannot look at '%s'", state->path);
		return measure_error(run, &err);
	}
	if (is_there != params->exists) {
		buf_add_format(&state->problem, "'%s' %s", state->path,
			is_there ? "is there, and must not be" : "is not there");
		return fail(run, buf_text(&state->problem));
	}
	if (is_there && (!check_age(params, run, &st, &state->problem) ||
				(state->folder && !narrow(state, &st, &state->problem)) ||
				!check_contains(params, state->path, &state->problem)))
		return fail(run, buf_text(&state->problem));
	return TASK_MORE;
}

/* ---- digests ---- */

static void add_wrong(struct file_state *state, const char *name, const char *why)
{
	state->wrong++;
	buf_add_format(&state->problem, "%s'%s' %s", state->wrong > 1 ? "; " : "", name, why);
}

static void end_reading(struct file_state *state)
{
	digest_close(&state->digest);
	free(TAKE_PTR(state->reading));
	state->is_reading = false;
	state->next++;
}

/* One step of the file that is being read; false: the next file can be opened. */
static bool read_some(struct file_state *state)
{
	const struct manifest_line *line = &state->lines[state->next];
	struct error err = { 0 };
	char digest[DIGEST_TEXT_SIZE];
	int result = digest_step(&state->digest, digest, &err);

	if (result > 0)
		return true;
	if (result < 0)
		add_wrong(state, line->name, err.message);
	else if (strcasecmp(digest, line->digest) != 0)
		add_wrong(state, line->name, "has another SHA-256: it is not what was released");
	end_reading(state);
	return false;
}

static void open_next(struct file_state *state)
{
	const struct manifest_line *line = &state->lines[state->next];
	struct error err = { 0 };

	state->reading =
		state->folder ? fileio_resolve(state->folder, line->name) : mem_strdup(line->name);
	state->is_reading = digest_open(&state->digest, state->reading, &err) == 0;
	if (state->is_reading)
		return;
	add_wrong(state, line->name, err.os_errno == ENOENT ? "is not there" : err.message);
	end_reading(state);
}

static enum task_next file_read(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct file_state *state = run->state;
	struct error err = { 0 };

	if (task->is_canceled) {
		error_set(&err, ERROR_CANCELED, 0, "'%s' was not read to its end",
			state->reading ? state->reading : "the file");
		return measure_error(run, &err);
	}
	if (state->next >= state->count)
		return TASK_MORE;
	if (!state->is_reading)
		open_next(state);
	if (state->is_reading && read_some(state))
		sleep_start(&state->pause, task, 0); /* lets the others have a turn */
	return task_goto(task, task->step - 1, TASK_WAIT);
}

static enum task_next file_end(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct file_state *state = run->state;
	struct measurement *m = &run->measurement;

	if (state->wrong)
		return fail(run, buf_text(&state->problem));
	m->measured = MEASURED_VALUE;
	measurement_apply_conditions(m, run->check);
	if (state->count)
		snprintf(m->message, sizeof(m->message), "%zu file%s with the right SHA-256",
			state->count, state->count == 1 ? "" : "s");
	else
		snprintf(m->message, sizeof(m->message), "'%.300s' is %s", state->path,
			m->has_value ? "as it must be" : "not there, as it must be");
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "look", file_look },
	{ "read", file_read },
	{ "end", file_end },
	{ 0 },
};

static int validate(const struct check_config *check, struct error *err)
{
	const struct file_params *params = check->params;

	if (check_validate_once(check, err) < 0)
		return -1;
	if (!params->path && !params->manifest)
		return error_set(err, ERROR_CONFIG, 0, "check '%s' names no path", check->name);
	if (params->sha256 && params->manifest)
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' has sha256 and manifest: keep one of the two", check->name);
	if (params->sha256 && (!params->path || !digest_valid(params->sha256)))
		return error_set(err, ERROR_CONFIG, 0,
			"sha256 of check '%s' must be 64 hexadecimal digits, beside a path",
			check->name);
	if (!params->exists && (params->sha256 || params->manifest || params->contains.count ||
				       params->max_age_ms))
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' wants no file, and cannot ask for what is in it", check->name);
	return 0;
}

static void start(struct check_run *run, struct task *parent)
{
	struct file_state *state = mem_alloc(sizeof(*state));

	state->problem = (struct buf)BUF_INIT(sizeof(run->measurement.message) - 1);
	state->digest.fd = -1;
	run->state = state;
	task_start_child(&run->task, parent, "file", steps);
}

static void release(struct check_run *run)
{
	struct file_state *state = run->state;

	digest_close(&state->digest);
	manifest_release(&state->manifest);
	buf_release(&state->problem);
	free(state->reading);
	free(state->folder);
	free(state->path);
	free(state);
	run->state = NULL;
}

const struct check_kind check_kind_file = {
	.name = "file",
	.help = "a file: there or not, its SHA-256 or a whole manifest's, texts in it, its age",
	.unit = UNIT_SECONDS,
	.rows = rows,
	.params_size = sizeof(struct file_params),
	.validate = validate,
	.start = start,
	.release = release,
};
