/*
 * How much work this instance is given: client API requests since the start, and per second over
 * the last LOAD_WINDOW_MS. Pure: the caller brings the (monotonic) time.
 */
#ifndef REFAPP_LOAD_H
#define REFAPP_LOAD_H

#include <stdint.h>

#define LOAD_WINDOW_MS 2000
#define LOAD_SLOT_MS   100
#define LOAD_SLOTS     (LOAD_WINDOW_MS / LOAD_SLOT_MS)

struct load {
	uint64_t handled;
	int64_t newest_slot; /* number of the slot that `now` was in, counted from time 0 */
	uint32_t slots[LOAD_SLOTS];
};

void load_note(struct load *load, int64_t now_ms);
double load_per_second(struct load *load, int64_t now_ms);

#endif
