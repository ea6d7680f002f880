/*
 * Everything that is wrong with a configuration, collected and then shown in the order of the
 * file: `file:line:col: key: problem`, the line, a caret and a hint. Lines that may hold a secret
 * are cut before it.
 */
#ifndef CANARYCTL_CONFIG_DIAGNOSTICS_H
#define CANARYCTL_CONFIG_DIAGNOSTICS_H

#include "canaryctl/buf.h"
#include "config/node.h"

enum { DIAGNOSTICS_SHOWN = 100 };

/* What is being talked about. */
struct place {
	const struct node *node;
	const char *key; /* "rollout.interval"; "" for the file itself */
};

struct diagnostic;
struct diagnostics {
	struct arena *arena;
	struct diagnostic *first;
	struct secret_range *secrets;
	size_t count;    /* told */
	size_t failures; /* met, also those that were told before */
	bool is_muted;   /* problems found now are not the caller's concern */
};

/* `hint` may be NULL. */
void diagnose(struct diagnostics *diagnostics, const struct place *place, const char *hint,
	const char *format, ...) __attribute__((format(printf, 4, 5)));

/* For a file that is no YAML: there are no nodes to point to. */
void diagnose_syntax(struct diagnostics *diagnostics, const struct source *source,
	const struct yaml_problem *problem);

/* The text of this node must never be shown. */
void diagnostics_hide(struct diagnostics *diagnostics, const struct node *node);

void diagnostics_write(struct diagnostics *diagnostics, struct buf *ret_text);

#endif
