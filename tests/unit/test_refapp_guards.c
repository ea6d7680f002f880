/* The guards at work in the application: what each fault does to clients, health and metrics. */
#include "refapp_fixture.h"

/* Enough of everything that each guard has something to judge. */
static void give_it_work(void)
{
	for (int i = 0; i < 100; i++)
		get_status("/api/generate");
}

static void test_fault_shows_in_its_own_metric(void **state)
{
	static const struct {
		const char *fault, *value;
		const char *line; /* there with the fault, and not without */
	} cases[] = {
		{ "garbled", "50%", "llm_json_retries_total{version=\"canary\"" },
		{ "no_json", "10%", "llm_json_fallback_used_total{version=\"canary\"" },
		{ "malformed", "10%", "llm_schema_fix_count_total{version=\"canary\"" },
		{ "model_down", "qwen",
			"circuit_breaker_state{version=\"canary\",model=\"qwen\"} 1\n" },
		{ "model_down", "llama3_8b",
			"llm_health_status{version=\"canary\",model=\"llama\"} 0\n" },
		{ "cache_off", "1",
			"cache_hit_rate{version=\"canary\",mode=\"fast\","
			"cache_type=\"llm\"} 0\n" },
		{ "distribution_skew", "50%",
			"traffic_distribution_deviation_percent{version=\"canary\","
			"mode=\"creative\"} 30\n" },
		{ "loss_spike", "3", "checkpoint_rollbacks_total{version=\"canary\"} 10\n" },
		{ "reward_drop", "0.6", "checkpoint_rollbacks_total{version=\"canary\"} 10\n" },
		{ "vram_full", "1",
			"nvidia_gpu_memory_free_bytes{version=\"canary\",gpu=\"0\"} 0\n" },
		{ "backlog", "50", "queue_depth{version=\"canary\",queue=\"rl\"} 50\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int faulty = 0; faulty < 2; faulty++) {
			app_teardown(NULL);
			app_setup(NULL);
			/* Training needs its baseline before something can be a spike. */
			assert_int_equal(
				post_status("/admin/training/run", "{\"steps\":100}"), 200);
			if (faulty)
				set_fault(cases[i].fault, cases[i].value);
			give_it_work();
			give_it_work();
			if (metrics_have(cases[i].line) != faulty)
				fail_msg("%s=%s and '%s'", cases[i].fault,
					faulty ? cases[i].value : "off", cases[i].line);
		}
	}
}

static void test_healthy(void **state)
{
	(void)state;
	give_it_work();
	assert_true(metrics_have("http_requests_total{version=\"canary\",mode=\"fast\","
				 "status=\"200\"} 60\n"));
	assert_true(metrics_have("llm_requests_total{version=\"canary\",mode=\"creative\","
				 "model=\"qwen\"} 10\n"));
	assert_false(metrics_have("llm_json_fallback_used_total"));
	assert_false(metrics_have("llm_schema_fix_count_total"));
	assert_false(metrics_have("llm_downshift_total"));
	assert_false(metrics_have("status=\"5"));
	assert_int_equal(get_status("/health/llm?model=all"), 200);
	assert_true(answer_has("GET", "/health/llm", "", "{\"status\":\"healthy\",\"models\":{"));
}

static void test_breaker_opens_and_closes(void **state)
{
	(void)state;
	set_fault("model_down", "qwen");
	assert_int_equal(get_status("/health/llm?model=all"), 503);
	assert_int_equal(get_status("/health/llm?model=qwen"), 503);
	assert_int_equal(get_status("/health/llm?model=mistral"), 200);
	/* Clients see nothing of it: the next cheaper mode serves them. */
	for (int i = 0; i < 8; i++)
		assert_true(answer_has("GET", "/api/generate?mode=creative", "",
			"{\"mode\":\"balanced\",\"version\":\"v0.2.0\""));
	assert_int_equal(app.llms[LLM_QWEN].calls, 5); /* then it was left alone */
	assert_true(metrics_have("llm_request_failures_total{version=\"canary\","
				 "model=\"qwen\"} 5\n"));
	assert_true(metrics_have("llm_downshift_total{version=\"canary\",from=\"creative\","
				 "to=\"balanced\"} 8\n"));
	/* The client asked for creative, so that is what its latency counts as. */
	assert_true(metrics_have("http_request_duration_seconds_count{version=\"canary\","
				 "mode=\"creative\"} 8\n"));
	set_fault("model_down", "off");
	assert_true(answer_has("GET", "/health/llm?model=qwen", "",
		"\"circuit_breaker\":\"open\",\"latency_ms\":2500,"
		"\"reason\":\"the circuit breaker is not closed\""));
	now_ms += 59999;
	generate("creative", 1);
	assert_int_equal(app.llms[LLM_QWEN].calls, 5);
	now_ms += 1;
	assert_true(metrics_have("circuit_breaker_state{version=\"canary\",model=\"qwen\"} 2\n"));
	generate("creative", 1);
	assert_true(metrics_have("circuit_breaker_state{version=\"canary\",model=\"qwen\"} 0\n"));
	assert_int_equal(get_status("/health/llm?model=all"), 200);
}

static void test_downshift_goes_all_the_way(void **state)
{
	(void)state;
	assert_int_equal(post_status("/admin/model/unload", "{\"model\":\"llama3_8b\"}"), 200);
	set_fault("model_down", "qwen");
	assert_true(answer_has("GET", "/api/generate?mode=creative", "", "{\"mode\":\"fast\""));
	/* Nothing is cheaper than fast; any answer is better than none. */
	set_fault("model_down", "mistral");
	assert_true(answer_has("GET", "/api/generate?mode=fast", "", "{\"mode\":\"creative\""));
	set_fault("model_down", "all");
	assert_int_equal(get_status("/api/generate?mode=fast"), 503);
	assert_true(metrics_have("mode=\"fast\",status=\"503\"} 1\n"));
	app.settings.breaker.auto_downshift = false;
	set_fault("model_down", "mistral");
	assert_int_equal(get_status("/api/generate?mode=fast"), 503);
}

static void test_breaker_off(void **state)
{
	(void)state;
	set_fault("breaker_off", "1");
	set_fault("model_down", "qwen");
	generate("creative", 20);
	assert_int_equal(app.llms[LLM_QWEN].calls, 20);
	assert_true(metrics_have("circuit_breaker_state{version=\"canary\",model=\"qwen\"} 0\n"));
	assert_true(answer_has("GET", "/api/config", "", "\"circuit_breaker\":{\"enabled\":false"));
}

static void test_manual_mode(void **state)
{
	(void)state;
	assert_int_equal(post_status("/admin/mode/set", "{\"mode\":\"balanced\"}"), 200);
	assert_true(answer_has("GET", "/api/generate?mode=creative", "", "{\"mode\":\"balanced\""));
	assert_int_equal(post_status("/admin/set-mode", "{\"mode\":\"fast\"}"), 200);
	assert_true(answer_has("GET", "/api/generate?mode=balanced", "", "{\"mode\":\"fast\""));
	assert_true(answer_has("GET", "/admin/downshift/stats", "",
		"\"mode\":\"fast\",\"downshifts\":2,\"circuit_breakers\":{\"qwen\":{\"state\":"
		"\"closed\""));
	assert_int_equal(post_status("/admin/mode/set", "{\"mode\":\"auto\"}"), 200);
	assert_true(answer_has("GET", "/api/generate?mode=creative", "", "{\"mode\":\"creative\""));
	assert_int_equal(post_status("/admin/mode/set", "{\"mode\":\"turbo\"}"), 400);
	assert_int_equal(post_status("/admin/mode/set", "{}"), 400);
}

static void test_json_guard(void **state)
{
	(void)state;
	/* Every other answer is no JSON, so that one retry always helps. */
	set_fault("garbled", "50%");
	generate("fast", 20);
	assert_false(metrics_have("llm_json_fallback_used_total"));
	set_fault("garbled", "100%");
	assert_true(answer_has("GET", "/api/generate?mode=fast", "", "\"fallback\":true,"));
	assert_true(metrics_have("llm_json_fallback_used_total{version=\"canary\",mode=\"fast\","
				 "model=\"mistral\"} 1\n"));
	assert_false(metrics_have("llm_brief_schema_failures_total"));
	set_fault("json_guard_off", "1");
	assert_int_equal(get_status("/api/generate?mode=fast"), 500);
	assert_true(answer_has("GET", "/api/config", "", "\"json_guard\":{\"enabled\":false"));
	set_fault("garbled", "off");
	generate("fast", 1);
}

static void test_schema_is_mended(void **state)
{
	cJSON *answer;

	(void)state;
	set_fault("malformed", "1");
	answer = ask_json("GET", "/api/generate?mode=fast", "", 200);
	assert_non_null(cJSON_GetObjectItem(cJSON_GetObjectItem(answer, "brief"), "notes"));
	cJSON_Delete(answer);
	assert_true(metrics_have("llm_brief_schema_failures_total{version=\"canary\"} 1\n"));
	assert_true(
		metrics_have("llm_schema_fix_count_total{version=\"canary\",mode=\"fast\"} 1\n"));
	assert_false(metrics_have("llm_json_fallback_used_total"));
}

static void test_cache_by_prompt(void **state)
{
	const char *body = "{\"mode\":\"fast\",\"notes\":[\"citrus\",\"floral\"]}";

	(void)state;
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":false"));
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":true"));
	assert_true(answer_has("POST", "/api/generate",
		"{\"mode\":\"balanced\",\"notes\":[\"citrus\",\"floral\"]}", "\"cached\":false"));
	/* What the cache answers did not reach a model. */
	assert_true(metrics_have("llm_brief_total{version=\"canary\",mode=\"fast\"} 1\n"));
	now_ms += 599999;
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":true"));
	now_ms += 1;
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":false"));
	assert_int_equal(
		post_status("/admin/cache/ttl", "{\"mode\":\"fast\",\"ttl_seconds\":2}"), 200);
	now_ms += 2000;
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":false"));
	set_fault("cache_off", "1");
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":false"));
	set_fault("cache_off", "0");
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":true"));
	assert_int_equal(post_status("/admin/cache/clear", ""), 200);
	assert_true(answer_has("POST", "/api/generate", body, "\"cached\":false"));
}

static void test_hit_rate_passes_the_gate(void **state)
{
	cJSON *stats;
	double rate;

	(void)state;
	give_it_work();
	stats = ask_json("GET", "/admin/cache/stats", "", 200);
	rate = cJSON_GetNumberValue(cJSON_GetObjectItem(stats, "hit_rate"));
	cJSON_Delete(stats);
	assert_true(rate > 0.7);
}

static void test_a_fallback_is_not_cached(void **state)
{
	const char *body = "{\"mode\":\"fast\",\"prompt\":\"rain\"}";

	(void)state;
	set_fault("no_json", "1");
	assert_true(answer_has("POST", "/api/generate", body, "\"fallback\":true"));
	set_fault("no_json", "0");
	assert_true(
		answer_has("POST", "/api/generate", body, "\"cached\":false,\"fallback\":false"));
}

static void test_unloading_frees_memory(void **state)
{
	(void)state;
	set_fault("vram_full", "0");
	assert_true(metrics_have(
		"nvidia_gpu_memory_free_bytes{version=\"canary\",gpu=\"0\"} 12884901888\n"));
	assert_true(answer_has("POST", "/admin/model/unload", "{\"model\":\"llama3_8b\"}",
		"{\"model\":\"llama3_8b\",\"loaded\":false,\"gpu_free_bytes\":18253611008}"));
	assert_true(metrics_have(
		"nvidia_gpu_memory_free_bytes{version=\"canary\",gpu=\"0\"} 18253611008\n"));
	assert_true(metrics_have("DCGM_FI_DEV_FB_FREE{version=\"canary\",gpu=\"0\"} 17408\n"));
	assert_true(answer_has("GET", "/health/llm?model=llama", "", "\"status\":\"unloaded\""));
	generate("balanced", 1);
	assert_int_equal(post_status("/admin/model/load", "{\"model\":\"llama\"}"), 200);
	assert_int_equal(get_status("/health/llm?model=all"), 200);
	assert_int_equal(post_status("/admin/model/unload", "{\"model\":\"gpt\"}"), 400);
}

static void test_distribution(void **state)
{
	(void)state;
	assert_false(metrics_have("traffic_distribution_percent"));
	give_it_work();
	assert_true(answer_has("GET", "/admin/distribution/stats", "",
		"{\"requests\":100,\"modes\":{\"fast\":{\"target\":60,\"actual\":60,"
		"\"deviation\":0,\"alert\":false}"));
	now_ms += DISTRIBUTOR_WINDOW_MS;
	set_fault("distribution_skew", "0.2");
	give_it_work();
	assert_true(answer_has("GET", "/admin/distribution/stats", "",
		"\"actual\":48,\"deviation\":12,\"alert\":true"));
}

static void test_metrics_down(void **state)
{
	(void)state;
	set_fault("metrics_down", "1");
	assert_int_equal(get_status("/metrics"), 503);
	set_fault("metrics_down", "0");
	assert_int_equal(get_status("/metrics"), 200);
}

static void test_slow_models_are_not_healthy(void **state)
{
	(void)state;
	set_fault("latency_ms", "3000"); /* slow, but there */
	assert_int_equal(get_status("/health/llm"), 200);
	set_fault("latency_ms", "15000");
	assert_int_equal(get_status("/health/llm"), 503);
	assert_true(answer_has("GET", "/health/llm?model=qwen", "", "took too long"));
	assert_int_equal(get_status("/health/llm?model=gpt"), 400);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, app_setup, app_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_fault_shows_in_its_own_metric),
		TEST(test_healthy),
		TEST(test_breaker_opens_and_closes),
		TEST(test_downshift_goes_all_the_way),
		TEST(test_breaker_off),
		TEST(test_manual_mode),
		TEST(test_json_guard),
		TEST(test_schema_is_mended),
		TEST(test_cache_by_prompt),
		TEST(test_hit_rate_passes_the_gate),
		TEST(test_a_fallback_is_not_cached),
		TEST(test_unloading_frees_memory),
		TEST(test_distribution),
		TEST(test_metrics_down),
		TEST(test_slow_models_are_not_healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
