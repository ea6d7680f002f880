/*
 * PromQL series selectors, http_requests_total{version="canary",status=~"5.."}: taken apart,
 * changed and written again, so that queries are built from parts and never by pasting text.
 * Pure.
 */
#ifndef CANARYCTL_SELECTOR_H
#define CANARYCTL_SELECTOR_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/mem.h"

#include <stdbool.h>
#include <stddef.h>

enum matcher_op { MATCH_EQUAL, MATCH_NOT_EQUAL, MATCH_REGEX, MATCH_NOT_REGEX };

struct matcher {
	const char *name;
	enum matcher_op op;
	const char *value; /* without quotes and escapes */
};

struct selector {
	const char *metric; /* "" when only matchers name it */
	struct matcher *matchers;
	size_t matcher_count;
};

/*
 * One plain selector, without range, offset, function or operator. Strings live as long as the
 * arena. The error says at which character, and what is allowed.
 */
int selector_parse(
	const char *text, struct arena *arena, struct selector *ret_selector, struct error *err);

/* The first `name{...}` in an expression, for a diagnosis; false when there is none. */
bool selector_find(const char *expression, struct arena *arena, struct selector *ret_selector);

/* A copy with one more matcher. */
struct selector selector_with(struct arena *arena, const struct selector *selector,
	const char *name, enum matcher_op op, const char *value);

void selector_write(const struct selector *selector, struct buf *ret_text);

/*
 * up{...} with the selector's equality matchers: the targets that carry the same labels. False
 * when there are none: `up` alone would name every target of that Prometheus.
 */
bool selector_write_up(const struct selector *selector, struct buf *ret_text);

/* count by (labels that the selector names) (metric): which label sets do exist. */
bool selector_write_diagnosis(const struct selector *selector, struct buf *ret_text);

/* Adds text as a regular expression (RE2) that matches exactly it. */
void selector_add_literal(struct buf *regex, const char *text);

#endif
