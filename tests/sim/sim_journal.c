/*
 * What outlives a process: the journal's records and the lock; and what a process has of its own:
 * its guardian. Instead of src/journal's store.c, lock.c and state_folder.c, and of guardian.c.
 */
#include "sim.h"

#include "canaryctl/guardian.h"
#include "canaryctl/lock.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_RECORDS = 2000, SIM_LOCK_FD = 100, SIM_GUARDIAN_PID = 101 };

struct record {
	int64_t time;
	char *deployment;
	char *type;
	char *data;
};

static struct record records[MAX_RECORDS];
static int record_count;
static bool lock_is_taken;
static bool guardian_is_waiting;

struct journal {
	bool is_for_reading;
};

void sim_journal_reset(void)
{
	for (int i = 0; i < record_count; i++) {
		free(records[i].deployment);
		free(records[i].type);
		free(records[i].data);
	}
	record_count = 0;
	lock_is_taken = guardian_is_waiting = false;
}

/* ---- the journal ---- */
static struct journal *open_journal(struct error *err)
{
	if (sim.plan.cannot_open && sim_is_running()) {
		error_set(err, ERROR_IO, 0, "cannot open the journal");
		return NULL;
	}
	return mem_alloc(sizeof(struct journal));
}

struct journal *journal_open(const char *folder, struct error *err)
{
	(void)folder;
	sim_boundary("journal opened");
	return open_journal(err);
}

struct journal *journal_open_for_reading(const char *folder, struct error *err)
{
	(void)folder;
	return open_journal(err);
}

void journal_close(struct journal *journal)
{
	free(journal);
}

static bool append_fails(void)
{
	const struct plan *plan = &sim.plan;

	sim.appends++;
	if (!plan->append_fails_at)
		return false;
	return sim.appends == plan->append_fails_at ||
	       (plan->append_fails_on && sim.appends > plan->append_fails_at);
}

static bool is_dropped(const char *type)
{
	return (sim.mutation == MUTATION_INTENTS_DROPPED && strcmp(type, "shift_intent") == 0) ||
	       (sim.mutation == MUTATION_OUTCOMES_DROPPED && strcmp(type, "shift_outcome") == 0) ||
	       (sim.mutation == MUTATION_FINISH_DROPPED && strcmp(type, "finished") == 0);
}

static void write_record(const char *deployment, const char *type, const char *data)
{
	if (record_count == MAX_RECORDS) {
		sim_violated("ends", "the journal has %d records", MAX_RECORDS);
		return;
	}
	records[record_count++] = (struct record){ .time = sim.world.now_ms,
		.deployment = mem_strdup(deployment),
		.type = mem_strdup(type),
		.data = mem_strdup(data) };
	oracle_recorded(type, data);
}

int journal_append(struct journal *journal, const char *deployment, const char *type,
	const char *data, struct error *err)
{
	bool fails;

	if (!sim_is_running())
		return 0;
	if (!journal) {
		sim_violated("no-bug", "'%s' is appended to a journal that is closed", type);
		return error_set(err, ERROR_IO, 0, "the journal is closed");
	}
	sim_boundary("before append");
	if (!sim_is_running())
		return 0;
	fails = append_fails();
	sim_trace("  journal: %s%s %.160s", fails ? "(fails) " : "", type,
		strcmp(type, "finished") == 0 ? "" : data);
	if ((!fails || sim.plan.append_lies) && !is_dropped(type))
		write_record(deployment, type, data);
	if (fails) {
		oracle_journal_lost(strstr(data, "\"to\":\"completed\"") != NULL);
		return error_set(err, ERROR_IO, 0, "the disk is full");
	}
	sim_boundary("after append");
	return 0;
}

static bool is_finished(const char *deployment)
{
	for (int i = record_count - 1; i >= 0; i--) {
		if (strcmp(records[i].type, "finished") == 0 &&
			strcmp(records[i].deployment, deployment) == 0)
			return true;
	}
	return false;
}

/* The rule of store.c: the newest that touched the traffic or is not over. */
static const char *newest_deployment(void)
{
	for (int i = record_count - 1; i >= 0; i--) {
		const struct record *record = &records[i];

		if (strcmp(record->type, "shift_intent") == 0 ||
			(strcmp(record->type, "started") == 0 && !is_finished(record->deployment)))
			return record->deployment;
	}
	return record_count ? records[record_count - 1].deployment : "";
}

int journal_read(struct journal *journal, const char *deployment, journal_visit_fn *visit,
	void *context, struct error *err)
{
	(void)err;
	if (!journal)
		sim_violated("no-bug", "a closed journal is read");
	if (!deployment)
		deployment = newest_deployment();
	for (int i = 0; i < record_count; i++) {
		const struct record *record = &records[i];

		if (strcmp(record->deployment, deployment) == 0)
			visit(&(struct journal_record){ .sequence = i + 1,
				      .time = record->time,
				      .deployment = record->deployment,
				      .type = record->type,
				      .data = record->data },
				context);
	}
	return 0;
}

static void take(const struct journal_record *record, void *context)
{
	rollout_view_take(context, record);
}

bool sim_journal_fold(const char *deployment, struct rollout_view *view)
{
	struct journal journal = { 0 };
	struct error err = { 0 };

	return !sim.plan.cannot_open && journal_read(&journal, deployment, take, view, &err) == 0;
}

char *state_folder(const struct config *config, bool create, struct error *err)
{
	(void)create;
	(void)err;
	return mem_strdup(config->state_dir);
}

/* ---- the lock ---- */
int lock_take(const char *folder, const char *what, struct lock *ret_lock, struct error *err)
{
	(void)folder;
	(void)what;
	if (sim.plan.is_locked || lock_is_taken)
		return error_set(err, ERROR_LOCKED, 0, "another rollout holds the lock");
	lock_is_taken = true;
	ret_lock->fd = SIM_LOCK_FD;
	return 0;
}

void lock_release(struct lock *lock)
{
	if (lock->fd >= 0 && !sim.is_dead)
		lock_is_taken = false;
	lock->fd = -1;
}

bool lock_is_held(const char *folder, struct lock_holder *ret_holder)
{
	(void)folder;
	*ret_holder = (struct lock_holder){ 0 };
	return lock_is_taken;
}

bool sim_lock_is_held(void)
{
	return lock_is_taken;
}

/* ---- the guardian ---- */
int guardian_start(const struct config *config, const char *folder, struct guardian *ret_guardian,
	struct error *err)
{
	(void)config;
	(void)folder;
	if (sim.plan.guardian_fails)
		return error_set(err, ERROR_IO, 0, "cannot start the guardian");
	if (sim_is_running())
		guardian_is_waiting = true;
	sim_boundary("guardian started");
	*ret_guardian = (struct guardian){ .pid = SIM_GUARDIAN_PID };
	return 0;
}

bool guardian_is_alive(struct guardian *guardian)
{
	return guardian->pid >= 0;
}

void guardian_dismiss(struct guardian *guardian)
{
	sim_boundary("before dismiss");
	if (guardian->pid >= 0 && sim_is_running() && sim.mutation != MUTATION_GUARDIAN_LEFT)
		guardian_is_waiting = false;
	sim_boundary("after dismiss");
}

bool sim_guardian_waits(void)
{
	return guardian_is_waiting;
}

void sim_guardian_gone(void)
{
	guardian_is_waiting = false;
}

/* The kernel gives the lock back. */
void sim_process_died(void)
{
	lock_is_taken = false;
}
