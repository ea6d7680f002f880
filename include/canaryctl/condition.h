/*
 * Conditions of checks: "OP number" or "OP [number *] baseline [+ number]", with OP one of
 * < <= > >= == != and numbers that take %, ms and s. Pure.
 */
#ifndef CANARYCTL_CONDITION_H
#define CANARYCTL_CONDITION_H

#include "canaryctl/error.h"

#include <stdbool.h>

enum condition_operator {
	CONDITION_LESS,
	CONDITION_AT_MOST,
	CONDITION_GREATER,
	CONDITION_AT_LEAST,
	CONDITION_EQUAL,
	CONDITION_NOT_EQUAL,
	CONDITION_OPERATOR_COUNT
};

struct condition {
	const char *text; /* as written; NULL: no condition. Owned by the configuration */
	enum condition_operator op;
	bool uses_baseline;
	double factor; /* of the baseline */
	double number; /* the limit, or what is added to factor * baseline */
};

/* "0.5%" is 0.005, "250ms" is 0.25, "2.5s" is 2.5. False for anything else. */
bool number_parse(const char *text, double *ret_number);

/* Does not copy text: sets ret_condition->text to `text`. Errors say at which character. */
int condition_parse(const char *text, struct condition *ret_condition, struct error *err);

/* The limit that value is compared with. */
double condition_limit(const struct condition *condition, double baseline);

/* False for NaN on either side (except for !=, where NaN is refused by the caller before). */
bool condition_holds(const struct condition *condition, double value, double baseline);

#endif
