/* A ring of slots, one per LOAD_SLOT_MS: see load.h. */
#include "refapp/load.h"

#include <string.h>

static void advance(struct load *load, int64_t now_ms)
{
	int64_t slot = now_ms / LOAD_SLOT_MS;

	if (slot - load->newest_slot >= LOAD_SLOTS) {
		memset(load->slots, 0, sizeof(load->slots));
		load->newest_slot = slot;
	}
	while (load->newest_slot < slot)
		load->slots[++load->newest_slot % LOAD_SLOTS] = 0;
}

void load_note(struct load *load, int64_t now_ms)
{
	advance(load, now_ms);
	load->slots[load->newest_slot % LOAD_SLOTS]++;
	load->handled++;
}

double load_per_second(struct load *load, int64_t now_ms)
{
	uint64_t sum = 0;

	advance(load, now_ms);
	for (int i = 0; i < LOAD_SLOTS; i++)
		sum += load->slots[i];
	return (double)sum * 1000.0 / LOAD_WINDOW_MS;
}
