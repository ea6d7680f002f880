/* Values in a JSON answer, by path: "status", "models[0].name". Only for checks/. Pure. */
#ifndef CHECKS_JSON_PATH_H
#define CHECKS_JSON_PATH_H

#include "canaryctl/buf.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

/* NULL when there is nothing at that path. "" and "." are the document itself. */
const cJSON *json_path_find(const cJSON *root, const char *path);

/* Is the path well formed? */
bool json_path_valid(const char *path);

/* Is the value what was written in YAML? Numbers compare as numbers, the rest as text. */
bool json_value_equals(const cJSON *value, const char *expected);

/* The value for people: printable, and cut to the buffer's maximum. */
void json_value_write(const cJSON *value, struct buf *text);

#endif
