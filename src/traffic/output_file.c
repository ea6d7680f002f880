/* The file that NGINX includes: see output_file.h. */
#include "traffic/output_file.h"
#include "traffic/folder.h"

#include "canaryctl/fileio.h"
#include "canaryctl/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAM_TIMEOUT_MS = 30000 };

static const char mount_hint[] = "mount the folder that it is in instead of the file, or set "
				 "traffic.nginx.output_in_place: true";

static void begin(struct output_file *file, struct edge *edge)
{
	file->edge = edge;
	file->by_program = false;
	error_clear(&file->error);
}

static bool make_copy_path(struct output_file *file)
{
	file->folder = folder_make_temporary(&file->error);
	if (!file->folder)
		return false;
	file->copy = mem_format("%s/upstream.conf", file->folder);
	return true;
}

static void run_program(struct output_file *file, struct task *task, char *const *argv)
{
	struct proc_options options = { .argv = argv, .timeout_ms = PROGRAM_TIMEOUT_MS };

	file->by_program = true;
	proc_start(&file->proc, task, &options);
}

static void end(struct output_file *file)
{
	if (file->by_program)
		proc_release(&file->proc);
	folder_remove(&file->folder);
	free(TAKE_PTR(file->copy));
}

void output_fetch_start(struct output_file *file, struct edge *edge, struct task *task)
{
	const struct nginx_config *nginx = edge->nginx;

	begin(file, edge);
	if (edge->output != EDGE_INSTALL || !nginx->container || !make_copy_path(file))
		return;
	char *argv[] = { arena_strdup(&edge->arena, "docker"), arena_strdup(&edge->arena, "cp"),
		arena_format(&edge->arena, "%s:%s", nginx->container, nginx->output), file->copy,
		NULL };
	run_program(file, task, argv);
}

static int read_text(const char *path, struct buf *ret_text, bool *ret_exists, struct error *err)
{
	*ret_exists = true;
	if (fileio_read(path, OUTPUT_MAXIMUM_BYTES, ret_text, err) == 0)
		return 0;
	*ret_exists = false;
	if (err->os_errno == ENOENT) {
		error_clear(err);
		return 0;
	}
	return -1;
}

/* `docker cp` of a file that isn't there fails like any other, but says so. */
static bool says_not_there(const struct proc_op *proc)
{
	return proc->error.kind == ERROR_NONE &&
	       (strcasestr(buf_text(&proc->errors), "no such file") ||
		       strcasestr(buf_text(&proc->errors), "could not find the file"));
}

int output_fetch_ended(
	struct output_file *file, struct buf *ret_text, bool *ret_exists, struct error *err)
{
	int result = -1;

	*ret_exists = false;
	if (file->error.kind != ERROR_NONE)
		*err = file->error;
	else if (!file->by_program)
		result = read_text(file->edge->nginx->output, ret_text, ret_exists, err);
	else if (proc_succeeded(&file->proc, "reading the file in the container", err))
		result = read_text(file->copy, ret_text, ret_exists, err);
	else if (says_not_there(&file->proc))
		result = 0;
	else
		err->kind = ERROR_UNAVAILABLE;
	if (result == 0)
		error_clear(err);
	end(file);
	return result;
}

static mode_t mode_of(const char *path)
{
	struct stat status;

	/* NGINX's master may be another user than we are: readable, never writable, by others. */
	if (stat(path, &status) < 0)
		return 0644;
	return (status.st_mode & 0755) | 0600;
}

static bool is_full(const struct error *err)
{
	return err->os_errno == ENOSPC || err->os_errno == EDQUOT;
}

static void put_here(struct output_file *file, const struct buf *text)
{
	const char *output = file->edge->nginx->output;
	int result;

	if (file->edge->output == EDGE_IN_PLACE)
		result = fileio_overwrite(output, text->data, text->length, &file->error);
	else
		result = fileio_replace(
			output, text->data, text->length, mode_of(output), &file->error);
	if (result < 0 && file->must_get_there && is_full(&file->error)) {
		error_clear(&file->error);
		result = fileio_overwrite(output, text->data, text->length, &file->error);
	}
	if (result < 0 && file->error.os_errno == EBUSY)
		error_hint(&file->error, "it is mounted as a single file: %s", mount_hint);
}

void output_put_start(
	struct output_file *file, struct edge *edge, struct task *task, const struct buf *text)
{
	begin(file, edge);
	if (edge->output != EDGE_INSTALL) {
		put_here(file, text);
		return;
	}
	if (!make_copy_path(file) ||
		fileio_replace(file->copy, buf_text(text), text->length, 0644, &file->error) < 0)
		return;
	run_program(file, task, edge_argv_with_file(edge, edge->install, file->copy));
}

void output_remove_start(struct output_file *file, struct edge *edge, struct task *task)
{
	char remove_word[] = "rm", force[] = "-f";
	char *words[] = { remove_word, force, edge->nginx->output, NULL };

	begin(file, edge);
	if (edge->output == EDGE_INSTALL && edge->nginx->container)
		run_program(file, task, edge_container_argv(edge, words));
	else if (fileio_remove(edge->nginx->output, &file->error) < 0)
		error_hint(&file->error, "remove '%s' by hand", edge->nginx->output);
}

int output_ended(struct output_file *file, struct error *err)
{
	int result = 0;

	if (file->error.kind != ERROR_NONE) {
		*err = file->error;
		result = -1;
	} else if (file->by_program && !proc_succeeded(&file->proc, "installing the file", err)) {
		result = -1;
	}
	end(file);
	return result;
}

static char *copy_path(const struct edge *edge)
{
	const char *output = edge->nginx->output;
	const char *slash = strrchr(output, '/');
	int folder = slash ? (int)(slash + 1 - output) : 0;

	return mem_format("%.*s.%s.canaryctl-old", folder, output, output + folder);
}

void output_keep_copy(struct edge *edge, const struct buf *text)
{
	CLEANUP_FREE char *path = copy_path(edge);
	struct error err = { 0 };

	if (edge->output != EDGE_INSTALL &&
		fileio_replace(path, buf_text(text), text->length, 0600, &err) < 0)
		log_debug("%s", err.message);
}

void output_drop_copy(struct edge *edge)
{
	CLEANUP_FREE char *path = copy_path(edge);

	if (edge->output != EDGE_INSTALL && unlink(path) < 0 && errno != ENOENT)
		log_debug("cannot remove '%s': %s", path, strerror(errno));
}

int output_check_mount(const struct edge *edge, struct error *err)
{
	CLEANUP_BUF struct buf mounts = BUF_INIT(4 << 20);
	struct error ignored = { 0 };
	CLEANUP_FREE char *real = realpath(edge->nginx->output, NULL);
	CLEANUP_FREE char *field = NULL;

	if (edge->output != EDGE_RENAME || !real ||
		fileio_read("/proc/self/mountinfo", 4 << 20, &mounts, &ignored) < 0)
		return 0;
	/* "36 35 98:0 /root /mount/point options - type source": the fifth field. */
	field = mem_format(" %s ", real);
	for (const char *line = buf_text(&mounts); *line;) {
		const char *found = line, *end = strchr(line, '\n');

		for (int i = 0; i < 4 && found; i++)
			found = strchr(found + (i > 0), ' ');
		if (found && strncmp(found, field, strlen(field)) == 0) {
			error_set(err, ERROR_CONFIG, 0,
				"'%s' is mounted as a single file: no rename can replace it",
				edge->nginx->output);
			return error_hint(err, "%s", mount_hint);
		}
		line = end ? end + 1 : "";
	}
	return 0;
}
