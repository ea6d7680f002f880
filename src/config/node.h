/*
 * YAML as a bounded tree of nodes that know where they were written. yaml.c is the only file that
 * sees libyaml; everything else works on these.
 */
#ifndef CANARYCTL_CONFIG_NODE_H
#define CANARYCTL_CONFIG_NODE_H

#include "canaryctl/mem.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	NODE_MAX_DEPTH = 32,
	NODE_MAX_COUNT = 20000, /* with every alias counted as what it stands for */
	SOURCE_MAX_BYTES = 1 << 20,
};

/* One file. */
struct source {
	const char *path;   /* as it was named: for messages */
	const char *folder; /* absolute: what paths in the file are relative to */
	const char *text;
	size_t length;
	int order; /* of being read: the main file is 0 */
};

enum node_kind { NODE_SCALAR, NODE_LIST, NODE_MAP };

struct node {
	enum node_kind kind;
	const struct source *source;
	int line; /* 1-based */
	int column;
	int end_line;
	const char *text; /* SCALAR: the value */
	const char *raw;  /* SCALAR: as written, before ${env:NAME} was replaced */
	bool is_quoted;
	bool is_prepared;    /* ${env:NAME} replaced, duplicate keys looked for */
	bool is_broken;      /* its problem has been said: no further ones */
	size_t count;        /* LIST, MAP */
	struct node **items; /* LIST: items; MAP: values */
	struct node **keys;  /* MAP: scalars, in the order of the file; duplicates are kept */
	size_t size;         /* nodes in this tree */
};

struct yaml_problem {
	int line; /* 0: nowhere in particular */
	int column;
	int context_line; /* where the broken thing began; 0: unknown */
	char message[256];
};

/* Parses one document; nodes live in `arena` and point to `source`. NULL and *ret_problem. */
struct node *yaml_parse(
	struct arena *arena, const struct source *source, struct yaml_problem *ret_problem);

/* The value of a key; NULL when there is none or `map` is no map. */
struct node *node_get(const struct node *map, const char *key);

/* A plain empty value, ~ or null. */
bool node_is_null(const struct node *node);

/* "a map", "a list", "text": for messages. */
const char *node_kind_text(const struct node *node);

#endif
