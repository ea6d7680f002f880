/*
 * Before the first shift: is everything there that the rollout needs, does every query work, is
 * the canary healthy and the right version, and is 0 % canary proven? Whatever says no here has
 * changed nothing.
 */
#include "canaryctl/clock.h"

#include "rollout/rollout_private.h"

#include <stdlib.h>
#include <string.h>

static enum task_next refuse(struct rollout *rollout, const struct error *err)
{
	rollout->error = *err;
	rollout_reason_of_error(rollout, err);
	return rollout_deliver(rollout, ROLLOUT_REFUSED);
}

/* The world before the first action: what NGINX does, and one answer to every check. */
static enum task_next look_around(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	rollout_change_traffic(rollout, TRAFFIC_READ, 0);
	rollout_ask(rollout, rollout->checks, rollout->check_count, LONGEST_WINDOW_MS);
	return TASK_WAIT;
}

/*
 * A rollout that died in the middle, or could not prove its rollback, is over when the canary is
 * at 0 %; else somebody has to say what is to become of it.
 */
static int settle_interrupted(struct rollout *rollout, struct error *err)
{
	const struct rollout_view *previous = &rollout->previous;
	const struct traffic_state *traffic = &rollout->change.state;

	if (!rollout_view_needs_recovery(previous))
		return 0;
	if (traffic->is_proven && (traffic->canary == 0 || traffic->is_braked))
		return previous->report ? 0
					: journal_append(rollout->journal, previous->deployment,
						  "finished", "{\"outcome\":\"aborted\"}", err);
	error_set(err, ERROR_LOCKED, 0, "'%s' %s, and 0 %% canary is not proven",
		previous->deployment,
		previous->report ? "could not be rolled back" : "was interrupted");
	return error_hint(err, "finish it first: canaryctl recover");
}

/* A query that can never work is found here, not at stage 3. */
bool rollout_query_impossible(const struct rollout *rollout, struct error *err)
{
	const struct evaluation *evaluation = &rollout->evaluation;

	for (size_t i = 0; i < evaluation->count; i++) {
		const struct verdict *verdict = &evaluation->verdicts[i];

		if (verdict->result != CHECK_ERROR ||
			verdict->measurement.error.kind != ERROR_CONFIG)
			continue;
		*err = verdict->measurement.error;
		error_wrap(err, "check '%s'", verdict->check->name);
		return true;
	}
	return false;
}

bool rollout_metrics_missing(const struct rollout *rollout, struct error *err)
{
	const struct evaluation *evaluation = &rollout->evaluation;

	if (!evaluation->asked_prometheus || evaluation->prometheus_answered)
		return false;
	*err = evaluation->prometheus_error;
	error_wrap(err, "Prometheus at %s", rollout->config->prometheus.url);
	if (err->kind != ERROR_CONFIG)
		err->kind = ERROR_UNAVAILABLE;
	error_hint(err, "nothing was changed; is prometheus.url right, and is it running?");
	return true;
}

/* Canary health is the first check. */
bool rollout_canary_unfit(const struct rollout *rollout, struct error *err)
{
	const struct verdict *health = &rollout->evaluation.verdicts[0];

	if (health->result == CHECK_PASS || health->result == CHECK_WARN)
		return false;
	error_set(err, health->measurement.error.kind == ERROR_NET ? ERROR_UNAVAILABLE : ERROR_NONE,
		0, "%s", health->message);
	error_hint(err, "nothing was changed; look at %s", rollout->config->canary.health);
	return true;
}

static enum task_next looked_around(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };
	enum task_next next;

	rollout->report.traffic = rollout->change.state;
	rollout_journal_world(rollout);
	if (rollout_take_requests(rollout, &next))
		return next;
	if (rollout_query_impossible(rollout, &err) || rollout_metrics_missing(rollout, &err))
		return refuse(rollout, &err);
	if (rollout_canary_unfit(rollout, &err)) {
		rollout_reason_of_check(
			rollout, &(struct check_report){ .check = rollout->checks[0],
					 .last = rollout->evaluation.verdicts[0] });
		rollout->error = err;
		return rollout_deliver(rollout, ROLLOUT_REFUSED);
	}
	if (!rollout->journal) {
		error_set(&err, ERROR_IO, 0, "the journal cannot be written");
		error_hint(&err, "nothing was changed; is the disk full?");
		return refuse(rollout, &err);
	}
	if (settle_interrupted(rollout, &err) < 0)
		return refuse(rollout, &err);
	return TASK_MORE;
}

static enum task_next preflight_answered(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };
	enum task_next next;

	if (rollout_take_requests(rollout, &next))
		return next;
	if (rollout_preflight_refuses(rollout, &err))
		return refuse(rollout, &err);
	rollout->preflight_index++;
	return task_goto(task, task->step - 2, TASK_MORE); /* the next suite */
}

static enum task_next run_before_hook(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	if (!hook_start(rollout, &rollout->config->hooks.before_rollout))
		return task_goto(task, task->step + 1, TASK_MORE);
	return TASK_WAIT;
}

static enum task_next before_hook_ended(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };
	enum task_next next;

	if (rollout_take_requests(rollout, &next))
		return next;
	if (hook_succeeded(rollout, "before_rollout", &err))
		return TASK_MORE;
	error_hint(&err, "nothing was changed");
	rollout_reason_of_error(rollout, &err);
	return rollout_deliver(rollout, ROLLOUT_REFUSED);
}

/* Nothing to do when 0 % of ours is in force already. */
static enum task_next make_zero(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	const struct traffic_state *traffic = &rollout->report.traffic;

	if (traffic->is_proven && traffic->canary == 0)
		return task_goto(task, task->step + 1, TASK_MORE);
	if (traffic->is_proven) {
		char weight[WEIGHT_TEXT_SIZE];
		CLEANUP_FREE char *note = mem_format("the canary has %s %% of the traffic; a "
						     "rollout begins at 0 %%",
			weight_format(traffic->canary, weight));

		rollout_tell(rollout, EVENT_NOTE, note);
	}
	rollout_journal_intent(rollout, 0);
	rollout_change_traffic(rollout, TRAFFIC_SET, 0);
	return TASK_WAIT;
}

static enum task_next zero_made(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	const struct traffic_change *change = &rollout->change;

	rollout->report.traffic = change->state;
	rollout_journal_outcome(rollout);
	if (change->outcome == TRAFFIC_PROVEN)
		return TASK_MORE;
	if (change->outcome == TRAFFIC_LOST) {
		rollout_reason_of_error(rollout, &change->error);
		return rollout_deliver(rollout, ROLLOUT_UNPREPARED);
	}
	rollout_reason_of_error(rollout, &change->error);
	if (change->error.kind == ERROR_UNAVAILABLE || change->error.kind == ERROR_CONFIG)
		rollout->error = change->error;
	return rollout_deliver(rollout, ROLLOUT_REFUSED);
}

/* The last rollback's brake has done its work once 0 % is in force. */
static enum task_next release_brake(struct task *task)
{
	rollout_change_traffic(rollout_of(task), TRAFFIC_RELEASE, 0);
	return TASK_WAIT;
}

static enum task_next brake_released(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	rollout_tell_notes(rollout);
	if (rollout->change.outcome == TRAFFIC_PROVEN)
		return TASK_MORE;
	rollout_reason_of_error(rollout, &rollout->change.error);
	return rollout_deliver(rollout, ROLLOUT_REFUSED);
}

/* From the first shift on, somebody must be there if this process is not. */
static enum task_next start_guardian(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };

	if (rollout_guard(rollout, &err) == 0)
		return TASK_MORE;
	error_hint(&err, "nothing was changed");
	return refuse(rollout, &err);
}

static enum task_next prepared(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	enum task_next next;

	if (rollout_take_requests(rollout, &next))
		return next;
	rollout_tell(rollout, EVENT_PREPARED, NULL);
	notify_send(rollout, "started");
	if (!rollout->config->share.requests)
		rollout_tell(rollout, EVENT_NOTE,
			"traffic.share is not configured: the share of traffic that the canary "
			"really receives is not watched");
	rollout_must_ask(rollout, rollout->stage);
	return rollout_deliver(rollout, ROLLOUT_READY);
}

static enum task_next tell_started(struct task *task)
{
	rollout_tell(rollout_of(task), EVENT_STARTED, NULL);
	return TASK_MORE;
}

const struct task_step rollout_prepare_steps[] = {
	{ "tell started", tell_started },
	{ "look around", look_around },
	{ "looked around", looked_around },
	{ "ask preflight", rollout_ask_preflight },
	{ "preflight answered", preflight_answered },
	{ "run before hook", run_before_hook },
	{ "before hook ended", before_hook_ended },
	{ "make zero", make_zero },
	{ "zero made", zero_made },
	{ "release brake", release_brake },
	{ "brake released", brake_released },
	{ "start guardian", start_guardian },
	{ "prepared", prepared },
	{ 0 },
};
