/* The steps of a brief, in the order in which brief_serve() takes them: see brief_service.h. */
#include "refapp/brief_service.h"
#include "canaryctl/mem.h"
#include "refapp/brief.h"
#include "refapp/llm_service.h"

#include <string.h>

#define CACHED_S     0.004
#define REPAIR_SHARE 0.05 /* of a call's time: a retry asks for the form only */

/* One brief on its way. */
struct work {
	struct app *app;
	const struct request *request;
	const struct brief_order *order;
	struct settings settings;
	struct fault_facts facts;
	enum mode served;
	int attempts;
	double backoff_s;
	bool malformed; /* by fault: the model leaves out what the schema demands */
	bool no_json;   /* by fault: no attempt gives JSON */
	bool schema_failed;
	bool fallback;
};

static const char *role(const struct work *work)
{
	return work->app->options->role;
}

static void count(struct work *work, enum metric metric, double amount)
{
	metrics_add(&work->app->metrics, metric,
		LABELS(LABEL("version", role(work)) LABEL("mode", mode_name(work->served))
				LABEL("model", llm_name(llm_of_mode(work->served)))),
		amount);
}

/* Looks up a text that may come from a model; counts. The caller frees it. */
static char *look_up(struct work *work, enum mode mode, const char *key)
{
	struct app *app = work->app;
	const struct label *labels = LABELS(LABEL("version", role(work))
			LABEL("mode", mode_name(mode)) LABEL("cache_type", "llm"));
	const char *found = NULL;

	if (work->settings.cache.enabled)
		found = cache_get(&app->cache, mode, key, work->request->now_ms);
	else
		cache_miss(&app->cache, mode);
	metrics_add(&app->metrics, found ? METRIC_CACHE_HITS : METRIC_CACHE_MISSES, labels, 1);
	return found ? mem_strdup(found) : NULL;
}

static void store(struct work *work, enum mode mode, const char *key, const char *value)
{
	if (work->settings.cache.enabled)
		cache_put(&work->app->cache, mode, key, value, work->request->now_ms);
}

static cJSON *cached_brief(struct work *work)
{
	CLEANUP_FREE char *key = mem_format("brief %s", work->order->prompt);
	CLEANUP_FREE char *text = look_up(work, work->order->mode, key);

	return text ? cJSON_Parse(text) : NULL;
}

static void store_brief(struct work *work, const cJSON *brief)
{
	CLEANUP_FREE char *key = mem_format("brief %s", work->order->prompt);
	char *text = cJSON_PrintUnformatted(brief);

	store(work, work->order->mode, key, text);
	cJSON_free(text);
}

/* What the model says, and how the faults make it say it. */
static void ask_model(void *context, int attempt, struct buf *ret_text)
{
	struct work *work = context;
	struct app *app = work->app;

	if (attempt > 1)
		count(work, METRIC_JSON_RETRIES, 1);
	if (fault_hits(&app->faults, FAULT_GARBLED, &work->facts) || work->no_json)
		buf_add_text(ret_text, "Of course! Here is your perfume: {\"theme\": \"amber and");
	else
		model_write_brief(work->served, work->malformed, &app->briefs, ret_text);
}

/* NULL: the guard could not help, and there is no fallback. */
static cJSON *ask_through_guard(struct work *work)
{
	struct app *app = work->app;
	const struct json_guard_settings *settings = &work->settings.json_guard;
	struct json_guard_result result;

	work->malformed = fault_hits(&app->faults, FAULT_MALFORMED, &work->facts);
	work->no_json = fault_hits(&app->faults, FAULT_NO_JSON, &work->facts);
	result = json_guard_run(settings, &app->jitter, ask_model, work);
	work->attempts = result.attempts;
	work->backoff_s = result.backoff_s;
	if (!result.json) {
		event_log_error(&app->log,
			"JSON parse error: no JSON in %d attempts: model=%s llm_output=%.80s",
			result.attempts, mode_model(work->served), buf_text(&result.last_text));
		if (settings->enabled && settings->fallback_enabled) {
			work->fallback = true;
			count(work, METRIC_JSON_FALLBACKS, 1);
			result.json = brief_fallback(work->served);
		}
	}
	buf_release(&result.last_text);
	return result.json;
}

static void hold_to_schema(struct work *work, cJSON *brief)
{
	struct app *app = work->app;
	const char *missing = brief_missing_field(brief);

	if (!missing)
		return;
	work->schema_failed = true;
	event_log_error(&app->log,
		"Schema validation failed: Missing required field '%s': model=%s", missing,
		mode_model(work->served));
	metrics_add(&app->metrics, METRIC_SCHEMA_FAILURES, LABELS(LABEL("version", role(work))), 1);
	metrics_add(&app->metrics, METRIC_SCHEMA_FIXES,
		LABELS(LABEL("version", role(work)) LABEL("mode", mode_name(work->served))), 1);
	brief_fix(brief, work->served);
}

/* What is said of the notes comes from the cache; what is not there is written with the brief. */
static void describe_notes(struct work *work, cJSON *brief)
{
	const cJSON *notes = cJSON_GetObjectItemCaseSensitive(brief, "notes");
	cJSON *characters = cJSON_AddObjectToObject(brief, "characters");
	const cJSON *note;

	cJSON_ArrayForEach(note, notes)
	{
		const char *name = cJSON_GetStringValue(note);
		CLEANUP_FREE char *key = mem_format("note %s", name ? name : "");
		CLEANUP_FREE char *text = look_up(work, work->order->mode, key);
		CLEANUP_BUF struct buf written = { 0 };

		if (!text) {
			model_describe_note(work->served, name ? name : "", &written);
			text = mem_strdup(buf_text(&written));
			store(work, work->order->mode, key, text);
		}
		cJSON_AddStringToObject(characters, note->string, text);
	}
}

static double model_time_s(struct work *work)
{
	struct app *app = work->app;
	double factor = fault_value(&app->faults, FAULT_LATENCY_FACTOR, &work->facts, 1);
	double added_ms = fault_value(&app->faults, FAULT_LATENCY_MS, &work->facts, 0);
	double repairs = 1 + REPAIR_SHARE * (work->attempts - 1);

	return model_latency_s(work->served, &app->latencies) * factor * repairs + added_ms / 1000 +
	       (double)work->request->waited_ms / 1000;
}

static void record(struct work *work, double elapsed_s)
{
	struct app *app = work->app;
	const char *mode = mode_name(work->order->mode);
	const char *model = mode_model(work->served);

	/* The client's mode is what latency limits are about; the brief is the serving mode's. */
	metrics_observe(&app->metrics, METRIC_DURATION,
		LABELS(LABEL("version", role(work)) LABEL("mode", mode)), elapsed_s);
	metrics_add(&app->metrics, METRIC_BRIEFS,
		LABELS(LABEL("version", role(work)) LABEL("mode", mode_name(work->served))), 1);
	metrics_add(&app->metrics, METRIC_ENSEMBLE_VOTES,
		LABELS(LABEL("version", role(work)) LABEL("model", model)), 1);
	if (fault_active(&app->faults, FAULT_LOG_QUIET, &work->facts))
		return;
	event_log_write(&app->log,
		"llm_brief{mode=%s,elapsed_ms=%.0f,duration=%.3f,model=%s,schema=%s,served=%s,"
		"attempts=%d,backoff_ms=%.0f,fallback=%s,llm_api_latency=%.3f}",
		mode, elapsed_s * 1000, elapsed_s, model, work->schema_failed ? "failed" : "ok",
		mode_name(work->served), work->attempts, work->backoff_s * 1000,
		work->fallback ? "yes" : "no", elapsed_s);
}

int brief_serve(struct app *app, const struct request *request, const struct brief_order *order,
	struct brief_answer *ret_answer, struct reply *reply)
{
	struct work work = { .app = app,
		.request = request,
		.order = order,
		.settings = app_settings(app, request->now_ms),
		.facts = app_facts(app, request->now_ms),
		.served = order->mode };
	cJSON *brief = order->prompt ? cached_brief(&work) : NULL;

	*ret_answer = (struct brief_answer){ .served = order->mode };
	if (brief) {
		ret_answer->cached = true;
		ret_answer->elapsed_s = CACHED_S + (double)request->waited_ms / 1000;
		ret_answer->brief = brief;
		return 0;
	}
	if (!llm_choose(app, &work.settings, order->mode, request->now_ms, &work.served)) {
		reply_error(
			reply, 503, "no model can answer for mode '%s'", mode_name(order->mode));
		return -1;
	}
	count(&work, METRIC_LLM_REQUESTS, 1);
	brief = ask_through_guard(&work);
	if (!brief) {
		reply_error(reply, 500, "the model's answer is no JSON");
		return -1;
	}
	hold_to_schema(&work, brief);
	describe_notes(&work, brief);
	ret_answer->served = work.served;
	ret_answer->fallback = work.fallback;
	ret_answer->elapsed_s = model_time_s(&work);
	ret_answer->brief = brief;
	record(&work, ret_answer->elapsed_s);
	/* A fallback is for now: the next one who asks deserves a model's answer. */
	if (order->prompt && !work.fallback)
		store_brief(&work, brief);
	return 0;
}
