/* One value of a YAML document, by path, through the configuration's own reader. Pure. */
#ifndef CHECKS_YAML_PATH_H
#define CHECKS_YAML_PATH_H

#include "canaryctl/error.h"

#include <stdbool.h>

enum { YAML_FILE_MAX_BYTES = 1 << 20 };

bool yaml_path_valid(const char *path);

/* The scalar at "cache.ttl_seconds" or "models[0].name"; malloc'ed. `name` is for messages. */
char *yaml_path_value(const char *name, const char *text, const char *path, struct error *err);

#endif
