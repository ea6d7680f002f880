/* What a canary's answer about its health means. Only for checks/. Pure. */
#ifndef CHECKS_HEALTH_H
#define CHECKS_HEALTH_H

#include "canaryctl/buf.h"

#include <stdbool.h>
#include <stddef.h>

struct health_answer {
	long status;
	const char *body;
	size_t length;
};

/*
 * Healthy is: status 200, JSON with "status": "healthy" and "version" the one being deployed,
 * with or without a leading v. An empty version is not compared. Adds what is wrong to *problem.
 */
bool health_is_good(const struct health_answer *answer, const char *version, struct buf *problem);

#endif
