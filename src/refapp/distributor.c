/* Smooth weighted round robin, and a ring of counts: see distributor.h. */
#include "refapp/distributor.h"

#include <math.h>
#include <string.h>

enum mode distributor_pick(
	struct distributor *distributor, const struct distributor_settings *settings)
{
	enum mode best = MODE_FAST;

	for (int i = 0; i < MODE_COUNT; i++) {
		distributor->credit[i] += settings->percent[i];
		if (distributor->credit[i] > distributor->credit[best])
			best = (enum mode)i;
	}
	distributor->credit[best] -= 100;
	return best;
}

static void advance(struct distributor *distributor, int64_t now_ms)
{
	int64_t slot = now_ms / DISTRIBUTOR_SLOT_MS;

	if (slot - distributor->newest_slot >= DISTRIBUTOR_SLOTS) {
		memset(distributor->slots, 0, sizeof(distributor->slots));
		distributor->newest_slot = slot;
	}
	while (distributor->newest_slot < slot) {
		size_t index = (size_t)(++distributor->newest_slot % DISTRIBUTOR_SLOTS);

		memset(distributor->slots[index], 0, sizeof(distributor->slots[index]));
	}
}

void distributor_note(struct distributor *distributor, enum mode mode, int64_t now_ms)
{
	advance(distributor, now_ms);
	distributor->slots[distributor->newest_slot % DISTRIBUTOR_SLOTS][mode]++;
}

struct distribution distributor_actual(struct distributor *distributor,
	const struct distributor_settings *settings, int64_t now_ms)
{
	uint64_t counts[MODE_COUNT] = { 0 };
	struct distribution actual = { 0 };

	advance(distributor, now_ms);
	for (int slot = 0; slot < DISTRIBUTOR_SLOTS; slot++) {
		for (int i = 0; i < MODE_COUNT; i++)
			counts[i] += distributor->slots[slot][i];
	}
	for (int i = 0; i < MODE_COUNT; i++)
		actual.requests += counts[i];
	for (int i = 0; i < MODE_COUNT && actual.requests; i++) {
		actual.percent[i] = 100.0 * (double)counts[i] / (double)actual.requests;
		actual.deviation[i] = fabs(actual.percent[i] - settings->percent[i]);
		actual.alert[i] = actual.deviation[i] > settings->alert_deviation;
	}
	return actual;
}
