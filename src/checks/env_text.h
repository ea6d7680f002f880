/* NAME=VALUE lines: comments, `export`, quotes. Values are wiped on release. Pure. */
#ifndef CHECKS_ENV_TEXT_H
#define CHECKS_ENV_TEXT_H

#include <stddef.h>

/* Start from `= { 0 }`. */
struct env_text {
	size_t count;
	char **names;
	char **values;
};

void env_text_parse(struct env_text *env, const char *text);
/* NULL when it is not set. The last line of a name counts, as it does in a shell. */
const char *env_text_get(const struct env_text *env, const char *name);
void env_text_release(struct env_text *env);

#endif
