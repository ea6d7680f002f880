/* Families in a table, series in arrays (a handful each, so found by scanning): see metrics.h. */
#include "refapp/metrics.h"
#include "canaryctl/error.h"
#include "canaryctl/mem.h"

#include <stdlib.h>
#include <string.h>

enum metric_type { TYPE_COUNTER, TYPE_GAUGE, TYPE_HISTOGRAM };

static const char *const type_names[] = { "counter", "gauge", "histogram" };

static const struct {
	const char *name;
	enum metric_type type;
	const char *help;
} rows[METRIC_COUNT] = {
	[METRIC_REQUESTS] = { "http_requests_total", TYPE_COUNTER,
		"Client API requests that were answered, by mode and status." },
	[METRIC_DURATION] = { "http_request_duration_seconds", TYPE_HISTOGRAM,
		"Model time of the requests that reached a model, by mode." },
	[METRIC_BRIEFS] = { "llm_brief_total", TYPE_COUNTER, "Briefs that a model wrote." },
	[METRIC_SCHEMA_FAILURES] = { "llm_brief_schema_failures_total", TYPE_COUNTER,
		"Briefs that did not match their schema." },
	[METRIC_SCHEMA_FIXES] = { "llm_schema_fix_count_total", TYPE_COUNTER,
		"Briefs that had to be mended to match their schema." },
	[METRIC_LLM_REQUESTS] = { "llm_requests_total", TYPE_COUNTER,
		"Briefs that a language model was asked for." },
	[METRIC_LLM_FAILURES] = { "llm_request_failures_total", TYPE_COUNTER,
		"Calls that a language model did not answer." },
	[METRIC_JSON_RETRIES] = { "llm_json_retries_total", TYPE_COUNTER,
		"Answers that were asked for again because they were no JSON." },
	[METRIC_JSON_FALLBACKS] = { "llm_json_fallback_used_total", TYPE_COUNTER,
		"Briefs that are the fallback because no retry gave JSON." },
	[METRIC_ENSEMBLE_VOTES] = { "llm_ensemble_votes_total", TYPE_COUNTER,
		"Votes of the ensemble that a model won." },
	[METRIC_DOWNSHIFTS] = { "llm_downshift_total", TYPE_COUNTER,
		"Requests that were served in another mode than asked for." },
	[METRIC_BREAKER_STATE] = { "circuit_breaker_state", TYPE_GAUGE,
		"0: closed, 1: open, 2: half open." },
	[METRIC_LLM_HEALTH] = { "llm_health_status", TYPE_GAUGE,
		"1 while the model answers in time and its breaker is closed, else 0." },
	[METRIC_CACHE_HITS] = { "cache_hits_total", TYPE_COUNTER, "Look-ups that were answered." },
	[METRIC_CACHE_MISSES] = { "cache_misses_total", TYPE_COUNTER,
		"Look-ups that were not answered." },
	[METRIC_CACHE_HIT_RATE] = { "cache_hit_rate", TYPE_GAUGE,
		"Share of hits among the last 100 look-ups of a mode." },
	[METRIC_CACHE_SIZE] = { "cache_size", TYPE_GAUGE, "Entries in the cache." },
	[METRIC_DISTRIBUTION] = { "traffic_distribution_percent", TYPE_GAUGE,
		"Share of a mode in the requests of the last 5 minutes." },
	[METRIC_DISTRIBUTION_DEVIATION] = { "traffic_distribution_deviation_percent", TYPE_GAUGE,
		"How far that share is from its target, in percentage points." },
	[METRIC_TRAINING_LOSS] = { "rl_training_loss", TYPE_GAUGE,
		"Loss of the last reinforcement learning update." },
	[METRIC_RL_UPDATES] = { "rl_update_total", TYPE_COUNTER, "Updates of the policy." },
	[METRIC_PPO_STEP] = { "ppo_training_step", TYPE_GAUGE,
		"Training steps so far; a rollback takes some off." },
	[METRIC_PPO_ENTROPY] = { "ppo_entropy_coef", TYPE_GAUGE,
		"Entropy coefficient at this step." },
	[METRIC_PPO_LOSS] = { "ppo_loss", TYPE_GAUGE, "Loss of the last update." },
	[METRIC_PPO_REWARD] = { "ppo_reward", TYPE_GAUGE, "Reward of the last update." },
	[METRIC_REWARD_MEAN] = { "reward_normalizer_mean", TYPE_GAUGE,
		"Mean reward over the window." },
	[METRIC_REWARD_STD] = { "reward_normalizer_std", TYPE_GAUGE,
		"Standard deviation of the rewards over the window." },
	[METRIC_CHECKPOINT_SAVES] = { "checkpoint_saves_total", TYPE_COUNTER,
		"Checkpoints that were saved." },
	[METRIC_CHECKPOINT_ROLLBACKS] = { "checkpoint_rollbacks_total", TYPE_COUNTER,
		"Times that training went back to a checkpoint." },
	[METRIC_QUEUE_DEPTH] = { "queue_depth", TYPE_GAUGE,
		"Work that waits for a language model or for training." },
	[METRIC_GPU_TOTAL] = { "nvidia_gpu_memory_total_bytes", TYPE_GAUGE, "Memory of the GPU." },
	[METRIC_GPU_USED] = { "nvidia_gpu_memory_used_bytes", TYPE_GAUGE,
		"Memory of the GPU that is in use." },
	[METRIC_GPU_FREE] = { "nvidia_gpu_memory_free_bytes", TYPE_GAUGE,
		"Memory of the GPU that is free." },
	[METRIC_DCGM_USED] = { "DCGM_FI_DEV_FB_USED", TYPE_GAUGE,
		"The same as NVIDIA's own exporter has it: MiB in use." },
	[METRIC_DCGM_FREE] = { "DCGM_FI_DEV_FB_FREE", TYPE_GAUGE,
		"The same as NVIDIA's own exporter has it: MiB free." },
	[METRIC_BUILD_INFO] = { "app_build_info", TYPE_GAUGE,
		"Always 1; the version that runs is a label." },
	[METRIC_START_TIME] = { "process_start_time_seconds", TYPE_GAUGE,
		"Start of the process, in seconds since the epoch." },
};

/* The gates' limits (2.5, 3.2 and 4.5 s) are bounds: a share within a limit is then exact. */
static const double bounds[] = { 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.25, 2.5, 2.75, 3.2,
	3.6, 4, 4.5, 5, 6, 7.5, 10, 15, 30 };
#define BOUND_COUNT ARRAY_SIZE(bounds)

struct metric_series {
	char *labels; /* a="b",c="d" as rendered: also the identity */
	double value; /* of a histogram: the sum */
	uint64_t observed;
	uint64_t *buckets; /* histogram only; not yet accumulated */
};

void metrics_release(struct metrics *metrics)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		struct metric_family *family = &metrics->families[i];

		for (size_t j = 0; j < family->count; j++) {
			free(family->series[j].labels);
			free(family->series[j].buckets);
		}
		free(family->series);
	}
	*metrics = (struct metrics){ 0 };
}

static void add_escaped(struct buf *out, const char *value)
{
	for (const char *p = value; *p; p++) {
		if (*p == '\n')
			buf_add_text(out, "\\n");
		else
			buf_add_format(out, *p == '"' || *p == '\\' ? "\\%c" : "%c", *p);
	}
}

static void add_labels(struct buf *out, const struct label *labels)
{
	for (const struct label *label = labels; label->name; label++) {
		buf_add_format(out, "%s%s=\"", label == labels ? "" : ",", label->name);
		add_escaped(out, label->value);
		buf_add_text(out, "\"");
	}
}

static struct metric_series *find_series(
	struct metrics *metrics, enum metric metric, const struct label *labels)
{
	struct metric_family *family = &metrics->families[metric];
	CLEANUP_BUF struct buf text = { 0 };
	struct metric_series *series;

	add_labels(&text, labels);
	for (size_t i = 0; i < family->count; i++) {
		if (strcmp(family->series[i].labels, buf_text(&text)) == 0)
			return &family->series[i];
	}
	family->series = mem_resize(family->series, family->count + 1, sizeof(family->series[0]));
	series = &family->series[family->count++];
	*series = (struct metric_series){ .labels = buf_take(&text) };
	if (rows[metric].type == TYPE_HISTOGRAM)
		series->buckets = mem_array(BOUND_COUNT, sizeof(series->buckets[0]));
	return series;
}

void metrics_add(
	struct metrics *metrics, enum metric metric, const struct label *labels, double amount)
{
	if (rows[metric].type != TYPE_COUNTER)
		BUG("'%s' is no counter", rows[metric].name);
	find_series(metrics, metric, labels)->value += amount;
}

void metrics_set(
	struct metrics *metrics, enum metric metric, const struct label *labels, double value)
{
	if (rows[metric].type != TYPE_GAUGE)
		BUG("'%s' is no gauge", rows[metric].name);
	find_series(metrics, metric, labels)->value = value;
}

void metrics_observe(
	struct metrics *metrics, enum metric metric, const struct label *labels, double value)
{
	struct metric_series *series;
	size_t i = 0;

	if (rows[metric].type != TYPE_HISTOGRAM)
		BUG("'%s' is no histogram", rows[metric].name);
	series = find_series(metrics, metric, labels);
	while (i < BOUND_COUNT && value > bounds[i])
		i++;
	if (i < BOUND_COUNT)
		series->buckets[i]++;
	series->value += value;
	series->observed++;
}

static void render_histogram(const char *name, const struct metric_series *series, struct buf *out)
{
	uint64_t within = 0;

	for (size_t i = 0; i < BOUND_COUNT; i++) {
		within += series->buckets[i];
		buf_add_format(out, "%s_bucket{%s,le=\"%g\"} %llu\n", name, series->labels,
			bounds[i], (unsigned long long)within);
	}
	buf_add_format(out, "%s_bucket{%s,le=\"+Inf\"} %llu\n", name, series->labels,
		(unsigned long long)series->observed);
	buf_add_format(out, "%s_sum{%s} %.15g\n", name, series->labels, series->value);
	buf_add_format(out, "%s_count{%s} %llu\n", name, series->labels,
		(unsigned long long)series->observed);
}

static void render_family(enum metric metric, const struct metric_family *family, struct buf *out)
{
	const char *name = rows[metric].name;

	buf_add_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, rows[metric].help, name,
		type_names[rows[metric].type]);
	for (size_t i = 0; i < family->count; i++) {
		const struct metric_series *series = &family->series[i];

		if (rows[metric].type == TYPE_HISTOGRAM)
			render_histogram(name, series, out);
		else if (*series->labels)
			buf_add_format(out, "%s{%s} %.15g\n", name, series->labels, series->value);
		else
			buf_add_format(out, "%s %.15g\n", name, series->value);
	}
}

void metrics_render(const struct metrics *metrics, struct buf *out)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		if (metrics->families[i].count)
			render_family((enum metric)i, &metrics->families[i], out);
	}
}
