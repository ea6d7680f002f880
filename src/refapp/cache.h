/*
 * The cache of what models wrote: the least recently used entry leaves when it is full, and an
 * entry is fresh while it is younger than the time to live of its mode. Keys are per mode. Pure:
 * the caller brings the time.
 */
#ifndef REFAPP_CACHE_H
#define REFAPP_CACHE_H

#include "refapp/model.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CACHE_BUCKETS 1024
#define CACHE_RECENT  100 /* look-ups that the hit rate is taken over */

struct cache_settings {
	bool enabled;
	int max_size;
	int ttl_seconds;
};

struct cache_counts {
	uint64_t hits;
	uint64_t misses;
	bool recent[CACHE_RECENT]; /* ring: was it a hit? */
	int next;
	int recent_count;
	int recent_hits;
};

struct cache_entry;
struct cache {
	size_t maximum;
	int64_t ttl_ms[MODE_COUNT];
	struct cache_counts counts[MODE_COUNT];
	uint64_t evicted;
	uint64_t expired;
	size_t size;
	struct cache_entry *newest;
	struct cache_entry *oldest;
	struct cache_entry *buckets[CACHE_BUCKETS];
};

void cache_init(struct cache *cache, const struct cache_settings *settings);
void cache_release(struct cache *cache);

/* NULL: not there, or no longer fresh. Valid until the cache is next changed. Counts. */
const char *cache_get(struct cache *cache, enum mode mode, const char *key, int64_t now_ms);
void cache_put(
	struct cache *cache, enum mode mode, const char *key, const char *value, int64_t now_ms);

/* A look-up that was not made because the cache is off. */
void cache_miss(struct cache *cache, enum mode mode);

/* Removes what is no longer fresh. */
void cache_sweep(struct cache *cache, int64_t now_ms);
void cache_clear(struct cache *cache); /* counts stay */

double cache_hit_rate(const struct cache *cache, enum mode mode); /* of the recent; 0 without */

#endif
