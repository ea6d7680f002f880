/*
 * Durations as Prometheus writes them (90s, 15m, 1h30m, 250ms; units y w d h m s ms in falling
 * order, each at most once); a bare number, also with a fraction, is seconds. Pure.
 */
#ifndef CANARYCTL_DURATION_H
#define CANARYCTL_DURATION_H

#include <stdbool.h>
#include <stdint.h>

#define DURATION_TEXT_SIZE 48
#define DURATION_MAX_MS    (INT64_C(100) * 365 * 24 * 3600 * 1000)

/* False when `text` is no duration, is negative, or is beyond DURATION_MAX_MS. */
bool duration_parse(const char *text, int64_t *ret_ms);

/* "1h30m", "250ms", "0s"; also valid PromQL. Returns text (DURATION_TEXT_SIZE bytes). */
char *duration_format(int64_t ms, char *text);

#endif
