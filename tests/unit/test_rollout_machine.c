/*
 * The state machine: every (state, event) pair, legal ones for what they do, all others for being
 * refused; then thousands of simulated rollouts with any fault at any step.
 */
#include "test.h"

#include "canaryctl/mem.h"
#include "canaryctl/rollout_machine.h"

#include <stdio.h>
#include <string.h>

/* Who is in each state allowed to hear what. Written by hand, not derived from the table. */
static const struct {
	enum rollout_state state;
	enum rollout_machine_event events[12];
	int count;
} legal[] = {
	{ ROLLOUT_IDLE, { ROLLOUT_START }, 1 },
	{ ROLLOUT_PREPARING,
		{ ROLLOUT_READY, ROLLOUT_REFUSED, ROLLOUT_UNPREPARED, ROLLOUT_ABORT,
			ROLLOUT_INTERRUPT, ROLLOUT_FOUND_DEAD },
		6 },
	{ ROLLOUT_SHIFTING,
		{ ROLLOUT_SHIFT_PROVEN, ROLLOUT_SHIFT_UNDONE, ROLLOUT_SHIFT_LOST,
			ROLLOUT_FOUND_DEAD },
		4 },
	{ ROLLOUT_OBSERVING,
		{ ROLLOUT_STAGE_PASSED, ROLLOUT_CHECK_FAILED, ROLLOUT_UNDECIDED,
			ROLLOUT_METRICS_LOST, ROLLOUT_TRAFFIC_CHANGED, ROLLOUT_JOURNAL_LOST,
			ROLLOUT_PAUSE, ROLLOUT_ABORT, ROLLOUT_INTERRUPT, ROLLOUT_FOUND_DEAD },
		10 },
	{ ROLLOUT_PAUSED,
		{ ROLLOUT_RESUME, ROLLOUT_CHECK_FAILED, ROLLOUT_METRICS_LOST,
			ROLLOUT_TRAFFIC_CHANGED, ROLLOUT_JOURNAL_LOST, ROLLOUT_ABORT,
			ROLLOUT_INTERRUPT, ROLLOUT_FOUND_DEAD },
		8 },
	{ ROLLOUT_AWAITING_APPROVAL,
		{ ROLLOUT_APPROVED, ROLLOUT_APPROVAL_EXPIRED, ROLLOUT_CHECK_FAILED,
			ROLLOUT_METRICS_LOST, ROLLOUT_TRAFFIC_CHANGED, ROLLOUT_JOURNAL_LOST,
			ROLLOUT_ABORT, ROLLOUT_INTERRUPT, ROLLOUT_FOUND_DEAD },
		9 },
	{ ROLLOUT_ROLLING_BACK,
		{ ROLLOUT_ROLLBACK_PROVEN, ROLLOUT_ROLLBACK_LOST, ROLLOUT_FOUND_DEAD }, 3 },
	{ ROLLOUT_INTERRUPTED, { ROLLOUT_RECOVER, ROLLOUT_ABORT }, 2 },
	{ ROLLOUT_ROLLBACK_FAILED, { ROLLOUT_RECOVER, ROLLOUT_ABORT }, 2 },
	{ ROLLOUT_ROLLED_BACK, { 0 }, 0 },
	{ ROLLOUT_COMPLETED, { 0 }, 0 },
	{ ROLLOUT_PROMOTED, { 0 }, 0 },
};
_Static_assert(ARRAY_SIZE(legal) == ROLLOUT_STATE_COUNT, "a state that the test forgot");

enum { FACT_BITS = 8 };

static struct rollout_facts facts_of(unsigned bits)
{
	return (struct rollout_facts){ .is_last_stage = bits & 1,
		.next_needs_approval = bits & 2,
		.failure_holds = bits & 4,
		.undecided_holds = bits & 8,
		.can_extend = bits & 16,
		.interrupt_holds = bits & 32,
		.deadline_holds = bits & 64,
		.crash_resumes = bits & 128 };
}

static bool is_legal(enum rollout_state state, enum rollout_machine_event event)
{
	for (size_t i = 0; i < ARRAY_SIZE(legal); i++) {
		for (int j = 0; legal[i].state == state && j < legal[i].count; j++) {
			if (legal[i].events[j] == event)
				return true;
		}
	}
	return false;
}

static void every_pair_is_decided_or_refused(void **state)
{
	(void)state;
	for (int s = 0; s < ROLLOUT_STATE_COUNT; s++) {
		for (int e = 0; e < ROLLOUT_EVENT_COUNT; e++) {
			for (unsigned bits = 0; bits < 1u << FACT_BITS; bits++) {
				struct rollout_facts facts = facts_of(bits);
				struct rollout_decision decision = { 0 };
				bool decided = rollout_decide((enum rollout_state)s,
					(enum rollout_machine_event)e, &facts, &decision);

				if (decided != is_legal((enum rollout_state)s,
						       (enum rollout_machine_event)e))
					fail_msg("%s + %s",
						rollout_state_name((enum rollout_state)s),
						rollout_machine_event_name(
							(enum rollout_machine_event)e));
				if (decided)
					assert_true(decision.why && decision.why[0]);
			}
		}
	}
}

static const struct {
	enum rollout_state from;
	enum rollout_machine_event event;
	unsigned facts;
	enum rollout_state to;
	enum rollout_effect effect;
} expected[] = {
	{ ROLLOUT_IDLE, ROLLOUT_START, 0, ROLLOUT_PREPARING, EFFECT_PREPARE },
	{ ROLLOUT_PREPARING, ROLLOUT_READY, 0, ROLLOUT_SHIFTING, EFFECT_SHIFT },
	{ ROLLOUT_PREPARING, ROLLOUT_REFUSED, 0, ROLLOUT_IDLE, EFFECT_END_ABORTED },
	{ ROLLOUT_PREPARING, ROLLOUT_INTERRUPT, 32, ROLLOUT_IDLE, EFFECT_END_ABORTED },
	{ ROLLOUT_PREPARING, ROLLOUT_ABORT, 0, ROLLOUT_IDLE, EFFECT_END_ABORTED },
	{ ROLLOUT_PREPARING, ROLLOUT_UNPREPARED, 0, ROLLOUT_ROLLBACK_FAILED,
		EFFECT_END_ROLLBACK_FAILED },
	{ ROLLOUT_SHIFTING, ROLLOUT_SHIFT_PROVEN, 0, ROLLOUT_OBSERVING, EFFECT_OBSERVE },
	{ ROLLOUT_SHIFTING, ROLLOUT_SHIFT_UNDONE, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_SHIFTING, ROLLOUT_SHIFT_LOST, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, 0, ROLLOUT_SHIFTING, EFFECT_SHIFT },
	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, 1, ROLLOUT_COMPLETED, EFFECT_END_SUCCEEDED },
	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, 1 | 2, ROLLOUT_COMPLETED, EFFECT_END_SUCCEEDED },
	{ ROLLOUT_OBSERVING, ROLLOUT_STAGE_PASSED, 2, ROLLOUT_AWAITING_APPROVAL, EFFECT_ASK },
	{ ROLLOUT_OBSERVING, ROLLOUT_CHECK_FAILED, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_CHECK_FAILED, 4, ROLLOUT_PAUSED, EFFECT_END_HELD },
	{ ROLLOUT_OBSERVING, ROLLOUT_UNDECIDED, 16, ROLLOUT_OBSERVING, EFFECT_EXTEND },
	{ ROLLOUT_OBSERVING, ROLLOUT_UNDECIDED, 8, ROLLOUT_PAUSED, EFFECT_END_HELD },
	{ ROLLOUT_OBSERVING, ROLLOUT_UNDECIDED, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_METRICS_LOST, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_TRAFFIC_CHANGED, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_TRAFFIC_CHANGED, 0, ROLLOUT_ROLLING_BACK,
		EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_INTERRUPT, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_INTERRUPT, 32, ROLLOUT_INTERRUPTED, EFFECT_END_HELD },
	{ ROLLOUT_OBSERVING, ROLLOUT_ABORT, 32, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_OBSERVING, ROLLOUT_PAUSE, 0, ROLLOUT_PAUSED, EFFECT_NONE },
	{ ROLLOUT_PAUSED, ROLLOUT_RESUME, 0, ROLLOUT_OBSERVING, EFFECT_OBSERVE },
	{ ROLLOUT_PAUSED, ROLLOUT_CHECK_FAILED, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_APPROVED, 0, ROLLOUT_SHIFTING, EFFECT_SHIFT },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_APPROVAL_EXPIRED, 0, ROLLOUT_ROLLING_BACK,
		EFFECT_ROLL_BACK },
	{ ROLLOUT_AWAITING_APPROVAL, ROLLOUT_APPROVAL_EXPIRED, 64, ROLLOUT_PAUSED,
		EFFECT_END_HELD },
	{ ROLLOUT_ROLLING_BACK, ROLLOUT_ROLLBACK_PROVEN, 0, ROLLOUT_ROLLED_BACK,
		EFFECT_END_ROLLED_BACK },
	{ ROLLOUT_ROLLING_BACK, ROLLOUT_ROLLBACK_LOST, 0, ROLLOUT_ROLLBACK_FAILED,
		EFFECT_END_ROLLBACK_FAILED },
	{ ROLLOUT_OBSERVING, ROLLOUT_FOUND_DEAD, 0, ROLLOUT_INTERRUPTED, EFFECT_NONE },
	{ ROLLOUT_INTERRUPTED, ROLLOUT_RECOVER, 0, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
	{ ROLLOUT_INTERRUPTED, ROLLOUT_RECOVER, 128, ROLLOUT_SHIFTING, EFFECT_SHIFT },
	{ ROLLOUT_ROLLBACK_FAILED, ROLLOUT_RECOVER, 128, ROLLOUT_ROLLING_BACK, EFFECT_ROLL_BACK },
};

static void legal_events_do_what_they_should(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		struct rollout_facts facts = facts_of(expected[i].facts);
		struct rollout_decision decision;

		assert_true(rollout_decide(expected[i].from, expected[i].event, &facts, &decision));
		assert_int_equal(decision.to, expected[i].to);
		assert_int_equal(decision.effect, expected[i].effect);
	}
}

/* ---- simulated rollouts ---- */
static unsigned long long random_state;

static unsigned pick(unsigned choices)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(random_state >> 33) % choices;
}

struct world {
	enum rollout_state state;
	int stage, weight, intent;
	bool evidence; /* the stage's checks have passed since its shift */
	bool failed;
};

enum { STAGES = 4 };
static const int weights[STAGES + 1] = { 0, 1, 5, 25, 100 };

/* One of the things that can happen while the runner does the last effect. */
static enum rollout_machine_event happen(struct world *world, enum rollout_state state)
{
	static const enum rollout_machine_event while_observing[] = { ROLLOUT_STAGE_PASSED,
		ROLLOUT_STAGE_PASSED, ROLLOUT_STAGE_PASSED, ROLLOUT_STAGE_PASSED,
		ROLLOUT_CHECK_FAILED, ROLLOUT_UNDECIDED, ROLLOUT_METRICS_LOST, ROLLOUT_PAUSE,
		ROLLOUT_ABORT, ROLLOUT_INTERRUPT, ROLLOUT_FOUND_DEAD };
	enum rollout_machine_event event = (enum rollout_machine_event)pick(ROLLOUT_EVENT_COUNT);

	switch (state) {
	case ROLLOUT_PREPARING:
		if (pick(4))
			event = ROLLOUT_READY;
		break;
	case ROLLOUT_AWAITING_APPROVAL:
		if (pick(2))
			event = ROLLOUT_APPROVED;
		break;
	case ROLLOUT_SHIFTING:
		event = pick(16) ? ROLLOUT_SHIFT_PROVEN
				 : (enum rollout_machine_event)(ROLLOUT_SHIFT_UNDONE + pick(2));
		if (event == ROLLOUT_SHIFT_PROVEN)
			world->weight = world->intent;
		break;
	case ROLLOUT_ROLLING_BACK:
		if (pick(8))
			event = ROLLOUT_ROLLBACK_PROVEN;
		if (event == ROLLOUT_ROLLBACK_PROVEN)
			world->weight = 0;
		break;
	case ROLLOUT_OBSERVING:
		event = while_observing[pick(ARRAY_SIZE(while_observing))];
		world->evidence = event == ROLLOUT_STAGE_PASSED;
		break;
	default:
		break;
	}
	world->failed |= event == ROLLOUT_CHECK_FAILED && state == ROLLOUT_OBSERVING;
	return event;
}

static void apply(struct world *world, const struct rollout_decision *decision)
{
	if (decision->effect == EFFECT_SHIFT) {
		/* Never onwards without evidence for the stage before; a resume begins it again. */
		if (world->stage > 0 && world->state != ROLLOUT_INTERRUPTED)
			assert_true(world->evidence);
		if (world->state != ROLLOUT_INTERRUPTED || world->stage == 0)
			world->stage++;
		assert_in_range(world->stage, 1, STAGES);
		world->intent = weights[world->stage];
		world->evidence = false;
	}
	if (decision->effect == EFFECT_ROLL_BACK)
		world->intent = 0;
	if (decision->effect == EFFECT_END_SUCCEEDED) {
		assert_int_equal(world->stage, STAGES);
		assert_true(world->evidence);
	}
	if (decision->effect == EFFECT_END_ROLLED_BACK)
		assert_int_equal(world->weight, 0);
	if (decision->effect == EFFECT_END_ABORTED)
		assert_int_equal(world->weight, 0);
	world->state = decision->to;
}

static void simulated_rollouts_keep_every_promise(void **state)
{
	enum { ROLLOUTS = 200000 };
	int endings[ROLLOUT_STATE_COUNT] = { 0 };

	(void)state;
	random_state = 20261120;
	for (int i = 0; i < ROLLOUTS; i++) {
		struct world world = { 0 };
		int steps = 0;

		while (!(steps && rollout_state_is_final(world.state))) {
			enum rollout_machine_event event = world.state == ROLLOUT_IDLE
								   ? ROLLOUT_START
								   : happen(&world, world.state);
			struct rollout_facts facts = facts_of(pick(256));
			struct rollout_decision decision;

			facts.is_last_stage = world.stage == STAGES;
			facts.can_extend &= pick(4) != 0;
			/* One that holds or failed is taken up again by recover or rollback. */
			if (world.state == ROLLOUT_INTERRUPTED ||
				world.state == ROLLOUT_ROLLBACK_FAILED)
				event = pick(2) ? ROLLOUT_RECOVER : ROLLOUT_ABORT;
			/* Every rollout ends, whatever comes. */
			assert_true(++steps < 10000);
			if (rollout_decide(world.state, event, &facts, &decision))
				apply(&world, &decision);
			/* Never more canary than the last intent. */
			if (world.state != ROLLOUT_ROLLING_BACK)
				assert_true(world.weight <= world.intent ||
					    world.state == ROLLOUT_ROLLBACK_FAILED ||
					    world.state == ROLLOUT_INTERRUPTED);
		}
		endings[world.state]++;
	}
	assert_true(endings[ROLLOUT_COMPLETED] > 1000);
	assert_true(endings[ROLLOUT_ROLLED_BACK] > 1000);
	assert_true(endings[ROLLOUT_IDLE] > 1000);
}

static void the_diagram_names_every_state(void **state)
{
	CLEANUP_BUF struct buf dot = BUF_INIT(1 << 20);

	(void)state;
	rollout_machine_write_dot(&dot);
	for (int i = 0; i < ROLLOUT_STATE_COUNT; i++)
		assert_non_null(strstr(buf_text(&dot), rollout_state_name((enum rollout_state)i)));
}

static void names_are_found_again(void **state)
{
	enum rollout_state found;

	(void)state;
	for (int i = 0; i < ROLLOUT_STATE_COUNT; i++) {
		assert_true(rollout_state_parse(rollout_state_name((enum rollout_state)i), &found));
		assert_int_equal(found, i);
	}
	assert_false(rollout_state_parse("nonsense", &found));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_decided_or_refused),
		cmocka_unit_test(legal_events_do_what_they_should),
		cmocka_unit_test(simulated_rollouts_keep_every_promise),
		cmocka_unit_test(the_diagram_names_every_state),
		cmocka_unit_test(names_are_found_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
