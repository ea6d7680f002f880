/* One YAML value to one C value, by the type of its schema row. */
#include "canaryctl/duration.h"
#include "canaryctl/fileio.h"
#include "canaryctl/suggest.h"
#include "canaryctl/weight.h"
#include "config/loader.h"
#include "config/query.h"
#include "config/schema_rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DURATION_HINT "durations look like 90s, 15m, 1h30m; a bare number is seconds"

static bool wrong(
	struct loader *loader, const struct place *value, const char *hint, const char *what)
{
	diagnose(&loader->diagnostics, value, hint, "'%.200s' is not %s", value->node->raw, what);
	return false;
}

const char *value_text(struct loader *loader, const struct place *value, const char *what)
{
	if (value->node->is_broken) {
		loader->diagnostics.failures++;
		return NULL;
	}
	if (value->node->kind != NODE_SCALAR) {
		diagnose(&loader->diagnostics, value, NULL, "must be %s, not %s", what,
			node_kind_text(value->node));
		return NULL;
	}
	if (node_is_null(value->node)) {
		diagnose(&loader->diagnostics, value, "remove the key to get its default",
			"has no value");
		return NULL;
	}
	return value->node->text;
}

static bool check_bounds(struct loader *loader, const struct schema_row *row,
	const struct place *value, double number)
{
	char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];

	if ((row->minimum == 0 && row->maximum == 0) ||
		(number >= row->minimum && number <= row->maximum))
		return true;
	if (row->type == SCHEMA_DURATION) {
		duration_format((int64_t)row->minimum, low);
		duration_format((int64_t)row->maximum, high);
	} else {
		snprintf(low, sizeof(low), "%.15g", row->minimum);
		snprintf(high, sizeof(high), "%.15g", row->maximum);
	}
	diagnose(&loader->diagnostics, value, NULL, "'%.200s' is not from %s to %s",
		value->node->raw, low, high);
	return false;
}

/* "../x" below an absolute folder that has no links in it, without the dots. */
static char *resolve_path(struct loader *loader, const struct source *source, const char *path)
{
	CLEANUP_FREE char *folder = mem_strdup(source->folder);
	CLEANUP_FREE char *resolved = NULL;

	while (path[0] == '.' && (path[1] == '/' || (path[1] == '.' && path[2] == '/'))) {
		if (path[1] == '.') {
			char *slash = strrchr(folder, '/');

			slash[slash == folder] = '\0';
			path++;
		}
		path += 2;
		path += strspn(path, "/");
	}
	resolved = fileio_resolve(strcmp(folder, "/") == 0 ? "" : folder, path);
	if (strcmp(folder, "/") == 0 && path[0] != '/')
		return arena_format(&loader->config->arena, "/%s", path);
	return arena_strdup(&loader->config->arena, resolved);
}

static bool url_valid(const char *text)
{
	size_t scheme = strncmp(text, "http://", 7) == 0 ? 7 : strncmp(text, "https://", 8) ? 0 : 8;

	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at <= ' ' || *at == 0x7f)
			return false;
	}
	/* A suite may capture where a URL begins. */
	if (strncmp(text, "${", 2) == 0)
		return true;
	return scheme && text[scheme] && !strchr("/:?#", text[scheme]);
}

bool say_unknown_variable(
	struct loader *loader, const struct place *value, const char *unknown, size_t length)
{
	struct buf hint = BUF_INIT(512);
	char name[64];
	const char *near;

	snprintf(name, sizeof(name), "%.*s", length > 3 ? (int)length - 3 : 0, unknown + 2);
	near = suggest_name(name, query_variables);
	if (near) {
		buf_add_format(&hint, "did you mean '${%s}'?", near);
	} else {
		buf_add_text(&hint, "there are");
		for (size_t i = 0; query_variables[i]; i++)
			buf_add_format(&hint, "%s ${%s}", i ? "," : "", query_variables[i]);
	}
	diagnose(&loader->diagnostics, value, buf_text(&hint), "'%.*s' is not a variable",
		length > 100 ? 100 : (int)length, unknown);
	buf_release(&hint);
	return false;
}

static bool check_variables(struct loader *loader, const struct place *value, const char *text)
{
	size_t length;
	const char *unknown = query_unknown_variable(text, &length);

	return !unknown || say_unknown_variable(loader, value, unknown, length);
}

static bool set_string(struct loader *loader, const struct schema_row *row,
	const struct place *value, char **member)
{
	bool is_secret = row->type == SCHEMA_SECRET || row->type == SCHEMA_SECRET_URL;
	const char *text;

	if (is_secret)
		diagnostics_hide(&loader->diagnostics, value->node);
	text = value_text(loader, value, "text");
	if (!text)
		return false;
	if (!*text) {
		diagnose(&loader->diagnostics, value, NULL, "is empty");
		return false;
	}
	if ((row->type == SCHEMA_URL || row->type == SCHEMA_SECRET_URL) && !url_valid(text)) {
		if (is_secret || strchr(text, '@'))
			diagnose(&loader->diagnostics, value, NULL, "is not an http or https URL");
		else
			wrong(loader, value, NULL, "an http or https URL");
		return false;
	}
	if ((row->type == SCHEMA_SELECTOR || loader->checks_variables) &&
		!check_variables(loader, value, text))
		return false;
	if (row->type == SCHEMA_SELECTOR && !selector_valid(text))
		return wrong(loader, value,
			"name the counter itself, such as http_requests_total{version=\"canary\"}: "
			"no function and no [range]",
			"a series selector");
	if (row->type == SCHEMA_PATH || (row->type == SCHEMA_PROGRAM && strchr(text, '/')))
		*member = resolve_path(loader, value->node->source, text);
	else
		*member = arena_strdup(&loader->config->arena, text);
	return true;
}

static bool set_duration(struct loader *loader, const struct schema_row *row,
	const struct place *value, int64_t *member)
{
	const char *text = value_text(loader, value, "a duration");
	int64_t ms;

	if (!text)
		return false;
	if (!duration_parse(text, &ms))
		return wrong(loader, value, DURATION_HINT, "a duration");
	if (!check_bounds(loader, row, value, (double)ms))
		return false;
	*member = ms;
	return true;
}

static bool set_bool(struct loader *loader, const struct place *value, bool *member)
{
	const char *text = value_text(loader, value, "true or false");

	if (!text)
		return false;
	if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
		return wrong(loader, value, NULL, "true or false");
	*member = *text == 't';
	return true;
}

static bool set_int(struct loader *loader, const struct schema_row *row, const struct place *value,
	int64_t *member)
{
	const char *text = value_text(loader, value, "a whole number");
	long long number;
	char *end;

	if (!text)
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno || *end || end == text || isspace((unsigned char)*text))
		return wrong(loader, value, NULL, "a whole number");
	if (!check_bounds(loader, row, value, (double)number))
		return false;
	*member = number;
	return true;
}

static bool set_number(struct loader *loader, const struct schema_row *row,
	const struct place *value, double *member)
{
	const char *text = value_text(loader, value, "a number");
	double number;

	if (!text)
		return false;
	if (!number_parse(text, &number))
		return wrong(loader, value, "numbers look like 50, 0.5%, 250ms, 2.5s", "a number");
	if (!check_bounds(loader, row, value, number))
		return false;
	*member = number;
	return true;
}

static bool set_weight(struct loader *loader, const struct place *value, weight_t *member)
{
	const char *text = value_text(loader, value, "a weight");

	if (!text)
		return false;
	if (!weight_parse(text, member))
		return wrong(loader, value,
			"weights are percent, from 0.01 to 100, in steps of 0.01", "a weight");
	return true;
}

/* Where `text` is in the row's names; -1 and a problem when it is not. */
static int find_name(struct loader *loader, const struct schema_row *row, const struct place *value,
	const char *text)
{
	struct buf hint = BUF_INIT(512);
	const char *near;

	for (int i = 0; row->names[i]; i++) {
		if (strcmp(row->names[i], text) == 0)
			return i;
	}
	near = suggest_name(text, row->names);
	if (near)
		buf_add_format(&hint, "did you mean '%s'? ", near);
	buf_add_text(&hint, "allowed: ");
	for (int i = 0; row->names[i]; i++)
		buf_add_format(&hint, "%s%s", i ? ", " : "", row->names[i]);
	wrong(loader, value, buf_text(&hint), "allowed here");
	buf_release(&hint);
	return -1;
}

static bool set_enum(
	struct loader *loader, const struct schema_row *row, const struct place *value, int *member)
{
	const char *text = value_text(loader, value, "one word");
	int index = text ? find_name(loader, row, value, text) : -1;

	if (index < 0)
		return false;
	*member = index;
	return true;
}

static bool set_strings(struct loader *loader, const struct schema_row *row,
	const struct place *value, struct strv *member)
{
	bool is_argv = row->type == SCHEMA_ARGV;
	bool ok = true;
	struct strv list = { 0 };

	if (value->node->kind != NODE_LIST) {
		diagnose(&loader->diagnostics, value,
			is_argv ? "programs are not run through a shell: write "
				  "[program, argument, ...]"
				: "write [one, two]",
			"must be a list, not %s", node_kind_text(value->node));
		return false;
	}
	list.count = value->node->count;
	if (list.count)
		list.items = arena_alloc(
			&loader->config->arena, (list.count + 1) * sizeof(list.items[0]));
	for (size_t i = 0; i < list.count; i++) {
		struct place item = place_at(loader, value, i, value->node->items[i]);
		struct schema_row item_row = { .type = is_argv && i == 0 ? SCHEMA_PROGRAM
									 : SCHEMA_STRING };

		/* An argument may be empty; a program or a name may not. */
		if (is_argv && i > 0 && item.node->kind == NODE_SCALAR && item.node->is_quoted &&
			!*item.node->text)
			list.items[i] = arena_strdup(&loader->config->arena, "");
		else
			ok = set_string(loader, &item_row, &item, &list.items[i]) && ok;
		if (ok && row->names && find_name(loader, row, &item, list.items[i]) < 0)
			ok = false;
	}
	if (ok)
		*member = list;
	return ok;
}

static bool set_text_map(struct loader *loader, const struct place *value, struct text_map *member)
{
	const struct node *map = value->node;
	struct arena *arena = &loader->config->arena;
	struct text_map result = { .count = map->count };

	if (map->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, value, NULL, "must be a map, not %s",
			node_kind_text(map));
		return false;
	}
	result.keys = arena_alloc(arena, (map->count + 1) * sizeof(char *));
	result.values = arena_alloc(arena, (map->count + 1) * sizeof(char *));
	for (size_t i = 0; i < map->count; i++) {
		struct place item = place_in(loader, value, map->keys[i]->text, map->items[i]);
		const char *text = value_text(loader, &item, "text");

		if (header_is_secret(map->keys[i]->text))
			diagnostics_hide(&loader->diagnostics, map->items[i]);
		if (!text)
			return false;
		result.keys[i] = arena_strdup(arena, map->keys[i]->text);
		result.values[i] = arena_strdup(arena, text);
	}
	*member = result;
	return true;
}

static bool set_condition(
	struct loader *loader, const struct place *value, struct condition *member)
{
	const char *text = value_text(loader, value, "a condition");
	struct error err = { 0 };

	if (!text)
		return false;
	if (condition_parse(arena_strdup(&loader->config->arena, text), member, &err) < 0) {
		diagnose(&loader->diagnostics, value, err.hint, "%s", err.message);
		return false;
	}
	return true;
}

bool value_set(struct loader *loader, const struct schema_row *row, const struct place *value,
	void *member)
{
	switch (row->type) {
	case SCHEMA_STRING:
	case SCHEMA_PATH:
	case SCHEMA_PROGRAM:
	case SCHEMA_URL:
	case SCHEMA_SECRET:
	case SCHEMA_SECRET_URL:
	case SCHEMA_SELECTOR:
		return set_string(loader, row, value, member);
	case SCHEMA_TEXT_MAP:
		return set_text_map(loader, value, member);
	case SCHEMA_DURATION:
		return set_duration(loader, row, value, member);
	case SCHEMA_BOOL:
		return set_bool(loader, value, member);
	case SCHEMA_INT:
		return set_int(loader, row, value, member);
	case SCHEMA_NUMBER:
		return set_number(loader, row, value, member);
	case SCHEMA_WEIGHT:
		return set_weight(loader, value, member);
	case SCHEMA_ENUM:
		return set_enum(loader, row, value, member);
	case SCHEMA_ARGV:
	case SCHEMA_STRINGS:
		return set_strings(loader, row, value, member);
	case SCHEMA_CONDITION:
		return set_condition(loader, value, member);
	case SCHEMA_MAP:
	case SCHEMA_CUSTOM:
		break;
	}
	BUG("row '%s' is no single value", row->name);
}
