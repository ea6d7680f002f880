/* The JSON guard's attempts and back-off, and the schema behind it. */
#include "test.h"

#include "refapp/brief.h"
#include "refapp/json_guard.h"

#include <string.h>

static const struct json_guard_settings settings = { .enabled = true,
	.max_retries = 3,
	.backoff_base_s = 1.0,
	.jitter = 0.5,
	.fallback_enabled = true };

struct answers {
	const char *texts[8];
	int asked;
};

static void answer(void *context, int attempt, struct buf *ret_text)
{
	struct answers *answers = context;

	assert_int_equal(attempt, answers->asked + 1);
	buf_add_text(ret_text, answers->texts[answers->asked++]);
}

static void run(const struct json_guard_settings *with, struct answers *answers, int attempts,
	const char *expected_theme)
{
	struct random random;
	struct json_guard_result result;

	random_init(&random, 1, 0);
	result = json_guard_run(with, &random, answer, answers);
	assert_int_equal(result.attempts, attempts);
	assert_int_equal(answers->asked, attempts);
	assert_string_equal(buf_text(&result.last_text), answers->texts[attempts - 1]);
	if (expected_theme)
		assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(result.json, "theme")),
			expected_theme);
	else
		assert_null(result.json);
	assert_true(attempts > 1 ? result.backoff_s > 0 : result.backoff_s == 0);
	cJSON_Delete(result.json);
	buf_release(&result.last_text);
}

static void test_attempts(void **state)
{
	const struct json_guard_settings off = { .enabled = false, .max_retries = 3 };

	(void)state;
	run(&settings, &(struct answers){ .texts = { "{\"theme\":\"a\"}" } }, 1, "a");
	run(&settings, &(struct answers){ .texts = { "no", "[1]", "{\"theme\":\"b\"}" } }, 3, "b");
	run(&settings, &(struct answers){ .texts = { "1", "2", "3", "{\"theme\":\"c\"}" } }, 4,
		"c");
	run(&settings, &(struct answers){ .texts = { "1", "2", "{", "", "{}" } }, 4, NULL);
	run(&off, &(struct answers){ .texts = { "1", "{}" } }, 1, NULL);
}

static void test_backoff_doubles_within_its_jitter(void **state)
{
	struct json_guard_settings exact = settings;
	double sum = 0;
	struct random random;

	(void)state;
	exact.jitter = 0;
	random_init(&random, 1, 0);
	assert_true(json_guard_backoff_s(&exact, 1, &random) == 1);
	assert_true(json_guard_backoff_s(&exact, 2, &random) == 2);
	assert_true(json_guard_backoff_s(&exact, 3, &random) == 4);
	for (int i = 0; i < 10000; i++) {
		double backoff_s = json_guard_backoff_s(&settings, 2, &random);

		assert_true(backoff_s >= 2 && backoff_s < 3);
		sum += backoff_s;
	}
	assert_true(sum / 10000 > 2.48 && sum / 10000 < 2.52);
}

static void assert_missing(const char *text, const char *expected)
{
	cJSON *brief = cJSON_Parse(text);
	const char *missing = brief_missing_field(brief);

	if (expected)
		assert_string_equal(missing, expected);
	else
		assert_null(missing);
	brief_fix(brief, MODE_FAST);
	assert_null(brief_missing_field(brief));
	cJSON_Delete(brief);
}

#define NOTES "\"notes\":{\"top\":\"a\",\"heart\":\"b\",\"base\":\"c\"}"

static void test_schema(void **state)
{
	(void)state;
	assert_missing("{\"model\":\"m\",\"theme\":\"t\"," NOTES ",\"description\":\"d\"}", NULL);
	assert_missing("{\"model\":\"m\",\"theme\":\"t\"," NOTES "}", "description");
	assert_missing("{\"model\":\"m\",\"theme\":\"\"," NOTES ",\"description\":\"d\"}", "theme");
	assert_missing(
		"{\"model\":\"m\",\"theme\":\"t\",\"notes\":[],\"description\":\"d\"}", "notes");
	assert_missing("{\"model\":\"m\",\"theme\":\"t\",\"notes\":{\"top\":\"a\",\"heart\":1,"
		       "\"base\":\"c\"},\"description\":\"d\"}",
		"notes");
	assert_missing("{}", "model");
}

/* What is right stays as the model wrote it. */
static void test_fix_keeps_the_rest(void **state)
{
	cJSON *brief = cJSON_Parse("{\"model\":\"m\",\"theme\":\"own\",\"description\":7}");

	(void)state;
	brief_fix(brief, MODE_CREATIVE);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(brief, "theme")), "own");
	assert_int_equal(cJSON_GetArraySize(brief), 4);
	cJSON_Delete(brief);
}

static void test_fallback_is_valid(void **state)
{
	(void)state;
	for (int i = 0; i < MODE_COUNT; i++) {
		cJSON *brief = brief_fallback((enum mode)i);

		assert_null(brief_missing_field(brief));
		cJSON_Delete(brief);
	}
}

/* What the simulated models write is what the schema wants, unless a fault spoils it. */
static void test_models_keep_to_the_schema(void **state)
{
	struct random random;

	(void)state;
	random_init(&random, 1, 0);
	for (int i = 0; i < 100; i++) {
		CLEANUP_BUF struct buf text = { 0 };
		cJSON *brief;

		model_write_brief((enum mode)(i % MODE_COUNT), i % 2, &random, &text);
		brief = cJSON_Parse(buf_text(&text));
		if (i % 2)
			assert_string_equal(brief_missing_field(brief), "notes");
		else
			assert_null(brief_missing_field(brief));
		cJSON_Delete(brief);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_backoff_doubles_within_its_jitter),
		cmocka_unit_test(test_schema),
		cmocka_unit_test(test_fix_keeps_the_rest),
		cmocka_unit_test(test_fallback_is_valid),
		cmocka_unit_test(test_models_keep_to_the_schema),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
