/*
 * Observing a stage: every interval all checks are asked at once; what their verdicts amount to
 * is decided in stage.c, and what follows from that in the machine. The same steps go on while a
 * rollout is paused or waits for approval, only that time alone then ends nothing.
 */
#include "canaryctl/clock.h"
#include "canaryctl/duration.h"

#include "rollout/rollout_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STOPPED_MS = 5000 }; /* later than this is no matter of load */

static int64_t elapsed_ms(const struct rollout *rollout)
{
	return loop_now_ms(rollout->loop) - rollout->shifted_ms;
}

static int64_t stage_length_ms(struct rollout *rollout)
{
	return rollout_stage(rollout)->observe_ms + rollout->extended_ms + rollout->paused_ms;
}

static bool is_waiting_for_somebody(const struct rollout *rollout)
{
	return rollout->state == ROLLOUT_PAUSED || rollout->state == ROLLOUT_AWAITING_APPROVAL;
}

/* Is the stage's weight, or was it, in force? */
static bool is_begun(struct rollout *rollout)
{
	return rollout_stage(rollout)->state != STAGE_PENDING;
}

static bool counts_at_once(const struct check_config *check, weight_t weight)
{
	(void)weight;
	return check->counts_at_once;
}

/* Each of them with a record that begins anew. */
static void ask_only(struct rollout *rollout,
	bool (*is_asked)(const struct check_config *check, weight_t weight))
{
	struct stage_report *stage = rollout_stage(rollout);

	rollout->asked_count = 0;
	for (size_t i = 0; i < rollout->check_count; i++) {
		if (!is_asked(rollout->checks[i], stage->weight))
			continue;
		stage->checks[i] = (struct check_report){ .check = rollout->checks[i] };
		rollout->asked[rollout->asked_count] = rollout->checks[i];
		rollout->records[rollout->asked_count++] = &stage->checks[i];
	}
}

static void begin_watch(struct rollout *rollout)
{
	rollout->shifted_ms = loop_now_ms(rollout->loop);
	rollout->paused_ms = rollout->extended_ms = 0;
	rollout->next_evaluation_ms = 0;
	rollout->unproven_in_row = 0;
}

static enum task_next begin_stage(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	/* Resumed after a pause: the time that it took is not part of the observation. */
	if (rollout->wait_began_ms) {
		rollout->paused_ms += loop_now_ms(rollout->loop) - rollout->wait_began_ms;
		rollout->wait_began_ms = 0;
		return task_goto(task, rollout_watch_steps, TASK_MORE);
	}
	begin_watch(rollout);
	rollout_stage(rollout)->state = STAGE_OBSERVING;
	ask_only(rollout, stage_asks);
	rollout_evidence_begin(rollout);
	return task_goto(task, rollout_watch_steps, TASK_MORE);
}

const struct task_step rollout_observe_steps[] = { { "begin stage", begin_stage }, { 0 } };

/* ---- waiting for approval ---- */
void rollout_must_ask(struct rollout *rollout, size_t stage)
{
	bool is_approved = stage == rollout->request->start_stage && rollout->request->is_approved;

	rollout->facts.next_needs_approval =
		rollout->config->rollout.stages[stage].needs_approval && !is_approved;
	if (!rollout->facts.next_needs_approval)
		return;
	rollout->wait_began_ms = loop_now_ms(rollout->loop);
	notify_send(rollout, "awaiting_approval");
}

/* Before the first stage the canary has no traffic that could be judged: only its health is. */
static enum task_next begin_wait(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	if (!is_begun(rollout)) {
		begin_watch(rollout);
		ask_only(rollout, counts_at_once);
	}
	return task_goto(task, rollout_watch_steps, TASK_MORE);
}

const struct task_step rollout_ask_steps[] = { { "begin wait", begin_wait }, { 0 } };

/* Evaluations are due every interval, and exactly at the end of the observation. */
static void plan_next_evaluation(struct rollout *rollout)
{
	int64_t interval = rollout->config->rollout.interval_ms;
	int64_t elapsed = elapsed_ms(rollout);
	int64_t end = stage_length_ms(rollout);
	int64_t next = (elapsed / interval + 1) * interval;

	if (elapsed < end && next > end)
		next = end;
	rollout->next_evaluation_ms = next;
}

static enum task_next wait_for_next_evaluation(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	enum task_next next;

	if (rollout_take_requests(rollout, &next))
		return next;
	rollout_mind_guardian(rollout);
	plan_next_evaluation(rollout);
	sleep_start(&rollout->pause, task, rollout->next_evaluation_ms - elapsed_ms(rollout));
	return TASK_WAIT;
}

/*
 * Much later than planned: the process was stopped, or its machine. Nobody watched meanwhile, so
 * that time is not part of the observation.
 */
static void leave_out_stop(struct rollout *rollout, int64_t late_ms)
{
	char text[DURATION_TEXT_SIZE];

	if (late_ms < STOPPED_MS || rollout->state != ROLLOUT_OBSERVING)
		return;
	CLEANUP_FREE char *note = mem_format("this process was stopped for %s; the stage is "
					     "observed for that much longer",
		duration_format(late_ms, text));

	rollout->was_stopped = true;
	rollout->paused_ms += late_ms;
	rollout->metrics_lost_since_ms = 0;
	rollout_journal_extended(rollout);
	rollout_tell(rollout, EVENT_NOTE, note);
}

/* Asks all checks, and NGINX whether the stage's weights are still in force. */
static enum task_next evaluate(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	int64_t elapsed = elapsed_ms(rollout);
	enum task_next next;

	if (rollout_take_requests(rollout, &next))
		return next;
	/* Woken for something that came to nothing. */
	if (elapsed < rollout->next_evaluation_ms)
		return task_goto(task, rollout_watch_steps, TASK_MORE);
	leave_out_stop(rollout, elapsed - rollout->next_evaluation_ms);
	rollout_change_traffic(rollout, TRAFFIC_READ, 0);
	rollout_ask(rollout, rollout->asked, rollout->asked_count, elapsed);
	return TASK_WAIT;
}

/* Without a journal nobody could put right what a crash leaves: no canary then. */
static bool journal_is_lost(struct rollout *rollout)
{
	struct error why = { 0 };

	if (rollout->journal)
		return false;
	error_set(&why, ERROR_IO, 0, "the journal cannot be written");
	error_hint(&why, "is the disk full? then deploy again");
	rollout_reason_of_error(rollout, &why);
	return true;
}

/* How long has Prometheus not answered at all? */
static bool metrics_are_lost(struct rollout *rollout)
{
	const struct evaluation *evaluation = &rollout->evaluation;
	int64_t now = loop_now_ms(rollout->loop);
	struct error why = evaluation->prometheus_error;
	char text[DURATION_TEXT_SIZE];

	if (!evaluation->asked_prometheus || evaluation->prometheus_answered) {
		rollout->metrics_lost_since_ms = 0;
		return false;
	}
	if (!rollout->metrics_lost_since_ms)
		rollout->metrics_lost_since_ms = now;
	if (now - rollout->metrics_lost_since_ms < rollout->config->prometheus.outage_limit_ms)
		return false;
	error_wrap(&why, "Prometheus has not answered for %s",
		duration_format(now - rollout->metrics_lost_since_ms, text));
	error_hint(&why, "look at Prometheus at %s, then deploy again",
		rollout->config->prometheus.url);
	rollout_reason_of_error(rollout, &why);
	return true;
}

/*
 * Has somebody else changed what is in force, or what the next reload would put in force? A moment
 * without an answer may be a restart of NGINX: that counts only when it lasts, or at the end.
 */
static bool traffic_has_changed(struct rollout *rollout, bool is_end)
{
	const struct traffic_state *now = &rollout->change.state;
	bool is_same =
		strcmp(now->generation, rollout->report.traffic.generation) == 0 && !now->is_braked;
	bool is_other = now->is_braked || (now->canary != WEIGHT_UNKNOWN && !is_same);
	struct error why = { 0 };

	if (rollout->was_stopped && !rollout_owns_journal(rollout)) {
		error_set(&why, ERROR_TRAFFIC, 0,
			"somebody else ended this rollout while its process was stopped");
		rollout_reason_of_error(rollout, &why);
		return true;
	}
	rollout->was_stopped = false;
	if (is_same && now->is_proven) {
		rollout->unproven_in_row = 0;
		return false;
	}
	rollout->unproven_in_row++;
	if (!is_other && !is_end &&
		rollout->unproven_in_row < rollout->config->rollout.consecutive_failures)
		return false;
	error_set(&why, ERROR_TRAFFIC, 0, "the weights of the stage are no longer proven: %s",
		now->is_braked      ? "somebody set the brake"
		: is_other          ? "somebody else changed nginx's configuration"
		: is_same           ? "somebody else changed the file, and nginx's next reload "
				      "would take it"
		: now->is_reachable ? "nginx's workers do not agree"
				    : "nginx does not answer at the proof address");
	error_hint(&why, "find out who changed '%s' or reloaded nginx, then deploy again",
		rollout->config->nginx.output);
	rollout_reason_of_error(rollout, &why);
	return true;
}

/* A stage that was only asked about has neither passed nor failed. */
static void end_stage(struct rollout *rollout, enum stage_state state)
{
	struct stage_report *stage = rollout_stage(rollout);

	if (!is_begun(rollout))
		return;
	stage->state = state;
	stage->ended_at = clock_wall_ms();
	rollout_tell(rollout, EVENT_STAGE_ENDED, NULL);
}

static enum task_next traffic_changed(struct rollout *rollout)
{
	end_stage(rollout, STAGE_FAILED);
	return rollout_deliver(rollout, ROLLOUT_TRAFFIC_CHANGED);
}

static enum task_next stage_passed(struct rollout *rollout)
{
	size_t next = rollout->stage + 1;

	end_stage(rollout, STAGE_PASSED);
	rollout->facts.is_last_stage = next == rollout->report.stage_count;
	if (!rollout->facts.is_last_stage) {
		rollout_must_ask(rollout, next);
		if (!rollout->facts.next_needs_approval)
			rollout->stage++;
	}
	return rollout_deliver(rollout, ROLLOUT_STAGE_PASSED);
}

static enum task_next stage_failed(struct rollout *rollout, const struct check_report *deciding)
{
	rollout_reason_of_check(rollout, deciding);
	end_stage(rollout, STAGE_FAILED);
	rollout->facts.failure_holds = deciding->check->on_fail == ON_FAIL_HOLD;
	return rollout_deliver(rollout, ROLLOUT_CHECK_FAILED);
}

/*
 * By one interval at a time, so that it ends as soon as it can be decided. Said at first and at
 * every tenth of the limit, not at each interval.
 */
static void extend(struct rollout *rollout, int64_t left, const char *message)
{
	const struct rollout_config *config = &rollout->config->rollout;
	int64_t tenth = config->extend_limit_ms / 10 + 1;
	int64_t before = rollout->extended_ms;

	rollout->extended_ms += left < config->interval_ms ? left : config->interval_ms;
	rollout_stage(rollout)->extended_ms = rollout->extended_ms;
	rollout_journal_extended(rollout);
	if (!before || before / tenth != rollout->extended_ms / tenth)
		rollout_tell(rollout, EVENT_STAGE_EXTENDED, message);
}

static enum task_next stage_undecided(struct rollout *rollout, const struct check_report *deciding)
{
	const struct rollout_config *config = &rollout->config->rollout;
	int64_t left = config->extend_limit_ms - rollout->extended_ms;

	rollout->facts.undecided_holds = config->on_inconclusive == ON_INCONCLUSIVE_HOLD;
	rollout->facts.can_extend = config->on_inconclusive == ON_INCONCLUSIVE_EXTEND && left > 0;
	if (rollout->facts.can_extend) {
		extend(rollout, left, deciding->last.message);
	} else {
		rollout_reason_of_check(rollout, deciding);
		end_stage(rollout, STAGE_FAILED);
	}
	return rollout_deliver(rollout, ROLLOUT_UNDECIDED);
}

static bool approval_has_expired(struct rollout *rollout)
{
	struct error why = { 0 };
	char text[DURATION_TEXT_SIZE];

	if (rollout->state != ROLLOUT_AWAITING_APPROVAL ||
		loop_now_ms(rollout->loop) - rollout->wait_began_ms <
			rollout->config->approval_deadline_ms)
		return false;
	error_set(&why, ERROR_CANCELED, 0, "nobody approved the next stage within %s",
		duration_format(rollout->config->approval_deadline_ms, text));
	error_hint(&why, "deploy again when somebody is there to approve, or wait longer: "
			 "approval.deadline");
	rollout_reason_of_error(rollout, &why);
	rollout->facts.deadline_holds = rollout->config->approval_on_deadline == ON_DEADLINE_HOLD;
	return true;
}

/* Nothing to decide: say what was seen, and go on. */
static enum task_next go_on(struct rollout *rollout, bool is_counted)
{
	int64_t left = stage_length_ms(rollout) - elapsed_ms(rollout);

	if (is_begun(rollout))
		rollout_tell_evaluated(rollout, is_counted, left > 0 ? left : 0);
	return task_goto(&rollout->task, rollout_watch_steps, TASK_MORE);
}

static enum task_next evaluated(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	const struct rollout_config *config = &rollout->config->rollout;
	const struct check_report *deciding = NULL;
	struct stage_rules rules = { .settle_ms = config->settle_ms,
		.observe_ms = stage_length_ms(rollout),
		.consecutive_failures = (int)config->consecutive_failures,
		.undecided_passes = config->stages[rollout->stage].undecided_passes,
		.never_ends = is_waiting_for_somebody(rollout) };
	/* As planned, not as long as the answers took: the last one counts as at the end. */
	int64_t at = rollout->next_evaluation_ms;
	enum stage_decision decision;
	enum task_next next;

	if (rollout_take_requests(rollout, &next))
		return next;
	/* Cut short for a request that came to nothing: its verdicts say nothing. */
	if (rollout->evaluation.task.is_canceled)
		return task_goto(task, rollout_watch_steps, TASK_MORE);
	decision = stage_take(&rules, at, rollout->evaluation.verdicts, rollout->records,
		rollout->asked_count, &deciding);
	rollout_journal_evaluation(rollout);
	if (is_begun(rollout) && (decision == STAGE_HAS_FAILED || decision == STAGE_HAS_PASSED))
		rollout_tell_evaluated(rollout, at >= config->settle_ms, 0);
	/* Before the checks: what they saw was not this stage. */
	if (traffic_has_changed(rollout, decision == STAGE_HAS_PASSED))
		return traffic_changed(rollout);
	if (decision == STAGE_HAS_FAILED)
		return stage_failed(rollout, deciding);
	if (journal_is_lost(rollout))
		return rollout_deliver(rollout, ROLLOUT_JOURNAL_LOST);
	if (metrics_are_lost(rollout))
		return rollout_deliver(rollout, ROLLOUT_METRICS_LOST);
	if (approval_has_expired(rollout))
		return rollout_deliver(rollout, ROLLOUT_APPROVAL_EXPIRED);
	switch (decision) {
	case STAGE_HAS_PASSED:
		return TASK_MORE;
	case STAGE_IS_UNDECIDED:
		return stage_undecided(rollout, deciding);
	default:
		return go_on(rollout, at >= config->settle_ms);
	}
}

static enum task_next run_stage_hook(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	if (!hook_start(rollout, &rollout->config->hooks.after_stage))
		return stage_passed(rollout);
	return TASK_WAIT;
}

static enum task_next stage_hook_ended(struct task *task)
{
	struct rollout *rollout = rollout_of(task);
	struct error err = { 0 };
	enum task_next next;

	if (!hook_succeeded(rollout, "after_stage", &err))
		rollout_tell(rollout, EVENT_NOTE, err.message);
	/* Hooks take their time: who asked for the end meanwhile gets no further stage. */
	if (rollout_take_requests(rollout, &next))
		return next;
	return stage_passed(rollout);
}

const struct task_step rollout_watch_steps[] = {
	{ "wait for next evaluation", wait_for_next_evaluation },
	{ "evaluate", evaluate },
	{ "evaluated", evaluated },
	{ "run stage hook", run_stage_hook },
	{ "stage hook ended", stage_hook_ended },
	{ 0 },
};
