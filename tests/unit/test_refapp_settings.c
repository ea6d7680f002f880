/* The settings: the shipped files are the built-in defaults, and what is wrong is named exactly. */
#include "test.h"

#include "canaryctl/mem.h"
#include "refapp/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SHIPPED SOURCE_DIR "/configs/app"

static char *shown(const struct settings *settings)
{
	cJSON *json = settings_json(settings);
	char *text = cJSON_PrintUnformatted(json);

	cJSON_Delete(json);
	return text;
}

static void test_shipped_files_are_the_defaults(void **state)
{
	struct settings defaults, loaded = { 0 };
	struct error err = { 0 };

	(void)state;
	settings_defaults(&defaults);
	if (settings_load(&loaded, SHIPPED, &err) < 0)
		fail_msg("%s", err.message);

	CLEANUP_FREE char *a = shown(&defaults);
	CLEANUP_FREE char *b = shown(&loaded);

	assert_string_equal(a, b);
}

static void test_json_is_nested_as_the_files_are(void **state)
{
	struct settings settings;

	(void)state;
	settings_defaults(&settings);

	CLEANUP_FREE char *text = shown(&settings);

	assert_non_null(strstr(text, "\"json_guard\":{\"enabled\":true,\"max_retries\":3,"));
	assert_non_null(strstr(text, "\"timeout\":60,"));
	assert_non_null(strstr(text, "\"modes\":{\"fast\":60,\"balanced\":30,\"creative\":10}"));
	assert_non_null(strstr(text, "\"loss_spike\":{\"threshold\":2}"));
	assert_non_null(strstr(text, "\"models\":[\"gpt-3.5-turbo\",\"claude-3-haiku\","));
}

static char *folder;

static int setup(void **state)
{
	static const char *const names[] = { "llm_ensemble", "traffic_distribution", "ppo_schedule",
		"reward_normalization", "checkpoint_strategy" };

	(void)state;
	folder = mem_strdup("/tmp/refapp-settings.XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *from = mem_format(SHIPPED "/%s.yaml", names[i]);
		CLEANUP_FREE char *to = mem_format("%s/%s.yaml", folder, names[i]);
		CLEANUP_BUF struct buf bytes = { 0 };

		if (fileio_read(from, 1 << 20, &bytes, NULL) < 0 ||
			fileio_replace(to, bytes.data, bytes.length, 0644, NULL) < 0)
			return -1;
	}
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = { "llm_ensemble", "traffic_distribution", "ppo_schedule",
		"reward_normalization", "checkpoint_strategy" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *path = mem_format("%s/%s.yaml", folder, names[i]);

		unlink(path);
	}
	rmdir(folder);
	free(folder);
	return 0;
}

static int load(const char *text, struct settings *settings, struct error *err)
{
	CLEANUP_FREE char *path = mem_format("%s/llm_ensemble.yaml", folder);

	settings_defaults(settings);
	assert_int_equal(fileio_replace(path, text, strlen(text), 0644, NULL), 0);
	return settings_load(settings, folder, err);
}

static void test_values_are_taken(void **state)
{
	struct settings settings;
	struct error err = { 0 };

	(void)state;
	if (load("json_guard: {enabled: false, backoff_base: 0.25}\n"
		 "circuit_breaker:\n  timeout: 1.5\ncache: {max_size: 7}\n",
		    &settings, &err) < 0)
		fail_msg("%s", err.message);
	assert_false(settings.json_guard.enabled);
	assert_true(settings.json_guard.backoff_base_s == 0.25);
	assert_int_equal(settings.breaker.timeout_ms, 1500);
	assert_int_equal(settings.cache.max_size, 7);
	/* What a file leaves out stays as it was. */
	assert_int_equal(settings.json_guard.max_retries, 3);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		const char *message; /* behind the file's name */
	} cases[] = {
		{ "json_guard: {enabled: 1}\n", ":1:23: 'json_guard.enabled' wants true or false" },
		{ "json_guard:\n  enabled: \"true\"\n",
			":2:12: 'json_guard.enabled' wants true or false" },
		{ "json_guard: {retries: 3}\n", ":1:14: 'json_guard.retries' is not a setting" },
		{ "cache: {max_size: 0}\n",
			":1:19: 'cache.max_size' wants a number from 1 to 100000" },
		{ "cache: {max_size: many}\n",
			":1:19: 'cache.max_size' wants a number from 1 to 100000" },
		{ "cache: {max_size: 1.5}\n", ":1:19: 'cache.max_size' wants a whole number" },
		{ "cache: {max_size: [1]}\n",
			":1:19: 'cache.max_size' wants a number from 1 to 100000" },
		{ "llm_ensemble: {voting: majority}\n",
			":1:24: 'llm_ensemble.voting' can only be 'weighted': nothing else is "
			"simulated" },
		{ "llm_ensemble: {models: [gpt-3.5-turbo]}\n",
			":1:24: 'llm_ensemble.models' can only be "
			"'gpt-3.5-turbo,claude-3-haiku,gemini-pro': nothing else is simulated" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *expected =
			mem_format("%s/llm_ensemble.yaml%s", folder, cases[i].message);
		struct settings settings;
		struct error err = { 0 };

		assert_int_equal(load(cases[i].text, &settings, &err), -1);
		assert_int_equal(err.kind, ERROR_CONFIG);
		assert_string_equal(err.message, expected);
	}
}

static void test_checked_together(void **state)
{
	struct settings settings;
	struct error err = { 0 };

	(void)state;
	settings_defaults(&settings);
	settings.distributor.percent[MODE_FAST] = 50;
	assert_int_equal(settings_check(&settings, &err), -1);
	assert_string_equal(
		err.message, "the shares in 'traffic_distribution.modes' add up to 90, not 100");
	settings_defaults(&settings);
	settings.breaker.minimum_calls = 21;
	assert_int_equal(settings_check(&settings, &err), -1);
}

static void test_missing_folder(void **state)
{
	struct settings settings;
	struct error err = { 0 };

	(void)state;
	settings_defaults(&settings);
	assert_int_equal(settings_load(&settings, "/nonexistent", &err), -1);
	assert_non_null(strstr(err.message, "/nonexistent/llm_ensemble.yaml"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shipped_files_are_the_defaults),
		cmocka_unit_test(test_json_is_nested_as_the_files_are),
		cmocka_unit_test_setup_teardown(test_values_are_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test(test_checked_together),
		cmocka_unit_test(test_missing_folder),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
