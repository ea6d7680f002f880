/* Regular expressions with limits: regex.c alone sees PCRE2. Only for checks/. */
#ifndef CHECKS_REGEX_H
#define CHECKS_REGEX_H

#include "canaryctl/error.h"

#include <stdbool.h>
#include <stddef.h>

struct regex;

/* NULL and *err (ERROR_CONFIG, with the character) when the pattern is none. */
struct regex *regex_new(const char *pattern, struct error *err);
void regex_free(struct regex *regex);

enum regex_result { REGEX_NO_MATCH, REGEX_MATCH, REGEX_FAILED };

/*
 * Looks for a match in the bytes. Work and memory for one text are bounded: beyond is
 * REGEX_FAILED with *err (ERROR_CONFIG: such a pattern is no use).
 */
enum regex_result regex_match(
	struct regex *regex, const char *text, size_t length, struct error *err);

/* The first group of the last match; false when there is none. It lies in the matched text. */
bool regex_group(const struct regex *regex, const char **ret_start, size_t *ret_length);

#endif
