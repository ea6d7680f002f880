/* What the files that fill the configuration share. */
#ifndef CANARYCTL_CONFIG_LOADER_H
#define CANARYCTL_CONFIG_LOADER_H

#include "canaryctl/config.h"
#include "canaryctl/schema.h"
#include "config/diagnostics.h"
#include "config/node.h"

#include <stdbool.h>

enum { LOADER_MAX_FILES = 64 };

struct loader {
	struct config *config;
	struct arena scratch; /* nodes, diagnostics, key paths: gone after loading */
	struct diagnostics diagnostics;
	const struct node *root; /* of the main file */
	bool traffic_only;       /* as in struct config_options */
	bool checks_variables;   /* text here is a query: its ${variables} must be known */
	char *real_paths[LOADER_MAX_FILES]; /* of all files read */
	size_t file_count;
	struct suite_config *suite; /* being loaded; NULL: none */
	struct place scale_rules;   /* autoscaling.services of whichever file; node NULL: none */
	uint64_t hash;
};

/* "parent.name", "parent[index]"; in the scratch arena. */
struct place place_in(struct loader *loader, const struct place *parent, const char *name,
	const struct node *node);
struct place place_at(
	struct loader *loader, const struct place *parent, size_t index, const struct node *node);

/* Rows of one map into the struct at `target`: first all defaults, then what is given. */
void load_rows(struct loader *loader, const struct schema_row *rows, const struct place *map,
	void *target);
void load_defaults(struct loader *loader, const struct schema_row *rows, void *target);
/* One row of a map; says so when a required key is missing. */
void load_row(
	struct loader *loader, const struct schema_row *row, const struct place *map, void *target);
/* Says for each key of `map` that is in none of the names (NULL-terminated) what was meant. */
void check_keys(struct loader *loader, const struct place *map, const char *const *names);

/* One value into *member. False, with a diagnostic, when it is not of the row's type. */
bool value_set(struct loader *loader, const struct schema_row *row, const struct place *value,
	void *member);
/* The text of a scalar; NULL, with a diagnostic, when it is none. `what`: "a duration". */
const char *value_text(struct loader *loader, const struct place *value, const char *what);

/* Says that "${...}" is no variable, and which was meant. Returns false. */
bool say_unknown_variable(
	struct loader *loader, const struct place *value, const char *unknown, size_t length);

/* SCHEMA_CUSTOM rows; `target` is the struct. */
void custom_set(struct loader *loader, const struct schema_row *row, const struct place *value,
	void *target);
/* `checks` of one file, appended to a list. */
void load_checks(struct loader *loader, const struct place *list, struct check_config **checks,
	size_t *count);
void load_suites(struct loader *loader, const struct place *map);

/* `autoscaling.services`, and, when all files are read, the checks that its rules name. */
void load_scale_rules(struct loader *loader, const struct place *map);
void load_scale_blocks(struct loader *loader);

#endif
