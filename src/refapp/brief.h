/*
 * Briefs as JSON: what their schema demands, mending one that does not match it, and the one that
 * is served when no model gave any. Pure.
 */
#ifndef REFAPP_BRIEF_H
#define REFAPP_BRIEF_H

#include "refapp/model.h"

#include <cjson/cJSON.h>

/* The first required field that is missing or of the wrong type; NULL: the brief is valid. */
const char *brief_missing_field(const cJSON *brief);

/* Puts the house's own text where a required field is missing. */
void brief_fix(cJSON *brief, enum mode mode);

cJSON *brief_fallback(enum mode mode); /* valid; owned by the caller */

#endif
