/* The only place where a simulated model is called: see llm_service.h. */
#include "refapp/llm_service.h"

#define TEST_LIMIT_S 10.0 /* slower than this is as good as dead */

static bool answers(struct app *app, enum llm llm, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	return !fault_names_model(&app->faults, llm, &facts);
}

static void log_change(struct app *app, enum llm llm, enum breaker_state before)
{
	const struct breaker *breaker = &app->llms[llm].breaker;

	if (breaker->state == before)
		return;
	event_log_write(&app->log, "circuit_breaker{model=%s,from=%s,to=%s,failure_rate=%.2f}",
		llm_name(llm), breaker_state_name(before), breaker_state_name(breaker->state),
		breaker_failure_share(breaker));
}

/* One call, if the model is there and its breaker lets it through. */
static bool call(struct app *app, const struct settings *settings, enum llm llm, int64_t now_ms)
{
	struct llm_state *state = &app->llms[llm];
	enum breaker_state before = state->breaker.state;
	bool failed;

	if (!state->loaded || !breaker_allow(&state->breaker, &settings->breaker, now_ms))
		return false;
	log_change(app, llm, before);
	before = state->breaker.state;
	failed = !answers(app, llm, now_ms);
	breaker_note(&state->breaker, &settings->breaker, failed, now_ms);
	log_change(app, llm, before);
	state->calls++;
	if (failed) {
		state->failures++;
		metrics_add(&app->metrics, METRIC_LLM_FAILURES,
			LABELS(LABEL("version", app->options->role) LABEL("model", llm_name(llm))),
			1);
	}
	return !failed;
}

bool llm_choose(struct app *app, const struct settings *settings, enum mode mode, int64_t now_ms,
	enum mode *ret_served)
{
	int count = settings->breaker.auto_downshift ? MODE_COUNT : 1;
	enum mode candidates[MODE_COUNT];

	llm_candidates(mode, app->ceiling, candidates);
	for (int i = 0; i < count; i++) {
		enum mode served = candidates[i];

		if (!call(app, settings, llm_of_mode(served), now_ms))
			continue;
		if (served != mode) {
			app->downshifts++;
			metrics_add(&app->metrics, METRIC_DOWNSHIFTS,
				LABELS(LABEL("version", app->options->role) LABEL(
					"from", mode_name(mode)) LABEL("to", mode_name(served))),
				1);
		}
		*ret_served = served;
		return true;
	}
	return false;
}

static double test_latency_s(struct app *app, enum llm llm, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);
	double factor = fault_value(&app->faults, FAULT_LATENCY_FACTOR, &facts, 1);
	double added_ms = fault_value(&app->faults, FAULT_LATENCY_MS, &facts, 0);

	return model_median_s(llm_mode(llm)) * factor + added_ms / 1000;
}

struct llm_health llm_health(struct app *app, enum llm llm, int64_t now_ms)
{
	struct settings settings = app_settings(app, now_ms);
	struct llm_state *state = &app->llms[llm];
	struct llm_health health = { .status = "unhealthy",
		.reason = "",
		.breaker = breaker_state_at(&state->breaker, &settings.breaker, now_ms) };

	if (!state->loaded) {
		health.status = "unloaded";
		health.reason = "the model is not loaded";
		return health;
	}
	if (!answers(app, llm, now_ms)) {
		health.reason = "the test inference failed";
		return health;
	}
	health.latency_s = test_latency_s(app, llm, now_ms);
	if (health.latency_s > TEST_LIMIT_S) {
		health.reason = "the test inference took too long";
	} else if (health.breaker != BREAKER_CLOSED) {
		health.reason = "the circuit breaker is not closed";
	} else {
		health.healthy = true;
		health.status = "healthy";
	}
	return health;
}
