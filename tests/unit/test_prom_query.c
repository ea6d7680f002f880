/* Retries, methods and deadlines of one query, against a server that answers from a script. */
#include "canaryctl/prom.h"
#include "scripted_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define JSON   "application/json"
#define ANSWER "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"7\"]}}"

#define MATRIX                                                                                     \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},"  \
	"\"values\":[[100,\"1\"],[115,\"2\"]]}]}}"

struct asking {
	struct task task;
	bool is_range;
	struct prom_query query;
	const struct prometheus_config *config;
	const char *expression;
};

static enum task_next asking_ask(struct task *task)
{
	struct asking *asking = container_of(task, struct asking, task);

	if (asking->is_range)
		prom_query_range_start(&asking->query, task, asking->config, asking->expression,
			(struct prom_range){ .start_s = 100, .end_s = 115.25, .step_s = 15 });
	else
		prom_query_start(&asking->query, task, asking->config, asking->expression, 1234.5);
	return TASK_WAIT;
}

static const struct task_step steps[] = { { "ask", asking_ask }, { 0 } };

struct outcome {
	struct error error;
	bool answered;
	double value;
	int attempts;
	int64_t took_ms;
};

static struct outcome ask_url(char *url, const char *expression, int64_t timeout_ms)
{
	struct prometheus_config config = { .url = url, .timeout_ms = timeout_ms };
	struct asking asking = { .config = &config, .expression = expression };
	struct loop *loop = loop_new();
	struct outcome outcome;
	int64_t start_ms = loop_now_ms(loop);

	task_start(&asking.task, loop, "test", steps);
	loop_run(loop, &asking.task);
	outcome = (struct outcome){
		.error = asking.query.error,
		.answered = asking.query.answered,
		.attempts = asking.query.attempt,
		.took_ms = loop_now_ms(loop) - start_ms,
	};
	if (!outcome.error.kind)
		outcome.value = asking.query.result.series->samples->value;
	prom_query_release(&asking.query);
	loop_free(loop);
	return outcome;
}

static struct outcome ask(struct scripted_answer *script, const char *expression)
{
	struct scripted_server server = scripted_start(script);
	struct outcome outcome = ask_url(server.url, expression, 3000);

	scripted_stop(&server);
	return outcome;
}

static void short_queries_are_got(void **state)
{
	struct scripted_answer script[] = {
		{ "GET /api/v1/query?query=up%7Ba%3D%22b%20c%22%7D&time=1234.500&dedup=true"
		  "&partial_response=false",
			0, 200, JSON, ANSWER },
		{ 0 },
	};
	struct outcome outcome = ask(script, "up{a=\"b c\"}");

	(void)state;
	assert_int_equal(outcome.error.kind, ERROR_NONE);
	assert_true(outcome.answered);
	assert_true(outcome.value == 7);
	assert_int_equal(outcome.attempts, 1);
}

static void a_range_is_asked_for_whole(void **state)
{
	struct scripted_answer script[] = {
		{ "GET "
		  "/api/v1/query_range?query=up&start=100.000&end=115.250&step=15.000&dedup=true",
			0, 200, JSON, MATRIX },
		{ 0 },
	};
	struct scripted_server server = scripted_start(script);
	struct prometheus_config config = { .url = server.url, .timeout_ms = 3000 };
	struct asking asking = { .config = &config, .expression = "up", .is_range = true };
	struct loop *loop = loop_new();

	(void)state;
	task_start(&asking.task, loop, "test", steps);
	loop_run(loop, &asking.task);
	assert_int_equal(asking.query.error.kind, ERROR_NONE);
	assert_int_equal(asking.query.result.type, PROM_MATRIX);
	assert_int_equal(asking.query.result.series->sample_count, 2);
	assert_true(asking.query.result.series->samples[1].value == 2);
	prom_query_release(&asking.query);
	loop_free(loop);
	scripted_stop(&server);
}

static void long_queries_are_posted(void **state)
{
	struct scripted_answer script[] = {
		{ "POST /api/v1/query HTTP", 0, 200, JSON, ANSWER },
		{ 0 },
	};
	char expression[2000];

	(void)state;
	memset(expression, 'a', sizeof(expression) - 1);
	expression[sizeof(expression) - 1] = '\0';
	assert_true(ask(script, expression).value == 7);
}

static void the_other_method_is_tried_once(void **state)
{
	struct scripted_answer post_only[] = {
		{ "GET /", 0, 405, "text/plain", "no" },
		{ "POST /", 0, 200, JSON, ANSWER },
		{ 0 },
	};
	struct scripted_answer none[] = { { NULL, 0, 405, "text/plain", "no" }, { 0 } };
	struct outcome outcome;

	(void)state;
	assert_true(ask(post_only, "up").value == 7);
	outcome = ask(none, "up");
	assert_int_equal(outcome.error.kind, ERROR_CONFIG);
	assert_int_equal(outcome.attempts, 2);
}

static void passing_trouble_is_retried(void **state)
{
	struct scripted_answer script[] = {
		{ NULL, 1, 503, JSON,
			"{\"status\":\"error\",\"errorType\":\"unavailable\",\"error\":\"x\"}" },
		{ NULL, 1, 429, "text/plain", "slow down" },
		{ NULL, 1, 0, "closes", "" },
		{ NULL, 0, 200, JSON, ANSWER },
		{ 0 },
	};
	struct outcome outcome = ask(script, "up");

	(void)state;
	assert_true(outcome.value == 7);
	assert_int_equal(outcome.attempts, 4);
}

static void a_wrong_query_is_not_retried(void **state)
{
	struct scripted_answer script[] = {
		{ NULL, 1, 400, JSON,
			"{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"parse\"}" },
		{ NULL, 0, 200, JSON, ANSWER },
		{ 0 },
	};
	struct outcome outcome = ask(script, "sum(");

	(void)state;
	assert_int_equal(outcome.error.kind, ERROR_CONFIG);
	assert_true(outcome.answered);
	assert_int_equal(outcome.attempts, 1);
	assert_non_null(strstr(outcome.error.message, "query 'sum(': "));
}

static void a_proxy_without_prometheus_is_no_answer(void **state)
{
	struct scripted_answer script[] = { { NULL, 0, 502, "text/html", "<html>" }, { 0 } };
	struct outcome outcome = ask(script, "up");

	(void)state;
	assert_int_equal(outcome.error.kind, ERROR_NET);
	assert_false(outcome.answered);
	assert_true(outcome.attempts > 1);
}

static void all_tries_end_in_time(void **state)
{
	struct scripted_answer silent[] = { { NULL, 0, -1, "silent", "" }, { 0 } };
	struct scripted_server server = scripted_start(silent);
	struct outcome outcome = ask_url(server.url, "up", 400);
	char nobody[] = "http://127.0.0.1:1";

	(void)state;
	scripted_stop(&server);
	assert_int_equal(outcome.error.kind, ERROR_NET);
	assert_string_equal(outcome.error.message, "Prometheus did not answer within 400ms");
	assert_true(outcome.took_ms >= 390 && outcome.took_ms < 2000);
	outcome = ask_url(nobody, "up", 400);
	assert_int_equal(outcome.error.kind, ERROR_NET);
	assert_false(outcome.answered);
	assert_non_null(strstr(outcome.error.message, "cannot be reached"));
	assert_true(outcome.took_ms < 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_queries_are_got),
		cmocka_unit_test(a_range_is_asked_for_whole),
		cmocka_unit_test(long_queries_are_posted),
		cmocka_unit_test(the_other_method_is_tried_once),
		cmocka_unit_test(passing_trouble_is_retried),
		cmocka_unit_test(a_wrong_query_is_not_retried),
		cmocka_unit_test(a_proxy_without_prometheus_is_no_answer),
		cmocka_unit_test(all_tries_end_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
