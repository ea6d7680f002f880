/*
 * Time. Decisions use the monotonic clock (milliseconds); wall time is for people and records.
 */
#ifndef CANARYCTL_CLOCK_H
#define CANARYCTL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_monotonic_ms(void);
int64_t clock_boot_ms(void); /* since boot, as /proc's start times count */
int64_t clock_wall_ms(void); /* since 1970-01-01 UTC */

#define CLOCK_TEXT_SIZE 32
/* "2026-11-20T17:03:13Z"; `text` holds CLOCK_TEXT_SIZE bytes. Returns text. */
char *clock_format_utc(int64_t wall_ms, char *text);
/* "20261120T170313Z", for identifiers. */
char *clock_format_compact(int64_t wall_ms, char *text);
/* "17:03:13" in local time, for people. */
char *clock_format_local(int64_t wall_ms, char *text);

#endif
