/*
 * The judge's numbers, and its promises: by simulated traffic, how often it is wrong and how soon
 * it is right. Seeded, so that a run is always the same.
 */
#include "test.h"

#include "canaryctl/evidence.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const struct evidence_limits usual = EVIDENCE_LIMITS_DEFAULT;

static struct evidence fresh(const struct evidence_limits *limits)
{
	struct evidence evidence;

	assert_null(evidence_limits_problem(limits));
	evidence_init(&evidence, limits);
	return evidence;
}

static void take(struct evidence *evidence, double nb, double kb, double nc, double kc)
{
	evidence_take(evidence, &(struct evidence_block){ .nb = nb, .kb = kb, .nc = nc, .kc = kc });
}

static void the_reference(void **state)
{
	struct evidence e = fresh(&usual);

	(void)state;
	assert_true(evidence_rel(&e) == 1 && evidence_abs(&e) == 1);
	take(&e, 990, 1, 10, 1);
	take(&e, 985, 0, 12, 0);
	take(&e, 1001, 2, 9, 1);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_HOLD);
	take(&e, 995, 1, 11, 1);
	assert_true(fabs(evidence_rel(&e) - 326.7620763294) < 1e-9);
	assert_true(fabs(evidence_abs(&e) - 279.7449595385) < 1e-9);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_ROLLBACK);
}

/* Worked out by hand: one good request, so that every factor is known. */
static void one_good_request(void **state)
{
	struct evidence e = fresh(&usual);
	double abs = 0.5, promote = 0;

	(void)state;
	take(&e, 99, 0, 1, 0);
	for (int j = 1; j <= 7; j++)
		abs += (1 - ldexp(0.002, j)) / (1 - 0.002) / 14;
	for (int j = 0; j < 6; j++)
		promote += (1 - 0.005 * (double[]){ 0, .05, .1, .2, .35, .5 }[j]) / 0.995 / 6;
	assert_true(fabs(evidence_rel(&e) - 1) < 1e-14);
	assert_true(fabs(evidence_abs(&e) - abs) < 1e-14);
	assert_true(fabs(evidence_promote(&e) - promote) < 1e-14);
}

static void production_waits_for_the_canary(void **state)
{
	struct evidence one = fresh(&usual), two = fresh(&usual);

	(void)state;
	take(&one, 500, 1, 0, 0);
	assert_true(evidence_rel(&one) == 1 && one.blocks == 0);
	take(&one, 490, 0, 10, 1);
	take(&two, 990, 1, 10, 1);
	assert_true(evidence_rel(&one) == evidence_rel(&two));
	assert_true(evidence_abs(&one) == evidence_abs(&two));
	assert_true(one.total.nb == 990 && one.blocks == 1 && one.pool.nb == 0);
}

/* Two counters, read between their increments: the bad one first. */
static void bad_ones_wait_for_their_requests(void **state)
{
	struct evidence e = fresh(&usual);

	(void)state;
	take(&e, 100, 0, 1, 2);
	assert_true(e.total.kc == 1 && e.pool.kc == 1 && e.pool.nc == 0);
	take(&e, 100, 0, 1, 0);
	assert_true(e.total.kc == 2 && e.pool.kc == 0);
}

/* At 100 % there is no production to compare with: REL says nothing, and nothing breaks. */
static void without_a_baseline(void **state)
{
	struct evidence e = fresh(&usual);

	(void)state;
	for (int i = 0; i < 100; i++)
		take(&e, 0, 0, 1000, 500);
	assert_true(fabs(evidence_rel(&e) - 1) < 1e-9);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_HOLD);
	e = fresh(&usual);
	take(&e, 0, 0, 5000, 0);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_PROMOTE);
}

static void no_block_decides_alone(void **state)
{
	struct evidence e = fresh(&usual);

	(void)state;
	take(&e, 100000, 10, 5000, 5000);
	assert_true(fabs(evidence_rel(&e) - 10) < 1e-9);
	assert_true(fabs(evidence_abs(&e) - 10) < 1e-9);
}

static void what_was_reached_stays(void **state)
{
	struct evidence e = fresh(&usual);

	(void)state;
	for (int i = 0; i < 3; i++)
		take(&e, 1000, 0, 10, 5);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_ROLLBACK);
	for (int i = 0; i < 1000; i++)
		take(&e, 1000, 50, 1000, 0);
	assert_true(evidence_rel(&e) < 1 && evidence_abs(&e) < 1);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_ROLLBACK);
}

static void assert_numbers(const struct evidence *e)
{
	double all[] = { evidence_rel(e), evidence_abs(e), evidence_promote(e), e->rel.ln_now,
		e->abs.ln_now, e->rel.ln_reserve, e->abs.ln_reserve };

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_true(isfinite(all[i]));
	for (int j = 0; j < EVIDENCE_RATIOS; j++)
		assert_true(isfinite(e->rel.ln_parts[j]));
	for (int j = 0; j < EVIDENCE_RATES; j++)
		assert_true(isfinite(e->abs.ln_parts[j]));
}

/* Sanitizers are slow. */
#ifdef __SANITIZE_ADDRESS__
#define MILLION 100000
#else
#define MILLION 1000000
#endif

/* Ten million blocks: years of good traffic, then of bad, then of enormous. */
static void no_run_is_too_long(void **state)
{
	struct evidence e = fresh(&usual);

	(void)state;
	for (int i = 0; i < 9 * MILLION / 10; i++)
		take(&e, 1500, i % 2, 15, i % 2000 == 0);
	assert_numbers(&e);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_PROMOTE);
	for (int i = 0; i < 9 * MILLION / 10; i++)
		take(&e, 1500, 1, 15, 12);
	assert_numbers(&e);
	assert_int_equal(evidence_verdict(&e), EVIDENCE_ROLLBACK);
	for (int i = 0; i < MILLION / 10; i++)
		take(&e, 1e12, 1e9, 1e12, i % 2 ? 1e12 : 0);
	assert_numbers(&e);
	assert_true(evidence_rel(&e) <= DBL_MAX);
}

static void limits_that_make_no_sense(void **state)
{
	static const struct evidence_limits bad[] = {
		{ .ratio = 0.9, .floor = 0.002, .limit = 0.005, .false_alarm = 0.01 },
		{ .ratio = NAN, .floor = 0.002, .limit = 0.005, .false_alarm = 0.01 },
		{ .ratio = 1.5, .floor = 0, .limit = 0.005, .false_alarm = 0.01 },
		{ .ratio = 1.5, .floor = 0.002, .limit = 0.9, .false_alarm = 0.01 },
		{ .ratio = 1.5, .floor = 0.002, .limit = 0.005, .false_alarm = 0 },
		{ .ratio = 1.5, .floor = 0.002, .limit = 0.005, .false_alarm = 1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_non_null(evidence_limits_problem(&bad[i]));
}

/* ---- simulated traffic ---- */

static uint64_t random_state;

static double uniform(void) /* xorshift64*, 0 < u < 1 */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return ((double)((random_state * UINT64_C(2685821657736338717)) >> 11) + 0.5) * 0x1p-53;
}

static double poisson(double mean)
{
	double left = exp(-mean), product = uniform();
	int n = 0;

	for (; product > left; n++)
		product *= uniform();
	return n;
}

static double bad_of(double n, double share)
{
	double bad = 0;

	for (int i = 0; i < (int)n; i++)
		bad += uniform() < share;
	return bad;
}

/* One stage: requests of the canary per scrape, and both arms' true shares of errors. */
struct world {
	double canary, baseline; /* requests per block */
	double canary_share, baseline_share;
	int blocks;
};

static void live_one_block(const struct world *world, struct evidence *evidence)
{
	double nc = poisson(world->canary);
	double kb = poisson(world->baseline * world->baseline_share);

	take(evidence, world->baseline, kb, nc, bad_of(nc, world->canary_share));
}

struct tally {
	double false_rel, false_abs, rolled_back, promoted, blocks; /* shares; mean */
};

/* Looks after every block, as long as the world lasts or until a verdict that ends it. */
static struct tally live(const struct world *world, const struct evidence_limits *limits, int runs,
	enum evidence_verdict until)
{
	struct tally tally = { 0 };

	random_state = 20261120;
	for (int run = 0; run < runs; run++) {
		struct evidence e = fresh(limits);
		double needed = log(evidence_needed_to_fail(&e));
		bool rolled_back = false, promoted = false;
		int i = 0;

		while (i < world->blocks && !(until == EVIDENCE_ROLLBACK && rolled_back) &&
			!(until == EVIDENCE_PROMOTE && promoted)) {
			live_one_block(world, &e);
			rolled_back = evidence_verdict(&e) == EVIDENCE_ROLLBACK;
			promoted |= evidence_verdict(&e) == EVIDENCE_PROMOTE;
			i++;
		}
		tally.false_rel += e.rel.ln_best >= needed;
		tally.false_abs += e.abs.ln_best >= needed;
		tally.rolled_back += rolled_back;
		tally.promoted += promoted;
		tally.blocks += i;
	}
	tally.false_rel /= runs;
	tally.false_abs /= runs;
	tally.rolled_back /= runs;
	tally.promoted /= runs;
	tally.blocks /= runs;
	return tally;
}

/* An hour, looked at every 15 s, where a fixed threshold rolls back 3 % to 49 % of the canaries. */
static void a_healthy_canary_is_left_alone(void **state)
{
	static const double per_minute[] = { 0.5, 5, 50 };

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct world world = { .canary = per_minute[i] / 4,
			.baseline = 99 * per_minute[i] / 4,
			.canary_share = 0.001,
			.baseline_share = 0.001,
			.blocks = 240 };
		struct tally tally = live(&world, &usual, 3000, EVIDENCE_HOLD);

		assert_true(tally.rolled_back <= 0.01);
	}
}

/* On the edge of what is no harm each kind of evidence alone keeps its promise, at a high alpha. */
static void each_evidence_keeps_its_promise(void **state)
{
	const struct evidence_limits loose = {
		.ratio = 1.5, .floor = 0.002, .limit = 0.005, .false_alarm = 0.1
	};
	struct world three_times_over = { .canary = 10,
		.baseline = 190,
		.canary_share = 0.03,
		.baseline_share = 0.02,
		.blocks = 400 };
	struct world at_the_floor = { .canary = 10,
		.baseline = 190,
		.canary_share = 0.002,
		.baseline_share = 0.00001,
		.blocks = 400 };
	enum { RUNS = 2000 };
	double slack = 3 * sqrt(0.1 * 0.9 / RUNS);

	(void)state;
	assert_true(live(&three_times_over, &loose, RUNS, EVIDENCE_HOLD).false_rel <= 0.1 + slack);
	assert_true(live(&at_the_floor, &loose, RUNS, EVIDENCE_HOLD).false_abs <= 0.1 + slack);
}

static void a_canary_at_the_limit_is_rarely_promoted(void **state)
{
	struct world at_the_limit = { .canary = 10,
		.baseline = 190,
		.canary_share = 0.005,
		.baseline_share = 0.005,
		.blocks = 1000 };
	enum { RUNS = 1500 };
	struct tally tally = live(&at_the_limit, &usual, RUNS, EVIDENCE_PROMOTE);

	(void)state;
	assert_true(tally.promoted <= 0.05 + 3 * sqrt(0.05 * 0.95 / RUNS));
	assert_true(tally.promoted > 0.001); /* it can happen: the simulation sees it */
}

/* How soon real faults are found, at 1 % of 3, 30 and 300 requests a second. */
static void faults_are_found(void **state)
{
	static const struct {
		double canary_per_second, share, most_minutes;
	} cases[] = {
		{ 0.03, 0.50, 15 },
		{ 0.03, 0.05, 240 },
		{ 0.3, 0.50, 2 },
		{ 0.3, 0.05, 20 },
		{ 0.3, 0.01, 240 },
		{ 3, 0.50, 1 },
		{ 3, 0.05, 3 },
		{ 3, 0.01, 25 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world = { .canary = cases[i].canary_per_second * 15,
			.baseline = cases[i].canary_per_second * 99 * 15,
			.canary_share = cases[i].share,
			.baseline_share = 0.001,
			.blocks = 20000 };
		struct tally tally = live(&world, &usual, 200, EVIDENCE_ROLLBACK);

		assert_true(tally.rolled_back == 1);
		assert_true(tally.blocks / 4 <= cases[i].most_minutes);
	}
}

static void a_good_canary_is_promoted(void **state)
{
	struct world world = { .canary = 15,
		.baseline = 1485,
		.canary_share = 0.0005,
		.baseline_share = 0.0005,
		.blocks = 1000 };
	struct tally tally = live(&world, &usual, 300, EVIDENCE_PROMOTE);

	(void)state;
	assert_true(tally.promoted > 0.98);
	assert_true(tally.blocks / 4 <= 30);
}

/* A forecast is near what happens: within a factor of two of the mean. */
static void forecasts_are_near(void **state)
{
	static const struct {
		double canary, share;
		enum evidence_verdict verdict;
	} cases[] = {
		{ 15, 0.5, EVIDENCE_ROLLBACK },
		{ 15, 0.05, EVIDENCE_ROLLBACK },
		{ 15, 0.01, EVIDENCE_ROLLBACK },
		{ 1.5, 0.05, EVIDENCE_ROLLBACK },
		{ 15, 0, EVIDENCE_PROMOTE },
		{ 15, 0.0005, EVIDENCE_PROMOTE },
		{ 1.5, 0, EVIDENCE_PROMOTE },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct world world = { .canary = cases[i].canary,
			.baseline = cases[i].canary * 99,
			.canary_share = cases[i].share,
			.baseline_share = 0.001,
			.blocks = 10000 };
		struct evidence_traffic traffic = { .canary_per_block = world.canary,
			.baseline_per_block = world.baseline,
			.canary_share = world.canary_share,
			.baseline_share = world.baseline_share };
		struct tally tally = live(&world, &usual, 200, cases[i].verdict);
		struct evidence e = fresh(&usual);
		int64_t blocks;

		assert_int_equal(evidence_forecast(&e, &traffic, 10000, &blocks), cases[i].verdict);
		assert_in_range(blocks, (int)floor(tally.blocks / 2), (int)ceil(tally.blocks * 2));
	}
}

static void forecasts_that_come_to_nothing(void **state)
{
	struct evidence_traffic near_the_limit = { .canary_per_block = 1,
		.baseline_per_block = 99,
		.canary_share = 0.004,
		.baseline_share = 0.004 };
	struct evidence_traffic none = { .baseline_per_block = 100 };
	struct evidence e = fresh(&usual);
	int64_t blocks;

	(void)state;
	assert_int_equal(evidence_forecast(&e, &near_the_limit, 2000, &blocks), EVIDENCE_HOLD);
	assert_int_equal(blocks, 2000);
	assert_int_equal(evidence_forecast(&e, &none, 2000, &blocks), EVIDENCE_HOLD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference),
		cmocka_unit_test(one_good_request),
		cmocka_unit_test(production_waits_for_the_canary),
		cmocka_unit_test(bad_ones_wait_for_their_requests),
		cmocka_unit_test(without_a_baseline),
		cmocka_unit_test(no_block_decides_alone),
		cmocka_unit_test(what_was_reached_stays),
		cmocka_unit_test(no_run_is_too_long),
		cmocka_unit_test(limits_that_make_no_sense),
		cmocka_unit_test(a_healthy_canary_is_left_alone),
		cmocka_unit_test(each_evidence_keeps_its_promise),
		cmocka_unit_test(a_canary_at_the_limit_is_rarely_promoted),
		cmocka_unit_test(faults_are_found),
		cmocka_unit_test(a_good_canary_is_promoted),
		cmocka_unit_test(forecasts_are_near),
		cmocka_unit_test(forecasts_that_come_to_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
