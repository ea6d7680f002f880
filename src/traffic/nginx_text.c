/* NGINX configuration text: see nginx_text.h. The rules are those of ngx_conf_read_token(). */
#include "traffic/nginx_text.h"

#include <string.h>

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void step(struct nginx_reader *reader)
{
	if (*reader->next == '\n')
		reader->line++;
	reader->next++;
}

static void skip_space_and_comments(struct nginx_reader *reader)
{
	while (is_space(*reader->next) || *reader->next == '#') {
		if (*reader->next == '#')
			reader->next += strcspn(reader->next, "\n");
		else
			step(reader);
	}
}

/* False when the quote is never closed. */
static bool read_quoted(struct nginx_reader *reader, struct nginx_word *ret_word)
{
	char quote = *reader->next;

	step(reader);
	ret_word->start = reader->next;
	while (*reader->next && *reader->next != quote) {
		if (*reader->next == '\\' && reader->next[1])
			step(reader);
		step(reader);
	}
	ret_word->length = (size_t)(reader->next - ret_word->start);
	if (!*reader->next)
		return false;
	step(reader);
	return true;
}

static void read_bare(struct nginx_reader *reader, struct nginx_word *ret_word)
{
	ret_word->start = reader->next;
	while (*reader->next && !is_space(*reader->next) && *reader->next != ';') {
		if (*reader->next == '{' &&
			(reader->next == ret_word->start || reader->next[-1] != '$'))
			break;
		if (*reader->next == '\\' && reader->next[1])
			step(reader);
		step(reader);
	}
	ret_word->length = (size_t)(reader->next - ret_word->start);
}

static enum nginx_statement_kind end_statement(
	struct nginx_reader *reader, struct nginx_statement *statement)
{
	char end = *reader->next;

	if (end)
		step(reader);
	if (end == ';')
		return statement->kind = NGINX_DIRECTIVE;
	if (end == '{')
		return statement->kind = NGINX_BLOCK;
	if (end == '}' && !statement->count)
		return statement->kind = NGINX_BLOCK_END;
	return statement->kind = !end && !statement->count ? NGINX_TEXT_END : NGINX_TEXT_BROKEN;
}

enum nginx_statement_kind nginx_read_statement(
	struct nginx_reader *reader, struct nginx_statement *ret_statement)
{
	struct nginx_word dropped;

	ret_statement->count = 0;
	skip_space_and_comments(reader);
	ret_statement->line = reader->line;
	while (*reader->next && !strchr(";{}", *reader->next)) {
		struct nginx_word *word = ret_statement->count < NGINX_MAX_WORDS
						  ? &ret_statement->words[ret_statement->count]
						  : &dropped;

		if (*reader->next != '"' && *reader->next != '\'')
			read_bare(reader, word);
		else if (!read_quoted(reader, word))
			return ret_statement->kind = NGINX_TEXT_BROKEN;
		if (word != &dropped)
			ret_statement->count++;
		skip_space_and_comments(reader);
	}
	return end_statement(reader, ret_statement);
}

bool nginx_word_is(const struct nginx_statement *statement, size_t index, const char *text)
{
	return index < statement->count && statement->words[index].length == strlen(text) &&
	       memcmp(statement->words[index].start, text, strlen(text)) == 0;
}

const struct nginx_word *nginx_find_word(
	const struct nginx_statement *statement, const char *prefix)
{
	size_t length = strlen(prefix);

	for (size_t i = 0; i < statement->count; i++)
		if (statement->words[i].length >= length &&
			memcmp(statement->words[i].start, prefix, length) == 0)
			return &statement->words[i];
	return NULL;
}
