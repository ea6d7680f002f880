/* Collected problems of a configuration: see diagnostics.h. */
#include "config/diagnostics.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SHOWN_COLUMNS = 160 };

struct diagnostic {
	const struct source *source;
	int line;
	int column;
	int context_line;
	const char *key;
	const char *message;
	const char *hint;
	struct diagnostic *next;
};

struct secret_range {
	const struct node *node;
	struct secret_range *next;
};

static bool comes_before(const struct diagnostic *a, const struct diagnostic *b)
{
	if (a->source->order != b->source->order)
		return a->source->order < b->source->order;
	if (a->line != b->line)
		return a->line < b->line;
	return a->column < b->column;
}

/* Keeps the list in the order of the file; the same problem is not said twice. */
static void insert(struct diagnostics *diagnostics, const struct diagnostic *problem)
{
	struct diagnostic **link = &diagnostics->first;
	struct diagnostic *copy;

	while (*link && !comes_before(problem, *link)) {
		if (!comes_before(*link, problem) && !strcmp((*link)->message, problem->message) &&
			!strcmp((*link)->key, problem->key))
			return;
		link = &(*link)->next;
	}
	copy = arena_alloc(diagnostics->arena, sizeof(*copy));
	*copy = *problem;
	copy->next = *link;
	*link = copy;
	diagnostics->count++;
}

void diagnose(struct diagnostics *diagnostics, const struct place *place, const char *hint,
	const char *format, ...)
{
	struct buf message = BUF_INIT(4096);
	struct diagnostic problem = { 0 };
	char text[2048];
	va_list args;

	diagnostics->failures++;
	if (diagnostics->is_muted)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	buf_add_printable(&message, text);
	problem.message = arena_strdup(diagnostics->arena, buf_text(&message));
	buf_clear(&message);
	buf_add_printable(&message, place->key);
	problem.key = arena_strdup(diagnostics->arena, buf_text(&message));
	buf_release(&message);
	problem.source = place->node->source;
	problem.line = place->node->line;
	problem.column = place->node->column;
	problem.hint = hint ? arena_strdup(diagnostics->arena, hint) : NULL;
	insert(diagnostics, &problem);
}

static const char *find_line(const struct source *source, int line, size_t *ret_length)
{
	const char *start = source->text;
	const char *end = source->text + source->length;
	const char *newline;

	while (--line > 0) {
		newline = memchr(start, '\n', (size_t)(end - start));
		if (!newline)
			return NULL;
		start = newline + 1;
	}
	newline = memchr(start, '\n', (size_t)(end - start));
	*ret_length = (size_t)((newline ? newline : end) - start);
	if (*ret_length && start[*ret_length - 1] == '\r')
		--*ret_length;
	return start;
}

/* What conditions run into: a value that begins with '>' is a block of text to YAML. */
static const char *syntax_hint(const struct source *source, const struct yaml_problem *problem)
{
	size_t length = 0;
	const char *line = find_line(source, problem->line, &length);
	const char *value = line ? memmem(line, length, ": >", 3) : NULL;

	return value && value - line < problem->column
		       ? "a value that begins with '>' must be in quotes: \"> 1%\""
		       : NULL;
}

void diagnose_syntax(struct diagnostics *diagnostics, const struct source *source,
	const struct yaml_problem *problem)
{
	struct diagnostic diagnostic = {
		.source = source,
		.line = problem->line,
		.column = problem->column,
		.context_line = problem->context_line,
		.key = "",
		.message = arena_strdup(diagnostics->arena, problem->message),
	};

	diagnostic.hint = syntax_hint(source, problem);
	insert(diagnostics, &diagnostic);
}

void diagnostics_hide(struct diagnostics *diagnostics, const struct node *node)
{
	struct secret_range *range = arena_alloc(diagnostics->arena, sizeof(*range));

	range->node = node;
	range->next = diagnostics->secrets;
	diagnostics->secrets = range;
}

/* Where the value begins in a line that looks as if it held a secret; `length` when it doesn't. */
static size_t looks_secret_from(const char *line, size_t length)
{
	static const char *const words[] = { "pass", "secret", "credential", "token", "authoriz",
		"bearer", "api_key", "apikey", "api-key" };
	CLEANUP_FREE char *copy = mem_strndup(line, length);
	const char *at;
	size_t from = length;

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		at = strcasestr(copy, words[i]);
		if (!at)
			continue;
		at += strcspn(at, ":= ");
		if (*at && (size_t)(at + 1 - copy) < from)
			from = (size_t)(at + 1 - copy);
	}
	/* http://user:password@host */
	at = strstr(copy, "://");
	if (at && strchr(at, '@') && (size_t)(at + 3 - copy) < from)
		from = (size_t)(at + 3 - copy);
	return from;
}

static size_t bytes_before_column(const char *line, size_t length, int column)
{
	size_t at = 0;

	for (int current = 1; current < column && at < length; current++) {
		at++;
		while (at < length && ((unsigned char)line[at] & 0xc0) == 0x80)
			at++;
	}
	return at;
}

/* How much of the line may be shown. */
static size_t public_length(const struct diagnostics *diagnostics, const struct diagnostic *problem,
	const char *line, size_t length)
{
	size_t shown = looks_secret_from(line, length);

	for (const struct secret_range *range = diagnostics->secrets; range; range = range->next) {
		const struct node *node = range->node;

		if (node->source != problem->source || problem->line < node->line ||
			problem->line > node->end_line)
			continue;
		size_t at = problem->line > node->line
				    ? 0
				    : bytes_before_column(line, length, node->column);
		shown = at < shown ? at : shown;
	}
	if (problem->context_line && problem->context_line < problem->line) {
		size_t context_length = 0;
		const char *context =
			find_line(problem->source, problem->context_line, &context_length);

		if (context && looks_secret_from(context, context_length) < context_length)
			shown = 0;
	}
	return shown;
}

/* Writes the line with one column per character; returns how many. */
static int write_line(struct buf *text, const char *line, size_t length)
{
	int columns = 0;

	for (size_t i = 0; i < length && columns < LINE_SHOWN_COLUMNS; columns++) {
		size_t start = i++;
		unsigned char first = (unsigned char)line[start];

		while (i < length && ((unsigned char)line[i] & 0xc0) == 0x80)
			i++;
		if (first == '\t')
			buf_add_text(text, " ");
		else if (first < 0x20 || first == 0x7f ||
			 (first == 0xc2 && i == start + 2 && (unsigned char)line[start + 1] < 0xa0))
			buf_add_text(text, "?");
		else
			buf_add(text, line + start, i - start);
	}
	return columns;
}

static void write_excerpt(const struct diagnostics *diagnostics, const struct diagnostic *problem,
	struct buf *ret_text)
{
	size_t length = 0;
	const char *line = find_line(problem->source, problem->line, &length);
	size_t shown;
	int columns;
	int caret = problem->column;

	if (!line || !length)
		return;
	shown = public_length(diagnostics, problem, line, length);
	buf_add_format(ret_text, "%5d | ", problem->line);
	columns = write_line(ret_text, line, shown);
	if (shown < length) {
		const char *mask = shown && line[shown - 1] == ':' ? " ***" : "***";

		buf_add_text(ret_text, mask);
		columns += *mask == ' ';
	}
	/* Behind what is shown: the mask, or the end of the line. */
	if (caret > columns + 1)
		caret = columns + 1;
	buf_add_format(ret_text, "\n      | %*s^\n", caret - 1, "");
}

void diagnostics_write(struct diagnostics *diagnostics, struct buf *ret_text)
{
	const struct diagnostic *problem = diagnostics->first;
	size_t shown = 0;

	for (; problem && shown < DIAGNOSTICS_SHOWN; problem = problem->next, shown++) {
		buf_add_text(ret_text, problem->source->path);
		if (problem->line)
			buf_add_format(ret_text, ":%d:%d", problem->line, problem->column);
		buf_add_format(ret_text, ": %s%s%s\n", problem->key, *problem->key ? ": " : "",
			problem->message);
		if (problem->line)
			write_excerpt(diagnostics, problem, ret_text);
		if (problem->hint)
			buf_add_format(ret_text, "  hint: %s\n", problem->hint);
	}
	if (problem)
		buf_add_format(ret_text, "... and %zu more\n", diagnostics->count - shown);
}
