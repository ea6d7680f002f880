/* Values that checks of a suite hand to later ones, and ${NAME} in a check's texts. */
#ifndef CHECKS_CAPTURES_H
#define CHECKS_CAPTURES_H

#include "canaryctl/check.h"

/* Start from `= { 0 }`. */
struct captures {
	struct arena arena; /* owns names and values */
	size_t count;
	const char **names;
	const char **values;
};

/*
 * Keeps a value for later checks. It comes from a server, so what could be more than a value where
 * it is used (quotes, spaces, control characters, very long text) is refused.
 */
int captures_set(struct captures *captures, const char *name, const char *value, struct error *err);
const char *captures_get(const struct captures *captures, const char *name); /* NULL: none */
void captures_release(struct captures *captures);

/*
 * `text` with its variables replaced: malloc'ed, NULL and *err when one has no value. An error
 * that waits for another check's value has the kind ERROR_UNAVAILABLE.
 */
char *check_expand(const struct check_context *context, const char *text, struct error *err);

#endif
