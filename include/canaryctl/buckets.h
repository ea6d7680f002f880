/*
 * Classic histograms from exact counts. A quantile is judged by counting ("at least 95 % of
 * requests within 2.5 s", exact when 2.5 is a bucket's bound) and only shown interpolated:
 * histogram_quantile() answers with the highest finite bound for anything beyond it. Pure.
 */
#ifndef CANARYCTL_BUCKETS_H
#define CANARYCTL_BUCKETS_H

#include "canaryctl/error.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"

#include <stdbool.h>
#include <stddef.h>

struct bucket {
	double bound; /* the last one is +Inf */
	double count; /* requests within the bound, as in Prometheus: cumulative */
	size_t series;
};

struct buckets {
	struct bucket *items; /* rising bounds, each once: "1" and "1.0" are the same */
	size_t count;
};

/*
 * From series with a label `le`. counts: one per series, or NULL for the vector's own values.
 * Fails when an `le` is no number, or the bucket +Inf is missing. Memory is the arena's.
 */
int buckets_build(const struct prom_result *result, const double *counts, struct arena *arena,
	struct buckets *ret_buckets, struct error *err);

double buckets_total(const struct buckets *buckets);

/*
 * The requests within `limit`. Fails when it is no bound (ERROR_CONFIG, naming the neighbours) or
 * when some series lack that bucket.
 */
int buckets_within(
	const struct buckets *buckets, double limit, double *ret_count, struct error *err);

/*
 * The interpolated quantile by histogram_quantile()'s rules. False when there is nothing to show.
 * *ret_beyond: it is somewhere above *ret_value, the highest finite bound.
 */
bool buckets_quantile(
	const struct buckets *buckets, double quantile, double *ret_value, bool *ret_beyond);

#endif
