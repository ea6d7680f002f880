/* Classic histograms: limits are bounds, quantiles are only shown. */
#include "canaryctl/buckets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

struct row {
	const char *le;
	double count;
};

static struct arena arena;
static struct error err;

static int build(const struct row *rows, size_t count, struct buckets *ret_buckets)
{
	struct prom_result result = { .type = PROM_MATRIX, .series_count = count };
	double *counts = arena_alloc(&arena, count * sizeof(*counts));

	result.series = arena_alloc(&arena, count * sizeof(*result.series));
	for (size_t i = 0; i < count; i++) {
		struct prom_series *series = &result.series[i];

		counts[i] = rows[i].count;
		series->labels = arena_alloc(&arena, sizeof(*series->labels));
		series->labels[0] = (struct prom_label){ "le", rows[i].le };
		series->label_count = 1;
		series->samples = arena_alloc(&arena, sizeof(*series->samples));
		series->sample_count = 1;
	}
	error_clear(&err);
	return buckets_build(&result, counts, &arena, ret_buckets, &err);
}

#define BUILD(buckets, ...)                                                                        \
	build((const struct row[]){ __VA_ARGS__ },                                                 \
		sizeof((const struct row[]){ __VA_ARGS__ }) / sizeof(struct row), buckets)

static int clean(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void bounds_compare_as_numbers(void **state)
{
	struct buckets b;
	double within;

	(void)state;
	/* two clients spell 1 differently; order does not matter */
	assert_int_equal(BUILD(&b, { "+Inf", 10 }, { "1", 4 }, { "1.0", 5 }, { "+Inf", 8 },
				 { "0.5", 3 }, { "5e-01", 2 }),
		0);
	assert_int_equal(b.count, 3);
	assert_true(buckets_total(&b) == 18);
	assert_int_equal(buckets_within(&b, 1, &within, &err), 0);
	assert_true(within == 9);
	assert_int_equal(buckets_within(&b, 0.5, &within, &err), 0);
	assert_true(within == 5);
}

static void a_limit_that_is_no_bound_names_the_neighbours(void **state)
{
	struct buckets b;
	double within;

	(void)state;
	assert_int_equal(BUILD(&b, { "1", 1 }, { "2.5", 2 }, { "+Inf", 3 }), 0);
	assert_int_equal(buckets_within(&b, 2, &within, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_non_null(strstr(err.message, "1s and 2.5s"));
	assert_int_equal(buckets_within(&b, 3.2, &within, &err), -1);
	assert_non_null(strstr(err.message, "nearest: 2.5s"));
	assert_int_equal(buckets_within(&b, 0.1, &within, &err), -1);
	assert_non_null(strstr(err.message, "nearest: 1s"));
}

static void series_without_the_bucket_are_no_evidence(void **state)
{
	struct buckets b;
	double within;

	(void)state;
	assert_int_equal(
		BUILD(&b, { "1", 1 }, { "2.5", 2 }, { "1", 1 }, { "+Inf", 3 }, { "+Inf", 3 }), 0);
	assert_int_equal(buckets_within(&b, 1, &within, &err), 0);
	assert_int_equal(buckets_within(&b, 2.5, &within, &err), -1);
	assert_int_equal(err.kind, ERROR_METRICS);
	assert_non_null(strstr(err.message, "only 1 of 2"));
}

static void what_is_no_histogram_is_refused(void **state)
{
	struct buckets b;

	(void)state;
	assert_int_equal(BUILD(&b, { "1", 1 }), -1);
	assert_non_null(strstr(err.message, "+Inf"));
	assert_int_equal(BUILD(&b, { "one", 1 }, { "+Inf", 1 }), -1);
	assert_int_equal(BUILD(&b, { "", 1 }), -1);
}

static void expect_quantile(const struct buckets *b, double q, double value, bool beyond)
{
	double got = 0;
	bool got_beyond = false;

	assert_true(buckets_quantile(b, q, &got, &got_beyond));
	assert_true(fabs(got - value) < 1e-12);
	assert_int_equal(got_beyond, beyond);
}

/* The rules of histogram_quantile(). */
static void quantiles_are_interpolated(void **state)
{
	struct buckets b;
	double value;
	bool beyond;

	(void)state;
	assert_int_equal(BUILD(&b, { "1", 50 }, { "2", 90 }, { "4", 93 }, { "+Inf", 100 }), 0);
	expect_quantile(&b, 0.5, 1, false);
	expect_quantile(&b, 0.25, 0.5, false);
	expect_quantile(&b, 0.7, 1.5, false);
	/* 7 % are above the top bound: histogram_quantile says 4, and `p95 <= 4` always passed */
	expect_quantile(&b, 0.95, 4, true);
	assert_int_equal(BUILD(&b, { "1", 0 }, { "+Inf", 0 }), 0);
	assert_false(buckets_quantile(&b, 0.95, &value, &beyond));
	assert_int_equal(BUILD(&b, { "+Inf", 10 }), 0);
	assert_false(buckets_quantile(&b, 0.95, &value, &beyond));
}

/* Found by fuzz_prom: a count of series that no size_t can hold. */
static void a_count_of_series_is_bounded(void **state)
{
	static const double said[] = { 4.4e70, INFINITY, -1, NAN };
	static const size_t expected[] = { 1000000000, 1000000000, 0, 0 };
	struct prom_label le = { "le", "+Inf" };

	(void)state;
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		struct prom_sample sample = { .value = said[i] };
		struct prom_series series = {
			.labels = &le, .label_count = 1, .samples = &sample, .sample_count = 1
		};
		struct prom_result result = { .series = &series, .series_count = 1 };
		struct buckets b;

		assert_int_equal(buckets_build(&result, NULL, &arena, &b, &err), 0);
		assert_int_equal(b.items[0].series, expected[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(bounds_compare_as_numbers, clean),
		cmocka_unit_test_teardown(a_limit_that_is_no_bound_names_the_neighbours, clean),
		cmocka_unit_test_teardown(series_without_the_bucket_are_no_evidence, clean),
		cmocka_unit_test_teardown(what_is_no_histogram_is_refused, clean),
		cmocka_unit_test_teardown(a_count_of_series_is_bounded, clean),
		cmocka_unit_test_teardown(quantiles_are_interpolated, clean),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
