/* Semantic versions: see canaryctl/semver.h. */
#include "canaryctl/semver.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

static const char *skip_v(const char *text)
{
	return *text == 'v' ? text + 1 : text;
}

/* A number without leading zeros; NULL when there is none. */
static const char *skip_number(const char *text)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || (digits > 1 && text[0] == '0'))
		return NULL;
	return text + digits;
}

/* Dot-separated identifiers; numeric ones of a pre-release have no leading zeros. */
static const char *skip_identifiers(const char *text, bool numbers_are_strict)
{
	for (;;) {
		size_t length = 0;
		bool numeric = true;

		while (isalnum((unsigned char)text[length]) || text[length] == '-') {
			numeric = numeric && isdigit((unsigned char)text[length]);
			length++;
		}
		if (!length || (numbers_are_strict && numeric && length > 1 && text[0] == '0'))
			return NULL;
		text += length;
		if (*text != '.')
			return text;
		text++;
	}
}

bool semver_valid(const char *text)
{
	if (strlen(text) > SEMVER_MAX_LENGTH)
		return false;
	text = skip_v(text);
	for (int part = 0; part < 3; part++) {
		if (part && *text++ != '.')
			return false;
		text = skip_number(text);
		if (!text)
			return false;
	}
	if (*text == '-')
		text = skip_identifiers(text + 1, true);
	if (text && *text == '+')
		text = skip_identifiers(text + 1, false);
	return text && !*text;
}

bool semver_same(const char *a, const char *b)
{
	return strcmp(skip_v(a), skip_v(b)) == 0;
}
