/* Values by path: see json_path.h. */
#include "checks/json_path.h"
#include "canaryctl/mem.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct step {
	const char *key; /* NULL: an index */
	size_t key_length;
	int index;
};

/* Reads one step at *at and moves on; false at the end and at what is no path. */
static bool take_step(const char **at, struct step *ret_step)
{
	size_t length;

	memset(ret_step, 0, sizeof(*ret_step));
	if (**at == '[') {
		length = strspn(*at + 1, "0123456789");
		if (!length || length > 6 || (*at)[length + 1] != ']')
			return false;
		ret_step->index = atoi(*at + 1);
		*at += length + 2;
	} else {
		length = strcspn(*at, ".[");
		if (!length)
			return false;
		ret_step->key = *at;
		ret_step->key_length = length;
		*at += length;
	}
	if (**at == '.' && (*at)[1] && (*at)[1] != '.' && (*at)[1] != '[')
		(*at)++;
	return true;
}

static bool is_root(const char *path)
{
	return !*path || !strcmp(path, ".");
}

bool json_path_valid(const char *path)
{
	struct step step;

	if (is_root(path))
		return true;
	while (*path) {
		if (!take_step(&path, &step))
			return false;
	}
	return true;
}

const cJSON *json_path_find(const cJSON *root, const char *path)
{
	struct step step;

	if (is_root(path))
		return root;
	while (root && *path) {
		if (!take_step(&path, &step))
			return NULL;
		if (step.key) {
			CLEANUP_FREE char *key = mem_strndup(step.key, step.key_length);

			root = cJSON_GetObjectItemCaseSensitive(root, key);
		} else {
			root = cJSON_IsArray(root) ? cJSON_GetArrayItem(root, step.index) : NULL;
		}
	}
	return root;
}

bool json_value_equals(const cJSON *value, const char *expected)
{
	char *end;
	double number;

	if (cJSON_IsString(value))
		return !strcmp(value->valuestring, expected);
	if (cJSON_IsBool(value))
		return !strcmp(cJSON_IsTrue(value) ? "true" : "false", expected);
	if (cJSON_IsNull(value))
		return !strcmp(expected, "null") || !strcmp(expected, "~");
	if (!cJSON_IsNumber(value) || !*expected || isspace((unsigned char)*expected))
		return false;
	number = strtod(expected, &end);
	return !*end && number == value->valuedouble;
}

void json_value_write(const cJSON *value, struct buf *text)
{
	char *printed = cJSON_PrintUnformatted(value);

	buf_add_printable(text, printed ? printed : "?");
	cJSON_free(printed);
}
