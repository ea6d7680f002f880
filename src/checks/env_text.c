/* Files of NAME=VALUE lines: see env_text.h. */
#include "checks/env_text.h"
#include "canaryctl/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static const char *skip_spaces(const char *text)
{
	return text + strspn(text, " \t");
}

static size_t name_length(const char *text)
{
	size_t length = 0;

	while (isalnum((unsigned char)text[length]) || text[length] == '_')
		length++;
	return length && !isdigit((unsigned char)*text) ? length : 0;
}

/* What is in quotes, or up to a comment and without spaces at the end. */
static char *value_of(const char *text, size_t length)
{
	const char *end = text + length;

	if (length && (*text == '"' || *text == '\'')) {
		const char *close = memchr(text + 1, *text, length - 1);

		if (close)
			return mem_strndup(text + 1, (size_t)(close - text) - 1);
	}
	for (const char *at = text; at < end; at++) {
		if (*at == '#' && (at == text || isspace((unsigned char)at[-1]))) {
			end = at;
			break;
		}
	}
	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	return mem_strndup(text, (size_t)(end - text));
}

static void add_line(struct env_text *env, const char *line, size_t length)
{
	const char *name = skip_spaces(line);
	const char *value;
	size_t letters;

	if (strncmp(name, "export", 6) == 0 && (name[6] == ' ' || name[6] == '\t'))
		name = skip_spaces(name + 6);
	letters = name_length(name);
	value = skip_spaces(name + letters);
	if (!letters || *value != '=' || value >= line + length)
		return;
	value = skip_spaces(value + 1);
	env->names = mem_resize(env->names, env->count + 1, sizeof(*env->names));
	env->values = mem_resize(env->values, env->count + 1, sizeof(*env->values));
	env->names[env->count] = mem_strndup(name, letters);
	env->values[env->count++] =
		value_of(value, value < line + length ? (size_t)(line + length - value) : 0);
}

void env_text_parse(struct env_text *env, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		add_line(env, text, length);
		text += length + (text[length] == '\n');
	}
}

const char *env_text_get(const struct env_text *env, const char *name)
{
	for (size_t i = env->count; i > 0; i--) {
		if (strcmp(env->names[i - 1], name) == 0)
			return env->values[i - 1];
	}
	return NULL;
}

void env_text_release(struct env_text *env)
{
	for (size_t i = 0; i < env->count; i++) {
		explicit_bzero(env->values[i], strlen(env->values[i]));
		free(env->values[i]);
		free(env->names[i]);
	}
	free(env->names);
	free(env->values);
	*env = (struct env_text){ 0 };
}
