/* When it last scaled: kept across processes, and cautious when it is lost, damaged or locked. */
#include "suite_fixture.h"

#include "autoscale/scale_memory.h"
#include "autoscale/scale_pass.h"
#include "canaryctl/mem.h"

static struct config config;
static struct scale_rule rule;
static char state_text[] = "state", shop_text[] = "shop", worker_text[] = "worker";

static int setup(void **state)
{
	config.state_dir = state_text;
	config.service = shop_text;
	rule.service = worker_text;
	config.autoscaling.rules = &rule;
	config.autoscaling.rule_count = 1;
	return suite_setup(state);
}

static struct autoscaler open_memory(bool applies)
{
	struct autoscaler autoscaler = { .config = &config, .applies = applies };
	struct error err = { 0 };

	if (autoscaler_prepare(&autoscaler, &err) < 0)
		fail_msg("%s", err.message);
	return autoscaler;
}

static struct scale_memory read_memory(struct autoscaler *autoscaler)
{
	struct scale_memory memory;

	scale_memory_read(autoscaler, "worker", &memory);
	return memory;
}

static void scale_once(struct autoscaler *autoscaler, enum scale_action action, bool succeeds)
{
	struct scale_report report = { .rule = &rule,
		.replicas = 2,
		.decision = { .action = action, .to = 3, .reason = "because \"it\" was busy" },
		.was_applied = succeeds };
	struct error err = { 0 };

	assert_int_equal(scale_memory_intend(autoscaler, &report, &err), 0);
	assert_int_equal(scale_memory_conclude(autoscaler, &report, &err), 0);
}

static void test_first_look_and_first_use(void **state)
{
	struct autoscaler autoscaler = open_memory(false);

	(void)state;
	assert_int_equal(read_memory(&autoscaler).state, SCALE_NEVER);
	autoscaler_release(&autoscaler);
	assert_int_not_equal(access("state", F_OK), 0); /* looking leaves nothing behind */

	/* Nothing was lost: a service that is busy on the first day does not wait. */
	autoscaler = open_memory(true);
	assert_int_equal(read_memory(&autoscaler).state, SCALE_NEVER);
	autoscaler_release(&autoscaler);
}

static void test_survives(void **state)
{
	struct autoscaler autoscaler = open_memory(true);
	struct scale_memory before, after;

	(void)state;
	read_memory(&autoscaler);
	scale_once(&autoscaler, SCALE_DOWN, true);
	before = read_memory(&autoscaler);
	assert_int_equal(before.state, SCALE_REMEMBERED);
	assert_int_equal(before.action, SCALE_DOWN);
	assert_false(before.has_failed);
	autoscaler_release(&autoscaler);

	autoscaler = open_memory(false);
	after = read_memory(&autoscaler);
	assert_int_equal(after.state, SCALE_REMEMBERED);
	assert_int_equal(after.at_ms, before.at_ms);
	scale_memory_read(&autoscaler, "other", &after);
	assert_int_equal(after.state, SCALE_NEVER);
	autoscaler_release(&autoscaler);
}

/* Killed between intent and outcome, or failed: the command may have done its work. */
static void test_intent_counts(void **state)
{
	struct autoscaler autoscaler = open_memory(true);
	struct scale_report report = { .rule = &rule, .decision = { .action = SCALE_UP, .to = 3 } };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(scale_memory_intend(&autoscaler, &report, &err), 0);
	assert_int_equal(read_memory(&autoscaler).state, SCALE_REMEMBERED);
	assert_true(read_memory(&autoscaler).has_failed);
	scale_once(&autoscaler, SCALE_DOWN, false);
	assert_true(read_memory(&autoscaler).has_failed);
	assert_int_equal(read_memory(&autoscaler).action, SCALE_DOWN);
	autoscaler_release(&autoscaler);
}

static void test_one_applies(void **state)
{
	struct autoscaler first = open_memory(true);
	struct autoscaler second = { .config = &config, .applies = true };
	struct autoscaler onlooker = open_memory(false);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(autoscaler_prepare(&second, &err), -1);
	assert_int_equal(err.kind, ERROR_LOCKED);
	assert_non_null(strstr(err.message, "'autoscale' is running"));
	assert_non_null(strstr(err.hint, "one autoscaler"));
	autoscaler_release(&second);
	autoscaler_release(&onlooker);
	autoscaler_release(&first);
}

static void damage(void)
{
	char garbage[5000];

	memset(garbage, 'x', sizeof(garbage));
	garbage[sizeof(garbage) - 1] = '\0';
	suite_write("state/shop/autoscale/journal.db", garbage);
}

static void test_damaged(void **state)
{
	struct autoscaler autoscaler = open_memory(true);

	(void)state;
	scale_once(&autoscaler, SCALE_UP, true);
	autoscaler_release(&autoscaler);
	damage();

	/* Who only looks mends nothing. */
	autoscaler = open_memory(false);
	assert_int_equal(read_memory(&autoscaler).state, SCALE_LOST);
	assert_non_null(autoscaler.note);
	autoscaler_release(&autoscaler);

	autoscaler = open_memory(true);
	assert_non_null(strstr(autoscaler.note, "a new memory begins"));
	assert_int_equal(read_memory(&autoscaler).state, SCALE_SINCE);
	autoscaler_release(&autoscaler);
	autoscaler = open_memory(true);
	assert_null(autoscaler.note);
	assert_int_equal(read_memory(&autoscaler).state, SCALE_SINCE);
	autoscaler_release(&autoscaler);
}

static void test_expanded(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "${service}=${replicas}", "worker=12" },
		{ "${replicas}${replicas}", "1212" },
		{ "$service ${other} $(id)", "$service ${other} $(id)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *text = scale_expand(cases[i][0], "worker", 12);

		assert_string_equal(text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_first_look_and_first_use, setup, suite_teardown),
		cmocka_unit_test_setup_teardown(test_survives, setup, suite_teardown),
		cmocka_unit_test_setup_teardown(test_intent_counts, setup, suite_teardown),
		cmocka_unit_test_setup_teardown(test_one_applies, setup, suite_teardown),
		cmocka_unit_test_setup_teardown(test_damaged, setup, suite_teardown),
		cmocka_unit_test(test_expanded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
