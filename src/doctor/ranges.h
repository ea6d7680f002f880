/* The ranges of a PromQL expression, `[5m]`. Pure. */
#ifndef DOCTOR_RANGES_H
#define DOCTOR_RANGES_H

#include <stdint.h>

/* The shortest one, in ms; -1 when it has none that is written out (${window} is not). */
int64_t ranges_shortest(const char *expression);

#endif
