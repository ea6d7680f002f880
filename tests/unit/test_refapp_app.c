/* The application without HTTP: routes, counting, faults. */
#include "canaryctl/mem.h"
#include "refapp/app.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

static struct options options;
static struct app app;

static int setup(void **state)
{
	(void)state;
	options = (struct options){ .role = "canary", .version = "v0.2.0", .seed = 1 };
	return app_open(&app, &options, NULL);
}

static int teardown(void **state)
{
	(void)state;
	app_close(&app);
	return 0;
}

/* Returns the status; the body is in `ret_body` (may be NULL), to be freed. */
static unsigned int ask(
	const char *method, const char *path, const char *mode, const char *body, char **ret_body)
{
	struct request request = { .method = method,
		.path = path,
		.params = { { "mode", mode } },
		.param_count = mode ? 1 : 0,
		.body = body ? body : "",
		.now_ms = 1000 };
	struct reply reply;

	app_begin(&app, &request);
	app_answer(&app, &request, &reply);
	if (strcmp(path, "/metrics") != 0) {
		cJSON *json = cJSON_Parse(buf_text(&reply.body));

		assert_non_null(json);
		cJSON_Delete(json);
	}
	if (ret_body)
		*ret_body = buf_take(&reply.body);
	buf_release(&reply.body);
	return reply.status;
}

static unsigned int get(const char *path, const char *mode)
{
	return ask("GET", path, mode, NULL, NULL);
}

static unsigned int set_fault(const char *body)
{
	return ask("POST", "/admin/fault", NULL, body, NULL);
}

static bool metrics_have(const char *line)
{
	CLEANUP_FREE char *body = NULL;

	assert_int_equal(ask("GET", "/metrics", NULL, NULL, &body), 200);
	return strstr(body, line) != NULL;
}

static void test_health(void **state)
{
	CLEANUP_FREE char *well = NULL;
	CLEANUP_FREE char *ill = NULL;

	(void)state;
	assert_int_equal(ask("GET", "/health", NULL, NULL, &well), 200);
	assert_ptr_equal(
		strstr(well, "{\"status\":\"healthy\",\"version\":\"0.2.0\","
			     "\"deployment\":\"canary\",\"llm_ensemble\":{\"enabled\":true,"
			     "\"models\":[\"gpt-3.5-turbo\",\"claude-3-haiku\",\"gemini-pro\"]},"
			     "\"timestamp\":\""),
		well);
	set_fault("{\"name\":\"unhealthy\",\"value\":1}");
	set_fault("{\"name\":\"version_lie\",\"value\":\"v9.9.9\"}");
	assert_int_equal(ask("GET", "/health", NULL, NULL, &ill), 503);
	assert_ptr_equal(strstr(ill, "{\"status\":\"unhealthy\",\"version\":\"9.9.9\","), ill);
}

static void test_generate(void **state)
{
	CLEANUP_FREE char *body = NULL;

	(void)state;
	assert_int_equal(ask("POST", "/api/generate", NULL, "{\"mode\":\"creative\"}", &body), 200);
	assert_non_null(strstr(body, "{\"mode\":\"creative\",\"version\":\"v0.2.0\","));
	assert_non_null(strstr(body, "\"brief\":{\"model\":\"gemini-pro\""));
	assert_true(metrics_have("http_requests_total{version=\"canary\",mode=\"creative\","
				 "status=\"200\"} 1\n"));
	assert_true(metrics_have("llm_brief_total{version=\"canary\",mode=\"creative\"} 1\n"));
	assert_false(metrics_have("llm_brief_schema_failures_total"));
}

static void test_bad_requests(void **state)
{
	(void)state;
	assert_int_equal(get("/api/generate", "turbo"), 400);
	assert_int_equal(get("/api/generate", "\"\\\n"), 400);
	assert_int_equal(ask("POST", "/api/generate", NULL, "{", NULL), 400);
	assert_int_equal(ask("POST", "/api/generate", NULL, "{\"mode\":7}", NULL), 400);
	assert_int_equal(get("/api/nothing", NULL), 404);
	assert_int_equal(ask("DELETE", "/api/generate", NULL, NULL, NULL), 405);
	assert_true(metrics_have("mode=\"none\",status=\"400\"} 4\n"));
	assert_true(metrics_have("mode=\"none\",status=\"404\"} 1\n"));
	assert_false(metrics_have("http_request_duration_seconds"));
}

static void test_only_api_requests_count(void **state)
{
	(void)state;
	get("/health", NULL);
	get("/metrics", NULL);
	get("/admin/fault", NULL);
	get("/nothing", NULL);
	assert_false(metrics_have("http_requests_total"));
	assert_int_equal(app.load.handled, 0);
}

static void test_error_rate(void **state)
{
	int errors = 0;

	(void)state;
	assert_int_equal(set_fault("{\"name\":\"error_rate\",\"value\":0.08}"), 200);
	for (int i = 0; i < 100; i++)
		errors += get("/api/generate", "fast") == 500;
	assert_int_equal(errors, 8);
	assert_true(metrics_have("mode=\"fast\",status=\"500\"} 8\n"));
	assert_true(metrics_have("mode=\"fast\",status=\"200\"} 92\n"));
	set_fault("{\"name\":\"error_rate\",\"value\":0}");
	for (int i = 0; i < 100; i++)
		assert_int_equal(get("/api/generate", "fast"), 200);
}

static void test_latency_faults(void **state)
{
	(void)state;
	set_fault("{\"name\":\"latency_factor\",\"value\":100}");
	get("/api/generate", "fast");
	assert_true(metrics_have("mode=\"fast\",le=\"30\"} 0\n"));
	set_fault("{\"name\":\"latency_factor\",\"value\":0}");
	set_fault("{\"name\":\"latency_ms\",\"value\":60000}");
	get("/api/generate", "balanced");
	assert_true(metrics_have("mode=\"balanced\",le=\"30\"} 0\n"));
	set_fault("{\"name\":\"latency_ms\",\"value\":0}");
	get("/api/generate", "balanced");
	assert_true(metrics_have("mode=\"balanced\",le=\"30\"} 1\n"));
}

static void test_malformed_and_loss(void **state)
{
	CLEANUP_FREE char *expected =
		mem_format("rl_training_loss{version=\"canary\"} %.15g\n", app.training.loss * 3);

	(void)state;
	set_fault("{\"name\":\"malformed\",\"value\":\"50%\"}");
	for (int i = 0; i < 4; i++)
		get("/api/generate", "fast");
	assert_true(metrics_have("llm_brief_schema_failures_total{version=\"canary\"} 2\n"));
	set_fault("{\"name\":\"loss_spike\",\"value\":3}");
	assert_true(metrics_have(expected));
}

static void test_held_answers(void **state)
{
	struct request request = {
		.method = "GET", .path = "/api/generate", .body = "", .now_ms = 5000
	};
	struct reply reply;

	(void)state;
	set_fault("{\"name\":\"hang\",\"value\":1}");
	assert_int_equal(app_begin(&app, &request), APP_HANG_MS);
	set_fault("{\"name\":\"hang\",\"value\":0}");
	set_fault("{\"name\":\"sleep_ms\",\"value\":700}");
	assert_int_equal(app_begin(&app, &request), 700);
	/* What was really waited is on top of the model's time. */
	request.waited_ms = APP_HANG_MS;
	app_answer(&app, &request, &reply);
	buf_release(&reply.body);
	assert_true(metrics_have("le=\"30\"} 0\n"));
	request.path = "/health";
	assert_int_equal(app_begin(&app, &request), 0);
}

static void test_fault_requests(void **state)
{
	(void)state;
	assert_int_equal(set_fault(""), 400);
	assert_int_equal(set_fault("{}"), 400);
	assert_int_equal(set_fault("[1]"), 400);
	assert_int_equal(set_fault("{\"name\":\"nix\",\"value\":1}"), 400);
	assert_int_equal(set_fault("{\"name\":\"error_rate\",\"value\":null}"), 400);
	assert_int_equal(set_fault("{\"name\":\"error_rate\",\"value\":-1}"), 400);
	assert_int_equal(set_fault("{\"name\":\"unhealthy\",\"value\":true}"), 200);
	assert_int_equal(get("/admin/fault", NULL), 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_health, setup, teardown),
		cmocka_unit_test_setup_teardown(test_generate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bad_requests, setup, teardown),
		cmocka_unit_test_setup_teardown(test_only_api_requests_count, setup, teardown),
		cmocka_unit_test_setup_teardown(test_error_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_latency_faults, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed_and_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_held_answers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fault_requests, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
