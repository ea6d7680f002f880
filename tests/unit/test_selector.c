/* Series selectors: what is one, and what is written from one. */
#include "canaryctl/selector.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void expect_same(const char *text, const char *written)
{
	struct arena arena = { 0 };
	struct buf buf = { 0 };
	struct selector selector;
	struct error err = { 0 };

	if (selector_parse(text, &arena, &selector, &err))
		fail_msg("%s", err.message);
	selector_write(&selector, &buf);
	assert_string_equal(buf_text(&buf), written);
	buf_release(&buf);
	arena_release(&arena);
}

static void writes_what_it_reads(void **state)
{
	(void)state;
	expect_same("up", "up");
	expect_same("job:errors:rate5m", "job:errors:rate5m");
	expect_same(" a { b = \"c\" , d=~'e.+', } ", "a{b=\"c\",d=~\"e.+\"}");
	expect_same("a{b!=`x\\y`,c!~\"z\"}", "a{b!=\"x\\\\y\",c!~\"z\"}");
	expect_same("{__name__=\"x\"}", "{__name__=\"x\"}");
	expect_same("a{b=\"q\\\"\\n\\x41\\u00e9\\101\"}", "a{b=\"q\\\"\\x0aA\xc3\xa9"
							  "A\"}");
	expect_same("a{}", "a");
}

static void expect_refused(const char *text, const char *part)
{
	struct arena arena = { 0 };
	struct selector selector;
	struct error err = { 0 };

	assert_int_equal(selector_parse(text, &arena, &selector, &err), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	if (!strstr(err.message, part))
		fail_msg("'%s' is not in '%s'", part, err.message);
	arena_release(&arena);
}

static void refuses_the_rest(void **state)
{
	(void)state;
	expect_refused("", "expected a metric name");
	expect_refused("{}", "nothing is selected");
	expect_refused("{a!=\"b\"}", "nothing is selected");
	expect_refused("{a=\"\"}", "nothing is selected");
	expect_refused("a[5m]", "a range at character 2");
	expect_refused("rate(a[5m])", "a function call");
	expect_refused("a + b", "something behind");
	expect_refused("a offset 5m", "something behind");
	expect_refused("a{b=c}", "expected a quoted value at character 5");
	expect_refused("a{b=\"c}", "closing quote");
	expect_refused("a{b=\"\\q\"}", "escape");
	expect_refused("a{b=\"\\x00\"}", "escape");
	expect_refused("a{b\"c\"}", "expected =");
	expect_refused("a{b=\"c\"", "expected ',' or '}'");
	expect_refused("a{1=\"c\"}", "label name");
	expect_refused("1a", "metric name");
}

static void parts(void **state)
{
	struct arena arena = { 0 };
	struct buf buf = { 0 };
	struct selector selector, more;

	(void)state;
	assert_int_equal(
		selector_parse("m{a=\"1\",b=~\"2.\",c=\"\",a!=\"3\"}", &arena, &selector, NULL), 0);
	assert_true(selector_write_up(&selector, &buf));
	assert_string_equal(buf_text(&buf), "up{a=\"1\"}");
	buf_clear(&buf);
	assert_true(selector_write_diagnosis(&selector, &buf));
	assert_string_equal(buf_text(&buf), "count by (a,b,c) (m)");
	buf_clear(&buf);
	more = selector_with(&arena, &selector, "le", MATCH_REGEX, "2\\.5|\\+Inf");
	selector_write(&more, &buf);
	assert_string_equal(
		buf_text(&buf), "m{a=\"1\",b=~\"2.\",c=\"\",a!=\"3\",le=~\"2\\\\.5|\\\\+Inf\"}");
	assert_int_equal(selector.matcher_count, 4);
	buf_clear(&buf);
	assert_int_equal(
		selector_parse("m{b=~\"2.\",le=\"+Inf\",__name__=\"m\"}", &arena, &selector, NULL),
		0);
	assert_false(selector_write_up(&selector, &buf));
	buf_clear(&buf);
	selector_add_literal(&buf, "a.b|c+(d)");
	assert_string_equal(buf_text(&buf), "a\\.b\\|c\\+\\(d\\)");
	buf_release(&buf);
	arena_release(&arena);
}

static void finds_the_first_in_an_expression(void **state)
{
	struct arena arena = { 0 };
	struct selector selector;

	(void)state;
	assert_true(selector_find("max by (a) (rate(m{a=\"}\"}[5m])) > 1", &arena, &selector));
	assert_string_equal(selector.metric, "m");
	assert_string_equal(selector.matchers[0].value, "}");
	assert_false(selector_find("sum(m)", &arena, &selector));
	assert_false(selector_find("m{a=", &arena, &selector));
	arena_release(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_reads),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(parts),
		cmocka_unit_test(finds_the_first_in_an_expression),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
