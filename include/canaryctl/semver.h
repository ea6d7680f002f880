/* Semantic versions (semver.org 2.0.0) with an optional leading v. Pure. */
#ifndef CANARYCTL_SEMVER_H
#define CANARYCTL_SEMVER_H

#include <stdbool.h>

#define SEMVER_MAX_LENGTH 128

bool semver_valid(const char *text);

/* Are both the same version, with or without the leading v? */
bool semver_same(const char *a, const char *b);

#endif
