/* What measurements mean: every result, every policy, and the sentence. */
#include "canaryctl/check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct check_kind share_kind = { .name = "ratio", .unit = UNIT_SHARE };

/* A ratio check with all three conditions, and the verdict on what is put into `m`. */
struct fixture {
	struct check_config check;
	struct measurement m;
	struct verdict verdict;
};

static int setup(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	f.check.name = (char *)(uintptr_t) "error-rate";
	f.check.kind = &share_kind;
	f.check.min_samples = 50;
	assert_int_equal(condition_parse("< 0.5%", &f.check.require, NULL), 0);
	assert_int_equal(condition_parse("< 0.2%", &f.check.prefer, NULL), 0);
	assert_int_equal(condition_parse("> 1%", &f.check.critical, NULL), 0);
	*state = &f;
	return 0;
}

static enum check_result judge(struct fixture *f)
{
	measurement_apply_conditions(&f->m, &f->check);
	check_judge(&f->check, &f->m, &f->verdict);
	return f->verdict.result;
}

static enum check_result judge_counts(struct fixture *f, double bad, double total)
{
	f->m = (struct measurement){
		.measured = MEASURED_VALUE,
		.has_value = true,
		.value = bad / total,
		.has_samples = true,
		.samples = total,
		.has_bad = true,
		.bad = bad,
		.span_s = 60,
	};
	return judge(f);
}

static enum check_result judge_nothing(struct fixture *f, enum no_data_reason reason)
{
	f->m = (struct measurement){ .measured = MEASURED_NO_DATA, .reason = reason };
	snprintf(f->m.message, sizeof(f->m.message), "why");
	return judge(f);
}

static void conditions(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(judge_counts(f, 1, 1000), CHECK_PASS);
	assert_string_equal(f->verdict.message, "0.1% is < 0.5% (1 bad of 1000 requests)");
	assert_int_equal(judge_counts(f, 3, 1000), CHECK_WARN);
	assert_string_equal(f->verdict.message,
		"0.3% is not < 0.2%, which is preferred (3 bad of 1000 requests)");
	assert_int_equal(judge_counts(f, 5, 1000), CHECK_FAIL);
	assert_false(f->verdict.is_critical);
	assert_string_equal(f->verdict.message, "0.5% is not < 0.5% (5 bad of 1000 requests)");
	assert_int_equal(judge_counts(f, 80, 1000), CHECK_FAIL);
	assert_true(f->verdict.is_critical);
	assert_string_equal(
		f->verdict.message, "8% is > 1%, which is critical (80 bad of 1000 requests)");
	assert_int_equal(judge_counts(f, 0, 50), CHECK_PASS);
}

static void too_few_samples(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(judge_counts(f, 0, 49), CHECK_NO_DATA);
	assert_int_equal(f->verdict.measurement.reason, NO_DATA_TOO_FEW);
	/* 49 in 60 s: one more in about 2 s */
	assert_string_equal(f->verdict.message,
		"too few samples: 49 of 50; about 2s more at this rate; so far 0%");
	/* 6 a minute are 30 in a full window: never 50 */
	assert_int_equal(judge_counts(f, 0, 6), CHECK_NO_DATA);
	assert_non_null(strstr(f->verdict.message, "a window of 5m holds about 30"));
	/* an unknown number is too few */
	judge_counts(f, 0, 1000);
	f->m.has_samples = false;
	assert_int_equal(judge(f), CHECK_NO_DATA);
	f->m.has_samples = true;
	f->m.samples = (double)NAN;
	assert_int_equal(judge(f), CHECK_NO_DATA);
}

static void critical_counts_from_three_bad_requests(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(judge_counts(f, 2, 2), CHECK_NO_DATA);
	assert_false(f->verdict.is_critical);
	assert_int_equal(judge_counts(f, 3, 10), CHECK_FAIL);
	assert_true(f->verdict.is_critical);
	/* a kind that counts no bad ones cannot be critical on too little */
	judge_counts(f, 3, 10);
	f->m.has_bad = false;
	assert_int_equal(judge(f), CHECK_NO_DATA);
	/* seen before a target went down: still real requests */
	judge_counts(f, 30, 100);
	f->m.measured = MEASURED_NO_DATA;
	f->m.reason = NO_DATA_SCRAPE_DOWN;
	assert_int_equal(judge(f), CHECK_FAIL);
	assert_true(f->verdict.is_critical);
	f->m.reason = NO_DATA_PARTIAL;
	assert_int_equal(judge(f), CHECK_NO_DATA);
}

static void nan_never_passes_and_infinity_fails(void **state)
{
	struct fixture *f = *state;

	judge_counts(f, 0, 1000);
	f->m.value = (double)NAN;
	assert_int_equal(judge(f), CHECK_NO_DATA);
	assert_int_equal(f->verdict.measurement.reason, NO_DATA_NAN);
	f->m.value = (double)INFINITY;
	assert_int_equal(judge(f), CHECK_FAIL);
	f->m.value = -(double)INFINITY; /* "< 0.5%" holds, and means nothing */
	assert_int_equal(judge(f), CHECK_FAIL);
	assert_string_equal(f->verdict.message,
		"the value is -Inf, which never passes (0 bad of 1000 requests)");
}

static void policies(void **state)
{
	static const struct {
		enum no_data_reason reason;
		enum check_result pass, zero;
	} rows[] = {
		{ NO_DATA_NO_REQUESTS, CHECK_PASS, CHECK_PASS },
		{ NO_DATA_NO_SERIES, CHECK_PASS, CHECK_PASS },
		{ NO_DATA_NAN, CHECK_PASS, CHECK_PASS },
		{ NO_DATA_TOO_FEW, CHECK_PASS, CHECK_NO_DATA },
		/* could not see: that is no absence */
		{ NO_DATA_SCRAPE_DOWN, CHECK_NO_DATA, CHECK_NO_DATA },
		{ NO_DATA_PARTIAL, CHECK_NO_DATA, CHECK_NO_DATA },
	};
	struct fixture *f = *state;

	f->check.min_samples = 0;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		f->check.no_data = NO_DATA_INCONCLUSIVE;
		assert_int_equal(judge_nothing(f, rows[i].reason), CHECK_NO_DATA);
		f->check.no_data = NO_DATA_FAIL;
		assert_int_equal(judge_nothing(f, rows[i].reason), CHECK_FAIL);
		assert_false(f->verdict.is_critical);
		f->check.no_data = NO_DATA_PASS;
		assert_int_equal(judge_nothing(f, rows[i].reason), rows[i].pass);
		f->check.no_data = NO_DATA_ZERO;
		assert_int_equal(judge_nothing(f, rows[i].reason), rows[i].zero);
	}
}

static void zero_needs_requests_where_they_are_counted(void **state)
{
	struct fixture *f = *state;

	f->check.no_data = NO_DATA_ZERO;
	assert_int_equal(judge_nothing(f, NO_DATA_NO_SERIES), CHECK_NO_DATA);
	f->m.has_samples = true;
	f->m.samples = 49;
	assert_int_equal(judge(f), CHECK_NO_DATA);
	f->m.samples = 50;
	assert_int_equal(judge(f), CHECK_PASS);
	assert_non_null(strstr(f->verdict.message, "no data is taken as 0"));
	/* and 0 is judged like any value */
	assert_int_equal(condition_parse("> 10", &f->check.require, NULL), 0);
	assert_int_equal(judge(f), CHECK_FAIL);
}

static void baselines(void **state)
{
	static const struct check_kind kind = { .name = "prometheus", .unit = UNIT_PLAIN };
	struct fixture *f = *state;

	memset(&f->check, 0, sizeof(f->check));
	f->check.kind = &kind;
	assert_int_equal(condition_parse("< 2 * baseline", &f->check.require, NULL), 0);
	f->m = (struct measurement){ .measured = MEASURED_VALUE,
		.has_value = true,
		.value = 5,
		.has_baseline = true,
		.baseline = 2 };
	assert_int_equal(judge(f), CHECK_FAIL);
	assert_string_equal(f->verdict.message, "5 is not < 2 * baseline (baseline 2, limit 4)");
	f->m.value = 3;
	assert_int_equal(judge(f), CHECK_PASS);
	f->m.baseline = (double)NAN;
	assert_int_equal(judge(f), CHECK_NO_DATA);
	f->m.baseline = (double)INFINITY; /* anything is less than that */
	assert_int_equal(judge(f), CHECK_NO_DATA);
	f->m.has_baseline = false;
	assert_int_equal(judge(f), CHECK_NO_DATA);
	assert_string_equal(f->verdict.message, "the baseline has no data");
}

static void errors(void **state)
{
	struct fixture *f = *state;

	f->m = (struct measurement){ .measured = MEASURED_ERROR };
	error_set(&f->m.error, ERROR_NET, 0, "connection refused");
	f->check.no_data = NO_DATA_PASS; /* not to be able to ask is no absence */
	assert_int_equal(judge(f), CHECK_ERROR);
	assert_string_equal(f->verdict.message, "could not ask: connection refused");
}

static void a_kinds_own_reason(void **state)
{
	struct fixture *f = *state;

	memset(&f->check, 0, sizeof(f->check));
	f->m = (struct measurement){ .measured = MEASURED_VALUE, .has_value = true, .value = 0.2 };
	assert_int_equal(judge(f), CHECK_PASS);
	f->m.fails = true;
	snprintf(f->m.message, sizeof(f->m.message), "status 500 came, 200 was expected");
	assert_int_equal(judge(f), CHECK_FAIL);
	assert_string_equal(f->verdict.message, "status 500 came, 200 was expected");
}

static void warnings_and_series_are_shown(void **state)
{
	struct fixture *f = *state;

	judge_counts(f, 9, 1000);
	snprintf(f->m.series, sizeof(f->m.series), "pod=\"a\"");
	snprintf(f->m.warning, sizeof(f->m.warning), "store b is down");
	judge(f);
	assert_string_equal(f->verdict.message,
		"0.9% is not < 0.5% (9 bad of 1000 requests) for {pod=\"a\"}; Prometheus warns: "
		"store b is down");
}

static void values_for_people(void **state)
{
	char text[CHECK_VALUE_TEXT_SIZE];

	(void)state;
	assert_string_equal(check_format_value(UNIT_SHARE, 0.0008, text), "0.08%");
	assert_string_equal(check_format_value(UNIT_SHARE, 1, text), "100%");
	assert_string_equal(check_format_value(UNIT_SHARE, 0.9996, text), "99.96%");
	assert_string_equal(check_format_value(UNIT_SHARE, 12.34, text), "1234%");
	assert_string_equal(check_format_value(UNIT_SECONDS, 0.25, text), "250ms");
	assert_string_equal(check_format_value(UNIT_SECONDS, 2.314, text), "2.31s");
	assert_string_equal(check_format_value(UNIT_SECONDS, 0, text), "0s");
	assert_string_equal(check_format_value(UNIT_PLAIN, 1234567, text), "1.23457e+06");
	assert_string_equal(check_format_value(UNIT_PLAIN, (double)NAN, text), "NaN");
	assert_string_equal(check_result_name(CHECK_NO_DATA), "NO_DATA");
	assert_string_equal(check_result_name((enum check_result)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(conditions, setup),
		cmocka_unit_test_setup(too_few_samples, setup),
		cmocka_unit_test_setup(critical_counts_from_three_bad_requests, setup),
		cmocka_unit_test_setup(nan_never_passes_and_infinity_fails, setup),
		cmocka_unit_test_setup(policies, setup),
		cmocka_unit_test_setup(zero_needs_requests_where_they_are_counted, setup),
		cmocka_unit_test_setup(baselines, setup),
		cmocka_unit_test_setup(errors, setup),
		cmocka_unit_test_setup(a_kinds_own_reason, setup),
		cmocka_unit_test_setup(warnings_and_series_are_shown, setup),
		cmocka_unit_test(values_for_people),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
