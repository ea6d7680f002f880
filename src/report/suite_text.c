/* Suites for people: a line per check, under a failing one what it says and what to do. */
#include "report/suite_lines.h"

enum {
	NAME_MAX_COLUMNS = 40,
	VALUE_MAX_COLUMNS = 14,
	LIMIT_MAX_COLUMNS = 24,
	SENTENCE_MAX_COLUMNS = 100
};

struct columns {
	int name, value, limit;
};

static const struct {
	const char *light;
	enum tone tone;
	enum mark mark;
} lights[SUITE_STATUS_COUNT] = {
	[SUITE_GO] = { "🟢", TONE_GOOD, MARK_GOOD },
	[SUITE_WARNING] = { "🟡", TONE_CAUTION, MARK_CAUTION },
	[SUITE_NO_GO] = { "🔴", TONE_BAD, MARK_BAD },
};

static int wider(int columns, int seen, int most)
{
	return seen > most ? most : seen > columns ? seen : columns;
}

static struct columns columns_of(
	const struct report_style *style, const struct suite_report *report)
{
	struct columns columns = { 0 };

	for (size_t i = 0; i < report->count; i++) {
		const struct suite_check *check = &report->checks[i];
		char value[REPORT_TEXT_SIZE];

		columns.name = wider(columns.name,
			report_columns(style, check->verdict.check->name), NAME_MAX_COLUMNS);
		columns.value = wider(columns.value,
			report_columns(style, suite_format_value(check, value)), VALUE_MAX_COLUMNS);
		columns.limit = wider(columns.limit, report_columns(style, suite_limit(check)),
			LIMIT_MAX_COLUMNS);
	}
	return columns;
}

static void add_paragraph(struct buf *text, const struct report_style *style, const char *label,
	const char *paragraph)
{
	buf_add_format(text, "      %s", label);
	report_add_paragraph(text, style, paragraph, "      ");
	buf_add_text(text, "\n");
}

static void add_check(struct buf *text, const struct report_style *style,
	const struct suite_check *check, const struct columns *columns)
{
	const struct verdict *verdict = &check->verdict;
	bool is_unknown = verdict->result == CHECK_NO_DATA || verdict->result == CHECK_ERROR;
	char value[REPORT_TEXT_SIZE];

	buf_add_text(text, "  ");
	report_add_mark(text, style, is_unknown ? MARK_UNKNOWN : lights[check->status].mark);
	buf_add_text(text, " ");
	report_add_padded(text, style, verdict->check->name, columns->name);
	buf_add_text(text, "  ");
	report_add_padded(text, style, suite_format_value(check, value), columns->value);
	if (columns->value)
		buf_add_text(text, "  ");
	report_add_padded(text, style, suite_limit(check), columns->limit);
	if (columns->limit)
		buf_add_text(text, "  ");
	buf_add_text(text, check_result_name(verdict->result));
	if (verdict->result == CHECK_PASS && !*suite_limit(check) && !*value) {
		buf_add_text(text, "  ");
		report_add_cut(text, style, verdict->message, SENTENCE_MAX_COLUMNS);
	}
	buf_add_text(text, "\n");
	if (verdict->result == CHECK_PASS)
		return;
	add_paragraph(text, style, "", verdict->message);
	if (*suite_hint(check))
		add_paragraph(text, style, "do: ", suite_hint(check));
}

void suite_to_text(const struct suite_report *report, const struct report_options *options,
	struct buf *ret_text)
{
	struct report_style style = report_style_of(options);
	struct columns columns = columns_of(&style, report);

	report_add_tone(ret_text, &style, TONE_STRONG);
	report_add_safe(ret_text, &style, report->suite);
	report_add_tone(ret_text, &style, TONE_PLAIN);
	buf_add_text(ret_text, "\n");
	for (size_t i = 0; i < report->count; i++)
		add_check(ret_text, &style, &report->checks[i], &columns);
	if (!style.ascii)
		buf_add_format(ret_text, "%s ", lights[report->verdict].light);
	report_add_tone(ret_text, &style, lights[report->verdict].tone);
	buf_add_text(ret_text, suite_title(report->verdict));
	report_add_tone(ret_text, &style, TONE_PLAIN);
	buf_add_text(ret_text, "  ");
	suite_say_counts(report, ret_text);
	buf_add_format(ret_text, " (%lld ms)\n", (long long)report->duration_ms);
}
