/* Durations: see canaryctl/duration.h. */
#include "canaryctl/duration.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	int64_t ms;
} units[] = {
	{ "y", INT64_C(365) * 24 * 3600 * 1000 },
	{ "w", INT64_C(7) * 24 * 3600 * 1000 },
	{ "d", INT64_C(24) * 3600 * 1000 },
	{ "h", INT64_C(3600) * 1000 },
	{ "m", INT64_C(60) * 1000 },
	{ "s", 1000 },
	{ "ms", 1 },
};
enum { UNIT_COUNT = sizeof(units) / sizeof(units[0]) };

static bool parse_seconds(const char *text, int64_t *ret_ms)
{
	size_t digits = strspn(text, "0123456789");
	double seconds;
	char *end;

	if (!digits || (text[digits] && text[digits] != '.'))
		return false;
	if (text[digits] == '.' && !isdigit((unsigned char)text[digits + 1]))
		return false;
	seconds = strtod(text, &end);
	if (*end || !(seconds * 1000 <= (double)DURATION_MAX_MS))
		return false;
	*ret_ms = (int64_t)llround(seconds * 1000);
	return true;
}

/* Reads one "<number><unit>" whose unit comes after *unit in the table. */
static bool parse_part(const char **text, int *unit, int64_t *total)
{
	char *end;
	size_t digits = strspn(*text, "0123456789");
	long long number;

	if (!digits || digits > 12)
		return false;
	number = strtoll(*text, &end, 10);
	for (int i = *unit + 1; i < UNIT_COUNT; i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(end, units[i].name, length) || isalpha((unsigned char)end[length]))
			continue;
		if (number > (DURATION_MAX_MS - *total) / units[i].ms)
			return false;
		*total += number * units[i].ms;
		*unit = i;
		*text = end + length;
		return true;
	}
	return false;
}

bool duration_parse(const char *text, int64_t *ret_ms)
{
	int64_t total = 0;
	int unit = -1;

	if (parse_seconds(text, ret_ms))
		return true;
	if (!*text)
		return false;
	while (*text) {
		if (!parse_part(&text, &unit, &total))
			return false;
	}
	*ret_ms = total;
	return true;
}

char *duration_format(int64_t ms, char *text)
{
	size_t used = 0;

	if (ms <= 0)
		return memcpy(text, "0s", 3);
	for (int i = 2; i < UNIT_COUNT; i++) {
		int64_t number = ms / units[i].ms;

		if (!number)
			continue;
		used += (size_t)snprintf(text + used, DURATION_TEXT_SIZE - used, "%lld%s",
			(long long)number, units[i].name);
		ms -= number * units[i].ms;
	}
	return text;
}
