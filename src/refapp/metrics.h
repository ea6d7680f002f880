/*
 * The application's metrics, and their rendering in the Prometheus text format. As with real client
 * libraries a labelled series does not exist before it is first touched. Pure.
 *
 * `version` is the seeds' label for the role: production or canary.
 */
#ifndef REFAPP_METRICS_H
#define REFAPP_METRICS_H

#include "canaryctl/buf.h"

#include <stddef.h>
#include <stdint.h>

enum metric {
	METRIC_REQUESTS,
	METRIC_DURATION,
	METRIC_BRIEFS,
	METRIC_SCHEMA_FAILURES,
	METRIC_TRAINING_LOSS,
	METRIC_BUILD_INFO,
	METRIC_START_TIME,
	METRIC_COUNT
};

struct label {
	const char *name; /* NULL ends a list */
	const char *value;
};
#define LABELS(...)                                                                                \
	(const struct label[])                                                                     \
	{                                                                                          \
		__VA_ARGS__                                                                        \
		{                                                                                  \
			NULL, NULL                                                                 \
		}                                                                                  \
	}
#define LABEL(name, value) { (name), (value) },

struct metric_series;
struct metric_family {
	struct metric_series *series;
	size_t count;
};

/* Start from `= { 0 }`. */
struct metrics {
	struct metric_family families[METRIC_COUNT];
};

void metrics_release(struct metrics *metrics);

void metrics_add(
	struct metrics *metrics, enum metric metric, const struct label *labels, double amount);
void metrics_set(
	struct metrics *metrics, enum metric metric, const struct label *labels, double value);
void metrics_observe(
	struct metrics *metrics, enum metric metric, const struct label *labels, double value);

void metrics_render(const struct metrics *metrics, struct buf *out);

#endif
