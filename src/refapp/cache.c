/* A hash table whose entries are also a list in order of use: see cache.h. */
#include "refapp/cache.h"
#include "canaryctl/mem.h"

#include <stdlib.h>
#include <string.h>

struct cache_entry {
	enum mode mode;
	char *key;
	char *value;
	int64_t stored_ms;
	struct cache_entry *newer;
	struct cache_entry *older;
	struct cache_entry *next_in_bucket;
};

void cache_init(struct cache *cache, const struct cache_settings *settings)
{
	*cache = (struct cache){ .maximum = (size_t)settings->max_size };
	for (int i = 0; i < MODE_COUNT; i++)
		cache->ttl_ms[i] = (int64_t)settings->ttl_seconds * 1000;
}

static struct cache_entry **bucket_of(struct cache *cache, enum mode mode, const char *key)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325) + (uint64_t)mode; /* FNV-1a */

	for (const char *p = key; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(0x100000001b3);
	return &cache->buckets[hash % CACHE_BUCKETS];
}

static struct cache_entry *find(struct cache *cache, enum mode mode, const char *key)
{
	struct cache_entry *entry = *bucket_of(cache, mode, key);

	while (entry && (entry->mode != mode || strcmp(entry->key, key) != 0))
		entry = entry->next_in_bucket;
	return entry;
}

static void unlink_use(struct cache *cache, struct cache_entry *entry)
{
	*(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
}

static void link_newest(struct cache *cache, struct cache_entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	*(cache->newest ? &cache->newest->newer : &cache->oldest) = entry;
	cache->newest = entry;
}

static void drop(struct cache *cache, struct cache_entry *entry)
{
	struct cache_entry **link = bucket_of(cache, entry->mode, entry->key);

	while (*link != entry)
		link = &(*link)->next_in_bucket;
	*link = entry->next_in_bucket;
	unlink_use(cache, entry);
	cache->size--;
	free(entry->key);
	free(entry->value);
	free(entry);
}

void cache_clear(struct cache *cache)
{
	while (cache->oldest)
		drop(cache, cache->oldest);
}

void cache_release(struct cache *cache)
{
	cache_clear(cache);
}

static bool is_fresh(const struct cache *cache, const struct cache_entry *entry, int64_t now_ms)
{
	return now_ms - entry->stored_ms < cache->ttl_ms[entry->mode];
}

static void count(struct cache_counts *counts, bool hit)
{
	if (hit)
		counts->hits++;
	else
		counts->misses++;
	if (counts->recent_count == CACHE_RECENT)
		counts->recent_hits -= counts->recent[counts->next];
	else
		counts->recent_count++;
	counts->recent[counts->next] = hit;
	counts->recent_hits += hit;
	counts->next = (counts->next + 1) % CACHE_RECENT;
}

void cache_miss(struct cache *cache, enum mode mode)
{
	count(&cache->counts[mode], false);
}

const char *cache_get(struct cache *cache, enum mode mode, const char *key, int64_t now_ms)
{
	struct cache_entry *entry = find(cache, mode, key);

	if (entry && !is_fresh(cache, entry, now_ms)) {
		drop(cache, entry);
		cache->expired++;
		entry = NULL;
	}
	count(&cache->counts[mode], entry != NULL);
	if (!entry)
		return NULL;
	unlink_use(cache, entry);
	link_newest(cache, entry);
	return entry->value;
}

void cache_put(
	struct cache *cache, enum mode mode, const char *key, const char *value, int64_t now_ms)
{
	struct cache_entry *entry = find(cache, mode, key);
	struct cache_entry **bucket;

	if (entry)
		drop(cache, entry);
	if (cache->size == cache->maximum) {
		if (!cache->oldest)
			return;
		drop(cache, cache->oldest);
		cache->evicted++;
	}
	entry = mem_alloc(sizeof(*entry));
	entry->mode = mode;
	entry->key = mem_strdup(key);
	entry->value = mem_strdup(value);
	entry->stored_ms = now_ms;
	bucket = bucket_of(cache, mode, key);
	entry->next_in_bucket = *bucket;
	*bucket = entry;
	link_newest(cache, entry);
	cache->size++;
}

void cache_sweep(struct cache *cache, int64_t now_ms)
{
	for (struct cache_entry *entry = cache->oldest, *newer; entry; entry = newer) {
		newer = entry->newer;
		if (is_fresh(cache, entry, now_ms))
			continue;
		drop(cache, entry);
		cache->expired++;
	}
}

double cache_hit_rate(const struct cache *cache, enum mode mode)
{
	const struct cache_counts *counts = &cache->counts[mode];

	return counts->recent_count ? (double)counts->recent_hits / counts->recent_count : 0;
}
