/* yaml: values by path, equal or within limits. */
#include "suite_fixture.h"

#include "checks/yaml_path.h"

static void test_paths(void **state)
{
	static const char *const good[] = { "a", "a.b", "a[0]", "a[0].b", "a[0][1]", "[0]" };
	static const char *const bad[] = { "", ".", "a.", "a..b", "a[", "a[x]", "a[0]b", "a[-1]" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(yaml_path_valid(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		if (yaml_path_valid(bad[i]))
			fail_msg("'%s'", bad[i]);
	}
}

static void test_values(void **state)
{
	(void)state;
	suite_write(
		"app.yaml", "cache: {enabled: true, ttl_seconds: 600}\nmodels: [{name: qwen}]\n");
	assert_verdict(
		"yaml: {file: app.yaml, path: cache.enabled, equals: 'true'}", CHECK_PASS, "");
	assert_verdict(
		"yaml: {file: app.yaml, path: cache.ttl_seconds, equals: '600.0'}", CHECK_PASS, "");
	assert_verdict(
		"yaml: {file: app.yaml, path: 'models[0].name', equals: qwen}", CHECK_PASS, "");
	assert_verdict("yaml: {file: app.yaml, path: cache.enabled, equals: 'false'}", CHECK_FAIL,
		"'cache.enabled' is 'true': 'false' was expected");
	assert_verdict("yaml: {file: app.yaml, path: cache.ttl_seconds, at_least: '600', at_most: "
		       "'600'}",
		CHECK_PASS, "");
	assert_verdict("yaml: {file: app.yaml, path: cache.ttl_seconds, at_least: '601'}",
		CHECK_FAIL, "at least 601 was expected");
	assert_verdict("yaml: {file: app.yaml, path: cache.ttl_seconds, at_most: '599'}",
		CHECK_FAIL, "at most 599 was expected");
	assert_verdict("yaml: {file: app.yaml, path: cache.enabled, at_least: '1'}", CHECK_FAIL,
		"a number was expected");
}

static void test_what_is_not_there(void **state)
{
	(void)state;
	suite_write("app.yaml", "cache: {enabled: true}\n");
	assert_verdict("yaml: {file: app.yaml, path: cache.size, equals: '1'}", CHECK_FAIL,
		"has no 'cache.size'");
	assert_verdict("yaml: {file: app.yaml, path: cache, equals: '1'}", CHECK_FAIL,
		"is a map, not one value");
	assert_verdict("yaml: {file: none, path: cache, equals: '1'}", CHECK_FAIL, "No such file");
	suite_write("app.yaml", "cache: {enabled: true\n");
	assert_verdict("yaml: {file: app.yaml, path: cache, equals: '1'}", CHECK_FAIL, "line");
	assert_refused("yaml: {file: app.yaml, path: cache}", "equals, at_least or at_most");
	assert_refused("yaml: {file: app.yaml, path: 'a..b', equals: '1'}", "not a path into YAML");
	assert_refused("yaml: {file: app.yaml, path: a, at_least: x}", "is not a number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_what_is_not_there),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
