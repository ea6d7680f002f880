/*
 * Loading a configuration: read, parse, replace ${env:NAME}, fill the struct through the schema's
 * rows, follow includes, complete, check. Nothing stops at the first problem.
 */
#include "canaryctl/config.h"
#include "canaryctl/fileio.h"
#include "config/loader.h"
#include "config/rules.h"
#include "config/schema_rows.h"

#include <inttypes.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const essential_keys[] = { "service", "state_dir", "production", "canary",
	"traffic", NULL };

static bool is_essential(const char *key)
{
	for (size_t i = 0; essential_keys[i]; i++) {
		size_t length = strlen(essential_keys[i]);

		if (strncmp(key, essential_keys[i], length) == 0 &&
			(!key[length] || key[length] == '.' || key[length] == '['))
			return true;
	}
	return false;
}

static void mute_for(struct loader *loader, const char *key)
{
	loader->diagnostics.is_muted = loader->traffic_only && !is_essential(key);
}

/* ---- reading ---- */

static void add_to_hash(struct loader *loader, const char *text, size_t length)
{
	/* FNV-1a, 64 bits. */
	for (size_t i = 0; i < length; i++) {
		loader->hash ^= (unsigned char)text[i];
		loader->hash *= UINT64_C(1099511628211);
	}
}

static struct source *read_source(struct loader *loader, const char *path, struct error *err)
{
	struct buf text = BUF_INIT(SOURCE_MAX_BYTES);
	CLEANUP_FREE char *copy = mem_strdup(path);
	CLEANUP_FREE char *folder = NULL;
	struct source *source;

	if (fileio_read(path, SOURCE_MAX_BYTES, &text, err) < 0) {
		buf_release(&text);
		return NULL;
	}
	folder = realpath(dirname(copy), NULL);
	source = arena_alloc(&loader->scratch, sizeof(*source));
	source->path = arena_strdup(&loader->scratch, path);
	source->folder = arena_strdup(&loader->scratch, folder ? folder : "/");
	source->text = arena_strndup(&loader->scratch, buf_text(&text), text.length);
	source->length = text.length;
	source->order = (int)loader->file_count;
	buf_release(&text);
	add_to_hash(loader, source->text, source->length);
	loader->real_paths[loader->file_count] = realpath(path, NULL);
	if (!loader->real_paths[loader->file_count])
		loader->real_paths[loader->file_count] = mem_strdup(path);
	loader->file_count++;
	return source;
}

static struct node *parse_source(struct loader *loader, const struct source *source)
{
	struct yaml_problem problem;
	struct node *root = yaml_parse(&loader->scratch, source, &problem);

	if (!root)
		diagnose_syntax(&loader->diagnostics, source, &problem);
	return root;
}

/* ---- ${env:NAME} and duplicate keys ---- */

/*
 * Adds the value of the variable at "${env:" and returns what follows it; NULL, with a diagnostic,
 * when there is none.
 */
static const char *expand_variable(
	struct loader *loader, const struct place *place, const char *at, struct buf *ret_text)
{
	const char *name = at + strlen("${env:");
	size_t length =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789");
	const char *end = strchr(name, '}');
	CLEANUP_FREE char *variable = mem_strndup(name, length);
	const char *value = getenv(variable);
	bool has_default = strncmp(name + length, ":-", 2) == 0;

	if (!length || !end || (!has_default && name + length != end)) {
		diagnose(&loader->diagnostics, place, "write ${env:NAME} or ${env:NAME:-default}",
			"'%.*s' is not how a variable is named",
			(int)(end && end - at < 80 ? end - at + 1 : 6), at);
		return NULL;
	}
	if (has_default && (!value || !*value)) {
		buf_add(ret_text, name + length + 2, (size_t)(end - name) - length - 2);
	} else if (value) {
		buf_add_text(ret_text, value);
	} else {
		CLEANUP_FREE char *hint =
			mem_format("set it, or give a default: ${env:%s:-value}", variable);

		diagnose(&loader->diagnostics, place, hint, "environment variable '%s' is not set",
			variable);
		return NULL;
	}
	return end + 1;
}

static void expand_scalar(struct loader *loader, const struct place *place, struct node *node)
{
	struct buf text = BUF_INIT(SOURCE_MAX_BYTES);
	const char *at = node->text;

	while (at) {
		const char *variable = strstr(at, "${env:");

		buf_add(&text, at, variable ? (size_t)(variable - at) : strlen(at));
		if (!variable)
			break;
		at = expand_variable(loader, place, variable, &text);
	}
	if (at)
		node->text = arena_strdup(&loader->scratch, buf_text(&text));
	else
		node->is_broken = true;
	buf_release(&text);
}

static void check_duplicate(
	struct loader *loader, const struct place *map, const struct place *value, size_t index)
{
	struct node *const *keys = map->node->keys;

	for (size_t i = 0; i < index; i++) {
		struct place key = { .node = keys[index], .key = value->key };
		char hint[64];

		if (strcmp(keys[i]->text, keys[index]->text) != 0)
			continue;
		snprintf(hint, sizeof(hint), "the first one is in line %d", keys[i]->line);
		diagnose(&loader->diagnostics, &key, hint, "duplicate key");
		return;
	}
}

/* Once for every node, before anything reads values. */
static void prepare(struct loader *loader, const struct place *place, struct node *node)
{
	bool is_root = !*place->key;

	if (node->is_prepared)
		return;
	node->is_prepared = true;
	if (node->kind == NODE_SCALAR && strstr(node->text, "${env:"))
		expand_scalar(loader, place, node);
	for (size_t i = 0; i < node->count; i++) {
		struct place item =
			node->kind == NODE_LIST
				? place_at(loader, place, i, node->items[i])
				: place_in(loader, place, node->keys[i]->text, node->items[i]);

		if (is_root)
			mute_for(loader, item.key);
		if (node->kind == NODE_MAP)
			check_duplicate(loader, place, &item, i);
		prepare(loader, &item, node->items[i]);
	}
	if (is_root)
		loader->diagnostics.is_muted = false;
}

/* ---- filling the struct ---- */

static void load_root(struct loader *loader, const struct node *root)
{
	struct place place = { .node = root, .key = "" };
	const char *names[32] = { NULL };
	size_t count = 0;

	load_defaults(loader, config_rows, loader->config);
	if (root->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, &place, NULL, "must be a map, not %s",
			node_kind_text(root));
		return;
	}
	for (const struct schema_row *row = config_rows; row->name; row++) {
		names[count++] = row->name;
		mute_for(loader, row->name);
		/* Checks are of no use to a rollback, and half of one is worse than none. */
		if (loader->diagnostics.is_muted && row->type == SCHEMA_CUSTOM)
			continue;
		load_row(loader, row, &place, loader->config);
	}
	loader->diagnostics.is_muted = loader->traffic_only;
	check_keys(loader, &place, names);
	loader->diagnostics.is_muted = false;
}

static void load_includes(struct loader *loader, const struct node *root);

static bool is_read_already(const struct loader *loader, const char *path)
{
	CLEANUP_FREE char *real = realpath(path, NULL);

	for (size_t i = 0; real && i < loader->file_count; i++) {
		if (strcmp(loader->real_paths[i], real) == 0)
			return true;
	}
	return false;
}

static bool is_listed(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

static void load_included(struct loader *loader, const struct place *item)
{
	static const char *const names[] = { "include", "checks", "suites", "autoscaling", NULL };
	const char *text = value_text(loader, item, "the name of a file");
	CLEANUP_FREE char *includer = mem_strdup(item->node->source->path);
	CLEANUP_FREE char *path = text ? fileio_resolve(dirname(includer), text) : NULL;
	struct place place = { .key = "" };
	struct error err = { 0 };
	struct source *source;
	struct node *root;

	if (!text)
		return;
	if (is_read_already(loader, path)) {
		diagnose(&loader->diagnostics, item, NULL, "'%s' has been read already", path);
		return;
	}
	if (loader->file_count == LOADER_MAX_FILES) {
		diagnose(&loader->diagnostics, item, NULL, "more than %d files", LOADER_MAX_FILES);
		return;
	}
	source = read_source(loader, path, &err);
	if (!source) {
		diagnose(&loader->diagnostics, item, NULL, "%s", err.message);
		return;
	}
	root = parse_source(loader, source);
	if (!root)
		return;
	place.node = root;
	prepare(loader, &place, root);
	if (root->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, &place, NULL, "must be a map, not %s",
			node_kind_text(root));
		return;
	}
	check_keys(loader, &place, names);
	for (const struct schema_row *row = config_rows; row->name; row++) {
		if (row->custom != CUSTOM_INCLUDE && is_listed(names, row->name))
			load_row(loader, row, &place, loader->config);
	}
	load_includes(loader, root);
}

static void load_includes(struct loader *loader, const struct node *root)
{
	const struct node *list = node_get(root, "include");
	struct place place = { .node = list, .key = "include" };

	if (!list)
		return;
	if (list->kind != NODE_LIST) {
		diagnose(&loader->diagnostics, &place, "write [FILE, ...]",
			"must be a list, not %s", node_kind_text(list));
		return;
	}
	for (size_t i = 0; i < list->count; i++) {
		struct place item = place_at(loader, &place, i, list->items[i]);

		load_included(loader, &item);
	}
}

/* ---- rules ---- */

/* The node at "rollout.stages[2].observe", or the deepest one on the way there. */
static const struct node *find_node(const struct node *node, const char *key)
{
	while (*key) {
		const struct node *next = NULL;
		size_t length = strcspn(key, ".[");

		if (*key == '[') {
			size_t index = strtoul(key + 1, NULL, 10);

			if (node->kind == NODE_LIST && index < node->count)
				next = node->items[index];
			key += strcspn(key, "]") + 1;
		} else {
			CLEANUP_FREE char *name = mem_strndup(key, length);

			next = node_get(node, name);
			key += length;
		}
		if (!next)
			return node;
		node = next;
		key += *key == '.';
	}
	return node;
}

static void on_rule_problem(void *context, const char *key, const char *hint, const char *message)
{
	struct loader *loader = context;
	struct place place = { .node = find_node(loader->root, key), .key = key };

	mute_for(loader, key);
	diagnose(&loader->diagnostics, &place, hint, "%s", message);
	loader->diagnostics.is_muted = false;
}

static void load_main(struct loader *loader, const struct source *source)
{
	struct rule_report report = { .problem = on_rule_problem, .context = loader };
	struct config *config = loader->config;
	struct node *root = parse_source(loader, source);
	struct place place = { .node = root, .key = "" };

	if (!root)
		return;
	loader->root = root;
	config->is_traffic_only = loader->traffic_only;
	config->path = arena_strdup(&config->arena, source->path);
	config->folder = arena_strdup(&config->arena, source->folder);
	prepare(loader, &place, root);
	load_root(loader, root);
	if (!loader->traffic_only)
		load_includes(loader, root);
	load_scale_blocks(loader);
	config_complete(config, &report);
	snprintf(config->hash, sizeof(config->hash), "%016" PRIx64, loader->hash);
}

static void release_loader(struct loader *loader)
{
	for (size_t i = 0; i < loader->file_count; i++)
		free(loader->real_paths[i]);
	arena_release(&loader->scratch);
}

struct config *config_load(const char *path, const struct config_options *options,
	struct buf *ret_diagnostics, struct error *err)
{
	struct loader loader = {
		.config = mem_alloc(sizeof(struct config)),
		.traffic_only = options && options->traffic_only,
		.hash = UINT64_C(14695981039346656037),
	};
	struct config *config = loader.config;
	struct source *source;

	loader.diagnostics.arena = &loader.scratch;
	source = read_source(&loader, path, err);
	if (source)
		load_main(&loader, source);
	else if (err)
		err->kind = ERROR_CONFIG;
	if (!source || loader.diagnostics.count) {
		diagnostics_write(&loader.diagnostics, ret_diagnostics);
		config_free(config);
		config = NULL;
	}
	if (loader.diagnostics.count)
		error_set(err, ERROR_CONFIG, 0, "'%s' has %zu %s", path, loader.diagnostics.count,
			loader.diagnostics.count == 1 ? "error" : "errors");
	release_loader(&loader);
	return config;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	arena_release(&config->arena);
	free(config);
}
