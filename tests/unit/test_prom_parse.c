/* Answers of Prometheus, good, strange and hostile. */
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct prom_result result;
static struct error err;

static int parse_as(const char *text, long status, const char *type)
{
	prom_result_release(&result);
	error_clear(&err);
	return prom_parse(text, strlen(text), status, type, &result, &err);
}

static int parse(const char *text)
{
	return parse_as(text, 200, "application/json");
}

static int parse_data(const char *type, const char *list)
{
	CLEANUP_FREE char *text =
		mem_format("{\"status\":\"success\",\"data\":{\"resultType\":\"%s\","
			   "\"result\":%s}}",
			type, list);

	return parse(text);
}

static void vectors(void **state)
{
	(void)state;
	assert_int_equal(parse_data("vector", "[]"), 0);
	assert_int_equal(result.series_count, 0);
	assert_int_equal(
		parse_data("vector",
			"[{\"metric\":{\"job\":\"app\",\"__name__\":\"x\",\"a\":\"\\u00e9\"},"
			"\"value\":[1700000000.123,\"1.5e+06\"]}]"),
		0);
	assert_int_equal(result.type, PROM_VECTOR);
	assert_int_equal(result.series_count, 1);
	assert_true(result.series[0].samples[0].value == 1.5e6);
	assert_true(result.series[0].samples[0].time == 1700000000.123);
	assert_string_equal(result.series[0].labels[0].name, "__name__");
	assert_string_equal(prom_series_label(&result.series[0], "a"), "\xc3\xa9");
	assert_string_equal(prom_series_label(&result.series[0], "b"), "");
	assert_null(result.warnings);
	prom_result_release(&result);
}

static void matrices(void **state)
{
	(void)state;
	assert_int_equal(
		parse_data("matrix", "[{\"metric\":{},\"values\":[[1,\"1\"],[2.5,\"2\"]]}]"), 0);
	assert_int_equal(result.type, PROM_MATRIX);
	assert_int_equal(result.series[0].sample_count, 2);
	assert_true(result.series[0].samples[1].time == 2.5);
	assert_int_equal(
		parse_data("matrix", "[{\"metric\":{},\"values\":[[2,\"1\"],[2,\"2\"]]}]"), -1);
	assert_int_equal(err.kind, ERROR_METRICS);
	assert_int_equal(parse_data("matrix", "[{\"metric\":{},\"histograms\":[]}]"), -1);
	assert_int_equal(err.kind, ERROR_CONFIG);
	prom_result_release(&result);
}

static void scalars_and_strings(void **state)
{
	(void)state;
	assert_int_equal(parse_data("scalar", "[1,\"42\"]"), 0);
	assert_int_equal(result.type, PROM_SCALAR);
	assert_true(result.series[0].samples[0].value == 42);
	assert_int_equal(parse_data("string", "[1,\"text\"]"), 0);
	assert_int_equal(result.type, PROM_STRING);
	assert_int_equal(result.series_count, 0);
	assert_int_equal(parse_data("streams", "[]"), -1);
	prom_result_release(&result);
}

static double number(const char *text)
{
	CLEANUP_FREE char *pair = mem_format("[1,\"%s\"]", text);

	return parse_data("scalar", pair) ? -12345 : result.series[0].samples[0].value;
}

static void numbers(void **state)
{
	static const char *const refused[] = { "", " 1", "1 ", "1x", "0x10", "nan", "inf",
		"infinity", "1e", "--1", "1,5", "NaN(1)", "." };

	(void)state;
	assert_true(isnan(number("NaN")));
	assert_true(number("+Inf") > 0 && isinf(number("+Inf")));
	assert_true(isinf(number("Inf")));
	assert_true(number("-Inf") < 0 && isinf(number("-Inf")));
	assert_true(number("1e+09") == 1e9);
	assert_true(number("0.30000000000000004") == 0.1 + 0.2);
	assert_true(number("-0.5") == -0.5);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_true(number(refused[i]) == -12345);
	assert_int_equal(err.kind, ERROR_METRICS);
	assert_non_null(strstr(err.message, "is not a number"));
	prom_result_release(&result);
}

static void malformed(void **state)
{
	static const char *const texts[] = {
		"",
		"{",
		"[]",
		"null",
		"{}",
		"{\"status\":\"success\"}",
		"{\"status\":\"success\",\"data\":[]}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\"}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":{}}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[1]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{"
		"\"metric\":{},"
		"\"value\":[1,2]}]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{"
		"\"metric\":{"
		"\"a\":1},\"value\":[1,\"2\"]}]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{"
		"\"metric\":{"
		"\"a\":\"1\",\"a\":\"2\"},\"value\":[1,\"2\"]}]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1]}}",
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"2\"]}}"
		" x",
		"{\"status\":\"maybe\"}",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_int_equal(parse(texts[i]), -1);
		assert_int_equal(err.kind, ERROR_METRICS);
	}
	assert_int_equal(parse_data("scalar", "[1,\"2\"]"), 0);
	prom_result_release(&result);
}

static void depth_and_number_are_bounded(void **state)
{
	struct buf deep = { 0 }, wide = { 0 };

	(void)state;
	for (int i = 0; i < 5000; i++)
		buf_add_text(&deep, "[");
	assert_int_equal(parse(buf_text(&deep)), -1);
	assert_non_null(strstr(err.message, "too deeply"));
	buf_add_text(&wide, "[0");
	for (int i = 0; i < 1000001; i++)
		buf_add_text(&wide, ",0");
	buf_add_text(&wide, "]");
	assert_int_equal(parse(buf_text(&wide)), -1);
	assert_non_null(strstr(err.message, "too many values"));
	buf_release(&deep);
	buf_release(&wide);
}

static void warnings_are_joined(void **state)
{
	(void)state;
	assert_int_equal(
		parse("{\"status\":\"success\",\"warnings\":[\"store a down\",\"b\\u001b[2J\"],"
		      "\"infos\":[\"not a counter\"],"
		      "\"data\":{\"resultType\":\"vector\",\"result\":[]}}"),
		0);
	assert_string_equal(result.warnings, "store a down; b\\x1b[2J");
	prom_result_release(&result);
}

static void expect(
	const char *text, long status, const char *type, enum error_kind kind, const char *part)
{
	assert_int_equal(parse_as(text, status, type), -1);
	assert_int_equal(err.kind, kind);
	if (!strstr(err.message, part))
		fail_msg("'%s' is not in '%s'", part, err.message);
}

#define ERROR_BODY(type, text)                                                                     \
	"{\"status\":\"error\",\"errorType\":\"" type "\",\"error\":\"" text "\"}"
#define JSON "application/json; charset=utf-8"

static void refusals_by_type(void **state)
{
	(void)state;
	expect(ERROR_BODY("bad_data", "1:5: parse error: unexpected end"), 400, JSON, ERROR_CONFIG,
		"bad_data: 1:5: parse error: unexpected end");
	assert_true(*err.hint);
	expect(ERROR_BODY("execution", "many-to-many matching"), 422, JSON, ERROR_CONFIG,
		"many-to-many");
	expect(ERROR_BODY("timeout", "query timed out"), 503, JSON, ERROR_NET, "query timed out");
	expect(ERROR_BODY("canceled", "x"), 422, JSON, ERROR_NET, "x");
	expect(ERROR_BODY("internal", "x"), 500, JSON, ERROR_NET, "x");
	expect(ERROR_BODY("unavailable", "TSDB not ready"), 503, JSON, ERROR_NET, "TSDB not ready");
	expect(ERROR_BODY("timeout", "x"), 200, JSON, ERROR_NET, "x");
	expect(ERROR_BODY("bad_data", "x"), 200, JSON, ERROR_CONFIG, "x");
	expect(ERROR_BODY("", "no org id"), 401, JSON, ERROR_CONFIG, "no org id");
	expect(ERROR_BODY("bad_data", "\\u001b[31mred"), 400, JSON, ERROR_CONFIG, "\\x1b[31mred");
	expect(ERROR_BODY("not_found", "no"), 404, JSON, ERROR_CONFIG, "path prefix");
}

static void refusals_by_status(void **state)
{
	static const char page[] = "<html><body>Please log in</body></html>";

	(void)state;
	expect(page, 200, "text/html; charset=utf-8", ERROR_CONFIG, "a login page");
	expect(page, 502, "text/html", ERROR_NET, "HTTP 502");
	expect("busy", 429, "text/plain", ERROR_NET, "HTTP 429: busy");
	expect("upstream timeout", 504, "", ERROR_NET, "HTTP 504");
	expect("404 page not found\n", 404, "text/plain", ERROR_CONFIG, "path prefix");
	expect("no", 401, "text/plain", ERROR_CONFIG, "HTTP 401: no");
	assert_non_null(strstr(err.hint, "basic_auth"));
	expect("", 403, "", ERROR_CONFIG, "credentials");
	expect("", 302, "text/html", ERROR_CONFIG, "redirect (HTTP 302)");
	expect("", 307, JSON, ERROR_CONFIG, "redirect");
	expect("", 405, "", ERROR_CONFIG, "HTTP 405");
	expect("garbage", 503, JSON, ERROR_NET, "HTTP 503");
	expect("{\"status\":\"success\"}", 500, JSON, ERROR_NET, "HTTP 500");
	expect("{}", 200, "", ERROR_CONFIG, "no content type");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(matrices),
		cmocka_unit_test(scalars_and_strings),
		cmocka_unit_test(numbers),
		cmocka_unit_test(malformed),
		cmocka_unit_test(depth_and_number_are_bounded),
		cmocka_unit_test(warnings_are_joined),
		cmocka_unit_test(refusals_by_type),
		cmocka_unit_test(refusals_by_status),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
