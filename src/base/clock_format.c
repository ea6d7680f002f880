/* Points in time as text: see canaryctl/clock.h. Pure but for the local time zone. */
#include "canaryctl/clock.h"

#include <time.h>

static struct tm split_utc(int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm parts = { 0 };

	gmtime_r(&seconds, &parts);
	return parts;
}

char *clock_format_utc(int64_t wall_ms, char *text)
{
	struct tm parts = split_utc(wall_ms);

	strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return text;
}

char *clock_format_compact(int64_t wall_ms, char *text)
{
	struct tm parts = split_utc(wall_ms);

	strftime(text, CLOCK_TEXT_SIZE, "%Y%m%dT%H%M%SZ", &parts);
	return text;
}

char *clock_format_local(int64_t wall_ms, char *text)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	struct tm parts = { 0 };

	localtime_r(&seconds, &parts);
	strftime(text, CLOCK_TEXT_SIZE, "%H:%M:%S", &parts);
	return text;
}
