/*
 * Running a rollout: the procedure around the state machine. It measures facts, delivers events,
 * and does what the machine's effects ask for, through drivers: traffic, checks, journal, hooks.
 *
 * Calling order: rollout_run() with a filled request; then look at the result.
 */
#ifndef CANARYCTL_ROLLOUT_H
#define CANARYCTL_ROLLOUT_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"
#include "canaryctl/report.h"

#include <stdbool.h>
#include <stddef.h>

struct rollout_view;

struct rollout_request {
	const struct config *config;
	const char *version;
	size_t start_stage; /* index into the stages */
	bool is_approved;   /* that stage was, before a crash */
	/* Of the interrupted rollout that this one goes on with (rollout_view); NULL: none. */
	const char *evidence;
	struct rollout_observer *const *observers; /* count pointers, borrowed */
	size_t observer_count;
};

struct rollout_result {
	struct rollout_report report; /* release with rollout_report_release() */
	struct error error;           /* why it could not begin; ERROR_NONE when it ran */
	int signal_number;            /* that stopped it; 0: none */
};

/* Takes the lock, opens the journal, runs until the end. Returns the exit status. */
int rollout_run(const struct rollout_request *request, struct rollout_result *ret_result);

/*
 * Pure. May a rollout that died in this state begin again at the stage it was in? Only where its
 * stages are the configured ones and on_crash says resume; a rollback that was cut off stays one.
 */
bool rollout_can_resume(const struct config *config, const struct rollout_view *view);

/*
 * The rehearsal (`deploy --dry-run`): changes nothing. Findings come as EVENT_NOTE lines through
 * the observers, the report's outcome is OUTCOME_REHEARSED or OUTCOME_ABORTED.
 */
int rollout_rehearse(const struct rollout_request *request, struct rollout_result *ret_result);

/*
 * The emergency: tells a running rollout to roll back and end, or takes over from one that does
 * not answer, and proves 0 %. Needs neither Prometheus nor a healthy journal.
 */
struct manual_result {
	enum traffic_outcome outcome;
	struct traffic_state traffic;
	struct error error;
	struct buf notes; /* owned; lines about what was found and done */
};
int rollback_run(const struct config *config, const char *reason, struct manual_result *ret_result);

/* The same for the guardian; false when somebody has taken the lock: then it is theirs to finish.
 */
bool rollback_unowned(
	const struct config *config, const char *reason, struct manual_result *ret_result);

/* `weights set`: under the lock, with the same safety as a stage. */
int weights_set(const struct config *config, weight_t canary, struct manual_result *ret_result);

/* Is it one of these (the guardian too) that holds the lock, and not a rollout? */
struct lock_holder;
bool manual_holds_lock(const struct lock_holder *holder);

/* One change on a loop of its own; release it with traffic_change_release(). */
void traffic_once(struct traffic_change *change);
void traffic_change_release(struct traffic_change *change);

#endif
