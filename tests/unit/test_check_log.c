/* log: lines, fields, times; and that a bad pattern or a long file stops nobody. */
#include "suite_fixture.h"

#include "canaryctl/clock.h"
#include "checks/log_lines.h"

#include <time.h>

static void test_fields(void **state)
{
	static const struct {
		const char *line;
		bool has;
	} cases[] = {
		{ "llm_brief{mode=fast,elapsed_ms=12}", true },
		{ "llm_brief mode: fast", true },
		{ "{\"mode\":\"fast\"}", true },
		{ "{\"mode\" : \"fast\"}", true },
		{ "llm_brief{ensemble_mode=fast}", false },
		{ "llm_brief{modes=3}", false },
		{ "the mode is fast", false },
		{ "mode", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *line = cases[i].line;

		if (log_line_has_field(line, strlen(line), "mode") != cases[i].has)
			fail_msg("'%s'", line);
	}
}

static void test_times(void **state)
{
	static const struct {
		const char *line;
		int64_t ms; /* -1: none */
	} cases[] = {
		{ "1970-01-02T00:00:00Z x", 86400000 },
		{ "1970-01-02T00:00:00.250Z x", 86400250 },
		{ "1970-01-02 01:00:00,5+01:00 x", 86400500 },
		{ "1970-01-01T22:00:00-0200 x", 86400000 },
		{ "app-canary-1  | 1970-01-02T00:00:00Z x", 86400000 },
		{ "{\"time\":\"1970-01-02T00:00:00Z\"}", 86400000 },
		{ "1970-01-02T00:00:00 local", 86400000 }, /* TZ is UTC below */
		{ "no time at all, only words and words", -1 },
		{ "1970-01-02", -1 },
		{ "", -1 },
	};

	(void)state;
	setenv("TZ", "UTC", 1);
	tzset();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ms = -1;

		log_line_time(cases[i].line, strlen(cases[i].line), &ms);
		if (ms != cases[i].ms)
			fail_msg("'%s' is %lld", cases[i].line, (long long)ms);
	}
}

static void test_counts(void **state)
{
	(void)state;
	suite_write("log", "llm_brief{mode=fast,elapsed_ms=1}\nother\nllm_brief{mode=fast}\n"
			   "llm_brief{mode=creative,elapsed_ms=2}"); /* without an end */
	assert_verdict("log: {file: log, match: 'llm_brief\\b', fields: [mode, elapsed_ms]}\n"
		       "    require: '>= 2'",
		CHECK_PASS, "2 is >= 2: of 4 lines 1 match, but do not carry all fields");
	assert_verdict("log: {file: log, match: llm_brief, fields: [tokens]}\n"
		       "    require: '>= 1'",
		CHECK_FAIL, "(tokens)");
	assert_verdict(
		"log: {file: log, match: ERROR}\n    require: '== 0'", CHECK_PASS, "0 is == 0");
	assert_verdict(
		"log: {file: none, match: a}\n    require: '== 0'", CHECK_ERROR, "cannot open");
	assert_verdict("log: {command: [sh, -c, 'echo ERROR x; echo ERROR y >&2'], match: ERROR}\n"
		       "    require: '== 0'",
		CHECK_FAIL, "2 is not == 0");
	assert_verdict("log: {command: [false], match: ERROR}\n    require: '== 0'", CHECK_ERROR,
		"exit status 1");
}

static void test_since(void **state)
{
	char now[CLOCK_TEXT_SIZE], old[CLOCK_TEXT_SIZE];
	CLEANUP_FREE char *text = NULL;

	(void)state;
	clock_format_utc(clock_wall_ms(), now);
	clock_format_utc(clock_wall_ms() - 3600 * 1000, old);
	text = mem_format(
		"%s ERROR old\n  ERROR of the old one\n%s ERROR new\n  ERROR too\n", old, now);
	suite_write("log", text);
	assert_verdict("log: {file: log, match: ERROR}\n    require: '== 4'", CHECK_PASS, "");
	assert_verdict(
		"log: {file: log, match: ERROR, since: 10m}\n    require: '== 2'", CHECK_PASS, "");
	/* Which lines are meant cannot be said: that is no zero. */
	suite_write("log", "ERROR\n");
	assert_verdict("log: {file: log, match: ERROR, since: 10m}\n    require: '== 0'",
		CHECK_NO_DATA, "no line begins with a date");
}

static void test_pieces(void **state)
{
	const struct strv fields = { 0 };
	struct error err = { 0 };
	struct regex *regex = regex_new("^ab+c$", &err);
	struct log_lines lines;
	const char text[] = "abc\nabbc\n\nxabc\nabbbc";

	(void)state;
	assert_non_null(regex);
	log_lines_init(&lines, regex, &fields, 0);
	for (size_t i = 0; i < sizeof(text) - 1; i++)
		assert_int_equal(log_lines_add(&lines, text + i, 1, &err), 0);
	assert_int_equal(log_lines_end(&lines, &err), 0);
	assert_int_equal(lines.counted, 3);
	assert_int_equal(lines.lines, 5);
	log_lines_release(&lines);
	regex_free(regex);
}

/* A pattern that would take for ever is an error, soon. */
static void test_expensive_pattern(void **state)
{
	int64_t began_ms = clock_monotonic_ms();

	(void)state;
	suite_write("log", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!\n");
	assert_verdict("log: {file: log, match: '^(a+)+$'}\n    require: '== 0'", CHECK_ERROR,
		"too much work");
	assert_true(clock_monotonic_ms() - began_ms < 2000);
	assert_refused(
		"log: {file: log, match: '(a'}\n    require: '== 0'", "no regular expression");
	assert_refused("log: {file: log, match: a}", "no condition");
	assert_refused("log: {match: a}\n    require: '== 0'", "a file or a command");
}

static void test_twenty_thousand_lines(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	int64_t began_ms;

	(void)state;
	for (int i = 0; i < 20000; i++)
		buf_add_format(&text,
			"2026-11-20T17:03:13Z INFO "
			"llm_brief{mode=fast,elapsed_ms=%d,duration=1.2}\n",
			i);
	suite_write("log", buf_text(&text));
	began_ms = clock_monotonic_ms();
	assert_verdict("log: {file: log, match: 'llm_brief\\b', fields: [mode, elapsed_ms]}\n"
		       "    require: '== 20000'",
		CHECK_PASS, "");
	/* 0.03 s here; a machine that builds something else meanwhile gets more time. */
	assert_true(clock_monotonic_ms() - began_ms < 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_since),
		cmocka_unit_test(test_pieces),
		cmocka_unit_test(test_expensive_pattern),
		cmocka_unit_test(test_twenty_thousand_lines),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
