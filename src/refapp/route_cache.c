/*
 * GET /admin/cache/stats and /admin/cache/config; POST /admin/cache/ttl
 * {"mode":"fast","ttl_seconds":600} (of all modes without one); POST /admin/cache/clear.
 */
#include "refapp/routes.h"

#define TTL_MAX_S 86400

static cJSON *mode_stats(const struct cache *cache, enum mode mode)
{
	const struct cache_counts *counts = &cache->counts[mode];
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "hits", (double)counts->hits);
	cJSON_AddNumberToObject(json, "misses", (double)counts->misses);
	cJSON_AddNumberToObject(json, "hit_rate", cache_hit_rate(cache, mode));
	return json;
}

void route_cache_stats(struct app *app, const struct request *request, struct reply *reply)
{
	struct settings settings = app_settings(app, request->now_ms);
	struct cache *cache = &app->cache;
	cJSON *json = cJSON_CreateObject();
	cJSON *modes = cJSON_CreateObject();
	double hits = 0, misses = 0;

	cache_sweep(cache, request->now_ms);
	for (int i = 0; i < MODE_COUNT; i++) {
		cJSON_AddItemToObject(
			modes, mode_name((enum mode)i), mode_stats(cache, (enum mode)i));
		hits += (double)cache->counts[i].hits;
		misses += (double)cache->counts[i].misses;
	}
	cJSON_AddBoolToObject(json, "enabled", settings.cache.enabled);
	cJSON_AddNumberToObject(json, "size", (double)cache->size);
	cJSON_AddNumberToObject(json, "max_size", (double)cache->maximum);
	cJSON_AddNumberToObject(json, "hits", hits);
	cJSON_AddNumberToObject(json, "misses", misses);
	cJSON_AddNumberToObject(json, "hit_rate", hits > 0 ? hits / (hits + misses) : 0);
	cJSON_AddNumberToObject(json, "evicted", (double)cache->evicted);
	cJSON_AddNumberToObject(json, "expired", (double)cache->expired);
	cJSON_AddItemToObject(json, "modes", modes);
	reply_json(reply, json);
}

void route_cache_config(struct app *app, const struct request *request, struct reply *reply)
{
	struct settings settings = app_settings(app, request->now_ms);
	cJSON *json = cJSON_CreateObject();
	cJSON *modes = cJSON_CreateObject();

	for (int i = 0; i < MODE_COUNT; i++)
		cJSON_AddNumberToObject(
			modes, mode_name((enum mode)i), (double)app->cache.ttl_ms[i] / 1000);
	cJSON_AddBoolToObject(json, "enabled", settings.cache.enabled);
	cJSON_AddNumberToObject(json, "max_size", settings.cache.max_size);
	cJSON_AddNumberToObject(json, "default_ttl_seconds", settings.cache.ttl_seconds);
	cJSON_AddItemToObject(json, "ttl_seconds", modes);
	reply_json(reply, json);
}

void route_cache_ttl(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const cJSON *ttl = cJSON_GetObjectItemCaseSensitive(body, "ttl_seconds");
	const cJSON *mode_item = cJSON_GetObjectItemCaseSensitive(body, "mode");
	const char *mode_text = object_text(body, "mode");
	enum mode mode = MODE_COUNT;

	if (!body)
		return;
	if (mode_item && (!mode_text || !mode_parse(mode_text, &mode))) {
		reply_error(reply, 400, "unknown mode");
	} else if (!cJSON_IsNumber(ttl) ||
		   !(ttl->valuedouble > 0 && ttl->valuedouble <= TTL_MAX_S)) {
		reply_error(
			reply, 400, "'ttl_seconds' is a number above 0 and up to %d", TTL_MAX_S);
	} else {
		for (int i = 0; i < MODE_COUNT; i++) {
			if (!mode_item || i == (int)mode)
				app->cache.ttl_ms[i] = (int64_t)(ttl->valuedouble * 1000);
		}
		route_cache_config(app, request, reply);
	}
	cJSON_Delete(body);
}

void route_cache_clear(struct app *app, const struct request *request, struct reply *reply)
{
	cache_clear(&app->cache);
	route_cache_stats(app, request, reply);
}
