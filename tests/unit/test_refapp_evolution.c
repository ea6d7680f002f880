/* The chain of the smoke test, training in the application, its log lines, and single models. */
#include "refapp_fixture.h"

#include <stdlib.h>
#include <unistd.h>

static char *text_of(cJSON *json, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItem(json, name));

	assert_non_null(text);
	return mem_strdup(text);
}

static char *create_dna(void)
{
	cJSON *dna = ask_json("POST", "/dna/create", "{\"brief\":{\"style\":\"fresh\"}}", 200);
	char *id = text_of(dna, "dna_id");

	cJSON_Delete(dna);
	return id;
}

static cJSON *create_experiment(void)
{
	CLEANUP_FREE char *dna = create_dna();
	CLEANUP_FREE char *body = mem_format("{\"dna_id\":\"%s\"}", dna);

	return ask_json("POST", "/evolve/options", body, 200);
}

static void test_chain(void **state)
{
	cJSON *experiment = create_experiment();
	const cJSON *options_json = cJSON_GetObjectItem(experiment, "options");
	CLEANUP_FREE char *id = text_of(experiment, "experiment_id");
	CLEANUP_FREE char *body =
		mem_format("{\"experiment_id\":\"%s\",\"option_id\":\"opt_003\",\"rating\":5}", id);

	(void)state;
	assert_int_equal(cJSON_GetArraySize(options_json), 3);
	assert_string_equal(cJSON_GetStringValue(
				    cJSON_GetObjectItem(cJSON_GetArrayItem(options_json, 0), "id")),
		"opt_001");
	assert_string_equal(
		cJSON_GetStringValue(cJSON_GetObjectItem(experiment, "mode")), "creative");
	assert_true(answer_has("POST", "/evolve/feedback", body,
		"\"training_triggered\":true,\"training_step\":1}"));
	assert_true(metrics_have("rl_update_total{version=\"canary\",algo=\"ppo\"} 1\n"));
	assert_true(metrics_have("ppo_training_step{version=\"canary\"} 1\n"));
	assert_true(metrics_have("http_requests_total{version=\"canary\",mode=\"none\","
				 "status=\"200\"} 2\n"));
	cJSON_Delete(experiment);
}

static void test_chain_refuses(void **state)
{
	cJSON *experiment = create_experiment();
	CLEANUP_FREE char *id = text_of(experiment, "experiment_id");
	CLEANUP_FREE char *no_option =
		mem_format("{\"experiment_id\":\"%s\",\"option_id\":\"opt_004\"}", id);
	CLEANUP_FREE char *bad_rating =
		mem_format("{\"experiment_id\":\"%s\",\"chosen_id\":\"opt_001\",\"rating\":6}", id);

	(void)state;
	cJSON_Delete(experiment);
	assert_int_equal(post_status("/dna/create", ""), 400);
	assert_int_equal(post_status("/dna/create", "{}"), 400);
	assert_int_equal(get_status("/dna/create"), 405);
	assert_int_equal(post_status("/evolve/options", "{}"), 400);
	assert_int_equal(post_status("/evolve/options", "{\"dna_id\":\"dna_x\"}"), 404);
	assert_int_equal(post_status("/evolve/feedback", "{}"), 400);
	assert_int_equal(post_status("/evolve/feedback",
				 "{\"experiment_id\":\"x\",\"option_id\":\"opt_001\"}"),
		404);
	assert_int_equal(post_status("/evolve/feedback", no_option), 404);
	assert_int_equal(post_status("/evolve/feedback", bad_rating), 400);
	assert_int_equal(app.training.updates, 0);
}

static void test_chain_faults(void **state)
{
	cJSON *experiment = create_experiment();
	CLEANUP_FREE char *id = text_of(experiment, "experiment_id");
	CLEANUP_FREE char *body =
		mem_format("{\"experiment_id\":\"%s\",\"option_id\":\"opt_001\"}", id);
	CLEANUP_FREE char *dna = create_dna();
	CLEANUP_FREE char *options_body = mem_format("{\"dna_id\":\"%s\"}", dna);

	(void)state;
	cJSON_Delete(experiment);
	set_fault("feedback_ignored", "1");
	assert_true(answer_has("POST", "/evolve/feedback", body, "\"training_triggered\":false"));
	assert_int_equal(app.training.updates, 0);
	set_fault("options_missing", "1");
	assert_true(answer_has("POST", "/evolve/options", options_body, "\"options\":[]"));
}

/* An id is known until 256 others came after it. */
static void test_old_ids_are_forgotten(void **state)
{
	CLEANUP_FREE char *first = create_dna();
	CLEANUP_FREE char *body = mem_format("{\"dna_id\":\"%s\"}", first);

	(void)state;
	for (int i = 0; i < EVOLUTION_KEPT - 1; i++)
		free(create_dna());
	assert_int_equal(post_status("/evolve/options", body), 200);
	free(create_dna());
	assert_int_equal(post_status("/evolve/options", body), 404);
}

static void run_training(int steps)
{
	CLEANUP_FREE char *body = mem_format("{\"steps\":%d}", steps);

	assert_int_equal(post_status("/admin/training/run", body), 200);
}

static void test_training_steps(void **state)
{
	(void)state;
	assert_true(metrics_have("ppo_entropy_coef{version=\"canary\"} 0.02\n"));
	assert_true(metrics_have("checkpoint_rollbacks_total{version=\"canary\"} 0\n"));
	for (int i = 0; i < 5; i++)
		run_training(1000);
	assert_true(metrics_have("ppo_entropy_coef{version=\"canary\"} 0.0125\n"));
	for (int i = 0; i < 5; i++)
		run_training(1000);
	assert_true(metrics_have("ppo_entropy_coef{version=\"canary\"} 0.005\n"));
	assert_true(metrics_have("ppo_training_step{version=\"canary\"} 10000\n"));
	assert_true(metrics_have("checkpoint_saves_total{version=\"canary\"} 20\n"));
	assert_true(metrics_have("checkpoint_rollbacks_total{version=\"canary\"} 0\n"));
	set_fault("entropy_stuck", "1");
	assert_true(metrics_have("ppo_entropy_coef{version=\"canary\"} 0.02\n"));
	assert_int_equal(post_status("/admin/training/run", "{\"steps\":0}"), 400);
	assert_int_equal(post_status("/admin/training/run", "{\"steps\":2001}"), 400);
}

static void test_begins_at_a_step(void **state)
{
	struct reward_statistics rewards;

	(void)state;
	app_close(&app);
	options.training_step = 12000;
	assert_int_equal(app_open(&app, &options, NULL), 0);
	assert_true(metrics_have("ppo_training_step{version=\"canary\"} 12000\n"));
	assert_true(metrics_have("ppo_entropy_coef{version=\"canary\"} 0.005\n"));
	assert_int_equal(app.normalizer.count, 1000);
	rewards = reward_normalizer_statistics(&app.normalizer);
	assert_true(rewards.mean > 0.78 && rewards.mean < 0.82 && rewards.std > 0.01);
}

static void test_training_rolls_back(void **state)
{
	(void)state;
	run_training(700);
	set_fault("loss_spike", "3");
	run_training(1);
	assert_true(metrics_have("ppo_training_step{version=\"canary\"} 500\n"));
	assert_true(metrics_have("checkpoint_rollbacks_total{version=\"canary\"} 1\n"));
	set_fault("loss_spike", "0");
	run_training(10);
	assert_true(metrics_have("ppo_training_step{version=\"canary\"} 510\n"));
	set_fault("reward_drop", "0.6");
	run_training(1);
	assert_true(metrics_have("checkpoint_rollbacks_total{version=\"canary\"} 2\n"));
	assert_true(metrics_have("ppo_training_step{version=\"canary\"} 500\n"));
	set_fault("reward_drop", "0.3");
	run_training(100);
	assert_true(metrics_have("checkpoint_rollbacks_total{version=\"canary\"} 2\n"));
}

static void test_one_model(void **state)
{
	const char *body = "{\"model\":\"gpt-3.5-turbo\",\"prompt\":\"Generate\"}";

	(void)state;
	assert_true(answer_has("POST", "/api/test-llm", body, "\"schema_valid\":true"));
	set_fault("malformed", "1");
	assert_true(answer_has("POST", "/api/test-llm", body,
		"\"schema_valid\":false,\"missing_field\":\"notes\""));
	set_fault("model_down", "qwen");
	assert_int_equal(
		post_status("/api/test-llm", "{\"model\":\"qwen\",\"prompt\":\"x\"}"), 503);
	assert_int_equal(post_status("/api/test-llm", "{\"model\":\"nix\",\"prompt\":\"x\"}"), 404);
	assert_int_equal(post_status("/api/test-llm", "{\"model\":\"qwen\"}"), 400);
	/* Operators' requests are no clients' requests. */
	assert_false(metrics_have("http_requests_total{"));
}

static void test_log_lines(void **state)
{
	static const char *const expected[] = { " INFO llm_brief{mode=creative,elapsed_ms=",
		",schema=failed,served=creative,attempts=1,backoff_ms=0,fallback=no,",
		" INFO rl_update{algo=ppo,loss=", ",reward=", ",entropy=", ",clip_frac=",
		" ERROR Schema validation failed: Missing required field 'notes'",
		" ERROR JSON parse error: ", "llm_output=Of course!",
		" INFO circuit_breaker{model=qwen,from=closed,to=open,failure_rate=",
		" INFO checkpoint saved{step=500}",
		" ERROR checkpoint rollback{reason=loss_spike,step=501,to_step=500," };
	char path[] = "/tmp/refapp-log.XXXXXX";
	CLEANUP_BUF struct buf text = { 0 };
	size_t quiet_length;

	(void)state;
	close(mkstemp(path));
	app_close(&app);
	options.log = path;
	assert_int_equal(app_open(&app, &options, NULL), 0);
	set_fault("malformed", "1");
	generate("creative", 1);
	set_fault("no_json", "1");
	generate("fast", 1);
	set_fault("model_down", "qwen");
	generate("creative", 5);
	run_training(500);
	set_fault("loss_spike", "3");
	run_training(1);
	assert_int_equal(fileio_read(path, 1 << 20, &text, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		if (!strstr(buf_text(&text), expected[i]))
			fail_msg("no '%s' in the log", expected[i]);
	}
	set_fault("loss_spike", "0");
	set_fault("malformed", "0");
	set_fault("no_json", "0");
	set_fault("log_quiet", "1");
	quiet_length = text.length;
	generate("fast", 5);
	run_training(5);
	buf_clear(&text);
	assert_int_equal(fileio_read(path, 1 << 20, &text, NULL), 0);
	assert_int_equal(text.length, quiet_length);
	unlink(path);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, app_setup, app_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_chain),
		TEST(test_chain_refuses),
		TEST(test_chain_faults),
		TEST(test_old_ids_are_forgotten),
		TEST(test_training_steps),
		TEST(test_begins_at_a_step),
		TEST(test_training_rolls_back),
		TEST(test_one_model),
		TEST(test_log_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
