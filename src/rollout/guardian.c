/*
 * The guardian: see canaryctl/guardian.h. It is this program again, started anew with exec, so
 * that it shares nothing with the rollout but a pipe: no lock, no terminal, no memory.
 */
#include "canaryctl/guardian.h"
#include "canaryctl/clock.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/log.h"
#include "canaryctl/mem.h"
#include "canaryctl/rollout.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 200, MOST_TRIES = 100, TRY_AGAIN_MS = 5000 };

/* ---- the rollout's side ---- */
/* Between fork and exec only what is safe in a program with threads. */
_Noreturn static void become_guardian(int pipe_end, int log_fd, char *const *argv)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	/* Out of the way of the descriptors that are put in place next. */
	pipe_end = fcntl(pipe_end, F_DUPFD, 10);
	dup2(null_fd, STDIN_FILENO);
	dup2(log_fd >= 0 ? log_fd : null_fd, STDOUT_FILENO);
	dup2(log_fd >= 0 ? log_fd : null_fd, STDERR_FILENO);
	/* Nor what our parent left open: a CI job's pipe, a lock. */
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	dup2(pipe_end, GUARDIAN_FD);
	execv("/proc/self/exe", argv);
	_exit(127);
}

int guardian_start(const struct config *config, const char *folder, struct guardian *ret_guardian,
	struct error *err)
{
	CLEANUP_FREE char *log_path = mem_format("%s/guardian.log", folder);
	CLEANUP_FREE char *config_path = realpath(config->path, NULL);
	char command[] = "guardian", program[] = "canaryctl", option[] = "--config";
	char *argv[] = { program, option, config_path, command, NULL };
	int log_fd = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	int ends[2] = { -1, -1 };
	pid_t pid = -1;

	if (config_path && pipe2(ends, O_CLOEXEC) == 0)
		pid = fork();
	if (pid == 0)
		become_guardian(ends[0], log_fd, argv);
	if (pid < 0)
		error_set(err, ERROR_IO, errno, "cannot start the guardian");
	if (log_fd >= 0)
		close(log_fd);
	if (ends[0] >= 0)
		close(ends[0]);
	if (pid < 0 && ends[1] >= 0)
		close(ends[1]);
	if (pid < 0)
		return -1;
	*ret_guardian = (struct guardian){ .pid = pid, .fd = ends[1] };
	return 0;
}

static void forget(struct guardian *guardian)
{
	close(guardian->fd);
	*guardian = (struct guardian)GUARDIAN_INIT;
}

bool guardian_is_alive(struct guardian *guardian)
{
	if (guardian->pid < 0)
		return false;
	if (waitpid(guardian->pid, NULL, WNOHANG) == 0)
		return true;
	forget(guardian);
	return false;
}

void guardian_dismiss(struct guardian *guardian)
{
	if (guardian->pid < 0)
		return;
	if (write(guardian->fd, "d", 1) != 1)
		log_debug("the guardian had gone already");
	forget(guardian);
}

/* ---- the guardian's side ---- */
/* Waits until the rollout ends. True: it said so itself. */
static bool rollout_ended_well(void)
{
	char byte;
	ssize_t count;

	while ((count = read(GUARDIAN_FD, &byte, 1)) < 0 && errno == EINTR)
		continue;
	return count == 1;
}

static bool is_over(const char *folder)
{
	struct rollout_view view = { 0 };
	struct error err = { 0 };
	struct journal *journal = journal_open_for_reading(folder, &err);
	/* What cannot be read is not known to be over. */
	bool over = journal && journal_fold_newest(journal, &view, &err) == 0 &&
		    !rollout_view_needs_recovery(&view);

	rollout_view_release(&view);
	journal_close(journal);
	return over;
}

/* Somebody may finish it first: a person, systemd after a restart. True: it is over. */
static bool somebody_finished_it(const char *folder, int64_t grace_ms)
{
	int64_t deadline = clock_monotonic_ms() + grace_ms;
	struct lock_holder holder;

	for (;;) {
		bool is_owned = lock_is_held(folder, &holder);

		if (!is_owned && is_over(folder))
			return true;
		if (!is_owned && clock_monotonic_ms() >= deadline)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = LOOK_EVERY_MS * 1000000L }, NULL);
	}
}

/*
 * Only the rollout's end ends it: not a closed terminal, not ^C, and not the SIGTERM that systemd
 * sends to a whole unit, rollout and guardian alike.
 */
static void ignore_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		signal(numbers[i], SIG_IGN);
}

/* One try; TRAFFIC_LOST also when somebody else has taken it up. */
static enum traffic_outcome put_right(const struct config *config)
{
	struct manual_result result = { .outcome = TRAFFIC_LOST };

	rollback_unowned(config, "its process died; rolled back by the guardian", &result);
	if (result.notes.length)
		log_warn("%s", buf_text(&result.notes));
	if (result.error.kind != ERROR_NONE)
		log_error("%s", result.error.message);
	buf_release(&result.notes);
	return result.outcome;
}

int guardian_run(const struct config *config)
{
	int64_t grace_ms = config->rollout.guardian_grace_ms;
	enum traffic_outcome outcome = TRAFFIC_LOST;
	struct error err = { 0 };
	CLEANUP_FREE char *folder = state_folder(config, false, &err);

	ignore_signals();
	unsetenv("CANARYCTL_CRASH_AT"); /* the crash tests kill the rollout, not its guardian */
	if (rollout_ended_well())
		return 0;
	log_warn("the rollout's process died; waiting for somebody to recover");
	/* NGINX may be starting again, a disk be full for a while: once is not enough. */
	for (int tries = 0; tries < MOST_TRIES && outcome == TRAFFIC_LOST; tries++) {
		if (somebody_finished_it(
			    folder, tries && grace_ms < TRY_AGAIN_MS ? TRY_AGAIN_MS : grace_ms))
			return 0;
		outcome = put_right(config);
		ignore_signals(); /* the loop of the try has set them back */
	}
	return outcome == TRAFFIC_PROVEN ? 0 : outcome == TRAFFIC_BRAKED ? 1 : 3;
}
