/* The tables of the configuration, for the loader, `config show` and the reference. */
#ifndef CANARYCTL_CONFIG_SCHEMA_ROWS_H
#define CANARYCTL_CONFIG_SCHEMA_ROWS_H

#include "canaryctl/schema.h"
#include "canaryctl/weight.h"

#include <stdbool.h>
#include <stdint.h>

/* Forms that a row's type cannot say; see config_custom.c. */
enum schema_custom {
	CUSTOM_NONE,
	CUSTOM_INCLUDE,     /* files whose checks, suites and autoscaling are merged */
	CUSTOM_HEADERS,     /* map of HTTP headers to "Name: value" strings */
	CUSTOM_STAGES,      /* weights or stage_rows */
	CUSTOM_CHECKS,      /* list of checks */
	CUSTOM_SUITES,      /* map of names to lists of checks or suite_rows */
	CUSTOM_MIN_SAMPLES, /* number or min_samples_rows */
	CUSTOM_NOTIFY,      /* list of notify_rows */
	CUSTOM_SCALE_RULES, /* map of names to scale_rule_rows */
};

/* A stage as it is written. */
struct stage_text {
	weight_t weight;
	int64_t observe_ms;
	int approval;  /* index into approval_names */
	int undecided; /* index into undecided_names */
};
enum { APPROVAL_NONE, APPROVAL_REQUIRED };
enum { UNDECIDED_INCONCLUSIVE, UNDECIDED_PASS };

extern const struct schema_row config_rows[];      /* struct config */
extern const struct schema_row stage_rows[];       /* struct stage_text */
extern const struct schema_row suite_rows[];       /* struct suite_config */
extern const struct schema_row notify_rows[];      /* struct notify_config */
extern const struct schema_row scale_rule_rows[];  /* struct scale_rule */
extern const struct schema_row check_rows[];       /* struct check_config */
extern const struct schema_row min_samples_rows[]; /* struct check_config */

/* A header whose value is nobody's business, such as Authorization. */
bool header_is_secret(const char *name);

#endif
