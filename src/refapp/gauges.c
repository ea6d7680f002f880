/* One function per subject: see gauges.h. */
#include "refapp/gauges.h"
#include "refapp/gpu.h"
#include "refapp/llm_service.h"
#include "refapp/trainer.h"

#include <math.h>

#define MIB (1024.0 * 1024)

static void set(struct app *app, enum metric metric, double value)
{
	metrics_set(&app->metrics, metric, LABELS(LABEL("version", app->options->role)), value);
}

/* A series with one more label. */
static void set_for(
	struct app *app, enum metric metric, const char *name, const char *value, double number)
{
	metrics_set(&app->metrics, metric,
		LABELS(LABEL("version", app->options->role) LABEL(name, value)), number);
}

static void update_models(struct app *app, int64_t now_ms)
{
	for (int i = 0; i < LLM_COUNT; i++) {
		struct llm_health health = llm_health(app, (enum llm)i, now_ms);
		const char *name = llm_name((enum llm)i);

		set_for(app, METRIC_BREAKER_STATE, "model", name, (double)health.breaker);
		set_for(app, METRIC_LLM_HEALTH, "model", name, health.healthy);
	}
}

static void update_cache(struct app *app, int64_t now_ms)
{
	cache_sweep(&app->cache, now_ms);
	set(app, METRIC_CACHE_SIZE, (double)app->cache.size);
	for (int i = 0; i < MODE_COUNT; i++) {
		if (!app->cache.counts[i].recent_count)
			continue;
		metrics_set(&app->metrics, METRIC_CACHE_HIT_RATE,
			LABELS(LABEL("version", app->options->role) LABEL(
				"mode", mode_name((enum mode)i)) LABEL("cache_type", "llm")),
			cache_hit_rate(&app->cache, (enum mode)i));
	}
}

static void update_distribution(struct app *app, int64_t now_ms)
{
	struct distribution actual =
		distributor_actual(&app->distributor, &app->settings.distributor, now_ms);

	for (int i = 0; i < MODE_COUNT && actual.requests; i++) {
		const char *mode = mode_name((enum mode)i);

		set_for(app, METRIC_DISTRIBUTION, "mode", mode, actual.percent[i]);
		set_for(app, METRIC_DISTRIBUTION_DEVIATION, "mode", mode, actual.deviation[i]);
	}
}

static void update_training(struct app *app, int64_t now_ms)
{
	struct reward_statistics rewards = reward_normalizer_statistics(&app->normalizer);

	set(app, METRIC_TRAINING_LOSS, trainer_loss(app, now_ms));
	set(app, METRIC_PPO_LOSS, trainer_loss(app, now_ms));
	set(app, METRIC_PPO_REWARD, trainer_reward(app, now_ms));
	set(app, METRIC_PPO_STEP, (double)app->training.updates);
	set(app, METRIC_PPO_ENTROPY, trainer_entropy_coef(app, now_ms));
	set(app, METRIC_REWARD_MEAN, rewards.mean);
	set(app, METRIC_REWARD_STD, rewards.std);
}

static void update_machine(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);
	double used = fault_value(&app->faults, FAULT_VRAM_FULL, &facts, 0);
	double backlog = fault_value(&app->faults, FAULT_BACKLOG, &facts, 0);
	struct gpu_memory memory = gpu_memory(app->llms, used);

	set_for(app, METRIC_GPU_TOTAL, "gpu", "0", (double)memory.total_bytes);
	set_for(app, METRIC_GPU_USED, "gpu", "0", (double)memory.used_bytes);
	set_for(app, METRIC_GPU_FREE, "gpu", "0", (double)memory.free_bytes);
	set_for(app, METRIC_DCGM_USED, "gpu", "0", (double)memory.used_bytes / MIB);
	set_for(app, METRIC_DCGM_FREE, "gpu", "0", (double)memory.free_bytes / MIB);
	/* A model takes a request at a time off its queue; training takes them in batches. */
	set_for(app, METRIC_QUEUE_DEPTH, "queue", "llm",
		floor(facts.per_second / LLM_COUNT / 100) + backlog);
	set_for(app, METRIC_QUEUE_DEPTH, "queue", "rl",
		(double)(facts.handled % TRAINING_BATCH) + backlog);
}

void gauges_update(struct app *app, int64_t now_ms)
{
	update_models(app, now_ms);
	update_cache(app, now_ms);
	update_distribution(app, now_ms);
	update_training(app, now_ms);
	update_machine(app, now_ms);
}
