/*
 * The journal of a service: an append-only table of events in SQLite (synchronous=FULL). The
 * intent is committed before each action and the outcome after it; what a rollout is doing is a
 * fold of its events (rollout_view_take), which is pure.
 *
 * Several processes may have it open: the rollout that writes, and `status` that reads.
 */
#ifndef CANARYCTL_JOURNAL_H
#define CANARYCTL_JOURNAL_H

#include "canaryctl/error.h"
#include "canaryctl/rollout_machine.h"
#include "canaryctl/weight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DEPLOYMENT_SIZE = 160 };

/* One event. `data` is a JSON object that explains itself; strings live until the call returns. */
struct journal_record {
	int64_t sequence;
	int64_t time; /* wall, ms */
	const char *deployment;
	const char *type; /* "started", "state", "shift_intent", "shift_outcome", ... */
	const char *data;
};

struct journal;

/* `folder` is the service's state folder and exists. NULL and *err on error. */
struct journal *journal_open(const char *folder, struct error *err);
struct journal *journal_open_for_reading(const char *folder, struct error *err);
void journal_close(struct journal *journal);

/* Committed and synced when it returns 0. */
int journal_append(struct journal *journal, const char *deployment, const char *type,
	const char *data, struct error *err);

/*
 * Visits the events of one deployment in order; NULL: of the newest that touched the traffic or is
 * not over. One that was refused changed nothing, and must not hide one that was interrupted.
 */
typedef void journal_visit_fn(const struct journal_record *record, void *context);
int journal_read(struct journal *journal, const char *deployment, journal_visit_fn *visit,
	void *context, struct error *err);

/* What a rollout was doing, folded from its events. Start from `= { 0 }`. */
struct rollout_view {
	char deployment[DEPLOYMENT_SIZE]; /* empty: there was none */
	char version[DEPLOYMENT_SIZE];
	enum rollout_state state;
	char why[256];
	int stage; /* from 1; 0: none yet */
	int stage_count;
	weight_t intent; /* the last weight that was asked for */
	weight_t proven; /* the last weight that was proven; WEIGHT_UNKNOWN after a failure */
	int64_t started_at;
	int64_t stage_started_at; /* wall, ms */
	int64_t stage_ends_at;    /* wall, ms; as planned */
	char *evaluation;         /* JSON of the last evaluation; owned; NULL: none */
	char *evidence;           /* JSON of what its judges had counted; owned; NULL: nothing */
	char *report;             /* JSON of the final report; owned; NULL: not finished */
};
void rollout_view_take(struct rollout_view *view, const struct journal_record *record);
void rollout_view_release(struct rollout_view *view);
/* When nobody runs it: does it leave something to put right? Not over, or a rollback that failed.
 */
bool rollout_view_needs_recovery(const struct rollout_view *view);

/* Reads the newest deployment into a view. */
int journal_fold_newest(struct journal *journal, struct rollout_view *ret_view, struct error *err);

/* <state_dir>/<service>; created 0700 when `create`. malloc'ed; NULL and *err on error. */
struct config;
char *state_folder(const struct config *config, bool create, struct error *err);
/* Is it ours, and nobody else's to write to? One that is not there yet is fine. */
int state_folder_check(const char *folder, struct error *err);

#endif
