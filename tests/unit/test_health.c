/* What a canary's answer about its health means. */
#include "checks/health.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static void expect(long status, const char *body, const char *version, const char *problem)
{
	struct buf text = { 0 };
	struct health_answer answer = { .status = status, .body = body, .length = strlen(body) };
	bool good = health_is_good(&answer, version, &text);

	assert_int_equal(good, problem == NULL);
	if (problem && !strstr(buf_text(&text), problem))
		fail_msg("'%s' is not in '%s'", problem, buf_text(&text));
	buf_release(&text);
}

static void healthy(void **state)
{
	static const char body[] = "{\"status\":\"healthy\",\"version\":\"v0.2.0\",\"x\":[1]}";

	(void)state;
	expect(200, body, "v0.2.0", NULL);
	expect(200, body, "0.2.0", NULL);
	expect(200, "{\"status\":\"healthy\",\"version\":\"0.2.0\"}", "v0.2.0", NULL);
	expect(200, body, "", NULL);
}

static void not_healthy(void **state)
{
	(void)state;
	expect(200, "{\"status\":\"healthy\",\"version\":\"v0.1.9\"}", "v0.2.0",
		"version 'v0.1.9', not 'v0.2.0'");
	expect(200, "{\"status\":\"healthy\"}", "v0.2.0", "version '(none)'");
	expect(200, "{\"status\":\"degraded\",\"version\":\"v0.2.0\"}", "v0.2.0", "'degraded'");
	expect(503, "{\"status\":\"unhealthy\"}", "v0.2.0", "status 'unhealthy'");
	expect(500, "{\"status\":\"healthy\",\"version\":\"v0.2.0\"}", "v0.2.0", "status 500");
	expect(200, "{}", "v0.2.0", "status '(none)'");
	expect(200, "OK", "v0.2.0", "no JSON");
	expect(200, "[]", "v0.2.0", "no JSON");
	expect(502, "<html>", "v0.2.0", "status 502");
	expect(200, "{\"status\":1}", "v0.2.0", "status '(none)'");
	expect(200, "{\"status\":\"\\u001b[2J\"}", "v0.2.0", "\\x1b[2J");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(healthy),
		cmocka_unit_test(not_healthy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
