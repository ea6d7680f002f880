/* `deploy --stages` and `--observation-period` over what the file says. */
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "config/rules.h"

#include <string.h>

static size_t count_commas(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == ',';
	return count;
}

/* A configured stage of this weight lends its other settings. */
static struct stage_config stage_of_weight(const struct rollout_config *rollout, weight_t weight)
{
	for (size_t i = 0; i < rollout->stage_count; i++) {
		if (rollout->stages[i].weight == weight)
			return rollout->stages[i];
	}
	return (struct stage_config){ .weight = weight };
}

static int override_stages(struct config *config, const char *text, struct error *err)
{
	size_t count = count_commas(text) + 1;
	struct stage_config *stages = arena_alloc(&config->arena, count * sizeof(stages[0]));

	for (size_t i = 0; i < count; i++) {
		size_t length = strcspn(text, ",");
		CLEANUP_FREE char *item = mem_strndup(text, length);
		weight_t weight;

		if (!weight_parse(item, &weight)) {
			error_set(err, ERROR_USAGE, 0, "--stages: '%.100s' is not a weight", item);
			return error_hint(err, "write percents in rising order: 1,5,25,100");
		}
		stages[i] = stage_of_weight(&config->rollout, weight);
		text += length + (text[length] == ',');
	}
	config->rollout.stages = stages;
	config->rollout.stage_count = count;
	return 0;
}

struct override {
	const char *stages;
	int64_t observe_ms;
	struct error *err;
	bool failed;
};

static void on_problem(void *context, const char *key, const char *hint, const char *message)
{
	struct override *override = context;
	bool is_observe = strstr(key, "observe") != NULL;
	const char *option = is_observe && override->observe_ms ? "--observation-period"
			     : override->stages                 ? "--stages"
								: key;

	if (override->failed)
		return;
	override->failed = true;
	error_set(override->err, ERROR_USAGE, 0, "%s: %s", option, message);
	if (hint)
		error_hint(override->err, "%s", hint);
}

int config_override(
	struct config *config, const char *stages, int64_t observe_ms, struct error *err)
{
	struct override override = { .stages = stages, .observe_ms = observe_ms, .err = err };
	struct rule_report report = { .problem = on_problem, .context = &override };

	if (stages && override_stages(config, stages, err) < 0)
		return -1;
	if (observe_ms) {
		config->rollout.observe_ms = observe_ms;
		for (size_t i = 0; i < config->rollout.stage_count; i++)
			config->rollout.stages[i].observe_ms = 0;
	}
	config_complete_rollout(config, &report);
	return override.failed ? -1 : 0;
}
