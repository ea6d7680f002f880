/* Retry and back-off: see json_guard.h. */
#include "refapp/json_guard.h"

#include <math.h>

double json_guard_backoff_s(
	const struct json_guard_settings *settings, int retry, struct random *random)
{
	double backoff_s = ldexp(settings->backoff_base_s, retry - 1);

	return backoff_s * (1 + settings->jitter * random_unit(random));
}

static cJSON *parse_object(const char *text)
{
	cJSON *json = cJSON_Parse(text);

	if (cJSON_IsObject(json))
		return json;
	cJSON_Delete(json);
	return NULL;
}

struct json_guard_result json_guard_run(const struct json_guard_settings *settings,
	struct random *random, json_guard_ask ask, void *context)
{
	int attempts_max = 1 + (settings->enabled ? settings->max_retries : 0);
	struct json_guard_result result = { 0 };

	while (!result.json && result.attempts < attempts_max) {
		if (result.attempts > 0)
			result.backoff_s += json_guard_backoff_s(settings, result.attempts, random);
		result.attempts++;
		buf_clear(&result.last_text);
		ask(context, result.attempts, &result.last_text);
		result.json = parse_object(buf_text(&result.last_text));
	}
	return result;
}
