/* configs/app into the settings, through the table: see settings.h. */
#include "canaryctl/mem.h"
#include "config/node.h"
#include "refapp/settings.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define KEY_SIZE 128

static const char *const files[] = { "llm_ensemble.yaml", "traffic_distribution.yaml",
	"ppo_schedule.yaml", "reward_normalization.yaml", "checkpoint_strategy.yaml" };

static int refuse(const struct node *node, const char *key, const char *what, struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0, "%s:%d:%d: '%s' %s", node->source->path, node->line,
		node->column, key, what);
}

static bool parse_number(const struct node *node, double *ret_number)
{
	char *end;

	if (node->kind != NODE_SCALAR || node->is_quoted || !*node->text)
		return false;
	errno = 0;
	*ret_number = strtod(node->text, &end);
	return !*end && errno == 0 && isfinite(*ret_number);
}

static bool parse_bool(const struct node *node, double *ret_number)
{
	if (node->kind != NODE_SCALAR || node->is_quoted)
		return false;
	*ret_number = strcmp(node->text, "true") == 0;
	return *ret_number != 0 || strcmp(node->text, "false") == 0;
}

static bool is_fixed_value(const struct node *node, const char *fixed)
{
	CLEANUP_BUF struct buf text = { 0 };

	if (node->kind == NODE_SCALAR)
		return strcmp(node->text, fixed) == 0;
	for (size_t i = 0; i < node->count; i++) {
		if (node->kind != NODE_LIST || node->items[i]->kind != NODE_SCALAR)
			return false;
		buf_add_format(&text, "%s%s", i ? "," : "", node->items[i]->text);
	}
	return strcmp(buf_text(&text), fixed) == 0;
}

static int read_value(struct settings *settings, const struct setting_row *row,
	const struct node *node, struct error *err)
{
	CLEANUP_FREE char *range =
		mem_format("wants a number from %g to %g", row->minimum, row->maximum);
	CLEANUP_FREE char *only = mem_format(
		"can only be '%s': nothing else is simulated", row->fixed ? row->fixed : "");
	double value;

	if (row->type == SETTING_FIXED)
		return is_fixed_value(node, row->fixed) ? 0 : refuse(node, row->key, only, err);
	if (row->type == SETTING_BOOL) {
		if (!parse_bool(node, &value))
			return refuse(node, row->key, "wants true or false", err);
	} else if (!parse_number(node, &value) || value < row->minimum || value > row->maximum) {
		return refuse(node, row->key, range, err);
	} else if (row->type == SETTING_INT && value != floor(value)) {
		return refuse(node, row->key, "wants a whole number", err);
	}
	setting_assign(settings, row, value);
	return 0;
}

/* Maps nest as the dots of the keys do. */
static int read_map(
	struct settings *settings, const struct node *map, const char *prefix, struct error *err)
{
	for (size_t i = 0; i < map->count; i++) {
		CLEANUP_FREE char *key = mem_format("%s%s", prefix, map->keys[i]->text);
		CLEANUP_FREE char *inner = mem_format("%s.", key);
		const struct setting_row *row = setting_find(key);
		int result;

		if (row)
			result = read_value(settings, row, map->items[i], err);
		else if (map->items[i]->kind == NODE_MAP && strlen(key) < KEY_SIZE)
			result = read_map(settings, map->items[i], inner, err);
		else
			return refuse(map->keys[i], key, "is not a setting", err);
		if (result < 0)
			return -1;
	}
	return 0;
}

static int read_file(
	struct settings *settings, struct arena *arena, const char *path, struct error *err)
{
	CLEANUP_BUF struct buf text = { 0 };
	struct source source = { .path = path, .folder = "" };
	struct yaml_problem problem;
	struct node *root;

	if (fileio_read(path, SOURCE_MAX_BYTES, &text, err) < 0)
		return -1;
	source.text = buf_text(&text);
	source.length = text.length;
	root = yaml_parse(arena, &source, &problem);
	if (!root)
		return error_set(err, ERROR_CONFIG, 0, "%s:%d:%d: %s", path, problem.line,
			problem.column, problem.message);
	if (root->kind != NODE_MAP)
		return error_set(err, ERROR_CONFIG, 0, "'%s' is no map", path);
	return read_map(settings, root, "", err);
}

int settings_load(struct settings *settings, const char *folder, struct error *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		CLEANUP_FREE char *path = mem_format("%s/%s", folder, files[i]);
		struct arena arena = { 0 };
		int result = read_file(settings, &arena, path, err);

		arena_release(&arena);
		if (result < 0)
			return -1;
	}
	return settings_check(settings, err);
}
