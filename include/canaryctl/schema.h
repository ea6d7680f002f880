/*
 * The configuration as a table: a row per key says its name, type, default, bounds and help, and
 * where the value goes. Parser, `config show`, docs/configuration.md and completion read the same
 * rows. A check's kind brings rows of its own.
 */
#ifndef CANARYCTL_SCHEMA_H
#define CANARYCTL_SCHEMA_H

#include "canaryctl/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum schema_type {         /* the C type at the offset */
	SCHEMA_STRING,     /* char * */
	SCHEMA_PATH,       /* char *; made relative to the file that names it */
	SCHEMA_PROGRAM,    /* char *; as SCHEMA_PATH when it has a slash */
	SCHEMA_URL,        /* char *; http or https */
	SCHEMA_SECRET,     /* char *; masked whenever shown */
	SCHEMA_SECRET_URL, /* char *; http or https; only scheme and host are ever shown */
	SCHEMA_TEXT_MAP,   /* struct text_map: any keys, scalar values */
	SCHEMA_SELECTOR,   /* char *; a PromQL series selector without a range */
	SCHEMA_DURATION,   /* int64_t, milliseconds */
	SCHEMA_BOOL,       /* bool */
	SCHEMA_INT,        /* int64_t */
	SCHEMA_NUMBER,     /* double; takes %, ms, s */
	SCHEMA_WEIGHT,     /* weight_t */
	SCHEMA_ENUM,       /* int: index into `names` */
	SCHEMA_ARGV,       /* struct strv; a list of strings, never a shell string */
	SCHEMA_STRINGS,    /* struct strv; a list of strings */
	SCHEMA_CONDITION,  /* struct condition */
	SCHEMA_MAP,        /* nested rows, in the same struct */
	SCHEMA_CUSTOM,     /* parsed by a function of its own (stages, checks, min_samples) */
};

struct schema_row {
	const char *name; /* NULL ends a table */
	enum schema_type type;
	size_t offset;
	bool is_required;
	const char *default_text; /* as written in YAML; NULL: empty, zero or unset */
	double minimum;           /* INT, NUMBER, DURATION (ms); both 0: no bounds */
	double maximum;
	const char *const *names;        /* ENUM; STRINGS: what items may be. NULL-terminated */
	const struct schema_row *nested; /* MAP */
	int custom;                      /* CUSTOM: which, known to src/config */
	const char *help;                /* one line; unit and meaning */
};

struct text_map {
	size_t count;
	char **keys;
	char **values;
};

#endif
