/* Captured values and the texts that use them: see captures.h. */
#include "checks/captures.h"
#include "canaryctl/config.h"
#include "canaryctl/mem.h"

#include <string.h>

enum { VALUE_MAX_BYTES = 256 };

static bool is_harmless(const char *value)
{
	for (const char *at = value; *at; at++) {
		if ((unsigned char)*at <= ' ' || *at == 0x7f || strchr("\"'`\\<>{}", *at))
			return false;
	}
	return *value && strlen(value) <= VALUE_MAX_BYTES;
}

int captures_set(struct captures *captures, const char *name, const char *value, struct error *err)
{
	const char **names, **values;

	if (!is_harmless(value))
		return error_set(err, ERROR_METRICS, 0,
			"the value for '${%s}' is empty, longer than %d bytes, or has characters "
			"that must not get into another request",
			name, VALUE_MAX_BYTES);
	names = arena_alloc(&captures->arena, (captures->count + 1) * sizeof(*names));
	values = arena_alloc(&captures->arena, (captures->count + 1) * sizeof(*values));
	/* The newest first: it is the one that is found. */
	for (size_t i = 0; i < captures->count; i++) {
		names[i + 1] = captures->names[i];
		values[i + 1] = captures->values[i];
	}
	names[0] = arena_strdup(&captures->arena, name);
	values[0] = arena_strdup(&captures->arena, value);
	captures->names = names;
	captures->values = values;
	captures->count++;
	return 0;
}

const char *captures_get(const struct captures *captures, const char *name)
{
	for (size_t i = 0; captures && i < captures->count; i++) {
		if (strcmp(captures->names[i], name) == 0)
			return captures->values[i];
	}
	return NULL;
}

void captures_release(struct captures *captures)
{
	arena_release(&captures->arena);
	*captures = (struct captures){ 0 };
}

/* One "${name}" of a text. */
static int add_variable(const struct check_context *context, const char *written,
	struct buf *ret_text, struct error *err)
{
	CLEANUP_FREE char *name = mem_strndup(written + 2, strlen(written) - 3);
	const char *captured = captures_get(context->captures, name);
	CLEANUP_FREE char *value = NULL;

	if (captured) {
		buf_add_text(ret_text, captured);
		return 0;
	}
	if (strcmp(name, "version") == 0 && (!context->version || !*context->version)) {
		error_set(err, ERROR_CONFIG, 0, "the check needs to know the version");
		return error_hint(err, "give it: --version v0.2.0");
	}
	value = config_expand_query(written, context);
	if (strcmp(value, written) == 0) {
		error_set(err, ERROR_UNAVAILABLE, 0,
			"'%s' has no value: no earlier check captured it", written);
		return error_hint(err, "run the whole suite, and look at its first failing check");
	}
	buf_add_text(ret_text, value);
	return 0;
}

char *check_expand(const struct check_context *context, const char *text, struct error *err)
{
	CLEANUP_BUF struct buf expanded = BUF_INIT(1 << 20);

	while (*text) {
		const char *start = strstr(text, "${");
		const char *end = start ? strchr(start, '}') : NULL;
		CLEANUP_FREE char *written = NULL;

		if (!end) {
			buf_add_text(&expanded, text);
			break;
		}
		buf_add(&expanded, text, (size_t)(start - text));
		written = mem_strndup(start, (size_t)(end - start) + 1);
		if (add_variable(context, written, &expanded, err) < 0)
			return NULL;
		text = end + 1;
	}
	return buf_take(&expanded);
}
