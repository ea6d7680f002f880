/* Conditions of checks: see canaryctl/condition.h. */
#include "canaryctl/condition.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define CONDITION_HINT                                                                             \
	"write an operator and a number, such as \"< 0.5%\" or \"<= 2.5s\", or compare with the "  \
	"baseline: \"< 2 * baseline + 0.1\""

static const char *const operators[CONDITION_OPERATOR_COUNT] = {
	[CONDITION_LESS] = "<",
	[CONDITION_AT_MOST] = "<=",
	[CONDITION_GREATER] = ">",
	[CONDITION_AT_LEAST] = ">=",
	[CONDITION_EQUAL] = "==",
	[CONDITION_NOT_EQUAL] = "!=",
};

static const char *skip_spaces(const char *text)
{
	return text + strspn(text, " \t");
}

/* Decimal digits, as people and Prometheus write them: no hexadecimal, no inf, no nan. */
static const char *scan_number(const char *text, double *ret_number)
{
	const char *start = text;
	size_t digits;

	text += *text == '-' || *text == '+';
	digits = strspn(text, "0123456789");
	text += digits;
	if (*text == '.') {
		size_t decimals = strspn(++text, "0123456789");

		if (!decimals)
			return NULL;
		digits += decimals;
		text += decimals;
	}
	if (!digits)
		return NULL;
	if (*text == 'e' || *text == 'E') {
		const char *exponent = text + 1 + (text[1] == '-' || text[1] == '+');
		size_t length = strspn(exponent, "0123456789");

		if (length)
			text = exponent + length;
	}
	*ret_number = strtod(start, NULL);
	return isfinite(*ret_number) ? text : NULL;
}

/* A number with its unit; NULL when there is none here. */
static const char *scan_quantity(const char *text, double *ret_number)
{
	text = scan_number(text, ret_number);
	if (!text)
		return NULL;
	if (*text == '%') {
		*ret_number /= 100;
		text++;
	} else if (strncmp(text, "ms", 2) == 0) {
		*ret_number /= 1000;
		text += 2;
	} else if (*text == 's') {
		text++;
	}
	return isalnum((unsigned char)*text) || *text == '_' || *text == '.' ? NULL : text;
}

bool number_parse(const char *text, double *ret_number)
{
	double number;
	const char *end = scan_quantity(text, &number);

	if (!end || *end)
		return false;
	*ret_number = number;
	return true;
}

static const char *scan_operator(const char *text, enum condition_operator *ret_op)
{
	size_t best = 0;

	for (int op = 0; op < CONDITION_OPERATOR_COUNT; op++) {
		size_t length = strlen(operators[op]);

		if (strncmp(text, operators[op], length) == 0 && length > best) {
			best = length;
			*ret_op = (enum condition_operator)op;
		}
	}
	return best ? text + best : NULL;
}

static const char *scan_baseline(const char *text)
{
	static const char word[] = "baseline";

	if (strncmp(text, word, sizeof(word) - 1) != 0)
		return NULL;
	text += sizeof(word) - 1;
	return isalnum((unsigned char)*text) || *text == '_' ? NULL : text;
}

static int syntax_error(struct error *err, const char *whole, const char *at, const char *expected)
{
	error_set(err, ERROR_CONFIG, 0, "'%s' is not a condition: %s expected at character %zu",
		whole, expected, (size_t)(at - whole) + 1);
	return error_hint(err, "%s", CONDITION_HINT);
}

/* "[number *] baseline [+ number]" from `text`, where `number` has been read already or not. */
static int parse_baseline(
	const char *whole, const char *text, struct condition *condition, struct error *err)
{
	const char *next = scan_baseline(text);

	if (!next)
		return syntax_error(err, whole, text, "'baseline'");
	condition->uses_baseline = true;
	text = skip_spaces(next);
	if (!*text)
		return 0;
	if (*text != '+')
		return syntax_error(err, whole, text, "'+' or the end");
	text = skip_spaces(text + 1);
	next = scan_quantity(text, &condition->number);
	if (!next)
		return syntax_error(err, whole, text, "a number");
	text = skip_spaces(next);
	return *text ? syntax_error(err, whole, text, "the end") : 0;
}

int condition_parse(const char *text, struct condition *ret_condition, struct error *err)
{
	struct condition condition = { .text = text, .factor = 1 };
	const char *at = skip_spaces(text);
	const char *next = scan_operator(at, &condition.op);

	if (!next)
		return syntax_error(err, text, at, "one of < <= > >= == !=");
	at = skip_spaces(next);
	next = scan_quantity(at, &condition.number);
	if (next) {
		at = skip_spaces(next);
		if (*at == '*') {
			condition.factor = condition.number;
			condition.number = 0;
			if (parse_baseline(text, skip_spaces(at + 1), &condition, err) < 0)
				return -1;
		} else if (*at) {
			return syntax_error(err, text, at, "'*' or the end");
		}
	} else if (*at != 'b') {
		return syntax_error(err, text, at, "a number or 'baseline'");
	} else if (parse_baseline(text, at, &condition, err) < 0) {
		return -1;
	}
	*ret_condition = condition;
	return 0;
}

double condition_limit(const struct condition *condition, double baseline)
{
	if (!condition->uses_baseline)
		return condition->number;
	return condition->factor * baseline + condition->number;
}

bool condition_holds(const struct condition *condition, double value, double baseline)
{
	double limit = condition_limit(condition, baseline);

	switch (condition->op) {
	case CONDITION_LESS:
		return value < limit;
	case CONDITION_AT_MOST:
		return value <= limit;
	case CONDITION_GREATER:
		return value > limit;
	case CONDITION_AT_LEAST:
		return value >= limit;
	case CONDITION_EQUAL:
		return value == limit;
	case CONDITION_NOT_EQUAL:
		return !isnan(value) && !isnan(limit) && value != limit;
	case CONDITION_OPERATOR_COUNT:
		break;
	}
	return false;
}
