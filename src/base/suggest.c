/* Names for mistyped words: see canaryctl/suggest.h. */
#include "canaryctl/suggest.h"

#include <stddef.h>
#include <string.h>

enum { NAME_MAX_BYTES = 64, PREFIX_MIN_BYTES = 3 };

/* Levenshtein, where swapping two neighbours also counts as one. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t rows[3][NAME_MAX_BYTES + 1];
	size_t *before = rows[0], *previous = rows[1], *current = rows[2];
	size_t a_length = strlen(a), b_length = strlen(b);

	for (size_t j = 0; j <= b_length; j++)
		previous[j] = j;
	for (size_t i = 1; i <= a_length; i++) {
		size_t *unused = before;

		current[0] = i;
		for (size_t j = 1; j <= b_length; j++) {
			size_t best = previous[j - 1] + (a[i - 1] != b[j - 1]);

			best = previous[j] + 1 < best ? previous[j] + 1 : best;
			best = current[j - 1] + 1 < best ? current[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			current[j] = best;
		}
		before = previous;
		previous = current;
		current = unused;
	}
	return previous[b_length];
}

const char *suggest_name(const char *word, const char *const *names)
{
	const char *nearest = NULL;
	size_t length = strlen(word);
	size_t limit = length <= 4 ? 2 : length <= 8 ? 3 : 4; /* one, two or three mistakes */

	if (length > NAME_MAX_BYTES)
		return NULL;
	for (; *names; names++) {
		size_t distance;

		if (strlen(*names) > NAME_MAX_BYTES)
			continue;
		distance = edit_distance(word, *names);
		if (length >= PREFIX_MIN_BYTES && strncmp(word, *names, length) == 0)
			distance = 1;
		if (distance < limit && distance < length) {
			limit = distance;
			nearest = *names;
		}
	}
	return nearest;
}
