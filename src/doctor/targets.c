/* Scrape targets: see targets.h. */
#include "doctor/targets.h"

#include "canaryctl/duration.h"
#include "canaryctl/selector.h"

#include <cjson/cJSON.h>
#include <string.h>

enum { MOST_TARGETS = 20000 };

static const char *text_of(struct targets *targets, const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return arena_strdup(&targets->arena, text ? text : "");
}

static void take_labels(struct targets *targets, struct target *target, const cJSON *labels)
{
	int count = cJSON_IsObject(labels) ? cJSON_GetArraySize(labels) : 0;
	const cJSON *label;

	target->labels =
		arena_alloc(&targets->arena, ((size_t)count + 1) * sizeof(*target->labels));
	cJSON_ArrayForEach(label, labels)
	{
		if ((int)target->label_count == count || !label->string || !cJSON_IsString(label))
			continue;
		target->labels[target->label_count++] = (struct prom_label){
			.name = arena_strdup(&targets->arena, label->string),
			.value = arena_strdup(&targets->arena, label->valuestring),
		};
	}
}

static void take_target(struct targets *targets, const cJSON *item)
{
	struct target *target = &targets->targets[targets->count++];

	target->url = text_of(targets, item, "scrapeUrl");
	target->error = text_of(targets, item, "lastError");
	target->is_up = strcmp(text_of(targets, item, "health"), "up") == 0;
	if (!duration_parse(text_of(targets, item, "scrapeInterval"), &target->interval_ms))
		target->interval_ms = 0;
	take_labels(targets, target, cJSON_GetObjectItemCaseSensitive(item, "labels"));
}

int targets_parse(const char *bytes, size_t length, struct targets *ret_targets, struct error *err)
{
	cJSON *root = cJSON_ParseWithLength(bytes, length);
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(root, "data");
	const cJSON *active = cJSON_GetObjectItemCaseSensitive(data, "activeTargets");
	int count = cJSON_IsArray(active) ? cJSON_GetArraySize(active) : -1;
	const cJSON *item;

	if (count < 0 || count > MOST_TARGETS) {
		cJSON_Delete(root);
		return error_set(err, ERROR_METRICS, 0, "the answer is no list of scrape targets");
	}
	ret_targets->targets = arena_alloc(
		&ret_targets->arena, ((size_t)count + 1) * sizeof(*ret_targets->targets));
	cJSON_ArrayForEach(item, active)
	{
		if (cJSON_IsObject(item))
			take_target(ret_targets, item);
	}
	cJSON_Delete(root);
	return 0;
}

void targets_release(struct targets *targets)
{
	arena_release(&targets->arena);
	*targets = (struct targets){ 0 };
}

static bool has_label(const struct target *target, const struct matcher *matcher)
{
	for (size_t i = 0; i < target->label_count; i++) {
		if (strcmp(target->labels[i].name, matcher->name) == 0)
			return strcmp(target->labels[i].value, matcher->value) == 0;
	}
	return false;
}

static bool has_all_labels(const struct target *target, const char *matchers)
{
	struct arena arena = { 0 };
	struct selector selector;
	struct error err = { 0 };
	bool has_all;

	if (selector_parse(arena_format(&arena, "arm{%s}", matchers), &arena, &selector, &err)) {
		arena_release(&arena);
		return false;
	}
	has_all = selector.matcher_count > 0;
	for (size_t i = 0; i < selector.matcher_count; i++)
		has_all = has_all && selector.matchers[i].op == MATCH_EQUAL &&
			  has_label(target, &selector.matchers[i]);
	arena_release(&arena);
	return has_all;
}

/* "host:port" of a URL, in place. */
static const char *authority_of(const char *url, size_t *ret_length)
{
	const char *start = strstr(url, "://");

	start = start ? start + 3 : url;
	*ret_length = strcspn(start, "/?#");
	return start;
}

bool target_is_of(const struct target *target, const char *matchers, const char *address)
{
	size_t length, other_length;
	const char *authority = authority_of(target->url, &length);
	const char *other = authority_of(address, &other_length);

	if (matchers && has_all_labels(target, matchers))
		return true;
	return length == other_length && length && memcmp(authority, other, length) == 0;
}
