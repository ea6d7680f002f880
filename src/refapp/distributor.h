/*
 * Which mode a request without one gets, so that the modes come out in the wanted proportion, and
 * what the proportion of the last DISTRIBUTOR_WINDOW_MS really was. Nothing is drawn: of any
 * hundred picks in a row each mode gets exactly its share. Pure: the caller brings the time.
 */
#ifndef REFAPP_DISTRIBUTOR_H
#define REFAPP_DISTRIBUTOR_H

#include "refapp/model.h"

#include <stdbool.h>
#include <stdint.h>

#define DISTRIBUTOR_WINDOW_MS (5 * 60 * 1000)
#define DISTRIBUTOR_SLOT_MS   5000
#define DISTRIBUTOR_SLOTS     (DISTRIBUTOR_WINDOW_MS / DISTRIBUTOR_SLOT_MS)

struct distributor_settings {
	int percent[MODE_COUNT]; /* together 100 */
	double alert_deviation;  /* percentage points */
};

/* Start from `= { 0 }`. */
struct distributor {
	int credit[MODE_COUNT];
	int64_t newest_slot;
	uint32_t slots[DISTRIBUTOR_SLOTS][MODE_COUNT];
};

struct distribution {
	uint64_t requests; /* 0: the rest says nothing */
	double percent[MODE_COUNT];
	double deviation[MODE_COUNT]; /* from the target, in percentage points, without a sign */
	bool alert[MODE_COUNT];
};

enum mode distributor_pick(
	struct distributor *distributor, const struct distributor_settings *settings);
void distributor_note(struct distributor *distributor, enum mode mode, int64_t now_ms);
struct distribution distributor_actual(struct distributor *distributor,
	const struct distributor_settings *settings, int64_t now_ms);

#endif
