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
	METRIC_SCHEMA_FIXES,
	METRIC_LLM_REQUESTS,
	METRIC_LLM_FAILURES,
	METRIC_JSON_RETRIES,
	METRIC_JSON_FALLBACKS,
	METRIC_ENSEMBLE_VOTES,
	METRIC_DOWNSHIFTS,
	METRIC_BREAKER_STATE,
	METRIC_LLM_HEALTH,
	METRIC_CACHE_HITS,
	METRIC_CACHE_MISSES,
	METRIC_CACHE_HIT_RATE,
	METRIC_CACHE_SIZE,
	METRIC_DISTRIBUTION,
	METRIC_DISTRIBUTION_DEVIATION,
	METRIC_TRAINING_LOSS,
	METRIC_RL_UPDATES,
	METRIC_PPO_STEP,
	METRIC_PPO_ENTROPY,
	METRIC_PPO_LOSS,
	METRIC_PPO_REWARD,
	METRIC_REWARD_MEAN,
	METRIC_REWARD_STD,
	METRIC_CHECKPOINT_SAVES,
	METRIC_CHECKPOINT_ROLLBACKS,
	METRIC_QUEUE_DEPTH,
	METRIC_GPU_TOTAL,
	METRIC_GPU_USED,
	METRIC_GPU_FREE,
	METRIC_DCGM_USED,
	METRIC_DCGM_FREE,
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
