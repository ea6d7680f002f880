/* Series selectors: see canaryctl/selector.h. The grammar is PromQL's, with Go's escapes. */
#include "canaryctl/selector.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

enum { MAX_MATCHERS = 64 };

static const char *const op_texts[] = {
	[MATCH_EQUAL] = "=",
	[MATCH_NOT_EQUAL] = "!=",
	[MATCH_REGEX] = "=~",
	[MATCH_NOT_REGEX] = "!~",
};

struct parser {
	const char *text;
	const char *at;
	struct arena *arena;
	struct error *err;
};

static int refuse(const struct parser *parser, const char *what)
{
	CLEANUP_BUF struct buf shown = BUF_INIT(200);

	buf_add_printable(&shown, parser->text);
	return error_set(parser->err, ERROR_CONFIG, 0,
		"'%s' is not a series selector: %s at character %zu", buf_text(&shown), what,
		(size_t)(parser->at - parser->text) + 1);
}

static void skip_space(struct parser *parser)
{
	parser->at += strspn(parser->at, " \t\r\n");
}

static bool take(struct parser *parser, char c)
{
	skip_space(parser);
	if (*parser->at != c)
		return false;
	parser->at++;
	return true;
}

static size_t name_length(const char *text, bool may_have_colon)
{
	size_t length = 0;

	while (isalpha((unsigned char)text[length]) || text[length] == '_' ||
		(may_have_colon && text[length] == ':') ||
		(length && isdigit((unsigned char)text[length])))
		length++;
	return length;
}

static void add_utf8(struct buf *buf, uint32_t code)
{
	char bytes[4];
	size_t length = 0;

	if (code < 0x80) {
		bytes[length++] = (char)code;
	} else if (code < 0x800) {
		bytes[length++] = (char)(0xc0 | code >> 6);
	} else if (code < 0x10000) {
		bytes[length++] = (char)(0xe0 | code >> 12);
		bytes[length++] = (char)(0x80 | (code >> 6 & 0x3f));
	} else {
		bytes[length++] = (char)(0xf0 | code >> 18);
		bytes[length++] = (char)(0x80 | (code >> 12 & 0x3f));
		bytes[length++] = (char)(0x80 | (code >> 6 & 0x3f));
	}
	if (code >= 0x80)
		bytes[length++] = (char)(0x80 | (code & 0x3f));
	buf_add(buf, bytes, length);
}

/* `digits` digits of base 8 or 16. */
static bool take_code(struct parser *parser, unsigned base, int digits, uint32_t *ret_code)
{
	uint32_t code = 0;

	while (digits--) {
		unsigned char c = (unsigned char)*parser->at;
		uint32_t digit = isdigit(c)    ? (uint32_t)(c - '0')
				 : isxdigit(c) ? (uint32_t)(tolower(c) - 'a' + 10)
					       : 16;

		if (digit >= base)
			return false;
		code = code * base + digit;
		parser->at++;
	}
	*ret_code = code;
	return code > 0 && code <= 0x10ffff;
}

/* What follows a backslash; the escapes are Go's. */
static bool take_escape(struct parser *parser, struct buf *value)
{
	static const char letters[] = "abfnrtv\\'\"", bytes[] = "\a\b\f\n\r\t\v\\'\"";
	const char *letter = *parser->at ? strchr(letters, *parser->at) : NULL;
	char c = *parser->at;
	uint32_t code;
	bool ok;

	if (letter) {
		parser->at++;
		return buf_add(value, &bytes[letter - letters], 1);
	}
	if (c >= '0' && c <= '7')
		ok = take_code(parser, 8, 3, &code) && code < 256;
	else if (c == 'x' || c == 'u' || c == 'U')
		ok = (parser->at++, take_code(parser, 16, c == 'x' ? 2 : c == 'u' ? 4 : 8, &code));
	else
		return false;
	if (!ok)
		return false;
	if (c == 'u' || c == 'U') {
		add_utf8(value, code);
	} else {
		char byte = (char)code;

		buf_add(value, &byte, 1);
	}
	return true;
}

static const char *take_string(struct parser *parser)
{
	CLEANUP_BUF struct buf value = BUF_INIT(64 << 10);
	char quote;

	skip_space(parser);
	quote = *parser->at;
	if (!quote || !strchr("\"'`", quote)) {
		refuse(parser, "expected a quoted value");
		return NULL;
	}
	for (parser->at++; *parser->at != quote;) {
		if (!*parser->at) {
			refuse(parser, "the value's closing quote is missing");
			return NULL;
		}
		if (*parser->at != '\\' || quote == '`') {
			buf_add(&value, parser->at++, 1);
			continue;
		}
		parser->at++;
		if (!take_escape(parser, &value)) {
			refuse(parser, "unknown escape sequence");
			return NULL;
		}
	}
	parser->at++;
	return arena_strdup(parser->arena, buf_text(&value));
}

static bool take_op(struct parser *parser, enum matcher_op *ret_op)
{
	skip_space(parser);
	if (parser->at[0] == '=' && parser->at[1] == '~')
		*ret_op = MATCH_REGEX;
	else if (parser->at[0] == '!' && parser->at[1] == '~')
		*ret_op = MATCH_NOT_REGEX;
	else if (parser->at[0] == '!' && parser->at[1] == '=')
		*ret_op = MATCH_NOT_EQUAL;
	else if (parser->at[0] == '=')
		*ret_op = MATCH_EQUAL;
	else
		return false;
	parser->at += strlen(op_texts[*ret_op]);
	return true;
}

static int take_matcher(struct parser *parser, struct matcher *ret_matcher)
{
	size_t length;

	skip_space(parser);
	length = name_length(parser->at, false);
	if (!length)
		return refuse(parser, "expected a label name");
	ret_matcher->name = arena_strndup(parser->arena, parser->at, length);
	parser->at += length;
	if (!take_op(parser, &ret_matcher->op))
		return refuse(parser, "expected =, !=, =~ or !~");
	ret_matcher->value = take_string(parser);
	return ret_matcher->value ? 0 : -1;
}

static int take_matchers(struct parser *parser, struct selector *selector)
{
	selector->matchers = arena_alloc(parser->arena, MAX_MATCHERS * sizeof(*selector->matchers));
	while (!take(parser, '}')) {
		if (selector->matcher_count == MAX_MATCHERS)
			return refuse(parser, "too many matchers");
		if (take_matcher(parser, &selector->matchers[selector->matcher_count]))
			return -1;
		selector->matcher_count++;
		if (!take(parser, ',')) {
			if (take(parser, '}'))
				return 0;
			return refuse(parser, "expected ',' or '}'");
		}
	}
	return 0;
}

/* What stands behind a selector that ended well; says what people usually meant. */
static int expect_end(struct parser *parser)
{
	skip_space(parser);
	switch (*parser->at) {
	case '\0':
		return 0;
	case '[':
		refuse(parser, "a range");
		return error_hint(parser->err,
			"leave the range out: the window is added by canaryctl itself");
	case '(':
		refuse(parser, "a function call");
		return error_hint(parser->err, "give the counter itself, without rate() or sum(): "
					       "requests are counted from its raw samples");
	default:
		refuse(parser, "something behind the selector");
		return error_hint(parser->err,
			"only metric{label=\"value\",...} is allowed here; an expression "
			"belongs in a check of kind 'prometheus'");
	}
}

static bool names_something(const struct selector *selector)
{
	if (*selector->metric)
		return true;
	for (size_t i = 0; i < selector->matcher_count; i++) {
		const struct matcher *m = &selector->matchers[i];

		if ((m->op == MATCH_EQUAL || m->op == MATCH_REGEX) && *m->value)
			return true;
	}
	return false;
}

static int take_selector(struct parser *parser, struct selector *ret_selector)
{
	size_t length;

	memset(ret_selector, 0, sizeof(*ret_selector));
	skip_space(parser);
	length = name_length(parser->at, true);
	ret_selector->metric = arena_strndup(parser->arena, parser->at, length);
	parser->at += length;
	if (take(parser, '{')) {
		if (take_matchers(parser, ret_selector))
			return -1;
	} else if (!length) {
		return refuse(parser, "expected a metric name");
	}
	if (!names_something(ret_selector))
		return refuse(parser, "nothing is selected");
	return 0;
}

int selector_parse(
	const char *text, struct arena *arena, struct selector *ret_selector, struct error *err)
{
	struct parser parser = { .text = text, .at = text, .arena = arena, .err = err };

	if (take_selector(&parser, ret_selector))
		return -1;
	return expect_end(&parser);
}

bool selector_find(const char *expression, struct arena *arena, struct selector *ret_selector)
{
	const char *at = expression;

	while (*at) {
		size_t length = name_length(at, true);
		struct parser parser = { .text = at, .at = at, .arena = arena };

		if (length && at[length] == '{' && !take_selector(&parser, ret_selector))
			return true;
		at += length ? length : 1;
	}
	return false;
}

struct selector selector_with(struct arena *arena, const struct selector *selector,
	const char *name, enum matcher_op op, const char *value)
{
	struct selector copy = *selector;
	size_t count = selector->matcher_count;

	copy.matchers = arena_alloc(arena, (count + 1) * sizeof(*copy.matchers));
	if (count)
		memcpy(copy.matchers, selector->matchers, count * sizeof(*copy.matchers));
	copy.matchers[count] = (struct matcher){
		.name = arena_strdup(arena, name), .op = op, .value = arena_strdup(arena, value)
	};
	copy.matcher_count = count + 1;
	return copy;
}

static void write_quoted(const char *value, struct buf *text)
{
	buf_add_text(text, "\"");
	for (const unsigned char *p = (const unsigned char *)value; *p; p++) {
		if (*p == '"' || *p == '\\')
			buf_add_format(text, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			buf_add_format(text, "\\x%02x", *p);
		else
			buf_add(text, p, 1);
	}
	buf_add_text(text, "\"");
}

static void write_matcher(const struct matcher *matcher, bool first, struct buf *text)
{
	buf_add_format(text, "%s%s%s", first ? "" : ",", matcher->name, op_texts[matcher->op]);
	write_quoted(matcher->value, text);
}

void selector_write(const struct selector *selector, struct buf *ret_text)
{
	buf_add_text(ret_text, selector->metric);
	if (!selector->matcher_count)
		return;
	buf_add_text(ret_text, "{");
	for (size_t i = 0; i < selector->matcher_count; i++)
		write_matcher(&selector->matchers[i], i == 0, ret_text);
	buf_add_text(ret_text, "}");
}

bool selector_write_up(const struct selector *selector, struct buf *ret_text)
{
	bool first = true;

	buf_add_text(ret_text, "up{");
	for (size_t i = 0; i < selector->matcher_count; i++) {
		const struct matcher *m = &selector->matchers[i];

		/* These never are a target's. */
		if (!strcmp(m->name, "__name__") || !strcmp(m->name, "le"))
			continue;
		if (m->op != MATCH_EQUAL || !*m->value)
			continue;
		write_matcher(m, first, ret_text);
		first = false;
	}
	buf_add_text(ret_text, "}");
	return !first;
}

static bool named_before(const struct selector *selector, size_t i)
{
	for (size_t j = 0; j < i; j++) {
		if (!strcmp(selector->matchers[j].name, selector->matchers[i].name))
			return true;
	}
	return false;
}

bool selector_write_diagnosis(const struct selector *selector, struct buf *ret_text)
{
	bool first = true;

	if (!*selector->metric)
		return false;
	buf_add_text(ret_text, "count by (");
	for (size_t i = 0; i < selector->matcher_count; i++) {
		if (named_before(selector, i) || !strcmp(selector->matchers[i].name, "le"))
			continue;
		buf_add_format(ret_text, "%s%s", first ? "" : ",", selector->matchers[i].name);
		first = false;
	}
	buf_add_format(ret_text, ") (%s)", selector->metric);
	return true;
}

void selector_add_literal(struct buf *regex, const char *text)
{
	for (const char *p = text; *p; p++) {
		if (strchr("\\.+*?()|[]{}^$", *p))
			buf_add(regex, "\\", 1);
		buf_add(regex, p, 1);
	}
}
