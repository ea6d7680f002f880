/* Classic histograms: see canaryctl/buckets.h. Bounds are compared as numbers. */
#include "canaryctl/buckets.h"
#include "canaryctl/buf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "count by (le) (...)", as a server says it: no number of series is beyond this. */
static size_t series_of(double said)
{
	static const double most = 1e9;

	return !(said > 0) ? 0 : (size_t)fmin(said, most);
}

static bool parse_bound(const char *le, double *ret_bound)
{
	char *end;

	if (!*le || (le[strspn(le, "0123456789+-.eE")] && strcmp(le, "+Inf") != 0))
		return false;
	*ret_bound = strtod(le, &end);
	return !*end;
}

static int compare_buckets(const void *left, const void *right)
{
	double a = ((const struct bucket *)left)->bound, b = ((const struct bucket *)right)->bound;

	return (a > b) - (a < b);
}

static void merge_equal(struct buckets *buckets)
{
	size_t kept = 0;

	for (size_t i = 0; i < buckets->count; i++) {
		struct bucket *last = kept ? &buckets->items[kept - 1] : NULL;

		if (last && last->bound == buckets->items[i].bound) {
			last->count += buckets->items[i].count;
			last->series += buckets->items[i].series;
		} else {
			buckets->items[kept++] = buckets->items[i];
		}
	}
	buckets->count = kept;
}

int buckets_build(const struct prom_result *result, const double *counts, struct arena *arena,
	struct buckets *ret_buckets, struct error *err)
{
	memset(ret_buckets, 0, sizeof(*ret_buckets));
	ret_buckets->items = arena_alloc(arena, result->series_count * sizeof(struct bucket));
	for (size_t i = 0; i < result->series_count; i++) {
		const struct prom_series *series = &result->series[i];
		const char *le = prom_series_label(series, "le");
		struct bucket *bucket = &ret_buckets->items[ret_buckets->count];

		if (!series->sample_count)
			continue;
		if (!parse_bound(le, &bucket->bound)) {
			CLEANUP_BUF struct buf shown = BUF_INIT(60);

			buf_add_printable(&shown, le);
			return error_set(err, ERROR_CONFIG, 0,
				"not a histogram: a series has le='%s', which is no bucket's bound",
				buf_text(&shown));
		}
		bucket->count = counts ? counts[i] : series->samples[0].value;
		bucket->series = counts ? 1 : series_of(series->samples[0].value);
		ret_buckets->count++;
	}
	if (ret_buckets->count)
		qsort(ret_buckets->items, ret_buckets->count, sizeof(struct bucket),
			compare_buckets);
	merge_equal(ret_buckets);
	if (!ret_buckets->count || !isinf(ret_buckets->items[ret_buckets->count - 1].bound))
		return error_set(
			err, ERROR_CONFIG, 0, "the histogram has no bucket with le=\"+Inf\"");
	return 0;
}

double buckets_total(const struct buckets *buckets)
{
	return buckets->items[buckets->count - 1].count;
}

/* The bounds around one that does not exist. */
static int refuse_limit(const struct buckets *buckets, double limit, struct error *err)
{
	CLEANUP_BUF struct buf near = { 0 };
	size_t above = 0;

	while (buckets->items[above].bound < limit)
		above++;
	if (above)
		buf_add_format(&near, "%gs", buckets->items[above - 1].bound);
	if (isfinite(buckets->items[above].bound))
		buf_add_format(&near, "%s%gs", above ? " and " : "", buckets->items[above].bound);
	error_set(err, ERROR_CONFIG, 0,
		"the limit %gs is no bound of the histogram's buckets; the nearest: %s", limit,
		near.length ? buf_text(&near) : "none, there is only +Inf");
	return error_hint(err,
		"use one of these as the limit, or add a bucket of %g to the application: between "
		"bounds a histogram only guesses",
		limit);
}

int buckets_within(
	const struct buckets *buckets, double limit, double *ret_count, struct error *err)
{
	const struct bucket *top = &buckets->items[buckets->count - 1];

	for (size_t i = 0; i + 1 < buckets->count; i++) {
		const struct bucket *bucket = &buckets->items[i];

		/* 0.1 + 0.2 and "0.3" are the same bound. */
		if (fabs(bucket->bound - limit) > 1e-9 * fmax(1, fabs(limit)))
			continue;
		if (bucket->series != top->series)
			return error_set(err, ERROR_METRICS, 0,
				"only %zu of %zu series have a bucket with the bound %gs",
				bucket->series, top->series, limit);
		*ret_count = bucket->count;
		return 0;
	}
	return refuse_limit(buckets, limit, err);
}

static bool is_complete(const struct buckets *buckets)
{
	for (size_t i = 1; i < buckets->count; i++) {
		if (buckets->items[i].series != buckets->items[0].series ||
			buckets->items[i].count < buckets->items[i - 1].count)
			return false;
	}
	return buckets->count >= 2;
}

bool buckets_quantile(
	const struct buckets *buckets, double quantile, double *ret_value, bool *ret_beyond)
{
	double total = buckets->count ? buckets_total(buckets) : 0;
	double rank = quantile * total;
	double lower = 0, below = 0;
	size_t i = 0;

	*ret_beyond = false;
	if (!(total > 0) || !is_complete(buckets))
		return false;
	while (i + 1 < buckets->count && buckets->items[i].count < rank)
		i++;
	if (i + 1 == buckets->count) {
		*ret_value = buckets->items[i - 1].bound;
		*ret_beyond = true;
		return true;
	}
	if (i) {
		lower = buckets->items[i - 1].bound;
		below = buckets->items[i - 1].count;
	} else if (buckets->items[0].bound <= 0) {
		*ret_value = buckets->items[0].bound;
		return true;
	}
	*ret_value = buckets->items[i].bound;
	if (buckets->items[i].count > below)
		*ret_value = lower + (buckets->items[i].bound - lower) * (rank - below) /
					     (buckets->items[i].count - below);
	return true;
}
