/*
 * How a terminal or a log shows things: marks, colours, safe text in a given width, sparklines,
 * progress bars; each with an ASCII form for locales that are not UTF-8.
 */
#include "report/report_private.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const tones[] = {
	[TONE_PLAIN] = "\x1b[0m",
	[TONE_GOOD] = "\x1b[32m",
	[TONE_BAD] = "\x1b[1;31m",
	[TONE_CAUTION] = "\x1b[33m",
	[TONE_DIM] = "\x1b[2m",
	[TONE_STRONG] = "\x1b[1m",
};
_Static_assert(ARRAY_SIZE(tones) == TONE_COUNT, "a tone without a colour");

static const struct {
	const char *utf8, *ascii;
	enum tone tone;
} marks[] = {
	[MARK_GOOD] = { "✓", "+", TONE_GOOD },
	[MARK_BAD] = { "✗", "x", TONE_BAD },
	[MARK_CAUTION] = { "!", "!", TONE_CAUTION },
	[MARK_UNKNOWN] = { "?", "?", TONE_CAUTION },
	[MARK_NOTE] = { "·", "-", TONE_DIM },
};
_Static_assert(ARRAY_SIZE(marks) == MARK_COUNT, "a mark without a sign");

/* As setlocale() would choose, without touching the locale of the program. */
static bool locale_is_utf8(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		const char *value = getenv(names[i]);

		if (value && *value)
			return strcasestr(value, "utf-8") || strcasestr(value, "utf8");
	}
	return false;
}

struct report_style report_style_of(const struct report_options *options)
{
	return (struct report_style){ .color = options->color, .ascii = !locale_is_utf8() };
}

enum mark report_mark_of(enum check_result result)
{
	switch (result) {
	case CHECK_PASS:
		return MARK_GOOD;
	case CHECK_WARN:
		return MARK_CAUTION;
	case CHECK_FAIL:
		return MARK_BAD;
	default:
		return MARK_UNKNOWN;
	}
}

void report_add_tone(struct buf *buf, const struct report_style *style, enum tone tone)
{
	if (style->color)
		buf_add_text(buf, tones[tone]);
}

void report_add_mark(struct buf *buf, const struct report_style *style, enum mark mark)
{
	report_add_tone(buf, style, marks[mark].tone);
	buf_add_text(buf, style->ascii ? marks[mark].ascii : marks[mark].utf8);
	report_add_tone(buf, style, TONE_PLAIN);
}

/* The character as this terminal can show it. */
static uint32_t shown(const struct report_style *style, uint32_t c)
{
	return utf8_columns(c) < 0 || (style->ascii && c >= 0x80) ? '?' : c;
}

int report_columns(const struct report_style *style, const char *text)
{
	CLEANUP_BUF struct buf printable = BUF_INIT(0);
	const char *p;
	int columns = 0;

	buf_add_printable(&printable, text);
	for (p = buf_text(&printable); *p;)
		columns += utf8_columns(shown(style, utf8_next(&p)));
	return columns;
}

int report_add_cut(struct buf *buf, const struct report_style *style, const char *text, int columns)
{
	CLEANUP_BUF struct buf printable = BUF_INIT(0);
	const char *p;
	bool fits = report_columns(style, text) <= columns;
	int used = 0;

	if (columns <= 0)
		return 0;
	buf_add_printable(&printable, text);
	for (p = buf_text(&printable); *p;) {
		uint32_t c = shown(style, utf8_next(&p));
		int width = utf8_columns(c);

		if (!fits && used + width > columns - 1) {
			buf_add_text(buf, style->ascii ? "~" : "…");
			return used + 1;
		}
		utf8_add(buf, c);
		used += width;
	}
	return used;
}

void report_add_safe(struct buf *buf, const struct report_style *style, const char *text)
{
	report_add_cut(buf, style, text, INT32_MAX);
}

void report_add_padded(
	struct buf *buf, const struct report_style *style, const char *text, int columns)
{
	int used = report_add_cut(buf, style, text, columns);

	if (used < columns)
		buf_add_format(buf, "%*s", columns - used, "");
}

void report_add_paragraph(
	struct buf *buf, const struct report_style *style, const char *text, const char *indent)
{
	bool is_first = true;

	while (*text) {
		size_t length = strcspn(text, "\r\n");
		CLEANUP_FREE char *line = mem_strndup(text, length);

		text += length;
		text += strspn(text, "\r\n");
		if (!length)
			continue;
		/* A sign of ours first: CI systems take "::" at the start as a command. */
		if (!is_first)
			buf_add_format(buf, "\n%s| ", indent);
		report_add_safe(buf, style, line);
		is_first = false;
	}
}

/* What the full height stands for: the limit, so that height tells how near it is. */
static double full_height(const struct check_report *report)
{
	const struct condition *require = report->check ? &report->check->require : NULL;
	double full = 0;

	if (require && require->text && !require->uses_baseline && require->number > 0 &&
		(require->op == CONDITION_LESS || require->op == CONDITION_AT_MOST))
		full = require->number;
	for (int i = 0; i < report->recent_count; i++) {
		if (isfinite(report->recent[i]) && report->recent[i] > full)
			full = report->recent[i];
	}
	return full;
}

void report_add_sparkline(
	struct buf *buf, const struct report_style *style, const struct check_report *report)
{
	static const char *const utf8[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char ascii[] = "_.:-=+*#";
	double full = full_height(report);

	for (int i = 0; i < report->recent_count && i < SPARKLINE_POINTS; i++) {
		double value = report->recent[i];
		int level = 0;

		if (isnan(value)) {
			buf_add_text(buf, " ");
			continue;
		}
		if (isinf(value))
			level = value > 0 ? 7 : 0;
		else if (full > 0 && value > 0)
			level = (int)fmin(7, value / full * 8);
		if (style->ascii)
			buf_add(buf, &ascii[level], 1);
		else
			buf_add_text(buf, utf8[level]);
	}
}

void report_add_bar(struct buf *buf, const struct report_style *style, double done, int columns)
{
	int full = done > 0 ? (int)(fmin(1, done) * columns + 0.5) : 0;

	report_add_tone(buf, style, TONE_GOOD);
	for (int i = 0; i < full; i++)
		buf_add_text(buf, style->ascii ? "#" : "█");
	report_add_tone(buf, style, TONE_DIM);
	for (int i = full; i < columns; i++)
		buf_add_text(buf, style->ascii ? "." : "░");
	report_add_tone(buf, style, TONE_PLAIN);
}
