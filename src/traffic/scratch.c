/* The scratch test: see scratch.h. */
#include "traffic/scratch.h"
#include "traffic/folder.h"
#include "traffic/nginx_output.h"

#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include <stdlib.h>
#include <string.h>

enum { TEST_TIMEOUT_MS = 30000 };

static enum task_next scratch_write(struct task *task);
static enum task_next scratch_copied(struct task *task);
static enum task_next scratch_test(struct task *task);
static enum task_next scratch_tested(struct task *task);
static enum task_next scratch_clean(struct task *task);

static const struct task_step scratch_steps[] = {
	{ "write", scratch_write },
	{ "copied", scratch_copied }, /* into the container */
	{ "test", scratch_test },
	{ "tested", scratch_tested },
	{ "clean", scratch_clean },
	{ 0 },
};

void scratch_start(struct scratch *scratch, struct task *parent)
{
	task_start_child(&scratch->task, parent, "scratch test", scratch_steps);
}

static void run(struct scratch *scratch, char *const *argv)
{
	struct proc_options options = { .argv = argv, .timeout_ms = TEST_TIMEOUT_MS };

	proc_start(&scratch->proc, &scratch->task, &options);
}

/* NGINX makes these folders itself, also for a test. */
static const char *const temporary[] = { "client_body", "proxy", "fastcgi", "uwsgi", "scgi" };

/*
 * One file, because a container engine copies one file at a time; and all that surrounds the
 * rendered part on its first line, so that NGINX's line numbers are those of the rendered file.
 */
static int write_file(struct scratch *scratch)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	CLEANUP_FREE char *path = mem_format("%s/rendered.conf", scratch->folder);
	const char *inside = scratch->inside;

	buf_add_format(&text,
		"pid %s.pid; error_log stderr warn; events { } http { access_log off;", inside);
	for (size_t i = 0; i < ARRAY_SIZE(temporary); i++)
		buf_add_format(&text, " %s_temp_path %s.%s;", temporary[i], inside, temporary[i]);
	buf_add_text(&text, " ");
	buf_add(&text, buf_text(scratch->text), scratch->text->length);
	buf_add_text(&text, "\n}\n");
	return fileio_replace(path, buf_text(&text), text.length, 0644, &scratch->error);
}

static enum task_next scratch_write(struct task *task)
{
	struct scratch *scratch = container_of(task, struct scratch, task);
	struct edge *edge = scratch->edge;
	char *container = edge->nginx->container;

	if (!edge->nginx_words) {
		buf_add_format(&scratch->notes,
			"'%s' cannot be asked to test the rendered part alone; it is tested only "
			"once it is in place\n",
			edge->test[0]);
		return TASK_DONE;
	}
	scratch->folder = folder_make_temporary(&scratch->error);
	if (!scratch->folder)
		return TASK_DONE;
	scratch->inside = mem_format(container ? "%s.conf" : "%s/rendered.conf", scratch->folder);
	if (write_file(scratch) < 0)
		return TASK_DONE;
	if (!container)
		return task_goto(task, &scratch_steps[2], TASK_MORE);
	char *argv[] = { arena_strdup(&edge->arena, "docker"), arena_strdup(&edge->arena, "cp"),
		arena_format(&edge->arena, "%s/rendered.conf", scratch->folder),
		arena_format(&edge->arena, "%s:%s", container, scratch->inside), NULL };
	run(scratch, argv);
	return TASK_WAIT;
}

static enum task_next scratch_copied(struct task *task)
{
	struct scratch *scratch = container_of(task, struct scratch, task);

	if (proc_succeeded(&scratch->proc, "copying into the container", &scratch->error))
		return TASK_MORE;
	scratch->error.kind = ERROR_UNAVAILABLE;
	return TASK_DONE;
}

static enum task_next scratch_test(struct task *task)
{
	struct scratch *scratch = container_of(task, struct scratch, task);
	struct edge *edge = scratch->edge;
	size_t count = 0;
	char **argv;

	while (edge->nginx_words[count])
		count++;
	argv = arena_alloc(&edge->arena, (count + 6) * sizeof(*argv));
	memcpy(argv, edge->nginx_words, count * sizeof(*argv));
	argv[count++] = arena_strdup(&edge->arena, "-t");
	argv[count++] = arena_strdup(&edge->arena, "-c");
	argv[count++] = arena_strdup(&edge->arena, scratch->inside);
	argv[count++] = arena_strdup(&edge->arena, "-p");
	argv[count] = arena_strdup(&edge->arena, "/tmp");
	run(scratch, argv);
	return TASK_WAIT;
}

/* Exit statuses by which env, sudo or a container engine say that there is no such program. */
static bool could_not_run(const struct proc_op *proc)
{
	return proc->error.kind != ERROR_NONE || proc->exit_status == 126 ||
	       proc->exit_status == 127;
}

static void judge(struct scratch *scratch)
{
	const char *output = buf_text(&scratch->proc.errors);
	struct error *err = &scratch->error;
	char line[512];

	if (could_not_run(&scratch->proc)) {
		(void)proc_succeeded(&scratch->proc, "testing the rendered part", err);
		err->kind = ERROR_UNAVAILABLE;
		error_hint(err, "traffic.nginx.test must name the nginx that serves the traffic");
		return;
	}
	if (scratch->proc.exit_status != 0) {
		if (!nginx_output_find(
			    output, "[emerg]", "", scratch->inside, line, sizeof(line))) {
			(void)proc_succeeded(&scratch->proc, "testing the rendered part", err);
			err->kind = ERROR_TRAFFIC;
			return;
		}
		/* The surrounding configuration may define it. */
		if (strncmp(line, "unknown \"", 9) == 0 && strstr(line, "\" variable")) {
			buf_add_format(&scratch->notes,
				"the rendered part cannot be tested alone: %s\n", line);
			return;
		}
		error_set(err, ERROR_TRAFFIC, 0, "nginx refuses what '%s' renders to: %s",
			scratch->edge->nginx->template_path, line);
		error_hint(
			err, "lines are those of the rendered file; 'deploy --dry-run' shows it");
		return;
	}
	/* "keepalive" before another balancing method, say: accepted, and does nothing. */
	if (nginx_output_find(
		    output, "[warn]", scratch->inside, scratch->inside, line, sizeof(line)))
		error_set(err, ERROR_TRAFFIC, 0, "nginx warns of what '%s' renders to: %s",
			scratch->edge->nginx->template_path, line);
}

static enum task_next scratch_tested(struct task *task)
{
	struct scratch *scratch = container_of(task, struct scratch, task);
	struct arena *arena = &scratch->edge->arena;
	char *words[ARRAY_SIZE(temporary) + 4] = { arena_strdup(arena, "rm"),
		arena_strdup(arena, "-rf"), scratch->inside };

	judge(scratch);
	if (!scratch->edge->nginx->container)
		return TASK_DONE;
	for (size_t i = 0; i < ARRAY_SIZE(temporary); i++)
		words[3 + i] = arena_format(arena, "%s.%s", scratch->inside, temporary[i]);
	run(scratch, edge_container_argv(scratch->edge, words));
	return TASK_WAIT;
}

static enum task_next scratch_clean(struct task *task)
{
	(void)task; /* a file left in the container's /tmp is no reason to stop */
	return TASK_DONE;
}

void scratch_release(struct scratch *scratch)
{
	proc_release(&scratch->proc);
	buf_release(&scratch->notes);
	folder_remove(&scratch->folder);
	free(TAKE_PTR(scratch->inside));
}
