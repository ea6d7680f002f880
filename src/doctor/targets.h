/* What Prometheus scrapes, from /api/v1/targets. Pure; the answer is never trusted. */
#ifndef DOCTOR_TARGETS_H
#define DOCTOR_TARGETS_H

#include "canaryctl/error.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct target {
	struct prom_label *labels;
	size_t label_count;
	const char *url;
	const char *error; /* of the last scrape; "" */
	bool is_up;
	int64_t interval_ms; /* 0: not said */
};

/* Start from `= { 0 }`. */
struct targets {
	struct arena arena;
	struct target *targets;
	size_t count;
};

int targets_parse(const char *bytes, size_t length, struct targets *ret_targets, struct error *err);
void targets_release(struct targets *targets);

/*
 * Is it one of this arm's: by its labels, when `matchers` ('version="canary"'; may be NULL) says
 * which, or by host and port, of a URL or alone?
 */
bool target_is_of(const struct target *target, const char *matchers, const char *address);

#endif
