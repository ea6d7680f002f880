/* Text of queries: selectors and the variables in them. Pure. */
#ifndef CANARYCTL_CONFIG_QUERY_H
#define CANARYCTL_CONFIG_QUERY_H

#include <stdbool.h>
#include <stddef.h>

extern const char *const query_variables[]; /* "window", ..., NULL */

/*
 * The first ${...} of a text that is no variable; NULL when all are known. *ret_length is its
 * length with the dollar sign and the braces.
 */
const char *query_unknown_variable(const char *text, size_t *ret_length);

/* Is it `metric`, `metric{label="value",...}` or `{...}`, without range and functions? */
bool selector_valid(const char *text);
/* Is it `label="value",...`? */
bool matchers_valid(const char *text);

#endif
