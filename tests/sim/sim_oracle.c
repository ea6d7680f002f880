/*
 * The oracle: what must hold, kept apart from the product's own ideas. It knows the world, what
 * was committed to the journal, what the checks really answered and what observers heard; of the
 * product's state it knows nothing.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WEIGHTS = 16, STOP_WITHIN_MS = 90000 };

/* One check at the stage that is observed. */
struct evidence {
	enum truth now;  /* of the evaluation that is being asked */
	enum truth last; /* that was taken */
	int counted;
	int failed_in_row;
};

static struct oracle {
	bool is_deploy;
	/* Where the traffic may be. */
	weight_t weights[MAX_WEIGHTS];
	int weight_count;
	bool has_intent;
	weight_t intent;
	int intents;
	weight_t proven; /* by the last outcome */
	bool was_interfered;
	bool is_interfered; /* somebody else changed the traffic since the last intent */
	bool looked_wrong;  /* the last look could see that */
	bool looked_blind;  /* it could see nothing; what comes after it nobody can know */
	bool must_notice;   /* and what it saw was taken */
	bool is_journal_lost;
	bool was_unrecorded;              /* it was lost before the end */
	weight_t at_begin, file_at_begin; /* the second one where somebody reloads */
	/* The stage that is observed. */
	int stage; /* from 1 */
	int64_t shifted_at, paused_ms, paused_since;
	int64_t shifted_at_latest; /* when the process was stopped around then */
	int64_t evaluation_began, last_taken;
	bool is_end_late; /* extended or stopped: the stage may end later than it seems */
	struct evidence checks[SIM_ALL_CHECKS];
	bool has_passed, is_approved;
	/* What was asked for, and what must follow. */
	bool must_fail, may_fail, may_hold;
	bool must_stop, is_aborted, must_pause;
	int64_t stop_asked_at;
	char state[32];
	bool is_held; /* ends where it is; too late to ask for another end */
	/* What observers heard. */
	int started, prepared, finished, rolling_back;
	int heard_stage;
	bool heard_shifted;
	bool is_left;        /* the rollout ended, and left the canary its traffic */
	bool was_lost;       /* somebody was told that the traffic is not proven */
	bool wants_rollback; /* another process waits for the lock to roll back */
} oracle;

static int effective(void)
{
	return world_effective(&sim.world);
}

static void may_be(weight_t weight)
{
	for (int i = 0; i < oracle.weight_count; i++) {
		if (oracle.weights[i] == weight)
			return;
	}
	if (oracle.weight_count < MAX_WEIGHTS)
		oracle.weights[oracle.weight_count++] = weight;
}

static void must_be(weight_t weight)
{
	oracle.weight_count = 0;
	may_be(weight);
}

void oracle_begin(void)
{
	oracle = (struct oracle){ 0 };
	must_be(effective());
}

void oracle_process_begins(bool is_deploy)
{
	struct oracle fresh = {
		.is_deploy = is_deploy, .at_begin = effective(), .file_at_begin = sim.world.file
	};

	memcpy(fresh.weights, oracle.weights, sizeof(fresh.weights));
	fresh.weight_count = oracle.weight_count;
	fresh.has_intent = oracle.has_intent;
	fresh.intent = oracle.intent;
	fresh.was_interfered = oracle.was_interfered;
	oracle = fresh;
	may_be(effective());
	may_be(sim.world.file);
	oracle.is_journal_lost = !is_deploy;
}

/* ---- the traffic ---- */
void oracle_step(void)
{
	weight_t weight = effective();

	for (int i = 0; i < oracle.weight_count; i++) {
		if (oracle.weights[i] == weight)
			return;
	}
	if (oracle.has_intent && weight == oracle.intent)
		return;
	/* A brake is never wrong, and a rollback needs no journal. */
	if (weight == 0 && (sim.world.is_braked || oracle.is_journal_lost))
		return;
	sim_violated("traffic-as-journalled", "the canary has %d, and the journal knows no such %s",
		weight, oracle.has_intent ? "intent" : "outcome");
}

void oracle_journal_lost(bool is_at_the_end)
{
	oracle.is_journal_lost = true;
	oracle.was_unrecorded = oracle.was_unrecorded || !is_at_the_end;
}

static int number_of(const char *data, const char *key, int otherwise)
{
	const char *at = strstr(data, key);

	return at ? atoi(at + strlen(key)) : otherwise;
}

/* ---- a stage passes ---- */
static const struct check_config *check_of(size_t index)
{
	return index ? &sim.config->checks[index - 1] : NULL;
}

static bool decides(size_t index)
{
	const struct check_config *check = check_of(index);

	return !check || (!check->observe_only &&
				 sim.plan.stages[oracle.stage - 1].weight >= check->from_stage);
}

static int64_t observed_ms(void)
{
	return oracle.last_taken - oracle.shifted_at - oracle.paused_ms;
}

static void expect_evidence(void)
{
	if (observed_ms() < sim.plan.stages[oracle.stage - 1].observe_ms)
		sim_violated("evidence", "stage %d passed after %lld ms of observation",
			oracle.stage, (long long)observed_ms());
	for (size_t i = 0; i <= sim.plan.check_count; i++) {
		const struct evidence *evidence = &oracle.checks[i];

		if (decides(i) && (!evidence->counted || evidence->last != TRUTH_PASS))
			sim_violated("evidence", "stage %d passed; check %zu says %d, counted %d",
				oracle.stage, i, evidence->last, evidence->counted);
	}
}

static void expect_may_go_on(void)
{
	if (oracle.must_fail)
		sim_violated("failure-ends", "a check failed, and the rollout goes on");
	if (oracle.must_stop)
		sim_violated("stop-is-heeded", "somebody asked for the end, and it goes on");
	if (oracle.must_notice)
		sim_violated("interference-is-noticed",
			"the weights are somebody else's, and it goes on");
	if (oracle.must_pause)
		sim_violated("pause-is-heeded", "pause was accepted, and it goes on");
	/* Who waits for approval has passed already. */
	if (oracle.stage && !oracle.has_passed)
		expect_evidence();
}

static void take_stage_intent(int stage, weight_t weight)
{
	int expected = oracle.stage ? oracle.stage + 1 : (int)sim.start_stage + 1;

	if (stage != expected || stage > (int)sim.plan.stage_count) {
		sim_violated(
			"plan-order", "stage %d was shifted to instead of %d", stage, expected);
		return;
	}
	if (weight != sim.plan.stages[stage - 1].weight)
		sim_violated("plan-order", "stage %d was shifted to %d", stage, weight);
	if (sim.plan.stages[stage - 1].needs_approval && !oracle.is_approved &&
		!(sim.is_resumed && !oracle.stage))
		sim_violated("plan-order", "nobody approved stage %d", stage);
	expect_may_go_on();
	oracle.stage = stage;
	oracle.is_approved = oracle.has_passed = false;
}

static void take_intent(const char *data)
{
	int stage = number_of(data, "\"stage\":", 0);

	oracle.intent = number_of(data, "\"weight\":", 0);
	oracle.intents++;
	if (oracle.has_intent)
		may_be(oracle.intent);
	oracle.has_intent = true;
	if (stage)
		take_stage_intent(stage, oracle.intent);
	oracle.is_interfered = oracle.looked_wrong = oracle.must_notice = false;
}

static void take_outcome(const char *data)
{
	int proven = number_of(data, "\"proven_weight\":", WEIGHT_UNKNOWN);

	if (proven == WEIGHT_UNKNOWN) {
		may_be(oracle.intent);
		may_be(0);
	} else if (oracle.is_interfered) {
		may_be(proven);
	} else {
		must_be(proven);
	}
	oracle.proven = proven;
	oracle.has_intent = false;
	oracle.shifted_at = oracle.shifted_at_latest = sim.world.now_ms;
	oracle.paused_ms = 0;
	oracle.is_end_late = false;
	memset(oracle.checks, 0, sizeof(oracle.checks));
	oracle_step();
}

void oracle_recorded(const char *type, const char *data)
{
	if (strcmp(type, "shift_intent") == 0)
		take_intent(data);
	else if (strcmp(type, "shift_outcome") == 0)
		take_outcome(data);
}

/* ---- what checks say ---- */
void oracle_evaluation_began(void)
{
	oracle.evaluation_began = sim.world.now_ms;
	for (int i = 0; i < SIM_ALL_CHECKS; i++)
		oracle.checks[i].now = TRUTH_UNKNOWN;
}

void oracle_measured(int check, enum truth truth)
{
	oracle.checks[check].now = truth;
}

static size_t index_of(const struct check_config *check)
{
	return check->name[0] == 'c' && check->name[1] >= '1' && check->name[1] <= '9'
		       ? (size_t)(check->name[1] - '0')
		       : 0;
}

static void expect_judged(const struct verdict *verdict, enum truth truth)
{
	static const char *const names[] = { "unknown", "pass", "fail", "critical" };
	bool passes = verdict->result == CHECK_PASS || verdict->result == CHECK_WARN;
	bool fails = verdict->result == CHECK_FAIL;

	if (passes != (truth == TRUTH_PASS) || fails != (truth >= TRUTH_FAIL) ||
		verdict->is_critical != (truth == TRUTH_CRITICAL))
		sim_violated("judged", "check '%s' is %s and was judged %s", verdict->check->name,
			names[truth], check_result_name(verdict->result));
}

static void fail_by(const struct check_config *check)
{
	if (!oracle.must_fail)
		oracle.may_hold = true;
	oracle.must_fail = true;
	oracle.may_hold = oracle.may_hold && check->on_fail == ON_FAIL_HOLD;
}

static bool is_settled(int64_t shifted_at)
{
	return oracle.evaluation_began - shifted_at >= sim.config->rollout.settle_ms;
}

static void take_truth(const struct check_config *check, bool is_end)
{
	struct evidence *evidence = &oracle.checks[index_of(check)];
	bool is_health = index_of(check) == 0; /* counts at once */
	bool is_bad = evidence->now >= TRUTH_FAIL;

	evidence->last = evidence->now;
	if (is_health || is_settled(oracle.shifted_at))
		evidence->counted++;
	if (is_bad && (is_health || is_settled(oracle.shifted_at_latest)))
		evidence->failed_in_row++;
	else if (evidence->now == TRUTH_PASS)
		evidence->failed_in_row = 0;
	if (check->observe_only)
		return;
	oracle.may_fail = oracle.may_fail || (is_bad && oracle.is_end_late);
	if (evidence->now == TRUTH_CRITICAL || (is_end && is_bad && !oracle.is_end_late) ||
		evidence->failed_in_row >= sim.config->rollout.consecutive_failures)
		fail_by(check);
}

void oracle_evaluation_taken(
	const struct verdict *verdicts, struct check_report *const *records, size_t count)
{
	bool is_waiting = strcmp(oracle.state, "observing") != 0;
	bool is_end;

	(void)records;
	if (!sim_is_running())
		return;
	if (oracle.must_fail)
		sim_violated("failure-ends", "a check failed, and the stage is still observed");
	oracle.last_taken = oracle.evaluation_began;
	oracle.must_notice = oracle.must_notice || (oracle.looked_wrong && oracle.stage);
	is_end = !is_waiting && oracle.stage &&
		 observed_ms() >= sim.plan.stages[oracle.stage - 1].observe_ms;
	for (size_t i = 0; i < count; i++) {
		expect_judged(&verdicts[i], oracle.checks[index_of(verdicts[i].check)].now);
		take_truth(verdicts[i].check, is_end);
	}
}

void oracle_interfered(void)
{
	oracle.is_interfered = oracle.was_interfered = true;
	may_be(effective());
	may_be(sim.world.file);
}

void oracle_looked(void)
{
	oracle.looked_blind = !sim_edge_is_readable();
	oracle.looked_wrong =
		oracle.is_interfered && !oracle.looked_blind && effective() != oracle.proven;
}

void oracle_stopped(void)
{
	oracle.is_end_late = true;
	if (oracle.last_taken < oracle.shifted_at)
		oracle.shifted_at_latest = sim.world.now_ms;
}

/* ---- what people ask for ---- */
static bool is_over(void)
{
	return oracle.is_held || strcmp(oracle.state, "completed") == 0 ||
	       strcmp(oracle.state, "idle") == 0 || strcmp(oracle.state, "rolled_back") == 0 ||
	       strcmp(oracle.state, "rollback_failed") == 0 ||
	       strcmp(oracle.state, "interrupted") == 0;
}

static void ask_to_stop(void)
{
	if (!oracle.must_stop)
		oracle.stop_asked_at = sim.world.now_ms + sim.world.stopped_ms;
	oracle.must_stop = true;
	oracle.must_pause = false;
}

void oracle_signal(void)
{
	if (!is_over())
		ask_to_stop();
}

void oracle_command(enum action_kind kind, bool is_accepted)
{
	if (kind == ACTION_ROLLBACK)
		oracle.wants_rollback = true;
	if (!is_accepted)
		return;
	if (kind == ACTION_ABORT || kind == ACTION_ROLLBACK) {
		ask_to_stop();
		oracle.is_aborted = true;
	}
	if (kind == ACTION_PAUSE)
		oracle.must_pause = true;
	if (kind == ACTION_RESUME)
		oracle.must_pause = false;
	if (kind == ACTION_APPROVE)
		oracle.is_approved = true;
	if (kind == ACTION_NONSENSE)
		sim_violated("plan-order", "nonsense was accepted");
}

/* ---- what observers hear ---- */
static bool is_state(const struct rollout_event *event, const char *name)
{
	return strcmp(event->state, name) == 0;
}

static void state_changed(const struct rollout_event *event)
{
	const char *before = oracle.state;

	oracle.is_held = strstr(event->text, "hold") != NULL;
	if (is_state(event, "paused")) {
		oracle.must_pause = false;
		oracle.paused_since = sim.world.now_ms;
		if (sim.plan.resume_after_ms)
			sim.resume_at = sim.world.now_ms + sim.plan.resume_after_ms;
		else
			sim.give_up_at = sim.world.now_ms + 600000;
	} else if (is_state(event, "observing") && strcmp(before, "paused") == 0) {
		oracle.paused_ms += sim.world.now_ms - oracle.paused_since;
	} else if (is_state(event, "awaiting_approval")) {
		expect_may_go_on();
		oracle.has_passed = true;
		if (sim.plan.approve_after_ms)
			sim.approve_at = sim.world.now_ms + sim.plan.approve_after_ms;
	} else if (is_state(event, "completed")) {
		expect_may_go_on();
		if (oracle.was_unrecorded)
			sim_violated("recorded", "succeeds without a journal");
	} else if (is_state(event, "rolling_back") && strstr(event->text, "a check failed") &&
		   !oracle.must_fail && !oracle.may_fail) {
		sim_violated("no-false-alarm", "rolled back for a check that did not fail");
	}
	snprintf(oracle.state, sizeof(oracle.state), "%s", event->state);
}

static void expect_event(bool is_expected, const struct rollout_event *event)
{
	if (!is_expected)
		sim_violated(
			"events", "'%s' was not to be heard now", rollout_event_name(event->kind));
}

void oracle_told(const struct rollout_event *event)
{
	int stage = event->stage ? event->stage->index : 0;
	bool is_running = oracle.started && !oracle.finished && !oracle.rolling_back;

	if (oracle.finished)
		expect_event(false, event);
	switch (event->kind) {
	case EVENT_STARTED:
		expect_event(!oracle.started++, event);
		break;
	case EVENT_PREPARED:
		expect_event(is_running && !oracle.prepared++ && !oracle.heard_stage, event);
		break;
	case EVENT_STATE_CHANGED:
		state_changed(event);
		break;
	case EVENT_STAGE_STARTED:
		expect_event(is_running && oracle.prepared &&
				     stage == (oracle.heard_stage ? oracle.heard_stage + 1
								  : (int)sim.start_stage + 1),
			event);
		oracle.heard_stage = stage;
		oracle.heard_shifted = false;
		break;
	case EVENT_SHIFTED:
		expect_event(is_running && stage == oracle.heard_stage, event);
		oracle.heard_shifted = true;
		break;
	case EVENT_STAGE_EXTENDED:
		oracle.is_end_late = true;
		/* fall through */
	case EVENT_EVALUATED:
	case EVENT_STAGE_ENDED:
		expect_event(
			is_running && stage == oracle.heard_stage && oracle.heard_shifted, event);
		break;
	case EVENT_ROLLING_BACK:
		expect_event(is_running && !oracle.rolling_back++, event);
		break;
	case EVENT_ROLLED_BACK:
		expect_event(oracle.rolling_back == 1, event);
		break;
	case EVENT_FINISHED:
		oracle.finished++;
		expect_event(event->report->outcome != OUTCOME_RUNNING &&
				     (event->report->outcome == OUTCOME_SUCCEEDED ||
					     event->report->has_reason),
			event);
		break;
	default:
		break;
	}
}

/* ---- ends ---- */
static void expect_status(int status, const struct rollout_result *result)
{
	static const int statuses[OUTCOME_COUNT] = { [OUTCOME_RUNNING] = -2,
		[OUTCOME_SUCCEEDED] = 0,
		[OUTCOME_ROLLED_BACK] = 2,
		[OUTCOME_ABORTED] = 2,
		[OUTCOME_HELD] = 1,
		[OUTCOME_ROLLBACK_FAILED] = 3 };
	enum rollout_outcome outcome = result->report.outcome;
	bool is_by_signal = result->signal_number && outcome != OUTCOME_ROLLBACK_FAILED &&
			    outcome != OUTCOME_SUCCEEDED;
	int expected = is_by_signal ? 128 + result->signal_number : statuses[outcome];
	bool is_left_with_canary = outcome == OUTCOME_SUCCEEDED || outcome == OUTCOME_HELD;

	/* Nothing is held or succeeded where the last look cannot be had, or shows other weights.
	 */
	if (is_left_with_canary && (oracle.looked_blind || oracle.looked_wrong))
		expected = 3;

	if (status != expected)
		sim_violated("exit-status", "outcome '%s' is exit status %d, not %d",
			rollout_outcome_name(outcome), status, expected);
}

/* What the outcome says of the traffic must be so. */
static void expect_true(const struct rollout_report *report)
{
	weight_t weight = effective();
	weight_t last = sim.plan.stages[sim.plan.stage_count - 1].weight;
	bool is_true = true;

	switch (report->outcome) {
	case OUTCOME_SUCCEEDED:
		is_true = weight == last;
		break;
	case OUTCOME_ROLLED_BACK:
		is_true = weight == 0;
		break;
	case OUTCOME_ABORTED:
		is_true = oracle.was_interfered || weight == 0 || weight == oracle.at_begin ||
			  weight == oracle.file_at_begin;
		break;
	case OUTCOME_HELD:
		is_true = weight == (oracle.stage ? sim.plan.stages[oracle.stage - 1].weight : 0);
		break;
	default:
		break;
	}
	/* What others did after the last proof is theirs; the last look is held to it elsewhere. */
	if (!is_true && !oracle.is_interfered)
		sim_violated("end-is-true", "'%s', and the canary has %d",
			rollout_outcome_name(report->outcome), weight);
}

static void expect_asked_for(enum rollout_outcome outcome)
{
	bool is_safe = outcome == OUTCOME_ROLLED_BACK || outcome == OUTCOME_ROLLBACK_FAILED ||
		       outcome == OUTCOME_ABORTED;
	bool may_hold = sim.config->rollout.on_interrupt == ON_INTERRUPT_HOLD && !oracle.is_aborted;
	int64_t stop_ms = sim.world.now_ms + sim.world.stopped_ms - oracle.stop_asked_at;

	if (oracle.must_fail && !is_safe && !(outcome == OUTCOME_HELD && oracle.may_hold))
		sim_violated("failure-ends", "a check failed, and the end is '%s'",
			rollout_outcome_name(outcome));
	if (oracle.must_stop && !is_safe &&
		!(outcome == OUTCOME_HELD && !oracle.is_aborted && (may_hold || oracle.must_fail)))
		sim_violated("stop-is-heeded", "somebody asked for the end, which is '%s'",
			rollout_outcome_name(outcome));
	if (oracle.must_stop &&
		stop_ms - 2 * sim.world.stopped_ms > STOP_WITHIN_MS + sim.plan.hook_ms)
		sim_violated("stop-is-heeded", "the safe stop took %lld ms", (long long)stop_ms);
	if (sim.plan.is_benign && outcome != OUTCOME_SUCCEEDED)
		sim_violated("no-false-alarm", "nothing is wrong, and the end is '%s'",
			rollout_outcome_name(outcome));
}

static void expect_recorded(const struct rollout_report *report)
{
	enum rollout_outcome outcome = report->outcome;
	struct rollout_view view = { 0 };

	if (oracle.is_journal_lost || oracle.is_interfered ||
		!sim_journal_fold(report->deployment, &view))
		return;
	if (!view.report)
		sim_violated("end-as-journalled", "the end is not recorded");
	else if (outcome != OUTCOME_ROLLBACK_FAILED && outcome != OUTCOME_ABORTED &&
		 view.proven != effective())
		sim_violated("end-as-journalled", "the canary has %d, and the journal says %d",
			effective(), view.proven);
	rollout_view_release(&view);
}

void oracle_deploy_ended(int status, const struct rollout_result *result)
{
	const struct rollout_report *report = &result->report;

	oracle_step();
	if (status == -1) {
		if ((effective() != oracle.at_begin && !oracle.was_interfered) || oracle.intents ||
			sim.plan.is_benign)
			sim_violated("end-is-true", "could not begin, and changed something");
		return;
	}
	if (oracle.finished != 1)
		sim_violated("events", "the end was told %d times", oracle.finished);
	if (sim_lock_is_held() || sim_guardian_waits())
		sim_violated("nothing-is-left", "the lock or the guardian is left");
	expect_status(status, result);
	expect_true(report);
	expect_asked_for(report->outcome);
	expect_recorded(report);
	oracle.was_lost = report->outcome == OUTCOME_ROLLBACK_FAILED;
	oracle.is_left = report->outcome == OUTCOME_SUCCEEDED || report->outcome == OUTCOME_HELD;
}

void oracle_recovery_ended(const struct manual_result *result)
{
	oracle.was_lost = result->outcome == TRAFFIC_LOST || result->outcome == TRAFFIC_UNDONE;
	if (!oracle.was_lost && !oracle.is_interfered && effective() != 0)
		sim_violated("crash-is-mended", "recovered, and the canary has %d", effective());
	if (sim_lock_is_held())
		sim_violated("nothing-is-left", "the lock is left");
}

bool oracle_is_lost(void)
{
	return oracle.was_lost;
}

/* All processes are gone: nobody is there any more, so the traffic must be where it is known. */
void oracle_world_ends(void)
{
	struct rollout_view view = { 0 };
	bool is_known = sim_journal_fold(NULL, &view);

	if (sim.process && effective() != 0 && effective() != sim.plan.initial &&
		!oracle.was_lost && !oracle.is_left && !oracle.was_interfered &&
		!(is_known && view.report && view.proven == effective()))
		sim_violated(
			"crash-is-mended", "nobody is there, and the canary has %d", effective());
	rollout_view_release(&view);
}
