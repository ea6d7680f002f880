/* Canary weights: see canaryctl/weight.h. */
#include "canaryctl/weight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool weight_parse(const char *text, weight_t *ret_weight)
{
	size_t digits = strspn(text, "0123456789");
	int weight;

	if (!digits || digits > 3)
		return false;
	weight = (int)strtol(text, NULL, 10) * 100;
	text += digits;
	if (*text == '.') {
		size_t decimals = strspn(++text, "0123456789");

		if (!decimals || strspn(text + (decimals > 2 ? 2 : decimals), "0") !=
					 (decimals > 2 ? decimals - 2 : 0))
			return false;
		weight += (text[0] - '0') * 10 + (decimals > 1 ? text[1] - '0' : 0);
		text += decimals;
	}
	if (*text == '%')
		text++;
	if (*text || weight > WEIGHT_FULL)
		return false;
	*ret_weight = weight;
	return true;
}

char *weight_format(weight_t weight, char *text)
{
	int whole = weight / 100, rest = weight % 100;

	if (!rest)
		snprintf(text, WEIGHT_TEXT_SIZE, "%d", whole);
	else if (rest % 10)
		snprintf(text, WEIGHT_TEXT_SIZE, "%d.%02d", whole, rest);
	else
		snprintf(text, WEIGHT_TEXT_SIZE, "%d.%d", whole, rest / 10);
	return text;
}

static int greatest_common_divisor(int a, int b)
{
	while (b) {
		int rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

void weight_to_integers(weight_t canary, int *ret_canary, int *ret_production)
{
	int divisor = greatest_common_divisor(canary, 100);

	*ret_canary = canary / divisor;
	*ret_production = (WEIGHT_FULL - canary) / divisor;
}

double weight_share(weight_t weight)
{
	return (double)weight / WEIGHT_FULL;
}
