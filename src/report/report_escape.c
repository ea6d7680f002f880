/* Text from outside (labels, messages, answers of servers) made safe for each format. */
#include "report/report_private.h"

#include <string.h>

void escape_add_utf8(struct buf *buf, const char *text)
{
	while (*text) {
		uint32_t c = utf8_next(&text);

		/* cJSON escapes what is below space, but not what else steers a terminal. */
		utf8_add(buf, c >= 0x20 && utf8_columns(c) < 0 ? UTF8_REPLACEMENT : c);
	}
}

static const char *xml_entity(uint32_t c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&apos;";
	case '\n':
		return "&#10;";
	case '\t':
		return "&#9;";
	default:
		return NULL;
	}
}

void escape_add_xml(struct buf *buf, const char *text)
{
	while (*text) {
		uint32_t c = utf8_next(&text);
		const char *entity = xml_entity(c);

		if (entity)
			buf_add_text(buf, entity);
		else if (utf8_columns(c) >= 0 && (c & 0xfffe) != 0xfffe)
			utf8_add(buf, c); /* all others are no XML 1.0 or are removed on purpose */
	}
}

void escape_add_one_line(struct buf *buf, const char *text)
{
	while (*text) {
		uint32_t c = utf8_next(&text);

		utf8_add(buf, utf8_columns(c) < 0 ? ' ' : c);
	}
}

void escape_add_markdown(struct buf *buf, const char *text)
{
	while (*text) {
		uint32_t c = utf8_next(&text);

		if (c == '<')
			buf_add_text(buf, "&lt;");
		else if (c == '>')
			buf_add_text(buf, "&gt;");
		else if (c == '&')
			buf_add_text(buf, "&amp;");
		else if (c == '@') /* a name behind it is told by nobody */
			buf_add_text(buf, "&#64;");
		else if (utf8_columns(c) < 0)
			buf_add_text(buf, " ");
		else {
			if (c < 0x80 && strchr("\\`*_{}[]()#!|~", (int)c))
				buf_add_text(buf, "\\");
			utf8_add(buf, c);
		}
	}
}
