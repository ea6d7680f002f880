/* The forms of keys that a row's type cannot say: stages, headers, min_samples, notify. */
#include "config/loader.h"
#include "config/schema_rows.h"

#include <ctype.h>
#include <string.h>

static bool is_list(struct loader *loader, const struct place *value)
{
	if (value->node->kind == NODE_LIST)
		return true;
	if (!node_is_null(value->node))
		diagnose(&loader->diagnostics, value, NULL, "must be a list, not %s",
			node_kind_text(value->node));
	return false;
}

static void set_stages(
	struct loader *loader, const struct place *value, struct rollout_config *rollout)
{
	static const struct schema_row weight_row = { .name = "weight", .type = SCHEMA_WEIGHT };
	size_t count;
	struct stage_config *stages;

	if (!is_list(loader, value))
		return;
	count = value->node->count;
	stages = arena_alloc(&loader->config->arena, (count + 1) * sizeof(stages[0]));
	for (size_t i = 0; i < count; i++) {
		struct place item = place_at(loader, value, i, value->node->items[i]);
		struct stage_text stage = { .weight = WEIGHT_UNKNOWN };

		if (item.node->kind == NODE_MAP)
			load_rows(loader, stage_rows, &item, &stage);
		else
			value_set(loader, &weight_row, &item, &stage.weight);
		stages[i] = (struct stage_config){
			.weight = stage.weight,
			.observe_ms = stage.observe_ms,
			.needs_approval = stage.approval == APPROVAL_REQUIRED,
			.undecided_passes = stage.undecided == UNDECIDED_PASS,
		};
	}
	rollout->stages = stages;
	rollout->stage_count = count;
}

static bool header_name_valid(const char *name)
{
	for (const char *at = name; *at; at++) {
		if (!isalnum((unsigned char)*at) && !strchr("!#$%&'*+-.^_`|~", *at))
			return false;
	}
	return *name != '\0';
}

static void set_headers(struct loader *loader, const struct place *value, char ***member)
{
	const struct node *map = value->node;
	char **headers;
	size_t count = 0;

	if (map->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, value, NULL, "must be a map, not %s",
			node_kind_text(map));
		return;
	}
	headers = arena_alloc(&loader->config->arena, (map->count + 1) * sizeof(headers[0]));
	for (size_t i = 0; i < map->count; i++) {
		const char *name = map->keys[i]->text;
		struct place item = place_in(loader, value, name, map->items[i]);
		const char *text;

		if (header_is_secret(name))
			diagnostics_hide(&loader->diagnostics, item.node);
		text = value_text(loader, &item, "text");
		if (!header_name_valid(name))
			diagnose(&loader->diagnostics, &item, NULL, "is no name of an HTTP header");
		else if (text && strpbrk(text, "\r\n"))
			diagnose(&loader->diagnostics, &item, NULL, "has more than one line");
		else if (text)
			headers[count++] =
				arena_format(&loader->config->arena, "%s: %s", name, text);
	}
	*member = headers;
}

static void set_min_samples(
	struct loader *loader, const struct place *value, struct check_config *check)
{
	static const struct schema_row number_row = {
		.name = "min_samples", .type = SCHEMA_NUMBER, .maximum = 1e15
	};
	bool checks_variables = loader->checks_variables;

	if (value->node->kind == NODE_MAP) {
		loader->checks_variables = true;
		load_rows(loader, min_samples_rows, value, check);
		loader->checks_variables = checks_variables;
	} else {
		value_set(loader, &number_row, value, &check->min_samples);
	}
}

static void set_notify(struct loader *loader, const struct place *value, struct config *config)
{
	if (!is_list(loader, value))
		return;
	config->notify_count = value->node->count;
	config->notify =
		arena_alloc(&config->arena, (config->notify_count + 1) * sizeof(config->notify[0]));
	for (size_t i = 0; i < config->notify_count; i++) {
		struct place item = place_at(loader, value, i, value->node->items[i]);

		load_rows(loader, notify_rows, &item, &config->notify[i]);
	}
}

void custom_set(struct loader *loader, const struct schema_row *row, const struct place *value,
	void *target)
{
	struct config *config = loader->config;
	void *member = (char *)target + row->offset;

	switch ((enum schema_custom)row->custom) {
	case CUSTOM_HEADERS:
		set_headers(loader, value, member);
		return;
	case CUSTOM_STAGES:
		set_stages(loader, value, &config->rollout);
		return;
	case CUSTOM_CHECKS:
		if (loader->suite)
			load_checks(
				loader, value, &loader->suite->checks, &loader->suite->check_count);
		else
			load_checks(loader, value, &config->checks, &config->check_count);
		return;
	case CUSTOM_SUITES:
		load_suites(loader, value);
		return;
	case CUSTOM_MIN_SAMPLES:
		set_min_samples(loader, value, target);
		return;
	case CUSTOM_NOTIFY:
		set_notify(loader, value, config);
		return;
	case CUSTOM_SCALE_RULES:
		load_scale_rules(loader, value);
		return;
	case CUSTOM_INCLUDE: /* config_load.c follows these when the file itself is done */
	case CUSTOM_NONE:
		return;
	}
}
