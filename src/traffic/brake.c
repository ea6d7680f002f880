/* The brake: see brake.h. */
#include "traffic/brake.h"

#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAM_TIMEOUT_MS = 10000 };

static void run_in_container(
	struct brake *brake, struct edge *edge, struct task *task, char *const *words)
{
	struct proc_options options = { .argv = edge_container_argv(edge, words),
		.timeout_ms = PROGRAM_TIMEOUT_MS };

	brake->by_program = true;
	proc_start(&brake->proc, task, &options);
}

/* NGINX's workers are another user: whatever our umask is, they must be able to see the file. */
static int make_folder(const char *path, struct error *err)
{
	if (access(path, F_OK) == 0)
		return 0;
	if (fileio_make_folders(path, 0755, err) < 0)
		return -1;
	if (chmod(path, 0755) < 0)
		return error_set(err, ERROR_IO, errno, "cannot open folder '%s' to nginx", path);
	return 0;
}

static int create(const char *path, struct error *err)
{
	CLEANUP_FREE char *copy = mem_strdup(path);
	int fd;

	if (make_folder(dirname(copy), err) < 0)
		return -1;
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);
	if (fd < 0)
		return error_set(err, ERROR_IO, errno, "cannot create the brake '%s'", path);
	/* Its being there is what counts. */
	if (fchmod(fd, 0644) < 0)
		errno = 0;
	close(fd);
	return 0;
}

void brake_set_start(struct brake *brake, struct edge *edge, struct task *task)
{
	char install[] = "install", folders[] = "-D", mode[] = "-m", bits[] = "0644",
	     nothing[] = "/dev/null";
	char *words[] = { install, folders, mode, bits, nothing, edge->nginx->brake, NULL };

	brake->by_program = false;
	error_clear(&brake->error);
	if (!edge->nginx->brake)
		return;
	if (edge->nginx->container)
		run_in_container(brake, edge, task, words);
	else
		(void)create(edge->nginx->brake, &brake->error);
}

void brake_remove_start(struct brake *brake, struct edge *edge, struct task *task)
{
	char remove_word[] = "rm", force[] = "-f";
	char *words[] = { remove_word, force, edge->nginx->brake, NULL };
	struct error *err = &brake->error;

	brake->by_program = false;
	error_clear(err);
	if (!edge->nginx->brake)
		return;
	if (edge->nginx->container)
		run_in_container(brake, edge, task, words);
	else if (unlink(edge->nginx->brake) < 0 && errno != ENOENT && errno != ENOTDIR)
		error_set(err, ERROR_IO, errno, "cannot remove the brake '%s'", edge->nginx->brake);
}

int brake_ended(struct brake *brake, struct error *err)
{
	int result = 0;

	if (brake->error.kind != ERROR_NONE) {
		*err = brake->error;
		result = -1;
	} else if (brake->by_program && !proc_succeeded(&brake->proc, "the brake", err)) {
		result = -1;
	}
	if (brake->by_program)
		proc_release(&brake->proc);
	return result;
}

bool brake_is_set(const struct edge *edge)
{
	return edge->nginx->brake && access(edge->nginx->brake, F_OK) == 0;
}
