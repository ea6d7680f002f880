/*
 * Scaling decisions: cases by hand, what must hold for every input, and whole simulated days with
 * noise, spikes, gaps and flapping.
 */
#include "test.h"

#include "canaryctl/autoscale.h"
#include "canaryctl/mem.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MINUTE_MS = 60 * 1000, STEP_S = 15, NOW_S = 1000000, SAMPLES_MAX = 200 };

/* Up above 80 % for 3 minutes, down below 30 % for 10; from 1 to 4. */
static struct scale_rule usual_rule(void)
{
	struct scale_rule rule = {
		.up = { .for_ms = 3 * MINUTE_MS, .step = 1, .cooldown_ms = 3 * MINUTE_MS },
		.down = { .for_ms = 10 * MINUTE_MS, .step = 1, .cooldown_ms = 10 * MINUTE_MS },
		.min = 1,
		.max = 4,
	};
	struct error err = { 0 };

	assert_int_equal(condition_parse("> 80%", &rule.up.when, &err), 0);
	assert_int_equal(condition_parse("< 30%", &rule.down.when, &err), 0);
	return rule;
}

/* A metric that was `value` for so many samples up to now. */
struct history {
	struct prom_sample samples[SAMPLES_MAX];
	size_t count;
};

static void history_fill(struct history *history, double value, size_t count)
{
	history->count = count;
	for (size_t i = 0; i < count; i++)
		history->samples[i] =
			(struct prom_sample){ .time = NOW_S - (double)(count - 1 - i) * STEP_S,
				.value = value };
}

static struct scale_facts facts_of(const struct history *history, int64_t replicas)
{
	return (struct scale_facts){
		.replicas_known = true,
		.replicas = replicas,
		.metric_known = true,
		.samples = history->samples,
		.sample_count = history->count,
		.until_s = NOW_S,
		.step_s = STEP_S,
		.now_ms = (int64_t)NOW_S * 1000,
	};
}

static struct scale_decision decide(const struct scale_facts *facts)
{
	struct scale_rule rule = usual_rule();
	struct scale_decision decision;

	scale_decide(&rule, facts, &decision);
	assert_string_not_equal(decision.reason, "");
	return decision;
}

/* ---- cases ---- */

static void test_cases(void **state)
{
	static const struct {
		const char *name;
		double value;
		size_t samples; /* 13 make 3 minutes, 41 make 10 */
		int64_t replicas;
		enum scale_action action;
		int64_t to;
		bool needs_person;
		const char *reason;
	} cases[] = {
		{ "up", 0.9, 41, 2, SCALE_UP, 3, false, "90%, and > 80% for 3m" },
		{ "up on just enough", 0.9, 13, 2, SCALE_UP, 3, false, "90%, and > 80% for 3m" },
		{ "too short a history", 0.9, 12, 2, SCALE_HOLD, 2, true,
			"> 80%, but 1 of 13 samples are missing: nothing is scaled on that" },
		{ "at max", 0.9, 41, 4, SCALE_HOLD, 4, true,
			"90%, and > 80% for 3m; but already at max, which is 4" },
		{ "above max and busy", 0.9, 41, 6, SCALE_HOLD, 6, true,
			"90%, and > 80% for 3m; but already above max, which is 4" },
		{ "above max and idle", 0.1, 41, 6, SCALE_DOWN, 4, false,
			"6 is above max, which is 4" },
		{ "below min", 0.5, 41, 0, SCALE_UP, 1, false, "0 is below min, which is 1" },
		{ "below min, no metric", 0, 0, 0, SCALE_UP, 1, false,
			"0 is below min, which is 1" },
		{ "down", 0.1, 41, 3, SCALE_DOWN, 2, false, "10%, and < 30% for 10m" },
		{ "at min", 0.1, 41, 1, SCALE_HOLD, 1, false,
			"10%, and < 30% for 10m; but already at min, which is 1" },
		{ "down on too little", 0.1, 40, 3, SCALE_HOLD, 3, true,
			"< 30%, but 1 of 41 samples are missing: nothing is scaled on that" },
		{ "in between", 0.5, 41, 2, SCALE_HOLD, 2, false,
			"50%: neither > 80% nor < 30% for long enough" },
		{ "in between, young", 0.5, 1, 2, SCALE_HOLD, 2, false,
			"50%: neither > 80% nor < 30% for long enough" },
		{ "on the limit", 0.8, 41, 2, SCALE_HOLD, 2, false,
			"80%: neither > 80% nor < 30% for long enough" },
		{ "nothing", 0, 0, 2, SCALE_HOLD, 2, true,
			"the metric has no value now: nothing is scaled on that" },
		{ "NaN", NAN, 41, 2, SCALE_HOLD, 2, true,
			"the metric has no value now: nothing is scaled on that" },
		{ "infinite", INFINITY, 41, 2, SCALE_HOLD, 2, true,
			"the metric has no value now: nothing is scaled on that" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct history history = { 0 };
		struct scale_facts facts;
		struct scale_decision decision;

		history_fill(&history, cases[i].value, cases[i].samples);
		facts = facts_of(&history, cases[i].replicas);
		decision = decide(&facts);
		if (decision.action != cases[i].action || decision.to != cases[i].to ||
			decision.needs_person != cases[i].needs_person ||
			strcmp(decision.reason, cases[i].reason) != 0)
			fail_msg("%s: %s to %lld%s: %s", cases[i].name,
				scale_action_name(decision.action), (long long)decision.to,
				decision.needs_person ? ", needs a person" : "", decision.reason);
	}
}

/* One sample that says otherwise, one that is missing, one that is NaN, anywhere in the time. */
static void test_every_sample_counts(void **state)
{
	(void)state;
	for (size_t i = 41 - 13; i < 41; i++) {
		struct history history = { 0 };
		struct scale_facts facts = facts_of(&history, 2);

		history_fill(&history, 0.9, 41);
		facts.sample_count = history.count;
		history.samples[i].value = 0.5;
		assert_int_equal(decide(&facts).action, SCALE_HOLD);
		assert_false(decide(&facts).needs_person);
		history.samples[i].value = NAN;
		assert_int_equal(decide(&facts).action, SCALE_HOLD);
		assert_true(decide(&facts).needs_person);
		history_fill(&history, 0.9, 41);
		memmove(&history.samples[i], &history.samples[i + 1],
			(40 - i) * sizeof(history.samples[0]));
		facts.sample_count = 40;
		assert_int_equal(decide(&facts).action, SCALE_HOLD);
		assert_true(decide(&facts).needs_person);
	}
}

static void test_samples_out_of_time(void **state)
{
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);

	(void)state;
	history_fill(&history, 0.9, 41);
	facts.sample_count = history.count;
	facts.until_s += STEP_S; /* the newest is missing */
	assert_int_equal(decide(&facts).action, SCALE_HOLD);
	assert_true(decide(&facts).needs_person);
	facts.until_s -= 2 * STEP_S; /* one is of the future: it counts for nothing */
	history.samples[40].value = 0.5;
	assert_int_equal(decide(&facts).action, SCALE_UP);
	/* Nothing asked for more or fewer, but nobody knows how it is now. */
	history_fill(&history, 0.5, 41);
	facts.until_s = NOW_S + STEP_S;
	assert_string_equal(
		decide(&facts).reason, "the metric has no value now: nothing is scaled on that");
	assert_true(decide(&facts).needs_person);
}

static void test_blocks(void **state)
{
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);
	struct scale_decision decision;

	(void)state;
	history_fill(&history, 0.9, 41);
	facts.sample_count = history.count;
	facts.block = "gpu/vram-headroom (FAIL): 5% is free";
	decision = decide(&facts);
	assert_int_equal(decision.action, SCALE_HOLD);
	assert_int_equal(decision.to, 2);
	assert_true(decision.is_blocked && decision.needs_person);
	assert_string_equal(decision.reason,
		"90%, and > 80% for 3m; but blocked by gpu/vram-headroom (FAIL): 5% is free");
	history_fill(&history, 0.1, 41); /* never the way down */
	decision = decide(&facts);
	assert_int_equal(decision.action, SCALE_DOWN);
	assert_false(decision.is_blocked);
}

static void test_rollout(void **state)
{
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);

	(void)state;
	facts.rollout_runs = true;
	history_fill(&history, 0.1, 41);
	facts.sample_count = history.count;
	assert_int_equal(decide(&facts).action, SCALE_HOLD);
	assert_string_equal(decide(&facts).reason, "10%, and < 30% for 10m; but a rollout runs");
	history_fill(&history, 0.9, 41);
	assert_int_equal(decide(&facts).action, SCALE_UP);
}

static void test_cooldown(void **state)
{
	static const struct {
		enum scale_memory_state memory;
		int64_t ago_ms;
		enum scale_action up, down; /* what comes of wanting it */
		bool needs_person;
	} cases[] = {
		{ SCALE_NEVER, 0, SCALE_UP, SCALE_DOWN, false },
		{ SCALE_REMEMBERED, 3 * MINUTE_MS - 1, SCALE_HOLD, SCALE_HOLD, false },
		{ SCALE_REMEMBERED, 3 * MINUTE_MS, SCALE_UP, SCALE_HOLD, false },
		{ SCALE_REMEMBERED, 10 * MINUTE_MS - 1, SCALE_UP, SCALE_HOLD, false },
		{ SCALE_REMEMBERED, 10 * MINUTE_MS, SCALE_UP, SCALE_DOWN, false },
		{ SCALE_REMEMBERED, -1, SCALE_HOLD, SCALE_HOLD, true }, /* the clock was put back */
		{ SCALE_SINCE, 0, SCALE_HOLD, SCALE_HOLD, false },
		{ SCALE_SINCE, 3 * MINUTE_MS, SCALE_UP, SCALE_HOLD, false },
		{ SCALE_SINCE, 10 * MINUTE_MS, SCALE_UP, SCALE_DOWN, false },
		{ SCALE_LOST, 1000 * MINUTE_MS, SCALE_HOLD, SCALE_HOLD, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct history history = { 0 };
		struct scale_facts facts = facts_of(&history, 2);

		facts.memory = (struct scale_memory){ cases[i].memory, SCALE_UP,
			facts.now_ms - cases[i].ago_ms, false };
		history_fill(&history, 0.9, 41);
		facts.sample_count = history.count;
		if (decide(&facts).action != cases[i].up ||
			decide(&facts).needs_person != cases[i].needs_person)
			fail_msg("case %zu, up: %s", i, decide(&facts).reason);
		history_fill(&history, 0.1, 41);
		if (decide(&facts).action != cases[i].down)
			fail_msg("case %zu, down: %s", i, decide(&facts).reason);
	}
}

/* A cool-down shorter than `for` is as long as that: older samples are about another number. */
static void test_for_is_a_cooldown(void **state)
{
	struct scale_rule rule = usual_rule();
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);
	struct scale_decision decision;

	(void)state;
	rule.up.cooldown_ms = 0;
	history_fill(&history, 0.9, 41);
	facts.sample_count = history.count;
	facts.memory = (struct scale_memory){ SCALE_REMEMBERED, SCALE_UP,
		facts.now_ms - 2 * MINUTE_MS, false };
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_HOLD);
	assert_string_equal(decision.reason,
		"90%, and > 80% for 3m; but it was scaled up: cools down for 1m more");
	assert_false(decision.needs_person);
}

/* It waits as long, but nothing was scaled, and somebody has to know. */
static void test_a_failure_is_no_scaling(void **state)
{
	struct scale_rule rule = usual_rule();
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);
	struct scale_decision decision;

	(void)state;
	history_fill(&history, 0.9, 41);
	facts.sample_count = history.count;
	facts.memory = (struct scale_memory){ SCALE_REMEMBERED, SCALE_UP,
		facts.now_ms - 2 * MINUTE_MS, .has_failed = true };
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_HOLD);
	assert_true(decision.needs_person);
	assert_string_equal(decision.reason,
		"90%, and > 80% for 3m; but the last try to scale it up failed: tries again in 1m");
}

static void test_would_come_back(void **state)
{
	struct scale_rule rule = usual_rule();
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);
	struct scale_decision decision;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(condition_parse("< 60%", &rule.down.when, &err), 0);
	history_fill(&history, 0.45, 41);
	facts.sample_count = history.count;
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_HOLD);
	assert_string_equal(decision.reason,
		"45%, and < 60% for 10m; but with 1 it could be up to 90%, which is > 80%");
	history_fill(&history, 0.35, 41);
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_DOWN);
	/* The worst of the time counts, not the newest. */
	history.samples[5].value = 0.5;
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_HOLD);
	/* To none at all only when there is nothing to do. */
	rule.min = 0;
	facts.replicas = 1;
	history_fill(&history, 0.01, 41);
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_HOLD);
	history_fill(&history, 0, 41);
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.action, SCALE_DOWN);
	assert_int_equal(decision.to, 0);
}

static void test_steps(void **state)
{
	struct scale_rule rule = usual_rule();
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 3);
	struct scale_decision decision;

	(void)state;
	rule.up.step = 5;
	rule.down.step = 5;
	history_fill(&history, 0.9, 41);
	facts.sample_count = history.count;
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.to, 4);
	history_fill(&history, 0.1, 41);
	scale_decide(&rule, &facts, &decision);
	assert_int_equal(decision.to, 1);
}

static void test_unknown(void **state)
{
	struct history history = { 0 };
	struct scale_facts facts = facts_of(&history, 2);

	(void)state;
	facts.metric_known = false;
	facts.unknown = "the query of 'metric' returns 3 series";
	assert_string_equal(decide(&facts).reason, "the query of 'metric' returns 3 series");
	assert_int_equal(decide(&facts).to, 2);
	facts.replicas_known = false;
	facts.replicas = 0;
	assert_int_equal(decide(&facts).action, SCALE_HOLD);
	assert_int_equal(decide(&facts).to, -1);
	assert_true(decide(&facts).needs_person);
}

/* ---- for every input ---- */

static uint64_t random_state;

static uint64_t random_below(uint64_t limit)
{
	random_state = random_state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (random_state >> 33) % limit;
}

static double random_share(void)
{
	return (double)random_below(1000000) / 1e6;
}

static void random_facts(struct history *history, struct scale_facts *facts)
{
	double level = random_share();

	history_fill(history, level, random_below(60));
	for (size_t i = 0; i < history->count && random_below(2); i++) {
		size_t at = random_below(history->count);

		history->samples[at].value = random_below(3) ? random_share() : (double)NAN;
	}
	*facts = facts_of(history, (int64_t)random_below(8));
	facts->replicas_known = random_below(10) != 0;
	facts->metric_known = random_below(10) != 0;
	facts->block = random_below(3) ? NULL : "a check";
	facts->rollout_runs = random_below(4) == 0;
	facts->memory = (struct scale_memory){ (enum scale_memory_state)random_below(4),
		(enum scale_action)random_below(3),
		facts->now_ms - (int64_t)random_below(20 * MINUTE_MS) + MINUTE_MS,
		random_below(4) == 0 };
}

static void test_properties(void **state)
{
	struct scale_rule rule = usual_rule();

	(void)state;
	random_state = 1;
	for (int i = 0; i < 200000; i++) {
		struct history history = { 0 };
		struct scale_facts facts;
		struct scale_decision decision;

		random_facts(&history, &facts);
		scale_decide(&rule, &facts, &decision);
		assert_true(decision.reason[0] != '\0');
		if (decision.action == SCALE_HOLD) {
			assert_int_equal(decision.to, facts.replicas_known ? facts.replicas : -1);
			continue;
		}
		assert_true(facts.replicas_known);
		assert_true(decision.to >= rule.min && decision.to <= rule.max);
		assert_true(facts.memory.state != SCALE_LOST);
		assert_false(decision.action == SCALE_UP && facts.block);
		assert_false(decision.action == SCALE_DOWN && facts.rollout_runs);
		assert_true((decision.action == SCALE_UP) == (decision.to > facts.replicas));
		assert_true((decision.action == SCALE_DOWN) == (decision.to < facts.replicas));
		if (!facts.metric_known)
			assert_true(facts.replicas < rule.min);
	}
}

/* ---- simulated days ---- */

enum { DAY_S = 24 * 3600, START_UP_S = 45 };

enum weather { CALM, NOISY, SPIKES, GAPS, FLAPPING, EVERYTHING, WEATHER_COUNT };
static const char *const weather_names[] = { "calm", "noisy", "spikes", "gaps", "flapping",
	"everything" };

/* A service whose load is shared among its instances. */
struct day {
	enum weather weather;
	struct scale_rule rule;
	int64_t replicas, ordered, ready_s; /* ordered ones run from ready_s on */
	struct prom_sample samples[SAMPLES_MAX];
	size_t count;
	double spike_until, gap_until;
	struct scale_memory memory;
	int scalings;
	int64_t breach_s; /* above the limit at every sample since then; -1: it is not */
};

/* As many instances as would be busy: 0.4 at night, 2.8 at noon. */
static double load_at(struct day *day, int64_t t)
{
	double load = 1.6 - 1.2 * cos(2 * M_PI * (double)(t % DAY_S) / DAY_S);
	bool all = day->weather == EVERYTHING;

	if (day->weather == NOISY || all)
		load *= 0.8 + 0.4 * random_share();
	if ((day->weather == SPIKES || all) && random_below(200) == 0)
		day->spike_until = (double)t + 30 + (double)random_below(600);
	if ((double)t < day->spike_until)
		load *= 3;
	if (day->weather == FLAPPING || (all && (t / 7200) % 2))
		load = (t / 90) % 2 ? 3.5 : 0.1;
	return load;
}

static void scrape(struct day *day, int64_t t)
{
	double busy = load_at(day, t) / (double)(day->replicas ? day->replicas : 1);
	bool has_gaps = day->weather == GAPS || day->weather == EVERYTHING;

	if (has_gaps && random_below(100) == 0)
		day->gap_until = (double)t + (double)random_below(900);
	if (busy <= 0.8 || (double)t < day->gap_until)
		day->breach_s = -1;
	else if (day->breach_s < 0)
		day->breach_s = t;
	if ((double)t < day->gap_until && random_below(2))
		return;
	if (day->count == SAMPLES_MAX)
		memmove(day->samples, day->samples + 1, --day->count * sizeof(day->samples[0]));
	day->samples[day->count++] = (struct prom_sample){ .time = (double)t,
		.value = (double)t < day->gap_until ? (double)NAN : busy };
}

static void act(struct day *day, int64_t t, const struct scale_decision *decision)
{
	int64_t since_ms = t * 1000 - day->memory.at_ms;

	assert_true(decision->to >= day->rule.min && decision->to <= day->rule.max);
	if (day->memory.state == SCALE_REMEMBERED && day->memory.action != decision->action)
		assert_true(
			since_ms >= (decision->action == SCALE_UP ? day->rule.up.cooldown_ms
								  : day->rule.down.cooldown_ms));
	day->memory = (struct scale_memory){ SCALE_REMEMBERED, decision->action, t * 1000, false };
	day->ordered = decision->to;
	day->ready_s = t + START_UP_S;
	day->scalings++;
	day->breach_s = -1;
}

static void pass(struct day *day, int64_t t)
{
	struct scale_facts facts = {
		.replicas_known = true,
		.replicas = day->replicas,
		.metric_known = true,
		.samples = day->samples,
		.sample_count = day->count,
		.until_s = (double)t,
		.step_s = STEP_S,
		.memory = day->memory,
		.now_ms = t * 1000,
	};
	struct scale_decision decision;

	scale_decide(&day->rule, &facts, &decision);
	if (decision.action != SCALE_HOLD)
		act(day, t, &decision);
	/* A breach that lasts is answered within five minutes. */
	if (day->breach_s >= 0 && day->replicas < day->rule.max && t - day->breach_s > 5 * 60)
		fail_msg("%s: above the limit since %lld s: %s", weather_names[day->weather],
			(long long)(t - day->breach_s), decision.reason);
}

static int live_a_day(enum weather weather, uint64_t seed)
{
	struct day day = { .weather = weather,
		.rule = usual_rule(),
		.replicas = 1,
		.ordered = 1,
		.breach_s = -1 };

	random_state = seed;
	for (int64_t t = DAY_S; t < 2 * DAY_S; t += STEP_S) {
		if (t >= day.ready_s)
			day.replicas = day.ordered;
		scrape(&day, t);
		if (t % (2 * STEP_S) == 0)
			pass(&day, t);
	}
	return day.scalings;
}

static void test_days(void **state)
{
	/* Up to 4 in the morning and down again in the evening is 6; chance may add to it. */
	static const struct {
		int least, most;
	} expected[WEATHER_COUNT] = {
		[CALM] = { 4, 6 },
		[NOISY] = { 2, 10 },
		[SPIKES] = { 4, 40 },
		[GAPS] = { 2, 8 },
		[FLAPPING] = { 0, 0 },
		[EVERYTHING] = { 0, 40 },
	};

	(void)state;
	for (int weather = 0; weather < WEATHER_COUNT; weather++) {
		for (uint64_t seed = 1; seed <= 60; seed++) {
			int scalings = live_a_day((enum weather)weather, seed);

			if (scalings < expected[weather].least || scalings > expected[weather].most)
				fail_msg("%s, seed %d: %d scalings a day", weather_names[weather],
					(int)seed, scalings);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_every_sample_counts),
		cmocka_unit_test(test_samples_out_of_time),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_rollout),
		cmocka_unit_test(test_cooldown),
		cmocka_unit_test(test_for_is_a_cooldown),
		cmocka_unit_test(test_a_failure_is_no_scaling),
		cmocka_unit_test(test_would_come_back),
		cmocka_unit_test(test_steps),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_days),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
