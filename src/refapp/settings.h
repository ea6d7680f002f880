/*
 * The application's own settings: what the guards, the distributor and the training go by. One
 * table has key, type, default and bounds of each; reading the files (configs/app) and answering
 * /api/config go through it.
 */
#ifndef REFAPP_SETTINGS_H
#define REFAPP_SETTINGS_H

#include "canaryctl/error.h"
#include "canaryctl/fileio.h"
#include "refapp/breaker.h"
#include "refapp/cache.h"
#include "refapp/checkpoint.h"
#include "refapp/distributor.h"
#include "refapp/json_guard.h"
#include "refapp/ppo_schedule.h"
#include "refapp/reward_normalizer.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

struct settings {
	bool ensemble_enabled;
	struct json_guard_settings json_guard;
	struct breaker_settings breaker;
	struct cache_settings cache;
	struct distributor_settings distributor;
	struct ppo_schedule schedule;
	struct reward_normalizer_settings normalizer;
	struct checkpoint_settings checkpoint;
};

void settings_defaults(struct settings *settings);

/*
 * Reads the five files of `folder` over what is there. An unknown key, a wrong type, a value out of
 * bounds: the error names file, line and column.
 */
int settings_load(struct settings *settings, const char *folder, struct error *err) WARN_UNUSED;

/* All of them, nested as in the files. Owned by the caller. */
cJSON *settings_json(const struct settings *settings);

/* --- the table, for settings_load() --- */

enum setting_type {
	SETTING_BOOL,
	SETTING_INT,
	SETTING_NUMBER,
	SETTING_SECONDS, /* kept as int64_t milliseconds */
	SETTING_FIXED    /* says what is simulated; nothing else is */
};

struct setting_row {
	const char *key; /* json_guard.max_retries */
	enum setting_type type;
	size_t offset; /* in struct settings */
	double minimum;
	double maximum;
	const char *fixed; /* SETTING_FIXED: the one value; a list with commas */
};

const struct setting_row *setting_find(const char *key); /* NULL: unknown */
void setting_assign(struct settings *settings, const struct setting_row *row, double value);

/* What one row's bounds cannot say. */
int settings_check(const struct settings *settings, struct error *err) WARN_UNUSED;

#endif
