/*
 * The effective configuration as YAML that can be loaded again, written from the schema's rows.
 * Secrets are masked.
 */
#include "canaryctl/check.h"
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "config/schema_rows.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MASK "***"

struct writer {
	struct buf *text;
	int indent;
	bool starts_item; /* the next line begins an item of a list: "- " */
};

static void show_row(struct writer *writer, const struct schema_row *row, const void *base);
static void show_rows(struct writer *writer, const struct schema_row *rows, const void *base);

static void begin_line(struct writer *writer, const char *name)
{
	if (writer->starts_item)
		buf_add_format(writer->text, "%*s- %s:", writer->indent - 2, "", name);
	else
		buf_add_format(writer->text, "%*s%s:", writer->indent, "", name);
	writer->starts_item = false;
}

static bool is_plain(const char *text)
{
	static const char *const words[] = { "true", "false", "null" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasecmp(text, words[i]) == 0)
			return false;
	}
	if (!isalpha((unsigned char)*text) && *text != '/')
		return false;
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("_./-", *text))
			return false;
	}
	return true;
}

static void add_text(struct buf *text, const char *value)
{
	if (is_plain(value)) {
		buf_add_text(text, value);
		return;
	}
	buf_add(text, "\"", 1);
	for (; *value; value++) {
		unsigned char c = (unsigned char)*value;

		if (c == '"' || c == '\\')
			buf_add_format(text, "\\%c", c);
		else if (c == '\n')
			buf_add_text(text, "\\n");
		else if (c < 0x20 || c == 0x7f)
			buf_add_format(text, "\\x%02x", c);
		else
			buf_add(text, value, 1);
	}
	buf_add(text, "\"", 1);
}

/* https://user:password@host/path: who and, where that is the secret, the path are left out. */
static void add_url(struct buf *text, const char *url, bool path_is_secret)
{
	const char *scheme_end = strstr(url, "://");
	const char *host = scheme_end ? scheme_end + 3 : url;
	size_t authority = strcspn(host, "/?#");
	const char *at = memrchr(host, '@', authority);
	struct buf masked = { 0 };

	buf_add(&masked, url, (size_t)(host - url));
	if (at) {
		buf_add_text(&masked, MASK "@");
		authority -= (size_t)(at + 1 - host);
		host = at + 1;
	}
	buf_add(&masked, host, authority);
	buf_add_text(&masked, path_is_secret ? "/" MASK : host + authority);
	add_text(text, buf_text(&masked));
	buf_release(&masked);
}

static void add_list(struct buf *text, const struct strv *list)
{
	buf_add_text(text, "[");
	for (size_t i = 0; i < list->count; i++) {
		buf_add_text(text, i ? ", " : "");
		add_text(text, list->items[i]);
	}
	buf_add_text(text, "]");
}

static void add_number(struct buf *text, double number)
{
	char shortest[32];

	snprintf(shortest, sizeof(shortest), "%.15g", number);
	if (strtod(shortest, NULL) != number)
		snprintf(shortest, sizeof(shortest), "%.17g", number);
	buf_add_text(text, shortest);
}

static void show_text_map(struct writer *writer, const char *name, const struct text_map *map)
{
	if (!map->count)
		return;
	begin_line(writer, name);
	for (size_t i = 0; i < map->count; i++) {
		buf_add_format(writer->text, "\n%*s", writer->indent + 2, "");
		add_text(writer->text, map->keys[i]);
		buf_add_text(writer->text, ": ");
		add_text(writer->text, header_is_secret(map->keys[i]) ? MASK : map->values[i]);
	}
	buf_add_text(writer->text, "\n");
}

static void show_headers(struct writer *writer, const char *name, char *const *headers)
{
	struct text_map map = { 0 };
	struct arena arena = { 0 };

	while (headers && headers[map.count])
		map.count++;
	map.keys = arena_alloc(&arena, (map.count + 1) * sizeof(char *));
	map.values = arena_alloc(&arena, (map.count + 1) * sizeof(char *));
	for (size_t i = 0; i < map.count; i++) {
		const char *colon = strchr(headers[i], ':');

		map.keys[i] = arena_strndup(&arena, headers[i], (size_t)(colon - headers[i]));
		map.values[i] = arena_strdup(&arena, colon + 2);
	}
	show_text_map(writer, name, &map);
	arena_release(&arena);
}

static void show_nested(
	struct writer *writer, const char *name, const struct schema_row *rows, const void *base)
{
	struct buf nested = { 0 };
	struct writer inner = { .text = &nested, .indent = writer->indent + 2 };

	show_rows(&inner, rows, base);
	if (nested.length) {
		begin_line(writer, name);
		buf_add_text(writer->text, "\n");
		buf_add(writer->text, nested.data, nested.length);
	}
	buf_release(&nested);
}

static void show_stages(struct writer *writer, const struct rollout_config *rollout)
{
	begin_line(writer, "stages");
	buf_add_text(writer->text, "\n");
	for (size_t i = 0; i < rollout->stage_count; i++) {
		const struct stage_config *stage = &rollout->stages[i];
		struct stage_text text = {
			.weight = stage->weight,
			.observe_ms = stage->observe_ms,
			.approval = stage->needs_approval ? APPROVAL_REQUIRED : APPROVAL_NONE,
			.undecided =
				stage->undecided_passes ? UNDECIDED_PASS : UNDECIDED_INCONCLUSIVE,
		};
		struct writer item = { writer->text, writer->indent + 4, true };

		show_rows(&item, stage_rows, &text);
	}
}

static void show_check(struct writer *writer, const struct check_config *check)
{
	struct writer item = { writer->text, writer->indent + 4, true };

	/* As people write it: the name, what is measured, and then what follows from it. */
	show_row(&item, &check_rows[0], check);
	show_nested(&item, check->kind->name, check->kind->rows, check->params);
	show_rows(&item, &check_rows[1], check);
}

static void show_checks(struct writer *writer, const struct check_config *checks, size_t count)
{
	if (!count)
		return;
	begin_line(writer, "checks");
	buf_add_text(writer->text, "\n");
	for (size_t i = 0; i < count; i++)
		show_check(writer, &checks[i]);
}

static void show_suites(struct writer *writer, const struct config *config)
{
	if (!config->suite_count)
		return;
	begin_line(writer, "suites");
	buf_add_text(writer->text, "\n");
	for (size_t i = 0; i < config->suite_count; i++) {
		const struct suite_config *suite = &config->suites[i];
		char timeout[DURATION_TEXT_SIZE];
		struct writer inner = { writer->text, writer->indent + 4, false };

		buf_add_format(writer->text, "%*s", writer->indent + 2, "");
		add_text(writer->text, suite->name);
		buf_add_format(writer->text, ":\n%*stimeout: %s\n", inner.indent, "",
			duration_format(suite->timeout_ms, timeout));
		if (suite->check_count)
			show_checks(&inner, suite->checks, suite->check_count);
		else
			buf_add_format(writer->text, "%*schecks: []\n", inner.indent, "");
	}
}

static void show_min_samples(struct writer *writer, const struct check_config *check)
{
	if (check->min_samples_query) {
		show_nested(writer, "min_samples", min_samples_rows, check);
	} else if (check->min_samples > 0) {
		begin_line(writer, "min_samples");
		buf_add_text(writer->text, " ");
		add_number(writer->text, check->min_samples);
		buf_add_text(writer->text, "\n");
	}
}

static void show_notify(struct writer *writer, const struct config *config)
{
	if (!config->notify_count)
		return;
	begin_line(writer, "notify");
	buf_add_text(writer->text, "\n");
	for (size_t i = 0; i < config->notify_count; i++) {
		struct writer item = { writer->text, writer->indent + 4, true };

		show_rows(&item, notify_rows, &config->notify[i]);
	}
}

static void show_scale_rules(struct writer *writer, const struct autoscaling_config *autoscaling)
{
	struct writer inner = { writer->text, writer->indent + 2, false };

	if (!autoscaling->rule_count)
		return;
	begin_line(writer, "services");
	buf_add_text(writer->text, "\n");
	for (size_t i = 0; i < autoscaling->rule_count; i++)
		show_nested(&inner, autoscaling->rules[i].service, scale_rule_rows,
			&autoscaling->rules[i]);
}

static void show_custom(struct writer *writer, const struct schema_row *row, const void *base)
{
	const void *member = (const char *)base + row->offset;

	switch ((enum schema_custom)row->custom) {
	case CUSTOM_HEADERS:
		show_headers(writer, row->name, *(char *const *const *)member);
		break;
	case CUSTOM_STAGES:
		show_stages(writer, &((const struct config *)base)->rollout);
		break;
	case CUSTOM_CHECKS:
		show_checks(writer, ((const struct config *)base)->checks,
			((const struct config *)base)->check_count);
		break;
	case CUSTOM_SUITES:
		show_suites(writer, base);
		break;
	case CUSTOM_MIN_SAMPLES:
		show_min_samples(writer, base);
		break;
	case CUSTOM_NOTIFY:
		show_notify(writer, base);
		break;
	case CUSTOM_SCALE_RULES:
		show_scale_rules(writer, &((const struct config *)base)->autoscaling);
		break;
	case CUSTOM_INCLUDE: /* what is included is shown where it went */
	case CUSTOM_NONE:
		break;
	}
}

/* Is there anything to show? What was not given and has no default is left out. */
static bool is_set(const struct schema_row *row, const void *member)
{
	switch (row->type) {
	case SCHEMA_DURATION:
	case SCHEMA_INT:
		return *(const int64_t *)member || row->default_text;
	case SCHEMA_NUMBER:
		return *(const double *)member != 0 || row->default_text || row->is_required;
	case SCHEMA_BOOL:
	case SCHEMA_WEIGHT:
	case SCHEMA_ENUM:
		return true;
	case SCHEMA_ARGV:
	case SCHEMA_STRINGS:
		return ((const struct strv *)member)->count > 0;
	case SCHEMA_CONDITION:
		return ((const struct condition *)member)->text != NULL;
	case SCHEMA_CUSTOM:
		return row->custom != CUSTOM_SCALE_RULES || *(void *const *)member;
	case SCHEMA_TEXT_MAP:
	case SCHEMA_MAP:
		return true;
	default:
		return *(char *const *)member != NULL;
	}
}

static void add_value(struct buf *text, const struct schema_row *row, const void *member)
{
	char duration[DURATION_TEXT_SIZE];
	char weight[WEIGHT_TEXT_SIZE];

	switch (row->type) {
	case SCHEMA_SECRET:
		add_text(text, MASK);
		break;
	case SCHEMA_URL:
	case SCHEMA_SECRET_URL:
		add_url(text, *(char *const *)member, row->type == SCHEMA_SECRET_URL);
		break;
	case SCHEMA_DURATION:
		buf_add_text(text, duration_format(*(const int64_t *)member, duration));
		break;
	case SCHEMA_BOOL:
		buf_add_text(text, *(const bool *)member ? "true" : "false");
		break;
	case SCHEMA_INT:
		buf_add_format(text, "%lld", (long long)*(const int64_t *)member);
		break;
	case SCHEMA_NUMBER:
		add_number(text, *(const double *)member);
		break;
	case SCHEMA_WEIGHT:
		buf_add_text(text, weight_format(*(const weight_t *)member, weight));
		break;
	case SCHEMA_ENUM:
		buf_add_text(text, row->names[*(const int *)member]);
		break;
	case SCHEMA_ARGV:
	case SCHEMA_STRINGS:
		add_list(text, member);
		break;
	case SCHEMA_CONDITION:
		add_text(text, ((const struct condition *)member)->text);
		break;
	default:
		add_text(text, *(char *const *)member);
		break;
	}
}

/* A map that was not given: its defaults alone are no map that could be loaded. */
static bool lacks_required(const struct schema_row *rows, const void *base)
{
	for (const struct schema_row *row = rows; row->name; row++) {
		if (row->is_required && !is_set(row, (const char *)base + row->offset))
			return true;
	}
	return false;
}

static void show_row(struct writer *writer, const struct schema_row *row, const void *base)
{
	const void *member = (const char *)base + row->offset;

	if (!is_set(row, member))
		return;
	if (row->type == SCHEMA_MAP && lacks_required(row->nested, base))
		return;
	if (row->type == SCHEMA_MAP) {
		show_nested(writer, row->name, row->nested, base);
	} else if (row->type == SCHEMA_CUSTOM) {
		show_custom(writer, row, base);
	} else if (row->type == SCHEMA_TEXT_MAP) {
		show_text_map(writer, row->name, member);
	} else {
		begin_line(writer, row->name);
		buf_add_text(writer->text, " ");
		add_value(writer->text, row, member);
		buf_add_text(writer->text, "\n");
	}
}

static void show_rows(struct writer *writer, const struct schema_row *rows, const void *base)
{
	for (const struct schema_row *row = rows; row->name; row++)
		show_row(writer, row, base);
}

void config_show(const struct config *config, struct buf *ret_text)
{
	/* The rows hold what was given; what is in force is shown. */
	struct config effective = *config;
	struct writer writer = { .text = ret_text };

	effective.rollout.settle_given_ms = config->rollout.settle_ms;
	effective.rollout.extend_limit_given_ms = config->rollout.extend_limit_ms;
	show_rows(&writer, config_rows, &effective);
}
