/*
 * The rollout as a procedure: prepare, then shift and observe stage by stage, roll back when the
 * machine says so, end. Every effect of the machine is the name of a step here; the steps measure
 * and act, and only the machine decides.
 */
#include "canaryctl/clock.h"
#include "canaryctl/log.h"

#include "rollout/rollout_private.h"

#include <stdlib.h>
#include <string.h>

struct rollout *rollout_of(struct task *task)
{
	return container_of(task, struct rollout, task);
}

struct stage_report *rollout_stage(struct rollout *rollout)
{
	return &rollout->report.stages[rollout->stage];
}

void rollout_change_traffic(struct rollout *rollout, enum traffic_goal goal, weight_t canary)
{
	struct traffic_change *change = &rollout->change;

	if (change->config)
		traffic_change_release(change);
	*change = (struct traffic_change){ .config = rollout->config,
		.goal = goal,
		.canary = canary,
		.rollout = rollout->report.deployment };
	rollout->driver->start(change, &rollout->task);
}

void rollout_ask(struct rollout *rollout, const struct check_config *const *checks, size_t count,
	int64_t window_ms)
{
	struct evaluation *evaluation = &rollout->evaluation;
	bool is_stage = rollout_stage(rollout)->state != STAGE_PENDING;
	int64_t settled_ms = loop_now_ms(rollout->loop) - rollout->shifted_ms -
			     rollout->config->rollout.settle_ms;

	evaluation_release(evaluation);
	*evaluation = (struct evaluation){ .checks = checks,
		.count = count,
		.memories = is_stage ? rollout->memories : NULL,
		.context = { .config = rollout->config,
			.version = rollout->report.version,
			.stage_weight = rollout_stage(rollout)->weight,
			.settled_ms = is_stage ? settled_ms : 0,
			.window_ms =
				window_ms < LONGEST_WINDOW_MS ? window_ms : LONGEST_WINDOW_MS } };
	evaluation_start(evaluation, &rollout->task);
}

/* ---- shift ---- */
static enum task_next shift_to_stage(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	weight_t weight = rollout_stage(rollout)->weight;

	rollout_tell(rollout, EVENT_STAGE_STARTED, NULL);
	rollout_mind_guardian(rollout);
	/* Without a journal nobody could put right what a crash leaves: no more canary then. */
	if (!rollout_journal_intent(rollout, weight)) {
		error_set(&rollout->error, ERROR_IO, 0, "the journal cannot be written");
		rollout_reason_of_error(rollout, &rollout->error);
		return rollout_deliver(rollout, ROLLOUT_SHIFT_UNDONE);
	}
	rollout_change_traffic(rollout, TRAFFIC_SET, weight);
	return TASK_WAIT;
}

static enum task_next stage_shifted(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	const struct traffic_change *change = &rollout->change;

	rollout->report.traffic = change->state;
	rollout_journal_outcome(rollout);
	rollout_tell_notes(rollout);
	if (change->outcome == TRAFFIC_PROVEN && !change->state.is_braked) {
		rollout_stage(rollout)->shifted_at = clock_wall_ms();
		rollout_tell(rollout, EVENT_SHIFTED, NULL);
		return rollout_deliver(rollout, ROLLOUT_SHIFT_PROVEN);
	}
	rollout_stage(rollout)->state = STAGE_FAILED;
	rollout_stage(rollout)->ended_at = clock_wall_ms();
	if (change->outcome == TRAFFIC_PROVEN)
		error_set(&rollout->change.error, ERROR_TRAFFIC, 0,
			"somebody set the brake: the canary gets nothing");
	rollout_reason_of_error(rollout, &change->error);
	return rollout_deliver(rollout,
		change->outcome == TRAFFIC_LOST ? ROLLOUT_SHIFT_LOST : ROLLOUT_SHIFT_UNDONE);
}

static const struct task_step shift_steps[] = {
	{ "shift to stage", shift_to_stage },
	{ "stage shifted", stage_shifted },
	{ 0 },
};

/* ---- roll back ---- */
static enum task_next roll_back(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct stage_report *stage = rollout_stage(rollout);
	const struct rollout_reason *reason = &rollout->report.reason;
	CLEANUP_FREE char *why =
		mem_format("%s%s%s", reason->check, reason->check[0] ? ": " : "", reason->message);

	if (stage->state == STAGE_OBSERVING) {
		stage->state = STAGE_FAILED;
		stage->ended_at = clock_wall_ms();
	}
	rollout_tell(rollout, EVENT_ROLLING_BACK, why);
	/* A rollback that cannot be recorded still happens. */
	rollout_journal_intent(rollout, 0);
	rollout_change_traffic(rollout, TRAFFIC_ROLLBACK, 0);
	return TASK_WAIT;
}

static enum task_next rolled_back(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	const struct traffic_change *change = &rollout->change;

	rollout->report.traffic = change->state;
	rollout_journal_outcome(rollout);
	rollout_tell_notes(rollout);
	if (change->outcome == TRAFFIC_PROVEN || change->outcome == TRAFFIC_BRAKED) {
		rollout_tell(rollout, EVENT_ROLLED_BACK,
			change->outcome == TRAFFIC_BRAKED ? change->error.message : NULL);
		return TASK_MORE;
	}
	error_wrap(&rollout->change.error, "0 %% canary is not proven");
	rollout_tell(rollout, EVENT_NOTE, change->error.message);
	return rollout_deliver(rollout, ROLLOUT_ROLLBACK_LOST);
}

static enum task_next run_rollback_hook(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	if (!hook_start(rollout, &rollout->config->hooks.on_rollback))
		return rollout_deliver(rollout, ROLLOUT_ROLLBACK_PROVEN);
	return TASK_WAIT;
}

static enum task_next rollback_hook_ended(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };

	if (!hook_succeeded(rollout, "on_rollback", &err))
		rollout_tell(rollout, EVENT_NOTE, err.message);
	return rollout_deliver(rollout, ROLLOUT_ROLLBACK_PROVEN);
}

static const struct task_step rollback_steps[] = {
	{ "roll back", roll_back },
	{ "rolled back", rolled_back },
	{ "run rollback hook", run_rollback_hook },
	{ "rollback hook ended", rollback_hook_ended },
	{ 0 },
};

/* ---- the end ---- */
/* The report says where the traffic is now, not where it was put. */
static enum task_next read_traffic(struct task *task)
{
	rollout_change_traffic(rollout_of(task), TRAFFIC_READ, 0);
	return TASK_WAIT;
}

static enum task_next traffic_read(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	const struct traffic_state *now = &rollout->change.state;
	bool is_where_it_was_put = !(now->is_braked && now->canary > 0) &&
				   strcmp(now->generation, rollout->report.traffic.generation) == 0;

	rollout->report.traffic = *now;
	/* Somebody else moved it: nothing is left with the canary on our word then. */
	if (rollout->report.outcome != OUTCOME_ABORTED && !is_where_it_was_put)
		rollout->report.traffic.is_proven = false;
	return TASK_DONE;
}

static const struct task_step end_steps[] = {
	{ "read traffic", read_traffic },
	{ "traffic read", traffic_read },
	{ 0 },
};

static enum task_next end_succeeded(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	rollout->report.outcome = OUTCOME_SUCCEEDED;
	if (!hook_start(rollout, &rollout->config->hooks.on_success))
		return task_goto(task, end_steps, TASK_MORE);
	return TASK_WAIT;
}

static enum task_next success_hook_ended(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };

	if (!hook_succeeded(rollout, "on_success", &err))
		rollout_tell(rollout, EVENT_NOTE, err.message);
	return task_goto(task, end_steps, TASK_MORE);
}

static enum task_next end_held(struct task *task)
{
	rollout_of(task)->report.outcome = OUTCOME_HELD;
	return task_goto(task, end_steps, TASK_MORE);
}

static enum task_next end_aborted(struct task *task)
{
	rollout_of(task)->report.outcome = OUTCOME_ABORTED;
	return task_goto(task, end_steps, TASK_MORE);
}

/* These two were proven, or not, a moment ago. */
static enum task_next end_rolled_back(struct task *task)
{
	rollout_of(task)->report.outcome = OUTCOME_ROLLED_BACK;
	return TASK_DONE;
}

static enum task_next end_rollback_failed(struct task *task)
{
	rollout_of(task)->report.outcome = OUTCOME_ROLLBACK_FAILED;
	return TASK_DONE;
}

static const struct task_step succeeded_steps[] = {
	{ "succeeded", end_succeeded },
	{ "success hook ended", success_hook_ended },
	{ 0 },
};
static const struct task_step held_steps[] = { { "held", end_held }, { 0 } };
static const struct task_step aborted_steps[] = { { "aborted", end_aborted }, { 0 } };
static const struct task_step rolled_back_steps[] = { { "end", end_rolled_back }, { 0 } };
static const struct task_step rollback_failed_steps[] = { { "end", end_rollback_failed }, { 0 } };

/* ---- from the machine to the steps ---- */
static const struct task_step *const effect_steps[ROLLOUT_EFFECT_COUNT] = {
	[EFFECT_NONE] = rollout_watch_steps,
	[EFFECT_PREPARE] = rollout_prepare_steps,
	[EFFECT_SHIFT] = shift_steps,
	[EFFECT_OBSERVE] = rollout_observe_steps,
	[EFFECT_EXTEND] = rollout_watch_steps,
	[EFFECT_ASK] = rollout_ask_steps,
	[EFFECT_ROLL_BACK] = rollback_steps,
	[EFFECT_END_SUCCEEDED] = succeeded_steps,
	[EFFECT_END_ROLLED_BACK] = rolled_back_steps,
	[EFFECT_END_ABORTED] = aborted_steps,
	[EFFECT_END_HELD] = held_steps,
	[EFFECT_END_ROLLBACK_FAILED] = rollback_failed_steps,
};

/* The only place that assigns a rollout's state. */
enum task_next rollout_deliver(struct rollout *rollout, enum rollout_machine_event event)
{
	struct rollout_decision decision;
	enum rollout_state from = rollout->state;
	CLEANUP_FREE char *text = NULL;

	if (!rollout_decide(from, event, &rollout->facts, &decision))
		BUG("event '%s' in state '%s'", rollout_machine_event_name(event),
			rollout_state_name(from));
	text = mem_format("%s -> %s: %s", rollout_state_name(from), rollout_state_name(decision.to),
		decision.why);
	log_info("%s", text);
	rollout->state = decision.to;
	rollout_journal_state(rollout, &decision);
	if (decision.to != from)
		rollout_tell_state(rollout, text, decision.effect == EFFECT_END_HELD);
	return task_goto(&rollout->task, effect_steps[decision.effect], TASK_MORE);
}

/* ---- begin and end ---- */
static enum task_next begin(struct task *task)
{
	return rollout_deliver(rollout_of(task), ROLLOUT_START);
}
static const struct task_step begin_steps[] = { { "begin", begin }, { 0 } };

/* The folder, the lock and the journal: before them nothing is done. */
static int open_state(struct rollout *rollout, struct error *err)
{
	rollout->folder = state_folder(rollout->config, true, err);
	if (!rollout->folder ||
		lock_take(rollout->folder, rollout->report.deployment, &rollout->lock, err) < 0)
		return -1;
	rollout->journal = journal_open(rollout->folder, err);
	if (!rollout->journal || journal_fold_newest(rollout->journal, &rollout->previous, err) < 0)
		return -1;
	if (rollout_make_unique(rollout, err) < 0)
		return -1;
	return rollout_watch_requests(rollout, err);
}

static int exit_status_of(const struct rollout *rollout)
{
	static const int by_outcome[OUTCOME_COUNT] = {
		[OUTCOME_RUNNING] = 70,
		[OUTCOME_SUCCEEDED] = 0,
		[OUTCOME_ROLLED_BACK] = 2,
		[OUTCOME_ABORTED] = 2,
		[OUTCOME_HELD] = 1,
		[OUTCOME_ROLLBACK_FAILED] = 3,
		[OUTCOME_REHEARSED] = 0,
	};
	enum rollout_outcome outcome = rollout->report.outcome;

	/* The last look at the end: what is left with the canary must be where it was put. */
	if ((outcome == OUTCOME_SUCCEEDED || outcome == OUTCOME_HELD) &&
		!rollout->report.traffic.is_proven)
		return 3;
	if (rollout->signal_number && outcome != OUTCOME_ROLLBACK_FAILED)
		return 128 + rollout->signal_number;
	return by_outcome[outcome];
}

void rollout_init(struct rollout *rollout, const struct rollout_request *request)
{
	rollout->config = request->config;
	rollout->request = request;
	rollout->driver = traffic_driver_of(request->config);
	rollout->lock = (struct lock)LOCK_INIT;
	rollout->guardian = (struct guardian)GUARDIAN_INIT;
	rollout->stage = request->start_stage;
	rollout->loop = loop_new();
	rollout_report_build(rollout);
}

void rollout_release(struct rollout *rollout)
{
	line_server_stop(rollout->control);
	if (rollout->change.config)
		traffic_change_release(&rollout->change);
	evaluation_release(&rollout->evaluation);
	suite_release(&rollout->preflight);
	proc_release(&rollout->hook);
	loop_free(rollout->loop);
	rollout_view_release(&rollout->previous);
	journal_close(rollout->journal);
	lock_release(&rollout->lock);
	free(rollout->folder);
	free(rollout->checks);
	free(rollout->asked);
	free(rollout->records);
	free(rollout->memories);
}

static void finish(struct rollout *rollout)
{
	CLEANUP_BUF struct buf json = BUF_INIT(8 << 20);

	rollout->report.ended_at = clock_wall_ms();
	report_to_json(&rollout->report, &json);
	rollout_journal(rollout, "finished", buf_text(&json));
	guardian_dismiss(&rollout->guardian);
	notify_send(rollout, rollout_outcome_name(rollout->report.outcome));
	rollout_tell(rollout, EVENT_FINISHED, NULL);
	notify_wait(rollout);
}

int rollout_run(const struct rollout_request *request, struct rollout_result *ret_result)
{
	struct rollout rollout = { 0 };
	int status = -1;

	rollout_init(&rollout, request);
	if (open_state(&rollout, &rollout.error) == 0) {
		rollout_journal_started(&rollout);
		task_start(&rollout.task, rollout.loop, "rollout", begin_steps);
		loop_run(rollout.loop, &rollout.task);
		finish(&rollout);
		status = exit_status_of(&rollout);
	}
	ret_result->report = rollout.report;
	ret_result->error = rollout.error;
	ret_result->signal_number = rollout.signal_number;
	rollout_release(&rollout);
	return status;
}
