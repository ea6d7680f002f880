/* Lines of logs: see log_lines.h. */
#include "checks/log_lines.h"
#include "canaryctl/mem.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A container's name or a JSON key may stand before the time. */
enum { TIME_WITHIN_BYTES = 64, TIME_MIN_BYTES = 19, SAMPLE_MAX_BYTES = 200 };

static bool is_name_character(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

bool log_line_has_field(const char *line, size_t length, const char *field)
{
	size_t size = strlen(field);
	const char *end = line + length;
	const char *at = line;

	while ((at = memmem(at, (size_t)(end - at), field, size))) {
		const char *behind = at + size;
		bool begins = at == line || !is_name_character(at[-1]);

		if (behind < end && *behind == '"')
			behind++;
		while (behind < end && *behind == ' ')
			behind++;
		if (begins && behind < end && (*behind == '=' || *behind == ':'))
			return true;
		at++;
	}
	return false;
}

/* ---- times ---- */

/* "+02:00", "+0200", "Z", or nothing: local time. */
static int64_t seconds_with_zone(struct tm *tm, const char *zone)
{
	int hours, minutes = 0;

	if (*zone == 'Z')
		return timegm(tm);
	if ((*zone == '+' || *zone == '-') && isdigit((unsigned char)zone[1]) &&
		sscanf(zone + 1, zone[3] == ':' ? "%2d:%2d" : "%2d%2d", &hours, &minutes) >= 1) {
		int64_t offset = hours * 3600 + minutes * 60;

		return timegm(tm) - (*zone == '-' ? -offset : offset);
	}
	tm->tm_isdst = -1;
	return mktime(tm);
}

static bool time_at(const char *text, int64_t *ret_ms)
{
	struct tm tm = { 0 };
	int fraction_ms = 0, factor = 100;
	char separator;

	if (sscanf(text, "%4d-%2d-%2d%c%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
		    &separator, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) != 7 ||
		(separator != 'T' && separator != ' ' && separator != 't'))
		return false;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	text += TIME_MIN_BYTES;
	if (*text == '.' || *text == ',') {
		for (text++; isdigit((unsigned char)*text); text++, factor /= 10)
			fraction_ms += (*text - '0') * factor;
	}
	*ret_ms = seconds_with_zone(&tm, text) * 1000 + fraction_ms;
	return true;
}

bool log_line_time(const char *line, size_t length, int64_t *ret_ms)
{
	char text[TIME_WITHIN_BYTES + TIME_MIN_BYTES + 17];
	size_t size = length < sizeof(text) - 1 ? length : sizeof(text) - 1;

	memcpy(text, line, size);
	text[size] = '\0';
	for (size_t i = 0; i < TIME_WITHIN_BYTES && i + TIME_MIN_BYTES <= size; i++) {
		const char *at = text + i;

		/* Cheap first: the places of the punctuation. */
		if (at[4] != '-' || at[7] != '-' || at[13] != ':' || at[16] != ':')
			continue;
		if (isdigit((unsigned char)*at) && time_at(at, ret_ms))
			return true;
	}
	return false;
}

/* ---- lines ---- */

void log_lines_init(
	struct log_lines *log, struct regex *regex, const struct strv *fields, int64_t since_ms)
{
	*log = (struct log_lines){ .regex = regex,
		.fields = fields,
		.since_ms = since_ms,
		.line = BUF_INIT(LOG_LINE_MAX_BYTES),
		.sample = BUF_INIT(SAMPLE_MAX_BYTES) };
}

static bool is_recent(struct log_lines *log, const char *line, size_t length)
{
	int64_t time_ms;

	if (!log->since_ms)
		return true;
	if (log_line_time(line, length, &time_ms)) {
		log->has_times = true;
		log->is_recent = time_ms >= log->since_ms;
	}
	return log->is_recent;
}

static bool has_fields(struct log_lines *log, const char *line, size_t length)
{
	log->missing = NULL;
	for (size_t i = 0; i < log->fields->count; i++) {
		if (log_line_has_field(line, length, log->fields->items[i]))
			continue;
		log->missing = log->fields->items[i];
		return false;
	}
	return true;
}

static int take_line(struct log_lines *log, const char *line, size_t length, struct error *err)
{
	enum regex_result result;

	length = length > LOG_LINE_MAX_BYTES ? LOG_LINE_MAX_BYTES : length;
	if (!is_recent(log, line, length))
		return 0;
	log->lines++;
	result = regex_match(log->regex, line, length, err);
	if (result == REGEX_FAILED)
		return -1;
	if (result == REGEX_NO_MATCH)
		return 0;
	log->matching++;
	if (!has_fields(log, line, length))
		return 0;
	log->counted++;
	buf_clear(&log->sample);
	buf_add(&log->sample, line, length < SAMPLE_MAX_BYTES ? length : SAMPLE_MAX_BYTES);
	return 0;
}

int log_lines_add(struct log_lines *log, const char *text, size_t length, struct error *err)
{
	const char *end = text + length;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		size_t size = (size_t)((newline ? newline : end) - text);
		int result = 0;

		if (!newline || log->line.length)
			buf_add(&log->line, text,
				size < LOG_LINE_MAX_BYTES - log->line.length
					? size
					: LOG_LINE_MAX_BYTES - log->line.length);
		if (!newline)
			return 0;
		if (log->line.length) {
			result = take_line(log, log->line.data, log->line.length, err);
			buf_clear(&log->line);
		} else {
			result = take_line(log, text, size, err);
		}
		if (result < 0)
			return -1;
		text = newline + 1;
	}
	return 0;
}

int log_lines_end(struct log_lines *log, struct error *err)
{
	int result = log->line.length ? take_line(log, log->line.data, log->line.length, err) : 0;

	buf_clear(&log->line);
	return result;
}

void log_lines_release(struct log_lines *log)
{
	buf_release(&log->line);
	buf_release(&log->sample);
}
