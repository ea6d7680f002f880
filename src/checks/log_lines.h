/*
 * Counting the lines of a log that match and carry all wanted fields. Text comes piece by piece;
 * the last line may have no end. Pure but for the clock that the caller gives.
 */
#ifndef CHECKS_LOG_LINES_H
#define CHECKS_LOG_LINES_H

#include "canaryctl/buf.h"
#include "canaryctl/strv.h"
#include "checks/regex.h"

#include <stdbool.h>
#include <stdint.h>

enum { LOG_LINE_MAX_BYTES = 64 << 10 };

struct log_lines {
	struct regex *regex;
	const struct strv *fields;
	int64_t since_ms; /* wall time; older lines do not count. 0: all do */
	/* The result. */
	uint64_t lines;      /* that are recent enough */
	uint64_t matching;   /* of these, whether with the fields or not */
	uint64_t counted;    /* that match and carry all fields */
	bool has_times;      /* some line began with a time */
	const char *missing; /* a field that the last matching line lacked; NULL: none */
	struct buf sample;   /* the last counted line */
	/* Private. */
	struct buf line; /* the beginning of a line whose end has not come yet */
	bool is_recent;  /* lines without a time belong to the one before */
};

void log_lines_init(
	struct log_lines *log, struct regex *regex, const struct strv *fields, int64_t since_ms);
/* -1 when the regular expression is no use. */
int log_lines_add(struct log_lines *log, const char *text, size_t length, struct error *err);
int log_lines_end(struct log_lines *log, struct error *err);
void log_lines_release(struct log_lines *log);

/* Does the line carry the field: name=..., name: ... or "name": ...? */
bool log_line_has_field(const char *line, size_t length, const char *field);

/*
 * The time near the beginning of a line, in milliseconds since 1970: 2026-11-20T17:03:13.5Z, with a
 * space for the T, with an offset, or without one (local time). False when there is none.
 */
bool log_line_time(const char *line, size_t length, int64_t *ret_ms);

#endif
