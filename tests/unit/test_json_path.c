/* Values by path in a JSON answer. */
#include "checks/json_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char document[] =
	"{\"status\":\"ok\",\"n\":1.50,\"yes\":true,\"none\":null,\"models\":[{\"name\":\"a\"},"
	"{\"name\":\"b\",\"tags\":[[1,2]]}]}";

static void expect(const char *path, const char *value, bool equal)
{
	cJSON *root = cJSON_Parse(document);
	const cJSON *found = json_path_find(root, path);

	assert_int_equal(found && json_value_equals(found, value), equal);
	cJSON_Delete(root);
}

static void finds(void **state)
{
	(void)state;
	expect("status", "ok", true);
	expect("status", "OK", false);
	expect("n", "1.5", true);
	expect("n", "1.5x", false);
	expect("n", " 1.5", false);
	expect("n", "", false);
	expect("yes", "true", true);
	expect("yes", "1", false);
	expect("none", "null", true);
	expect("models[1].name", "b", true);
	expect("models[1].tags[0][1]", "2", true);
	expect("models[2].name", "b", false);
	expect("models[1].name.x", "b", false);
	expect("models.name", "b", false);
	expect("missing", "", false);
	expect("models", "x", false);
}

static void paths(void **state)
{
	(void)state;
	assert_true(json_path_valid("a.b[0].c"));
	assert_true(json_path_valid("[0]"));
	assert_true(json_path_valid("."));
	assert_false(json_path_valid("a..b"));
	assert_false(json_path_valid("a."));
	assert_false(json_path_valid("a[x]"));
	assert_false(json_path_valid("a[1"));
	assert_false(json_path_valid("a[]"));
	assert_false(json_path_valid(".a"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds),
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
