/* Checks and suites: rows that all checks have, plus those of the one kind each names. */
#include "canaryctl/check.h"
#include "config/loader.h"
#include "config/query.h"
#include "config/schema_rows.h"

#include <string.h>

enum { CHECK_NAME_MAX_BYTES = 100 };

static const char *const *known_names(struct loader *loader)
{
	const char **names;
	size_t count = 0, kinds = 0, used = 0;

	while (check_rows[count].name)
		count++;
	while (check_kinds[kinds])
		kinds++;
	names = arena_alloc(&loader->scratch, (count + kinds + 1) * sizeof(names[0]));
	for (size_t i = 0; i < count; i++)
		names[used++] = check_rows[i].name;
	for (size_t i = 0; i < kinds; i++)
		names[used++] = check_kinds[i]->name;
	return names;
}

static const struct check_kind *find_kind(const char *name)
{
	for (size_t i = 0; check_kinds[i]; i++) {
		if (strcmp(check_kinds[i]->name, name) == 0)
			return check_kinds[i];
	}
	return NULL;
}

/* The one kind that a check's map names. */
static const struct check_kind *choose_kind(
	struct loader *loader, const struct place *map, bool has_unknown_key)
{
	const struct check_kind *chosen = NULL;

	for (size_t i = 0; i < map->node->count; i++) {
		const char *name = map->node->keys[i]->text;
		struct place key = { .node = map->node->keys[i], .key = map->key };
		const struct check_kind *kind = find_kind(name);

		if (kind && chosen && kind != chosen) {
			diagnose(&loader->diagnostics, &key, "write two checks",
				"'%s' is a second kind beside '%s'", name, chosen->name);
			return NULL;
		}
		chosen = kind ? kind : chosen;
	}
	/* An unknown key is probably the kind, misspelt, and has been said already. */
	if (!chosen && !has_unknown_key) {
		struct buf hint = BUF_INIT(512);

		buf_add_text(&hint, "give it one of: ");
		for (size_t i = 0; check_kinds[i]; i++)
			buf_add_format(&hint, "%s%s", i ? ", " : "", check_kinds[i]->name);
		diagnose(&loader->diagnostics, map, buf_text(&hint),
			"says not what is to be checked");
		buf_release(&hint);
	}
	return chosen;
}

static void load_params(struct loader *loader, const struct place *map, struct check_config *check)
{
	const struct check_kind *kind = check->kind;
	struct place params = place_in(loader, map, kind->name, node_get(map->node, kind->name));

	check->params = arena_alloc(&loader->config->arena, kind->params_size);
	loader->checks_variables = kind->needs_prometheus;
	load_rows(loader, kind->rows, &params, check->params);
	loader->checks_variables = false;
}

static bool name_valid(const char *name)
{
	for (const char *at = name; *at; at++) {
		if ((unsigned char)*at < 0x20 || *at == 0x7f)
			return false;
	}
	return strlen(name) <= CHECK_NAME_MAX_BYTES;
}

static void check_name(struct loader *loader, const struct place *map,
	const struct check_config *checks, size_t index)
{
	const char *name = checks[index].name;
	struct place place;

	if (!name)
		return;
	place = place_in(loader, map, "name", node_get(map->node, "name"));
	if (!name_valid(name))
		diagnose(&loader->diagnostics, &place, NULL,
			"is longer than %d bytes or has control characters", CHECK_NAME_MAX_BYTES);
	for (size_t i = 0; i < index; i++) {
		if (!checks[i].name || strcmp(checks[i].name, name) != 0)
			continue;
		diagnose(&loader->diagnostics, &place, NULL,
			"'%s' is also the name of the check at %s:%d:%d", name, checks[i].file,
			checks[i].line, checks[i].column);
		return;
	}
}

static void load_check(struct loader *loader, const struct place *map, struct check_config *check)
{
	size_t failures = loader->diagnostics.failures;
	struct error err = { 0 };
	bool has_unknown_key;

	check->file = arena_strdup(&loader->config->arena, map->node->source->path);
	check->line = map->node->line;
	check->column = map->node->column;
	load_defaults(loader, check_rows, check);
	if (map->node->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, map, NULL, "must be a map, not %s",
			node_kind_text(map->node));
		return;
	}
	check_keys(loader, map, known_names(loader));
	has_unknown_key = loader->diagnostics.failures > failures;
	for (const struct schema_row *row = check_rows; row->name; row++)
		load_row(loader, row, map, check);
	check->kind = choose_kind(loader, map, has_unknown_key);
	if (check->kind)
		load_params(loader, map, check);
	/* A kind's own rules may rely on everything that the rows say. */
	if (failures == loader->diagnostics.failures && check->kind->validate &&
		check->kind->validate(check, &err) < 0)
		diagnose(&loader->diagnostics, map, *err.hint ? err.hint : NULL, "%s", err.message);
}

/* ---- ${variables} outside of queries ---- */

/* What the texts of one check may use: the variables, and what checks before it captured. */
struct known_variables {
	struct loader *loader;
	const struct place *check;
	const struct check_config *before;
	size_t before_count;
};

static bool is_captured(const struct known_variables *known, const char *name, size_t length)
{
	for (size_t i = 0; i < known->before_count; i++) {
		const struct check_config *check = &known->before[i];
		const struct text_map *captures =
			check->kind && check->kind->captures ? check->kind->captures(check) : NULL;

		for (size_t j = 0; captures && j < captures->count; j++) {
			if (strlen(captures->keys[j]) == length &&
				strncmp(captures->keys[j], name, length) == 0)
				return true;
		}
	}
	return false;
}

static void check_text(const struct known_variables *known, const char *text)
{
	size_t length;

	while (text && (text = query_unknown_variable(text, &length))) {
		if (length < 3 || !is_captured(known, text + 2, length - 3))
			say_unknown_variable(known->loader, known->check, text, length);
		text += length;
	}
}

static void check_texts(const struct known_variables *known, const struct check_config *check)
{
	for (const struct schema_row *row = check->kind->rows; row->name; row++) {
		const char *member = (const char *)check->params + row->offset;
		const struct text_map *map = (const void *)member;
		const struct strv *list = (const void *)member;

		switch (row->type) {
		case SCHEMA_STRING:
		case SCHEMA_PATH:
		case SCHEMA_PROGRAM:
		case SCHEMA_URL:
			check_text(known, *(char *const *)(const void *)member);
			break;
		case SCHEMA_TEXT_MAP:
			for (size_t i = 0; i < map->count; i++)
				check_text(known, map->values[i]);
			break;
		case SCHEMA_ARGV:
		case SCHEMA_STRINGS:
			for (size_t i = 0; i < list->count; i++)
				check_text(known, list->items[i]);
			break;
		default:
			break;
		}
	}
}

static void check_variables_of(struct loader *loader, const struct place *map,
	const struct check_config *checks, size_t index)
{
	const struct check_config *check = &checks[index];
	struct known_variables known = {
		.loader = loader, .check = map, .before = checks, .before_count = index
	};
	const struct text_map *captures;

	/* Queries have been looked at, and no server's answer may get into one. */
	if (!check->kind || check->kind->needs_prometheus)
		return;
	captures = check->kind->captures ? check->kind->captures(check) : NULL;
	if (captures && captures->count && !loader->suite)
		diagnose(&loader->diagnostics, map, "move the check into a suite",
			"captures values, which only later checks of a suite can use");
	if (!loader->suite)
		known.before_count = 0;
	check_texts(&known, check);
}

void load_checks(struct loader *loader, const struct place *list, struct check_config **checks,
	size_t *count)
{
	struct check_config *all;

	if (node_is_null(list->node))
		return;
	if (list->node->kind != NODE_LIST) {
		diagnose(&loader->diagnostics, list, "write each check as '- name: ...'",
			"must be a list, not %s", node_kind_text(list->node));
		return;
	}
	all = arena_alloc(
		&loader->config->arena, (*count + list->node->count + 1) * sizeof(all[0]));
	if (*count)
		memcpy(all, *checks, *count * sizeof(all[0]));
	for (size_t i = 0; i < list->node->count; i++) {
		struct place item = place_at(loader, list, i, list->node->items[i]);

		load_check(loader, &item, &all[*count + i]);
		check_name(loader, &item, all, *count + i);
		check_variables_of(loader, &item, all, *count + i);
	}
	*checks = all;
	*count += list->node->count;
}

static void load_suite(struct loader *loader, const struct place *value, struct suite_config *suite)
{
	loader->suite = suite;
	if (value->node->kind == NODE_LIST) {
		load_defaults(loader, suite_rows, suite);
		load_checks(loader, value, &suite->checks, &suite->check_count);
	} else {
		load_rows(loader, suite_rows, value, suite);
	}
	loader->suite = NULL;
}

void load_suites(struct loader *loader, const struct place *map)
{
	struct config *config = loader->config;
	struct suite_config *all;

	if (node_is_null(map->node))
		return;
	if (map->node->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, map, "write 'NAME: [checks]'",
			"must be a map, not %s", node_kind_text(map->node));
		return;
	}
	all = arena_alloc(
		&config->arena, (config->suite_count + map->node->count + 1) * sizeof(all[0]));
	if (config->suite_count)
		memcpy(all, config->suites, config->suite_count * sizeof(all[0]));
	config->suites = all;
	for (size_t i = 0; i < map->node->count; i++) {
		const char *name = map->node->keys[i]->text;
		struct place value = place_in(loader, map, name, map->node->items[i]);
		struct place key = { .node = map->node->keys[i], .key = value.key };

		for (size_t j = 0; j < config->suite_count; j++) {
			/* Twice in one file has been said already, as a duplicate key. */
			if (strcmp(all[j].name, name) == 0)
				diagnose(&loader->diagnostics, &key, NULL,
					"another file has a suite of this name");
		}
		all[config->suite_count].name = arena_strdup(&config->arena, name);
		load_suite(loader, &value, &all[config->suite_count++]);
	}
}
