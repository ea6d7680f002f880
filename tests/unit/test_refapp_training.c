/* Entropy schedule, reward normaliser and checkpoints, against values worked out by hand. */
#include "test.h"

#include "refapp/checkpoint.h"
#include "refapp/ppo_schedule.h"
#include "refapp/random.h"
#include "refapp/reward_normalizer.h"

#include <math.h>
#include <string.h>

static bool near(double a, double b)
{
	return fabs(a - b) < 1e-12;
}

static void test_entropy(void **state)
{
	const struct ppo_schedule schedule = {
		.initial = 0.02, .final = 0.005, .decay_steps = 10000
	};

	(void)state;
	assert_true(ppo_entropy_coef(&schedule, 0) == 0.02);
	assert_true(near(ppo_entropy_coef(&schedule, 1), 0.0199985));
	assert_true(near(ppo_entropy_coef(&schedule, 5000), 0.0125));
	assert_true(ppo_entropy_coef(&schedule, 9999) > 0.005);
	assert_true(ppo_entropy_coef(&schedule, 10000) == 0.005);
	assert_true(ppo_entropy_coef(&schedule, 10001) == 0.005);
	assert_true(ppo_entropy_coef(&schedule, UINT64_MAX) == 0.005);
}

static void test_normalizer_small(void **state)
{
	struct reward_normalizer normalizer;
	struct reward_statistics statistics;

	(void)state;
	reward_normalizer_init(&normalizer, 4);
	statistics = reward_normalizer_statistics(&normalizer);
	assert_true(statistics.mean == 0 && statistics.std == 0);
	reward_normalizer_add(&normalizer, 5);
	statistics = reward_normalizer_statistics(&normalizer);
	assert_true(statistics.mean == 5 && statistics.std == 0);
	assert_true(reward_normalize(&statistics, 9) == 0);
	/* 100 has left the window of four when 1, 3, 5 and 7 are in. */
	reward_normalizer_add(&normalizer, 100);
	for (int reward = 1; reward <= 7; reward += 2)
		reward_normalizer_add(&normalizer, reward);
	statistics = reward_normalizer_statistics(&normalizer);
	assert_true(statistics.mean == 4);
	assert_true(near(statistics.std, sqrt(5)));
	assert_true(near(reward_normalize(&statistics, 4 + sqrt(5)), 1));
	reward_normalizer_release(&normalizer);
}

static void test_normalizer_window_of_a_thousand(void **state)
{
	static double rewards[2500];
	struct reward_normalizer normalizer;
	struct random random;

	(void)state;
	random_init(&random, 5, 0);
	reward_normalizer_init(&normalizer, 1000);
	for (size_t n = 0; n < 2500; n++) {
		struct reward_statistics statistics;
		size_t first = n < 1000 ? 0 : n - 999;
		double sum = 0, squares = 0, count = (double)(n - first + 1);

		rewards[n] = 0.6 + 0.1 * random_normal(&random);
		reward_normalizer_add(&normalizer, rewards[n]);
		if (n % 97 != 0)
			continue;
		for (size_t i = first; i <= n; i++) {
			sum += rewards[i];
			squares += rewards[i] * rewards[i];
		}
		statistics = reward_normalizer_statistics(&normalizer);
		assert_true(fabs(statistics.mean - sum / count) < 1e-9);
		assert_true(fabs(statistics.std * statistics.std -
				    (squares / count - sum / count * sum / count)) < 1e-9);
	}
	reward_normalizer_release(&normalizer);
}

static const struct checkpoint_settings settings = {
	.save_frequency = 500, .rollback_enabled = true, .loss_spike = 2.0, .reward_drop = 0.5
};

static enum checkpoint_action note(
	struct checkpoints *checkpoints, uint64_t step, double loss, double reward)
{
	const struct training_result result = { .step = step, .loss = loss, .reward = reward };

	return checkpoints_note(checkpoints, &settings, &result);
}

/* `count` good updates: loss 0.25, reward 0.75, which are exact in binary. */
static void train(struct checkpoints *checkpoints, uint64_t first_step, uint64_t count)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t step = first_step + i;
		enum checkpoint_action action = note(checkpoints, step, 0.25, 0.75);

		assert_int_equal(action, step % 500 == 0 ? CHECKPOINT_SAVE : CHECKPOINT_NOTHING);
	}
}

static void test_saves_every_500_steps(void **state)
{
	struct checkpoints checkpoints;

	(void)state;
	checkpoints_init(&checkpoints, 0);
	train(&checkpoints, 1, 1700);
	assert_int_equal(checkpoints.saves, 3);
	assert_int_equal(checkpoints.saved_step, 1500);
	assert_int_equal(checkpoints.rollbacks, 0);
}

static void test_rolls_back_on_a_loss_spike(void **state)
{
	struct checkpoints checkpoints;

	(void)state;
	checkpoints_init(&checkpoints, 0);
	train(&checkpoints, 1, 700);
	assert_int_equal(note(&checkpoints, 701, 0.4999, 0.75), CHECKPOINT_NOTHING);
	checkpoints_init(&checkpoints, 0);
	train(&checkpoints, 1, 700);
	assert_int_equal(note(&checkpoints, 701, 0.5, 0.75), CHECKPOINT_ROLLBACK_LOSS);
	assert_int_equal(checkpoints.saved_step, 500);
	assert_int_equal(checkpoints.rollbacks, 1);
	/* The spike did not become the new normal: the same again is a spike again. */
	assert_int_equal(note(&checkpoints, 501, 0.5, 0.75), CHECKPOINT_ROLLBACK_LOSS);
	assert_int_equal(note(&checkpoints, 501, 0.25, 0.75), CHECKPOINT_NOTHING);
}

static void test_rolls_back_on_a_reward_drop(void **state)
{
	struct checkpoints checkpoints;

	(void)state;
	checkpoints_init(&checkpoints, 12000);
	train(&checkpoints, 12001, 100);
	assert_int_equal(note(&checkpoints, 12101, 0.25, 0.2501), CHECKPOINT_NOTHING);
	checkpoints_init(&checkpoints, 12000);
	train(&checkpoints, 12001, 100);
	assert_int_equal(note(&checkpoints, 12101, 0.25, 0.25), CHECKPOINT_ROLLBACK_REWARD);
	assert_int_equal(checkpoints.saved_step, 12000);
}

static void test_needs_a_baseline(void **state)
{
	struct checkpoints checkpoints;
	double loss, reward;

	(void)state;
	checkpoints_init(&checkpoints, 0);
	train(&checkpoints, 1, CHECKPOINT_MINIMUM - 1);
	assert_false(checkpoints_baseline(&checkpoints, &loss, &reward));
	assert_int_equal(note(&checkpoints, 10, 99, -99), CHECKPOINT_NOTHING);
	assert_true(checkpoints_baseline(&checkpoints, &loss, &reward));
}

/* Slow change is no spike: the baseline goes along with it. */
static void test_baseline_is_recent(void **state)
{
	struct checkpoints checkpoints;
	double loss = 0.25;

	(void)state;
	checkpoints_init(&checkpoints, 0);
	for (uint64_t step = 1; step < 400; step++, loss *= 1.005)
		assert_int_equal(note(&checkpoints, step, loss, 0.75), CHECKPOINT_NOTHING);
	assert_true(loss > 4 * 0.25);
}

static void test_rollback_can_be_off(void **state)
{
	struct checkpoint_settings off = settings;
	struct checkpoints checkpoints;
	const struct training_result spike = { .step = 501, .loss = 99, .reward = -99 };

	(void)state;
	off.rollback_enabled = false;
	checkpoints_init(&checkpoints, 0);
	train(&checkpoints, 1, 500);
	assert_int_equal(checkpoints_note(&checkpoints, &off, &spike), CHECKPOINT_NOTHING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_entropy),
		cmocka_unit_test(test_normalizer_small),
		cmocka_unit_test(test_normalizer_window_of_a_thousand),
		cmocka_unit_test(test_saves_every_500_steps),
		cmocka_unit_test(test_rolls_back_on_a_loss_spike),
		cmocka_unit_test(test_rolls_back_on_a_reward_drop),
		cmocka_unit_test(test_needs_a_baseline),
		cmocka_unit_test(test_baseline_is_recent),
		cmocka_unit_test(test_rollback_can_be_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
