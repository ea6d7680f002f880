/* Names, values, weights and safe text for every format. */
#include "test.h"

#include "report/report_private.h"
#include "report_fixture.h"

static void names_are_the_contract(void **state)
{
	static const char *const events[] = { "started", "prepared", "state_changed",
		"stage_started", "shifted", "evaluated", "stage_extended", "stage_ended",
		"rolling_back", "rolled_back", "plan", "note", "finished" };
	static const char *const outcomes[] = { "running", "succeeded", "rolled_back", "aborted",
		"held", "rollback_failed", "rehearsed" };
	static const char *const states[] = { "pending", "observing", "passed", "failed" };

	(void)state;
	for (int i = 0; i < EVENT_KIND_COUNT; i++)
		assert_string_equal(rollout_event_name((enum rollout_event_kind)i), events[i]);
	for (int i = 0; i < OUTCOME_COUNT; i++)
		assert_string_equal(rollout_outcome_name((enum rollout_outcome)i), outcomes[i]);
	for (int i = 0; i < STAGE_STATE_COUNT; i++)
		assert_string_equal(stage_state_name((enum stage_state)i), states[i]);
	assert_string_equal(rollout_outcome_name(OUTCOME_COUNT), "unknown");
}

static void values_read_as_people_write_them(void **state)
{
	static const struct {
		enum check_unit unit;
		const char *limit;
		double value;
		const char *text;
	} cases[] = {
		{ UNIT_SHARE, NULL, 0.031, "3.1%" },
		{ UNIT_SHARE, NULL, 0, "0%" },
		{ UNIT_SHARE, NULL, 0.0008, "0.08%" },
		{ UNIT_SHARE, NULL, INFINITY, "+Inf" },
		{ UNIT_SECONDS, NULL, 2.35, "2.35s" },
		{ UNIT_SECONDS, NULL, 0.25, "250ms" },
		{ UNIT_SECONDS, NULL, -INFINITY, "-Inf" },
		{ UNIT_PLAIN, NULL, 812, "812" },
		{ UNIT_PLAIN, NULL, 0.45, "0.45" },
		{ UNIT_PLAIN, NULL, NAN, "NaN" },
		{ UNIT_PLAIN, "< 80%", 0.5, "50%" },
		{ UNIT_PLAIN, "<= 250ms", 0.1, "100ms" },
		{ UNIT_PLAIN, "< 2 * baseline", 0.1, "0.1" },
	};
	char text[REPORT_VALUE_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct check_kind kind = { .unit = cases[i].unit };
		struct check_config check = { .kind = &kind, .require.text = cases[i].limit };

		assert_string_equal(
			report_format_value(&check, cases[i].value, text), cases[i].text);
	}
	assert_string_equal(report_format_value(NULL, 3, text), "3");
}

static void every_value_fits(void **state)
{
	static const double values[] = { 1e308, -1e308, 5e-324, 1.0 / 3, -2e15, 123456.789 };
	static const enum check_unit units[] = { UNIT_SHARE, UNIT_SECONDS, UNIT_PLAIN };
	char text[REPORT_TEXT_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(values) * ARRAY_SIZE(units); i++) {
		struct check_kind kind = { .unit = units[i % ARRAY_SIZE(units)] };
		struct check_config check = { .kind = &kind };

		report_format_value(&check, values[i / ARRAY_SIZE(units)], text);
		assert_in_range(strlen(text), 1, REPORT_VALUE_SIZE - 1);
	}
	assert_string_equal(report_format_weight(50, text), "0.5%");
	assert_string_equal(report_format_weight(WEIGHT_UNKNOWN, text), "unknown");
	assert_string_equal(report_format_duration(810999, text), "13m30s");
	assert_string_equal(report_format_duration(-1, text), "0s");
}

static void broken_utf8_becomes_replacements(void **state)
{
	/* overlong, surrogate, beyond U+10FFFF, cut off */
	static const char *const broken[] = { "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xe2\x82", "\x80", "\xf0\x9f\x98" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		const char *p = broken[i];
		size_t count = 0;

		for (; *p; count++)
			assert_int_equal(utf8_next(&p), UTF8_REPLACEMENT);
		assert_int_equal(count, strlen(broken[i]));
	}
	const char *good = "한😀";
	assert_int_equal(utf8_next(&good), 0xd55c);
	assert_int_equal(utf8_next(&good), 0x1f600);
	assert_int_equal(*good, 0);
}

static void text_is_cut_by_columns(void **state)
{
	struct report_style style = { 0 }, ascii = { .ascii = true };
	CLEANUP_BUF struct buf buf = BUF_INIT(0);

	(void)state;
	assert_int_equal(report_columns(&style, "카나리"), 6);
	assert_int_equal(report_add_cut(&buf, &style, "카나리", 6), 6);
	assert_string_equal(buf_text(&buf), "카나리");
	buf_clear(&buf);
	assert_int_equal(report_add_cut(&buf, &style, "카나리", 4), 3);
	assert_string_equal(buf_text(&buf), "카…");
	buf_clear(&buf);
	report_add_padded(&buf, &style, "ab", 4);
	report_add_padded(&buf, &ascii, "é-long", 4);
	assert_string_equal(buf_text(&buf), "ab  ?-l~");
	buf_clear(&buf);
	assert_int_equal(report_add_cut(&buf, &style, "x", 0), 0);
	assert_int_equal(buf.length, 0);
}

static void each_format_defuses_text(void **state)
{
	struct report_style style = { 0 };
	CLEANUP_BUF struct buf buf = BUF_INIT(0);

	(void)state;
	report_add_safe(&buf, &style, HOSTILE);
	assert_harmless(buf_text(&buf), "");
	buf_clear(&buf);
	escape_add_one_line(&buf, HOSTILE);
	assert_harmless(buf_text(&buf), "");
	buf_clear(&buf);
	escape_add_markdown(&buf, HOSTILE);
	assert_harmless(buf_text(&buf), "");
	assert_null(strchr(buf_text(&buf), '<'));
	buf_clear(&buf);
	escape_add_xml(&buf, "a\x01<&\"'>\n\xff\xef\xbf\xbf");
	assert_string_equal(buf_text(&buf), "a&lt;&amp;&quot;&apos;&gt;&#10;\xef\xbf\xbd");
}

static void lines_of_a_paragraph_cannot_be_ci_commands(void **state)
{
	struct report_style style = { 0 };
	CLEANUP_BUF struct buf buf = BUF_INIT(0);

	(void)state;
	report_add_paragraph(&buf, &style, "one\n\n::error::two\r\nthree\n", "  ");
	assert_string_equal(buf_text(&buf), "one\n  | ::error::two\n  | three");
}

static void sparkline_tells_how_near_the_limit_is(void **state)
{
	struct report_style style = { 0 }, ascii = { .ascii = true };
	struct check_config check = { .require = { .text = "< 8", .number = 8 } };
	struct check_report report = {
		.check = &check,
		.recent = { 0, 1, 4, NAN, 7.9, 8, INFINITY },
		.recent_count = 6,
	};
	CLEANUP_BUF struct buf buf = BUF_INIT(0);

	(void)state;
	report_add_sparkline(&buf, &style, &report);
	assert_string_equal(buf_text(&buf), "▁▂▅ ██");
	buf_clear(&buf);
	report.recent_count = 7;
	report_add_sparkline(&buf, &ascii, &report);
	assert_string_equal(buf_text(&buf), "_.= ###");
	buf_clear(&buf);
	report_add_bar(&buf, &ascii, 2.0, 3);
	report_add_bar(&buf, &ascii, NAN, 2);
	assert_string_equal(buf_text(&buf), "###..");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_the_contract),
		cmocka_unit_test(values_read_as_people_write_them),
		cmocka_unit_test(every_value_fits),
		cmocka_unit_test(broken_utf8_becomes_replacements),
		cmocka_unit_test(text_is_cut_by_columns),
		cmocka_unit_test(each_format_defuses_text),
		cmocka_unit_test(lines_of_a_paragraph_cannot_be_ci_commands),
		cmocka_unit_test(sparkline_tells_how_near_the_limit_is),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
