/* Maps by their schema rows: defaults, known keys, required keys, values. */
#include "canaryctl/suggest.h"

#include "config/loader.h"

#include <stdio.h>
#include <string.h>

struct place place_in(struct loader *loader, const struct place *parent, const char *name,
	const struct node *node)
{
	return (struct place){
		.node = node,
		.key = *parent->key ? arena_format(&loader->scratch, "%s.%s", parent->key, name)
				    : arena_strdup(&loader->scratch, name),
	};
}

struct place place_at(
	struct loader *loader, const struct place *parent, size_t index, const struct node *node)
{
	return (struct place){
		.node = node,
		.key = arena_format(&loader->scratch, "%s[%zu]", parent->key, index),
	};
}

static const struct source defaults_source = { .path = "(default)", .folder = "/", .text = "" };

/* The node that a default stands for. */
static struct node *default_node(struct loader *loader, const struct schema_row *row)
{
	struct source *source = arena_alloc(&loader->scratch, sizeof(*source));
	struct yaml_problem problem;
	struct node *node;

	*source = defaults_source;
	source->text = row->default_text;
	source->length = strlen(row->default_text);
	node = yaml_parse(&loader->scratch, source, &problem);
	if (!node)
		BUG("default of '%s': %s", row->name, problem.message);
	return node;
}

void load_defaults(struct loader *loader, const struct schema_row *rows, void *target)
{
	for (const struct schema_row *row = rows; row->name; row++) {
		struct place place = { .key = row->name };

		if (row->type == SCHEMA_MAP)
			load_defaults(loader, row->nested, target);
		if (!row->default_text)
			continue;
		place.node = default_node(loader, row);
		if (row->type == SCHEMA_CUSTOM)
			custom_set(loader, row, &place, target);
		else if (!value_set(loader, row, &place, (char *)target + row->offset))
			BUG("default of '%s' does not fit its row", row->name);
	}
}

static size_t count_names(const char *const *names)
{
	size_t count = 0;

	while (names[count])
		count++;
	return count;
}

static void unknown_key(
	struct loader *loader, const struct place *map, size_t index, const char *const *names)
{
	const struct node *key = map->node->keys[index];
	struct place place = { .node = key, .key = map->key };
	const char *near = suggest_name(key->text, names);
	struct buf hint = BUF_INIT(1024);

	if (near) {
		buf_add_format(&hint, "did you mean '%s'?", near);
	} else if (count_names(names)) {
		buf_add_text(&hint, "known here: ");
		for (size_t i = 0; names[i]; i++)
			buf_add_format(&hint, "%s%s", i ? ", " : "", names[i]);
	}
	diagnose(&loader->diagnostics, &place, buf_text(&hint), "unknown key '%.100s'", key->text);
	buf_release(&hint);
}

void check_keys(struct loader *loader, const struct place *map, const char *const *names)
{
	for (size_t i = 0; i < map->node->count; i++) {
		bool known = false;

		for (size_t j = 0; names[j] && !known; j++)
			known = strcmp(names[j], map->node->keys[i]->text) == 0;
		if (!known)
			unknown_key(loader, map, i, names);
	}
}

static const char *const *names_of(struct loader *loader, const struct schema_row *rows)
{
	const char **names;
	size_t count = 0;

	while (rows[count].name)
		count++;
	names = arena_alloc(&loader->scratch, (count + 1) * sizeof(names[0]));
	for (size_t i = 0; i < count; i++)
		names[i] = rows[i].name;
	return names;
}

/* For a map that isn't there: says which of its keys had to be. */
static void require_nested(
	struct loader *loader, const struct schema_row *rows, const struct place *place)
{
	for (const struct schema_row *row = rows; row->name; row++) {
		struct place missing = place_in(loader, place, row->name, place->node);

		if (!row->is_required)
			continue;
		if (row->type == SCHEMA_MAP)
			require_nested(loader, row->nested, &missing);
		else
			diagnose(&loader->diagnostics, &missing, row->help,
				"is required and missing");
	}
}

static void load_map(
	struct loader *loader, const struct schema_row *rows, const struct place *map, void *target)
{
	if (node_is_null(map->node)) {
		require_nested(loader, rows, map);
		return;
	}
	if (map->node->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, map, NULL, "must be a map, not %s",
			node_kind_text(map->node));
		return;
	}
	check_keys(loader, map, names_of(loader, rows));
	for (const struct schema_row *row = rows; row->name; row++)
		load_row(loader, row, map, target);
}

void load_row(
	struct loader *loader, const struct schema_row *row, const struct place *map, void *target)
{
	const struct node *node = node_get(map->node, row->name);
	struct place place = place_in(loader, map, row->name, node ? node : map->node);

	if (!node && row->is_required) {
		if (row->type == SCHEMA_MAP)
			require_nested(loader, row->nested, &place);
		else
			diagnose(
				&loader->diagnostics, &place, row->help, "is required and missing");
	}
	if (!node)
		return;
	if (row->type == SCHEMA_MAP)
		load_map(loader, row->nested, &place, target);
	else if (row->type == SCHEMA_CUSTOM)
		custom_set(loader, row, &place, target);
	else
		value_set(loader, row, &place, (char *)target + row->offset);
}

void load_rows(
	struct loader *loader, const struct schema_row *rows, const struct place *map, void *target)
{
	load_defaults(loader, rows, target);
	load_map(loader, rows, map, target);
}
