/* What a stage's evaluations amount to. */
#include "test.h"

#include "canaryctl/mem.h"
#include "canaryctl/stage.h"

#include <math.h>
#include <string.h>

enum { CHECKS = 2, SETTLE = 60, OBSERVE = 900, INTERVAL = 15 };

struct stage_case {
	struct check_config checks[CHECKS];
	struct check_report reports[CHECKS];
	struct check_report *records[CHECKS];
	struct verdict verdicts[CHECKS];
	struct stage_rules rules;
	const struct check_report *deciding;
};

static void setup_case(struct stage_case *c)
{
	memset(c, 0, sizeof(*c));
	c->rules = (struct stage_rules){
		.settle_ms = SETTLE, .observe_ms = OBSERVE, .consecutive_failures = 3
	};
	for (int i = 0; i < CHECKS; i++) {
		c->checks[i].name = (char *)(i ? "second" : "first");
		c->reports[i].check = &c->checks[i];
		c->records[i] = &c->reports[i];
	}
}

static enum stage_decision take(
	struct stage_case *c, int64_t at, enum check_result first, enum check_result second)
{
	c->verdicts[0] = (struct verdict){ .check = &c->checks[0], .result = first };
	c->verdicts[1] = (struct verdict){ .check = &c->checks[1], .result = second };
	return stage_take(&c->rules, at, c->verdicts, c->records, CHECKS, &c->deciding);
}

static void passes_at_its_end_and_not_before(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	for (int at = INTERVAL; at < OBSERVE; at += INTERVAL)
		assert_int_equal(take(&c, at, CHECK_PASS, CHECK_WARN), STAGE_GO_ON);
	assert_int_equal(take(&c, OBSERVE, CHECK_PASS, CHECK_WARN), STAGE_HAS_PASSED);
	assert_null(c.deciding);
	/* From 60 to 900 in steps of 15. */
	assert_int_equal(c.reports[0].evaluations, 57);
}

static void three_failures_in_a_row_end_it(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	assert_int_equal(take(&c, 75, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 90, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 105, CHECK_PASS, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 120, CHECK_FAIL, CHECK_FAIL), STAGE_GO_ON);
	/* What could not be asked breaks no row and adds to none. */
	assert_int_equal(take(&c, 135, CHECK_NO_DATA, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 150, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 165, CHECK_FAIL, CHECK_PASS), STAGE_HAS_FAILED);
	assert_ptr_equal(c.deciding, &c.reports[0]);
}

static void failures_before_settle_decide_nothing(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	for (int at = 0; at < SETTLE; at += 5)
		assert_int_equal(take(&c, at, CHECK_FAIL, CHECK_FAIL), STAGE_GO_ON);
	assert_int_equal(c.reports[0].evaluations, 0);
}

static void canary_health_counts_before_settle(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	c.checks[0].counts_at_once = true;
	assert_int_equal(take(&c, 15, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 30, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 45, CHECK_FAIL, CHECK_PASS), STAGE_HAS_FAILED);
}

static void critical_ends_it_at_once(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	c.verdicts[0] = (struct verdict){ .check = &c.checks[0], .result = CHECK_PASS };
	c.verdicts[1] = (struct verdict){
		.check = &c.checks[1], .result = CHECK_FAIL, .is_critical = true
	};
	assert_int_equal(stage_take(&c.rules, 1, c.verdicts, c.records, CHECKS, &c.deciding),
		STAGE_HAS_FAILED);
	assert_ptr_equal(c.deciding, &c.reports[1]);
}

static void one_failure_at_the_end_is_enough(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	assert_int_equal(take(&c, OBSERVE, CHECK_PASS, CHECK_FAIL), STAGE_HAS_FAILED);
	assert_ptr_equal(c.deciding, &c.reports[1]);
}

static void absence_of_evidence_is_not_a_pass(void **state)
{
	static const enum check_result lacking[] = { CHECK_NO_DATA, CHECK_ERROR };
	struct stage_case c;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lacking); i++) {
		setup_case(&c);
		assert_int_equal(take(&c, 600, CHECK_PASS, CHECK_PASS), STAGE_GO_ON);
		assert_int_equal(take(&c, OBSERVE, CHECK_PASS, lacking[i]), STAGE_IS_UNDECIDED);
		assert_ptr_equal(c.deciding, &c.reports[1]);
		/* A failure goes before not knowing. */
		assert_int_equal(take(&c, OBSERVE, CHECK_FAIL, lacking[i]), STAGE_HAS_FAILED);
	}
}

static void an_observer_decides_nothing(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	c.checks[1].observe_only = true;
	for (int at = SETTLE; at < OBSERVE; at += INTERVAL)
		assert_int_equal(take(&c, at, CHECK_PASS, CHECK_FAIL), STAGE_GO_ON);
	assert_int_equal(take(&c, OBSERVE, CHECK_PASS, CHECK_NO_DATA), STAGE_HAS_PASSED);
}

static void time_ends_nothing_while_somebody_is_waited_for(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	c.rules.never_ends = true;
	assert_int_equal(take(&c, 10 * OBSERVE, CHECK_NO_DATA, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 10 * OBSERVE, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 10 * OBSERVE, CHECK_FAIL, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take(&c, 10 * OBSERVE, CHECK_FAIL, CHECK_PASS), STAGE_HAS_FAILED);
}

static void rolling_back_goes_before_holding(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	c.checks[0].on_fail = ON_FAIL_HOLD;
	assert_int_equal(take(&c, OBSERVE, CHECK_FAIL, CHECK_FAIL), STAGE_HAS_FAILED);
	assert_ptr_equal(c.deciding, &c.reports[1]);
}

/* One critical check that asks to hold must not hide another's failure at the end. */
static void at_the_end_the_worse_failure_decides(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	c.checks[0].on_fail = ON_FAIL_HOLD;
	c.verdicts[0] = (struct verdict){
		.check = &c.checks[0], .result = CHECK_FAIL, .is_critical = true
	};
	c.verdicts[1] = (struct verdict){ .check = &c.checks[1], .result = CHECK_FAIL };
	assert_int_equal(stage_take(&c.rules, OBSERVE, c.verdicts, c.records, CHECKS, &c.deciding),
		STAGE_HAS_FAILED);
	assert_ptr_equal(c.deciding, &c.reports[1]);
}

static void recent_values_are_kept_in_order(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	for (int i = 0; i < SPARKLINE_POINTS + 5; i++) {
		c.verdicts[0] = (struct verdict){ .check = &c.checks[0],
			.measurement = { .has_value = true, .value = i } };
		c.verdicts[1] = (struct verdict){ .check = &c.checks[1] };
		stage_take(&c.rules, 100, c.verdicts, c.records, CHECKS, &c.deciding);
	}
	assert_int_equal(c.reports[0].recent_count, SPARKLINE_POINTS);
	assert_true(c.reports[0].recent[0] == 5);
	assert_true(c.reports[0].recent[SPARKLINE_POINTS - 1] == SPARKLINE_POINTS + 4);
	assert_true(isnan(c.reports[1].recent[0]));
}

static void checks_are_asked_from_their_stage_on(void **state)
{
	struct check_config check = { .from_stage = 500 };

	(void)state;
	assert_false(stage_asks(&check, 499));
	assert_true(stage_asks(&check, 500));
	assert_true(stage_asks(&check, 10000));
}

/* ---- evidence ---- */

static void evidence_that_fails_for_good_fails_at_once(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	take(&c, SETTLE, CHECK_PASS, CHECK_NO_DATA);
	c.verdicts[0] = (struct verdict){ .check = &c.checks[0], .result = CHECK_PASS };
	c.verdicts[1] = (struct verdict){ .check = &c.checks[1],
		.result = CHECK_FAIL,
		.is_critical = true,
		.measurement.is_decisive = true };
	assert_int_equal(
		stage_take(&c.rules, SETTLE + INTERVAL, c.verdicts, c.records, CHECKS, &c.deciding),
		STAGE_HAS_FAILED);
	assert_ptr_equal(c.deciding, &c.reports[1]);
}

static enum stage_decision take_ending(
	struct stage_case *c, int64_t at, enum check_result first, enum check_result second)
{
	c->verdicts[0] = (struct verdict){ .check = &c->checks[0], .result = first };
	c->verdicts[1] = (struct verdict){ .check = &c->checks[1],
		.result = second,
		.measurement.may_end_stage = second == CHECK_PASS };
	return stage_take(&c->rules, at, c->verdicts, c->records, CHECKS, &c->deciding);
}

static void proof_may_end_a_stage_early(void **state)
{
	static const enum check_result others[] = { CHECK_FAIL, CHECK_NO_DATA, CHECK_ERROR };
	struct stage_case c;

	(void)state;
	setup_case(&c);
	assert_int_equal(take_ending(&c, 0, CHECK_PASS, CHECK_PASS), STAGE_GO_ON);
	assert_int_equal(take_ending(&c, SETTLE, CHECK_PASS, CHECK_NO_DATA), STAGE_GO_ON);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(take_ending(&c, SETTLE, others[i], CHECK_PASS), STAGE_GO_ON);
	c.rules.never_ends = true;
	assert_int_equal(take_ending(&c, SETTLE, CHECK_PASS, CHECK_PASS), STAGE_GO_ON);
	c.rules.never_ends = false;
	assert_int_equal(take_ending(&c, SETTLE, CHECK_WARN, CHECK_PASS), STAGE_HAS_PASSED);
	/* One that is only observed neither ends it nor stands in the way. */
	c.checks[1].observe_only = true;
	assert_int_equal(take_ending(&c, SETTLE, CHECK_PASS, CHECK_PASS), STAGE_GO_ON);
}

static void a_stage_may_pass_undecided_on_purpose(void **state)
{
	struct stage_case c;

	(void)state;
	setup_case(&c);
	take(&c, SETTLE, CHECK_PASS, CHECK_PASS);
	c.rules.undecided_passes = true;
	/* What could not be seen is not what is undecided. */
	assert_int_equal(take(&c, OBSERVE, CHECK_PASS, CHECK_NO_DATA), STAGE_IS_UNDECIDED);
	c.verdicts[1].measurement.is_undecided = true;
	assert_int_equal(stage_take(&c.rules, OBSERVE, c.verdicts, c.records, CHECKS, &c.deciding),
		STAGE_HAS_PASSED);
	c.rules.undecided_passes = false;
	assert_int_equal(stage_take(&c.rules, OBSERVE, c.verdicts, c.records, CHECKS, &c.deciding),
		STAGE_IS_UNDECIDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passes_at_its_end_and_not_before),
		cmocka_unit_test(three_failures_in_a_row_end_it),
		cmocka_unit_test(failures_before_settle_decide_nothing),
		cmocka_unit_test(canary_health_counts_before_settle),
		cmocka_unit_test(critical_ends_it_at_once),
		cmocka_unit_test(one_failure_at_the_end_is_enough),
		cmocka_unit_test(absence_of_evidence_is_not_a_pass),
		cmocka_unit_test(an_observer_decides_nothing),
		cmocka_unit_test(time_ends_nothing_while_somebody_is_waited_for),
		cmocka_unit_test(rolling_back_goes_before_holding),
		cmocka_unit_test(at_the_end_the_worse_failure_decides),
		cmocka_unit_test(recent_values_are_kept_in_order),
		cmocka_unit_test(checks_are_asked_from_their_stage_on),
		cmocka_unit_test(evidence_that_fails_for_good_fails_at_once),
		cmocka_unit_test(proof_may_end_a_stage_early),
		cmocka_unit_test(a_stage_may_pass_undecided_on_purpose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
