/* Paths into YAML: see yaml_path.h. */
#include "checks/yaml_path.h"
#include "canaryctl/mem.h"
#include "config/node.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The next key or index of a path: returns what follows it, NULL when it is malformed. */
static const char *next_step(const char *path, char **ret_key, size_t *ret_index)
{
	size_t length;
	char *end;

	*ret_key = NULL;
	if (*path == '[') {
		if (!isdigit((unsigned char)path[1]))
			return NULL;
		*ret_index = strtoul(path + 1, &end, 10);
		if (*end != ']')
			return NULL;
		path = end + 1;
	} else {
		length = strcspn(path, ".[");
		if (!length)
			return NULL;
		*ret_key = mem_strndup(path, length);
		path += length;
	}
	if (*path == '.')
		return path[1] ? path + 1 : NULL;
	return *path && *path != '[' ? NULL : path;
}

bool yaml_path_valid(const char *path)
{
	bool is_valid = *path != '\0';

	while (is_valid && *path) {
		CLEANUP_FREE char *key = NULL;
		size_t index;

		path = next_step(path, &key, &index);
		is_valid = path != NULL;
	}
	return is_valid;
}

static const struct node *find(const struct node *node, const char *path)
{
	while (node && path && *path) {
		CLEANUP_FREE char *key = NULL;
		size_t index = 0;

		path = next_step(path, &key, &index);
		if (key)
			node = node_get(node, key);
		else
			node = path && node->kind == NODE_LIST && index < node->count
				       ? node->items[index]
				       : NULL;
	}
	return path ? node : NULL;
}

char *yaml_path_value(const char *name, const char *text, const char *path, struct error *err)
{
	struct arena arena = { 0 };
	struct source source = { .path = name, .folder = "", .text = text, .length = strlen(text) };
	struct yaml_problem problem;
	const struct node *root = yaml_parse(&arena, &source, &problem);
	const struct node *node = root ? find(root, path) : NULL;
	char *value = NULL;

	if (!root)
		error_set(err, ERROR_CONFIG, 0, "'%s' line %d: %s", name, problem.line,
			problem.message);
	else if (!node)
		error_set(err, ERROR_CONFIG, 0, "'%s' has no '%s'", name, path);
	else if (node->kind != NODE_SCALAR)
		error_set(err, ERROR_CONFIG, 0, "'%s' in '%s' is %s, not one value", path, name,
			node_kind_text(node));
	else
		value = mem_strdup(node->text);
	arena_release(&arena);
	return value;
}
