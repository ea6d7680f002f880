/*
 * `autoscaling.services`: a rule per service. What its rows cannot say: the two conditions must
 * leave room between them (else it would scale to and fro), `for` must be a number of scrapes that
 * Prometheus answers in one piece, and the checks that block must exist.
 */
#include "canaryctl/duration.h"
#include "config/loader.h"
#include "config/query.h"
#include "config/schema_rows.h"

#include <string.h>

enum { SERVICE_MAX_BYTES = 63, MAX_SCRAPES = 10000 };

static const char *const scale_variables[] = { "${service}", "${replicas}", NULL };

/* It goes into an argv, so it must not look like an option. */
static bool service_valid(const char *name)
{
	size_t length = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "0123456789_.-");

	return length && !name[length] && length <= SERVICE_MAX_BYTES && !strchr("-.", *name);
}

/* What is wrong here is told at the key's own place. */
static struct place place_of(struct loader *loader, const struct place *rule, const char *key)
{
	const struct node *node = node_get(rule->node, key);

	return place_in(loader, rule, key, node ? node : rule->node);
}

static void check_query(
	struct loader *loader, const struct place *rule, const char *key, const char *query)
{
	struct place place = place_of(loader, rule, key);
	size_t length;

	while ((query = query_unknown_variable(query, &length))) {
		say_unknown_variable(loader, &place, query, length);
		query += length;
	}
}

/* ---- conditions ---- */

static bool asks_for_more(const struct condition *condition)
{
	return condition->op == CONDITION_GREATER || condition->op == CONDITION_AT_LEAST;
}

static bool is_one_sided(const struct condition *condition)
{
	return !condition->uses_baseline && condition->op != CONDITION_EQUAL &&
	       condition->op != CONDITION_NOT_EQUAL;
}

static bool check_side(struct loader *loader, const struct place *rule, const char *key,
	const struct scale_side *side)
{
	int64_t scrape_ms = loader->config->prometheus.scrape_interval_ms;
	struct place place = place_of(loader, rule, key);
	struct place when = place_of(loader, &place, "when");
	struct place time = place_of(loader, &place, "for");
	char text[DURATION_TEXT_SIZE], scrape[DURATION_TEXT_SIZE];

	if (side->for_ms < scrape_ms || side->for_ms / scrape_ms > MAX_SCRAPES)
		diagnose(&loader->diagnostics, &time,
			"it is looked at once per scrape, for at most 10000 scrapes",
			"%s is no usable time: prometheus.scrape_interval is %s",
			duration_format(side->for_ms, text), duration_format(scrape_ms, scrape));
	if (is_one_sided(&side->when))
		return true;
	diagnose(&loader->diagnostics, &when, "use <, <=, > or >= and a number",
		"'%.100s' cannot tell too much from too little", side->when.text);
	return false;
}

static void check_sides(
	struct loader *loader, const struct place *rule_place, const struct scale_rule *rule)
{
	bool up_known = check_side(loader, rule_place, "scale_up", &rule->up);
	bool down_known = check_side(loader, rule_place, "scale_down", &rule->down);
	const struct condition *up = &rule->up.when, *down = &rule->down.when;
	struct place place = place_of(loader, rule_place, "scale_down");
	struct place when = place_of(loader, &place, "when");
	bool have_room;

	if (!up_known || !down_known)
		return;
	have_room = asks_for_more(up) ? !asks_for_more(down) && down->number < up->number
				      : asks_for_more(down) && down->number > up->number;
	if (!have_room)
		diagnose(&loader->diagnostics, &when,
			"leave room between the two, such as '> 80%' and '< 30%'",
			"'%.100s' and scale_up's '%.100s' overlap: it would scale to and fro",
			down->text, up->text);
}

/* ---- the command ---- */

static bool is_scale_variable(const char *text)
{
	for (size_t i = 0; scale_variables[i]; i++) {
		if (strncmp(text, scale_variables[i], strlen(scale_variables[i])) == 0)
			return true;
	}
	return false;
}

static void check_command(
	struct loader *loader, const struct place *rule_place, const struct scale_rule *rule)
{
	struct place place = place_of(loader, rule_place, "scale");
	bool says_how_many = false;

	for (size_t i = 0; i < rule->scale.count; i++) {
		const char *text = rule->scale.items[i];

		says_how_many = says_how_many || strstr(text, "${replicas}");
		for (; (text = strstr(text, "${")); text += 2) {
			if (!is_scale_variable(text))
				diagnose(&loader->diagnostics, &place,
					"there are ${service} and ${replicas}",
					"'%.40s' is no variable of this command", text);
		}
	}
	if (!says_how_many)
		diagnose(&loader->diagnostics, &place,
			"such as [docker, compose, up, -d, --scale, \"${service}=${replicas}\"]",
			"does not say how many: '${replicas}' is missing");
}

/* ---- a rule ---- */

static void check_rule(
	struct loader *loader, const struct place *place, const struct scale_rule *rule)
{
	struct place max = place_of(loader, place, "max");

	check_query(loader, place, "replicas", rule->replicas);
	check_query(loader, place, "metric", rule->metric);
	check_sides(loader, place, rule);
	check_command(loader, place, rule);
	if (rule->max < rule->min)
		diagnose(&loader->diagnostics, &max, NULL, "%lld is below min, which is %lld",
			(long long)rule->max, (long long)rule->min);
}

void load_scale_rules(struct loader *loader, const struct place *map)
{
	struct autoscaling_config *autoscaling = &loader->config->autoscaling;
	size_t count = map->node->count;

	/* Rules are of no use to a rollback; no rules are none. */
	if (loader->traffic_only || node_is_null(map->node))
		return;
	if (map->node->kind != NODE_MAP) {
		diagnose(&loader->diagnostics, map, "write 'NAME: {metric: ...}'",
			"must be a map, not %s", node_kind_text(map->node));
		return;
	}
	if (loader->scale_rules.node) {
		diagnose(&loader->diagnostics, map, "write all services into one of the two",
			"another file has autoscaling rules, too");
		return;
	}
	if (!count)
		return;
	loader->scale_rules = *map;
	autoscaling->rules =
		arena_alloc(&loader->config->arena, (count + 1) * sizeof(autoscaling->rules[0]));
	autoscaling->rule_count = count;
	for (size_t i = 0; i < count; i++) {
		const char *name = map->node->keys[i]->text;
		struct place place = place_in(loader, map, name, map->node->items[i]);
		struct place key = { .node = map->node->keys[i], .key = map->key };
		struct scale_rule *rule = &autoscaling->rules[i];
		size_t failures = loader->diagnostics.failures;

		rule->service = arena_strdup(&loader->config->arena, name);
		if (!service_valid(name))
			diagnose(&loader->diagnostics, &key,
				"use letters, digits, '_', '.' and '-', at most 63",
				"'%.100s' is not the name of a service", name);
		load_rows(loader, scale_rule_rows, &place, rule);
		if (failures == loader->diagnostics.failures)
			check_rule(loader, &place, rule);
	}
}

/* ---- checks that block ---- */

static const struct check_config *find_in(
	const struct check_config *checks, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		if (checks[i].name && strcmp(checks[i].name, name) == 0)
			return &checks[i];
	}
	return NULL;
}

/* "NAME" of `checks`, or "SUITE/NAME". */
static const struct check_config *find_check(const struct config *config, const char *name)
{
	const struct check_config *check = find_in(config->checks, config->check_count, name);
	const char *slash = strchr(name, '/');

	for (size_t i = 0; !check && slash && i < config->suite_count; i++) {
		const struct suite_config *suite = &config->suites[i];

		if (strlen(suite->name) == (size_t)(slash - name) &&
			strncmp(suite->name, name, (size_t)(slash - name)) == 0)
			check = find_in(suite->checks, suite->check_count, slash + 1);
	}
	return check;
}

void load_scale_blocks(struct loader *loader)
{
	struct config *config = loader->config;

	for (size_t i = 0; i < config->autoscaling.rule_count; i++) {
		struct scale_rule *rule = &config->autoscaling.rules[i];
		struct place place = place_in(loader, &loader->scale_rules, rule->service,
			loader->scale_rules.node->items[i]);
		struct place list = place_of(loader, &place, "blocked_by");

		rule->blocks = arena_alloc(
			&config->arena, (rule->blocked_by.count + 1) * sizeof(rule->blocks[0]));
		for (size_t j = 0; j < rule->blocked_by.count; j++) {
			struct place item = place_at(loader, &list, j, list.node->items[j]);

			rule->blocks[j] = find_check(config, rule->blocked_by.items[j]);
			if (!rule->blocks[j])
				diagnose(&loader->diagnostics, &item,
					"name a check of 'checks', or SUITE/CHECK; 'canaryctl "
					"check SUITE --list' shows them",
					"there is no check '%.100s'", rule->blocked_by.items[j]);
		}
	}
}
