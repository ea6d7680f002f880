/* Ranges: see ranges.h. */
#include "doctor/ranges.h"

#include "canaryctl/duration.h"

#include <stdio.h>
#include <string.h>

/* Behind the closing quote, or at the end. */
static const char *skip_string(const char *p)
{
	char quote = *p++;

	while (*p && *p != quote) {
		if (*p == '\\' && quote != '`' && p[1])
			p++;
		p++;
	}
	return p;
}

int64_t ranges_shortest(const char *expression)
{
	int64_t shortest = -1, range;
	char text[DURATION_TEXT_SIZE];

	for (const char *p = expression; *p; p++) {
		if (strchr("\"'`", *p)) {
			p = skip_string(p);
			if (!*p)
				break;
			continue;
		}
		if (*p != '[')
			continue;
		p += 1 + strspn(p + 1, " ");
		/* "[5m]", or "[1h:5m]" of a subquery. */
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(p, " :]"), p);
		if (duration_parse(text, &range) && (shortest < 0 || range < shortest))
			shortest = range;
		if (!*p)
			break;
	}
	return shortest;
}
