/*
 * The traffic by hand: `rollback`, `recover` and `weights set`. They hold the service's lock as a
 * rollout does; the emergency goes on without one when the state folder cannot be used.
 */
#include "canaryctl/clock.h"
#include "canaryctl/control.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/rollout.h"

#include <cjson/cJSON.h>

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	ANSWER_TIMEOUT_MS = 3000,
	HOOK_TIMEOUT_MS = 10000, /* to end a hook, and itself */
	PAUSE_MS = 20,
	EXTRA_WAIT_MS = 15000, /* beyond two settle_timeouts: a shift and its undo */
};

static const char manual_suffix[] = "-manual";

static void add_note(struct buf *notes, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
static void add_note(struct buf *notes, const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	buf_add_printable(notes, line);
	buf_add_text(notes, "\n");
}

/* ---- the owner of the lock ---- */
static bool owner_ends(const char *folder, int64_t timeout_ms)
{
	int64_t deadline = clock_monotonic_ms() + timeout_ms;
	struct lock_holder holder;

	while (lock_is_held(folder, &holder)) {
		if (clock_monotonic_ms() >= deadline)
			return false;
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_MS * 1000000L }, NULL);
	}
	return true;
}

static bool is_canaryctl(pid_t pid)
{
	CLEANUP_FREE char *path = mem_format("/proc/%ld/comm", (long)pid);
	char name[64] = "";
	FILE *file = fopen(path, "re");

	if (!file)
		return false;
	if (!fgets(name, sizeof(name), file))
		name[0] = '\0';
	fclose(file);
	return strncmp(name, "canaryctl", 9) == 0;
}

enum answer { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

static enum answer tell_owner(const char *folder, const char *command, const char *reason)
{
	CLEANUP_BUF struct buf text = BUF_INIT(4096);
	struct error err = { 0 };
	cJSON *request = cJSON_CreateObject(), *reply = NULL;
	enum answer answer = ANSWER_NONE;
	char *line;

	cJSON_AddStringToObject(request, "command", command);
	cJSON_AddStringToObject(request, "reason", reason);
	line = cJSON_PrintUnformatted(request);
	if (control_send(folder, line ? line : "{}", ANSWER_TIMEOUT_MS, &text, &err) == 0) {
		reply = cJSON_Parse(buf_text(&text));
		answer = cJSON_IsTrue(cJSON_GetObjectItem(reply, "accepted")) ? ANSWER_YES
									      : ANSWER_NO;
	}
	cJSON_free(line);
	cJSON_Delete(request);
	cJSON_Delete(reply);
	return answer;
}

bool manual_holds_lock(const struct lock_holder *holder)
{
	const char *end = strrchr(holder->deployment, '-');

	return end && strcmp(end, manual_suffix) == 0;
}

/*
 * Has the running rollout roll back and end. One that does not answer, or does not end, is killed:
 * the emergency goes first, and whoever takes over proves the weights itself. A change by hand is
 * let finish: killed in the middle, it would leave what nobody has proven.
 */
static void stop_owner(
	const struct config *config, const char *folder, const char *reason, struct buf *notes)
{
	int64_t patience_ms = 2 * config->nginx.settle_timeout_ms + EXTRA_WAIT_MS;
	struct lock_holder holder;
	enum answer answer;

	if (!lock_is_held(folder, &holder))
		return;
	answer = tell_owner(folder, "rollback", reason);
	if (answer == ANSWER_YES) {
		add_note(notes, "told the running rollout %s (process %ld) to roll back",
			holder.deployment, (long)holder.pid);
		if (owner_ends(folder, patience_ms))
			return;
	} else if (answer == ANSWER_NONE && manual_holds_lock(&holder) &&
		   owner_ends(folder, patience_ms)) {
		add_note(notes, "waited for process %ld, which changed the traffic by hand",
			(long)holder.pid);
		return;
	}
	/* Its last hook may run for minutes; the traffic is then where the rollout wanted it. */
	if (answer != ANSWER_NONE && tell_owner(folder, "stop_hook", reason) == ANSWER_YES &&
		owner_ends(folder, HOOK_TIMEOUT_MS)) {
		add_note(notes, "the last hook of process %ld was stopped", (long)holder.pid);
		return;
	}
	if (!is_canaryctl(holder.pid)) {
		add_note(notes, "process %ld holds the lock and does not answer", (long)holder.pid);
		return;
	}
	add_note(notes, "process %ld does not answer and is stopped", (long)holder.pid);
	kill(holder.pid, SIGKILL);
	owner_ends(folder, ANSWER_TIMEOUT_MS);
}

/* ---- the record ---- */
static void note_newest(const struct journal_record *record, void *context)
{
	snprintf(context, DEPLOYMENT_SIZE, "%s", record->deployment);
}

/* Adds to the newest rollout's events that it was rolled back by hand; best effort. */
static void record_rollback(const char *folder, const char *reason, struct buf *notes)
{
	struct error err = { 0 };
	struct journal *journal = journal_open(folder, &err);
	char deployment[DEPLOYMENT_SIZE] = "";
	cJSON *data = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(data, "to", rollout_state_name(ROLLOUT_ROLLED_BACK));
	cJSON_AddStringToObject(data, "why", reason);
	text = cJSON_PrintUnformatted(data);
	if (!journal || journal_read(journal, NULL, note_newest, deployment, &err) < 0)
		add_note(notes, "not recorded: %s", err.message);
	else if (deployment[0] &&
		 (journal_append(journal, deployment, "state", text ? text : "{}", &err) < 0 ||
			 journal_append(journal, deployment, "shift_outcome",
				 "{\"outcome\":\"proven\",\"proven_weight\":0}", &err) < 0 ||
			 journal_append(journal, deployment, "finished",
				 "{\"outcome\":\"rolled_back\"}", &err) < 0))
		add_note(notes, "not recorded: %s", err.message);
	cJSON_free(text);
	cJSON_Delete(data);
	journal_close(journal);
}

/* Stands in the generation where a rollout's name would. */
static char *manual_rollout_name(void)
{
	char time[CLOCK_TEXT_SIZE];

	return mem_format("%s%s", clock_format_compact(clock_wall_ms(), time), manual_suffix);
}

/* ---- rollback ---- */
/* Without a folder that is ours nothing is recorded. */
static void change_to_zero(const struct config *config, const char *rollout, const char *folder,
	const char *reason, struct manual_result *ret_result)
{
	struct traffic_change change = {
		.config = config, .goal = TRAFFIC_ROLLBACK, .rollout = rollout
	};

	traffic_once(&change);
	ret_result->outcome = change.outcome;
	ret_result->traffic = change.state;
	ret_result->error = change.error;
	buf_add_text(&ret_result->notes, buf_text(&change.notes));
	if (folder && change.outcome != TRAFFIC_LOST)
		record_rollback(folder, reason, &ret_result->notes);
	traffic_change_release(&change);
}

int rollback_run(const struct config *config, const char *reason, struct manual_result *ret_result)
{
	struct lock lock = LOCK_INIT;
	struct error err = { 0 }, ignored = { 0 };
	CLEANUP_FREE char *folder = state_folder(config, true, &err);
	/* One that is not ours is not written to; a rollout that runs in it has to end all the
	 * same. */
	CLEANUP_FREE char *place = state_folder(config, false, &ignored);
	CLEANUP_FREE char *rollout = manual_rollout_name();

	if (place)
		stop_owner(config, place, reason, &ret_result->notes);
	if (!folder || lock_take(folder, rollout, &lock, &err) < 0)
		add_note(&ret_result->notes, "going on without the lock: %s", err.message);
	change_to_zero(config, rollout, folder, reason, ret_result);
	lock_release(&lock);
	return ret_result->outcome == TRAFFIC_PROVEN ? 0 : -1;
}

bool rollback_unowned(
	const struct config *config, const char *reason, struct manual_result *ret_result)
{
	struct lock lock = LOCK_INIT;
	struct error err = { 0 };
	CLEANUP_FREE char *folder = state_folder(config, true, &err);
	CLEANUP_FREE char *rollout = manual_rollout_name();

	if (!folder || lock_take(folder, rollout, &lock, &err) < 0) {
		if (err.kind == ERROR_LOCKED)
			return false;
		add_note(&ret_result->notes, "going on without the lock: %s", err.message);
	}
	change_to_zero(config, rollout, folder, reason, ret_result);
	lock_release(&lock);
	return true;
}

/* ---- weights set ---- */
/* One step of `weights set`; the outcome of the last one is the outcome. */
static bool change_to(struct traffic_change *change, enum traffic_goal goal, weight_t canary)
{
	const struct config *config = change->config;
	const char *rollout = change->rollout;

	traffic_change_release(change);
	*change = (struct traffic_change){
		.config = config, .goal = goal, .canary = canary, .rollout = rollout
	};
	traffic_once(change);
	return change->outcome == TRAFFIC_PROVEN;
}

/*
 * A brake that can be released. The file counts, not only what NGINX says: the file in force may
 * not know of the brake yet.
 */
static bool has_own_brake(const struct traffic_change *change)
{
	const char *brake = change->config->nginx.brake;

	return brake && (change->state.is_braked || access(brake, F_OK) == 0);
}

/* A brake that the last rollback left would make the weight a lie: 0 % first, then release it. */
static void set_weight(struct traffic_change *change, weight_t canary)
{
	if (!change_to(change, TRAFFIC_READ, 0) && change->error.kind == ERROR_CONFIG)
		return;
	if (change->state.is_braked || has_own_brake(change)) {
		bool is_zero = change->state.is_proven && change->state.canary == 0;

		if ((!is_zero && !change_to(change, TRAFFIC_SET, 0)) ||
			!change_to(change, TRAFFIC_RELEASE, 0))
			return;
	}
	change_to(change, TRAFFIC_SET, canary);
}

int weights_set(const struct config *config, weight_t canary, struct manual_result *ret_result)
{
	CLEANUP_FREE char *folder = state_folder(config, true, &ret_result->error);
	CLEANUP_FREE char *rollout = manual_rollout_name();
	struct traffic_change change = { .config = config, .rollout = rollout };
	struct lock lock = LOCK_INIT;

	ret_result->outcome = TRAFFIC_UNDONE;
	ret_result->traffic.canary = WEIGHT_UNKNOWN;
	if (!folder || lock_take(folder, rollout, &lock, &ret_result->error) < 0) {
		/* Nothing was looked at, and nothing changed. */
		if (ret_result->error.kind == ERROR_IO)
			ret_result->error.kind = ERROR_UNAVAILABLE;
		return -1;
	}
	set_weight(&change, canary);
	ret_result->outcome = change.outcome;
	ret_result->traffic = change.state;
	ret_result->error = change.error;
	buf_add_text(&ret_result->notes, buf_text(&change.notes));
	traffic_change_release(&change);
	lock_release(&lock);
	return ret_result->outcome == TRAFFIC_PROVEN ? 0 : -1;
}
