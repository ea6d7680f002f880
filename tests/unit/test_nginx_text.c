/* Reading NGINX's text, its `-t` output and its error log as it writes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "canaryctl/mem.h"

#include "traffic/nginx_output.h"
#include "traffic/nginx_text.h"
#include "traffic/upstreams.h"

#include <string.h>

static void statements_are_read_as_nginx_does(void **state)
{
	static const struct {
		enum nginx_statement_kind kind;
		int line;
		size_t count;
		const char *last_word;
	} wanted[] = {
		{ NGINX_BLOCK, 2, 2, "a#b" },
		{ NGINX_DIRECTIVE, 3, 3, "x ; } # \\\" y" },
		{ NGINX_DIRECTIVE, 4, 2, "${name}c" },
		{ NGINX_DIRECTIVE, 5, 2, "two" },
		{ NGINX_BLOCK_END, 7, 0, NULL },
		{ NGINX_TEXT_END, 8, 0, NULL },
	};
	struct nginx_reader reader = {
		.next = "# comment { ; \"\n"
			"upstream a#b {\n"
			"  log 'it;s' \"x ; } # \\\" y\";\n"
			"  set ${name}c; # rest }\n"
			"  one\n"
			"    two;\n"
			"}\n",
		.line = 1,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		struct nginx_statement statement;

		assert_int_equal(nginx_read_statement(&reader, &statement), wanted[i].kind);
		assert_int_equal(statement.line, wanted[i].line);
		assert_int_equal(statement.count, wanted[i].count);
		if (wanted[i].last_word)
			assert_true(nginx_word_is(
				&statement, statement.count - 1, wanted[i].last_word));
	}
}

static void broken_text_ends(void **state)
{
	static const char *const texts[] = { "a 'b", "a b", "a }", "a \"\\", "a b\\" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct nginx_reader reader = { .next = texts[i], .line = 1 };
		struct nginx_statement statement;

		assert_int_equal(nginx_read_statement(&reader, &statement), NGINX_TEXT_BROKEN);
	}
}

static void long_statements_are_cut(void **state)
{
	struct nginx_reader reader = { .next = "a 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18;",
		.line = 1 };
	struct nginx_statement statement;

	(void)state;
	assert_int_equal(nginx_read_statement(&reader, &statement), NGINX_DIRECTIVE);
	assert_int_equal(statement.count, NGINX_MAX_WORDS);
	assert_true(nginx_word_is(&statement, 15, "15"));
}

static void upstreams_are_examined(void **state)
{
	static const struct {
		const char *text;
		int result;
		bool has_production_pool;
		const char *without_zone, *without_max_fails;
	} cases[] = {
		{ "upstream a { server p; }", 0, true, "", "" },
		{ "upstream a { server p down; }", -1, false, "", "" },
		{ "upstream a { }", -1, false, "", "" },
		{ "upstream a { server p; server c down; }", 0, false, "'a'", "'a'" },
		{ "upstream a { zone a 64k; server p max_fails=0; server c max_fails=0; }", 0,
			false, "", "" },
		{ "upstream a { server p max_fails=05; server c max_fails=0; }", 0, false, "'a'",
			"'a'" },
		{ "upstream a { server p; server c; } upstream b { server c; server p; }", 0, false,
			"'a', 'b'", "'a', 'b'" },
		{ "server { location / { return 200 'upstream a { }'; } }", 0, false, "", "" },
		{ "upstream a { server p; } }", -1, false, "", "" },
		{ "upstream a { server p down; # server c;\n }", -1, false, "", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct upstreams_report report = { 0 };
		struct error err = { 0 };

		assert_int_equal(
			upstreams_examine("t", cases[i].text, "p", &report, &err), cases[i].result);
		if (cases[i].result == 0) {
			assert_int_equal(report.has_production_pool, cases[i].has_production_pool);
			assert_string_equal(buf_text(&report.without_zone), cases[i].without_zone);
			assert_string_equal(
				buf_text(&report.without_max_fails), cases[i].without_max_fails);
		}
		upstreams_report_release(&report);
	}
}

static void the_reason_of_a_refusal_is_found(void **state)
{
	static const char output[] =
		"2026/11/20 18:40:00 [warn] 7#7: load balancing in /tmp/x/rendered.conf:3\n"
		"nginx: [emerg] unknown directive \"\033[2Jno\" in /tmp/x/rendered.conf:12\n"
		"nginx: configuration file /tmp/x/nginx.conf test failed\n";
	char line[128];

	(void)state;
	assert_true(nginx_output_find(output, "[emerg]", "", "/tmp/x", line, sizeof(line)));
	assert_string_equal(line, "unknown directive \"\\x1b[2Jno\" in rendered.conf:12");
	assert_true(nginx_output_find(
		output, "[emerg]", "", "/tmp/x/rendered.conf", line, sizeof(line)));
	assert_string_equal(line, "unknown directive \"\\x1b[2Jno\" in line 12");
	assert_true(nginx_output_find(output, "[warn]", "/tmp/x", NULL, line, sizeof(line)));
	assert_string_equal(line, "load balancing in /tmp/x/rendered.conf:3");
	assert_false(nginx_output_find(output, "[warn]", "/tmp/y", NULL, line, sizeof(line)));
	assert_false(nginx_output_find("", "[warn]", "", NULL, line, sizeof(line)));
}

static void what_decides_beside_the_weights_is_told(void **state)
{
	static const struct {
		const char *inside, *unweighted, *late_method;
	} cases[] = {
		{ "server p; server c;", "", "" },
		{ "least_conn; server p; server c;", "'a' (least_conn)", "" },
		{ "hash $uri consistent; server p; server c;", "'a' (hash)", "" },
		{ "ip_hash; server p;", "", "" }, /* one server: nothing to decide */
		{ "server p max_conns=9; server c;", "'a' (max_conns=9)", "" },
		{ "keepalive 8; server p; server c; sticky cookie x;", "'a' (sticky)", "'a'" },
		{ "random two; keepalive 8; server p; server c;", "'a' (random)", "" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *text = mem_format("upstream a { %s }", cases[i].inside);
		struct upstreams_report report = { 0 };
		struct error err = { 0 };

		assert_int_equal(upstreams_examine("t", text, "p", &report, &err), 0);
		assert_string_equal(buf_text(&report.names), "'a'");
		assert_string_equal(buf_text(&report.unweighted), cases[i].unweighted);
		assert_string_equal(buf_text(&report.late_method), cases[i].late_method);
		upstreams_report_release(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(statements_are_read_as_nginx_does),
		cmocka_unit_test(broken_text_ends),
		cmocka_unit_test(long_statements_are_cut),
		cmocka_unit_test(upstreams_are_examined),
		cmocka_unit_test(what_decides_beside_the_weights_is_told),
		cmocka_unit_test(the_reason_of_a_refusal_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
