/*
 * Reading NGINX configuration text, statement by statement, with NGINX's own rules for words,
 * quotes, comments and `${name}`. Pure, without allocation: words point into the text.
 */
#ifndef CANARYCTL_TRAFFIC_NGINX_TEXT_H
#define CANARYCTL_TRAFFIC_NGINX_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum { NGINX_MAX_WORDS = 16 };

enum nginx_statement_kind {
	NGINX_DIRECTIVE,   /* name words... ; */
	NGINX_BLOCK,       /* name words... { */
	NGINX_BLOCK_END,   /* } */
	NGINX_TEXT_END,    /* nothing more */
	NGINX_TEXT_BROKEN, /* an open quote, or a statement without its ; */
};

struct nginx_word {
	const char *start;
	size_t length; /* without the quotes */
};

struct nginx_statement {
	enum nginx_statement_kind kind;
	int line;     /* of its first word */
	size_t count; /* of words kept, at most NGINX_MAX_WORDS; longer statements are cut */
	struct nginx_word words[NGINX_MAX_WORDS];
};

/* Start from `{ .next = text, .line = 1 }`. */
struct nginx_reader {
	const char *next;
	int line;
};

enum nginx_statement_kind nginx_read_statement(
	struct nginx_reader *reader, struct nginx_statement *ret_statement);

bool nginx_word_is(const struct nginx_statement *statement, size_t index, const char *text);

/* The first word that starts with `prefix`, as "max_fails=0" with "max_fails="; NULL when none. */
const struct nginx_word *nginx_find_word(
	const struct nginx_statement *statement, const char *prefix);

#endif
