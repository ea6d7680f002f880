/* The table, and what needs only it: see settings.h. */
#include "refapp/settings.h"
#include "canaryctl/mem.h"

#include <stddef.h>
#include <string.h>

#define AT(member) offsetof(struct settings, member)
#define BOOL(key, member)                                                                          \
	{                                                                                          \
		key, SETTING_BOOL, AT(member), 0, 1, NULL                                          \
	}
#define INT(key, member, minimum, maximum)                                                         \
	{                                                                                          \
		key, SETTING_INT, AT(member), minimum, maximum, NULL                               \
	}
#define NUMBER(key, member, minimum, maximum)                                                      \
	{                                                                                          \
		key, SETTING_NUMBER, AT(member), minimum, maximum, NULL                            \
	}
#define SECONDS(key, member, minimum, maximum)                                                     \
	{                                                                                          \
		key, SETTING_SECONDS, AT(member), minimum, maximum, NULL                           \
	}
#define FIXED(key, value)                                                                          \
	{                                                                                          \
		key, SETTING_FIXED, 0, 0, 0, value                                                 \
	}

static const struct setting_row rows[] = {
	BOOL("llm_ensemble.enabled", ensemble_enabled),
	FIXED("llm_ensemble.models", "gpt-3.5-turbo,claude-3-haiku,gemini-pro"),
	FIXED("llm_ensemble.voting", "weighted"),
	BOOL("json_guard.enabled", json_guard.enabled),
	INT("json_guard.max_retries", json_guard.max_retries, 0, 10),
	NUMBER("json_guard.backoff_base", json_guard.backoff_base_s, 0, 60),
	NUMBER("json_guard.jitter", json_guard.jitter, 0, 1),
	BOOL("json_guard.fallback_enabled", json_guard.fallback_enabled),
	BOOL("circuit_breaker.enabled", breaker.enabled),
	NUMBER("circuit_breaker.failure_threshold", breaker.failure_threshold, 0.01, 1),
	INT("circuit_breaker.window", breaker.window, 1, BREAKER_WINDOW_MAX),
	INT("circuit_breaker.minimum_calls", breaker.minimum_calls, 1, BREAKER_WINDOW_MAX),
	SECONDS("circuit_breaker.timeout", breaker.timeout_ms, 1, 86400),
	BOOL("circuit_breaker.auto_downshift", breaker.auto_downshift),
	BOOL("cache.enabled", cache.enabled),
	INT("cache.max_size", cache.max_size, 1, 100000),
	INT("cache.ttl_seconds", cache.ttl_seconds, 1, 86400),
	INT("traffic_distribution.modes.fast", distributor.percent[MODE_FAST], 0, 100),
	INT("traffic_distribution.modes.balanced", distributor.percent[MODE_BALANCED], 0, 100),
	INT("traffic_distribution.modes.creative", distributor.percent[MODE_CREATIVE], 0, 100),
	NUMBER("traffic_distribution.alert_deviation", distributor.alert_deviation, 0, 100),
	NUMBER("ppo_schedule.entropy_coef.initial", schedule.initial, 0, 1),
	NUMBER("ppo_schedule.entropy_coef.final", schedule.final, 0, 1),
	INT("ppo_schedule.entropy_coef.decay_steps", schedule.decay_steps, 1, 100000000),
	FIXED("ppo_schedule.entropy_coef.decay_strategy", "linear"),
	BOOL("reward_normalization.enabled", normalizer.enabled),
	INT("reward_normalization.window_size", normalizer.window_size, 1, 100000),
	INT("checkpoint_strategy.save_frequency", checkpoint.save_frequency, 1, 1000000),
	BOOL("checkpoint_strategy.rollback.enabled", checkpoint.rollback_enabled),
	NUMBER("checkpoint_strategy.rollback.loss_spike.threshold", checkpoint.loss_spike, 1, 1000),
	NUMBER("checkpoint_strategy.rollback.reward_drop.threshold", checkpoint.reward_drop, 0,
		1000),
};

void settings_defaults(struct settings *settings)
{
	*settings = (struct settings){ .ensemble_enabled = true,
		.json_guard = { .enabled = true,
			.max_retries = 3,
			.backoff_base_s = 1.0,
			.jitter = 0.5,
			.fallback_enabled = true },
		.breaker = { .enabled = true,
			.failure_threshold = 0.5,
			.window = 20,
			.minimum_calls = 5,
			.timeout_ms = 60000,
			.auto_downshift = true },
		.cache = { .enabled = true, .max_size = 1000, .ttl_seconds = 600 },
		.distributor = { .percent = { 60, 30, 10 }, .alert_deviation = 10 },
		.schedule = { .initial = 0.02, .final = 0.005, .decay_steps = 10000 },
		.normalizer = { .enabled = true, .window_size = 1000 },
		.checkpoint = { .save_frequency = 500,
			.rollback_enabled = true,
			.loss_spike = 2.0,
			.reward_drop = 0.5 } };
}

const struct setting_row *setting_find(const char *key)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strcmp(rows[i].key, key) == 0)
			return &rows[i];
	}
	return NULL;
}

void setting_assign(struct settings *settings, const struct setting_row *row, double value)
{
	char *place = (char *)settings + row->offset;
	const int as_int = (int)value;
	const bool as_bool = value != 0;
	const int64_t as_ms = (int64_t)(value * 1000);

	switch (row->type) {
	case SETTING_BOOL:
		memcpy(place, &as_bool, sizeof(as_bool));
		break;
	case SETTING_INT:
		memcpy(place, &as_int, sizeof(as_int));
		break;
	case SETTING_NUMBER:
		memcpy(place, &value, sizeof(value));
		break;
	case SETTING_SECONDS:
		memcpy(place, &as_ms, sizeof(as_ms));
		break;
	case SETTING_FIXED:
		break;
	}
}

int settings_check(const struct settings *settings, struct error *err)
{
	int sum = 0;

	for (int i = 0; i < MODE_COUNT; i++)
		sum += settings->distributor.percent[i];
	if (sum != 100)
		return error_set(err, ERROR_CONFIG, 0,
			"the shares in 'traffic_distribution.modes' add up to %d, not 100", sum);
	if (settings->breaker.minimum_calls > settings->breaker.window)
		return error_set(err, ERROR_CONFIG, 0,
			"'circuit_breaker.minimum_calls' is more than its window");
	return 0;
}

/* A list when there is a comma in it. */
static cJSON *fixed_json(const char *text)
{
	cJSON *list;

	if (!strchr(text, ','))
		return cJSON_CreateString(text);
	list = cJSON_CreateArray();
	for (const char *p = text; *p;) {
		size_t length = strcspn(p, ",");
		CLEANUP_FREE char *item = mem_strndup(p, length);

		cJSON_AddItemToArray(list, cJSON_CreateString(item));
		p += length + (p[length] == ',');
	}
	return list;
}

static cJSON *value_json(const struct settings *settings, const struct setting_row *row)
{
	const char *place = (const char *)settings + row->offset;
	bool as_bool;
	int as_int;
	double as_double;
	int64_t as_ms;

	switch (row->type) {
	case SETTING_BOOL:
		memcpy(&as_bool, place, sizeof(as_bool));
		return cJSON_CreateBool(as_bool);
	case SETTING_INT:
		memcpy(&as_int, place, sizeof(as_int));
		return cJSON_CreateNumber(as_int);
	case SETTING_NUMBER:
		memcpy(&as_double, place, sizeof(as_double));
		return cJSON_CreateNumber(as_double);
	case SETTING_SECONDS:
		memcpy(&as_ms, place, sizeof(as_ms));
		return cJSON_CreateNumber((double)as_ms / 1000);
	case SETTING_FIXED:
		break;
	}
	return fixed_json(row->fixed);
}

/* Follows `key` from map to map, making those that are missing. Returns what is behind its last
 * dot. */
static const char *descend(const char *key, cJSON **map)
{
	for (const char *dot = strchr(key, '.'); dot; dot = strchr(key, '.')) {
		CLEANUP_FREE char *name = mem_strndup(key, (size_t)(dot - key));
		cJSON *inner = cJSON_GetObjectItemCaseSensitive(*map, name);

		*map = inner ? inner : cJSON_AddObjectToObject(*map, name);
		key = dot + 1;
	}
	return key;
}

cJSON *settings_json(const struct settings *settings)
{
	cJSON *root = cJSON_CreateObject();

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cJSON *map = root;
		const char *name = descend(rows[i].key, &map);

		cJSON_AddItemToObject(map, name, value_json(settings, &rows[i]));
	}
	return root;
}
