/* Prometheus: does it see both versions, often enough, and can every check be asked? */
#include "doctor/facts.h"
#include "doctor/ranges.h"

#include "canaryctl/duration.h"
#include "canaryctl/schema.h"

#include <math.h>
#include <string.h>

enum { LEAST_SCRAPES = 4 };

static const double most_clock_difference_s = 2;

void examine_prometheus(const struct doctor_facts *facts, struct finding *finding)
{
	if (!facts->prometheus_error.kind) {
		found(finding, FINDING_GOOD, "'%s' answers", facts->config->prometheus.url);
		return;
	}
	found(finding, FINDING_BAD, "'%s': %.400s", facts->config->prometheus.url,
		facts->prometheus_error.message);
	advise(finding, "%s",
		facts->prometheus_error.hint[0] ? facts->prometheus_error.hint
						: "is prometheus.url right, and is it running?");
}

void examine_clock(const struct doctor_facts *facts, struct finding *finding)
{
	double difference = facts->server_time - facts->own_time;

	if (facts->prometheus_error.kind) {
		found(finding, FINDING_UNSEEN, "Prometheus does not tell its time");
		advise(finding, "see 'prometheus'");
	} else if (fabs(difference) > most_clock_difference_s + facts->time_error) {
		found(finding, FINDING_BAD, "Prometheus' clock is %.1f s %s of this host's",
			fabs(difference), difference > 0 ? "ahead" : "behind");
		advise(finding, "let both hosts keep their time (chrony, systemd-timesyncd)");
	} else {
		found(finding, FINDING_GOOD, "%.1f s between Prometheus and this host",
			fabs(difference));
	}
}

/* ---- targets ---- */

static bool lacks_targets(const struct doctor_facts *facts, struct finding *finding)
{
	if (!facts->targets_error.kind)
		return false;
	found(finding, FINDING_UNSEEN, "Prometheus does not list its targets: %.300s",
		facts->targets_error.message);
	advise(finding, "look at 'up' and at scrape_interval of both versions by hand");
	return true;
}

struct arm {
	const char *name;
	const char *matchers;
	const struct endpoint_config *endpoint;
	size_t count;
	const struct target *down; /* NULL: all are up */
	int64_t slowest_ms;
};

static void count_arm(const struct doctor_facts *facts, struct arm *arm)
{
	for (size_t i = 0; i < facts->targets.count; i++) {
		const struct target *target = &facts->targets.targets[i];

		if (!target_is_of(target, arm->matchers, arm->endpoint->health) &&
			!target_is_of(target, NULL, arm->endpoint->server))
			continue;
		arm->count++;
		if (!target->is_up)
			arm->down = target;
		if (target->interval_ms > arm->slowest_ms)
			arm->slowest_ms = target->interval_ms;
	}
}

static void count_arms(const struct doctor_facts *facts, struct arm arms[2])
{
	const struct config *config = facts->config;

	arms[0] = (struct arm){
		.name = "canary", .matchers = config->share.canary, .endpoint = &config->canary
	};
	arms[1] = (struct arm){ .name = "production",
		.matchers = config->share.production,
		.endpoint = &config->production };
	for (int i = 0; i < 2; i++)
		count_arm(facts, &arms[i]);
}

void examine_arms_scraped(const struct doctor_facts *facts, struct finding *finding)
{
	struct arm arms[2];

	if (lacks_targets(facts, finding))
		return;
	count_arms(facts, arms);
	for (int i = 0; i < 2; i++) {
		if (!arms[i].count) {
			found(finding, FINDING_BAD, "no scrape target of the %s is to be found",
				arms[i].name);
			advise(finding, "scrape it, with the labels that traffic.share names (%s)",
				arms[i].matchers ? arms[i].matchers : "traffic.share is not set");
			return;
		}
		if (arms[i].down) {
			found(finding, FINDING_BAD, "the %s's target '%s' is down: %.200s",
				arms[i].name, arms[i].down->url, arms[i].down->error);
			advise(finding,
				"nothing is judged while a target is down: start it, or take "
				"it out of Prometheus' configuration");
			return;
		}
	}
	found(finding, FINDING_GOOD, "canary and production are scraped: %zu and %zu targets",
		arms[0].count, arms[1].count);
}

/* 0: not known. */
static int64_t real_interval_ms(const struct doctor_facts *facts)
{
	struct arm arms[2];

	count_arms(facts, arms);
	return arms[0].slowest_ms > arms[1].slowest_ms ? arms[0].slowest_ms : arms[1].slowest_ms;
}

static bool lacks_interval(const struct doctor_facts *facts, struct finding *finding)
{
	if (lacks_targets(facts, finding))
		return true;
	if (real_interval_ms(facts))
		return false;
	found(finding, FINDING_UNSEEN, "Prometheus does not say how often it scrapes the versions");
	advise(finding,
		"compare prometheus.scrape_interval with Prometheus' configuration by hand");
	return true;
}

void examine_scrape_interval(const struct doctor_facts *facts, struct finding *finding)
{
	int64_t said_ms = facts->config->prometheus.scrape_interval_ms, real_ms;
	char said[DURATION_TEXT_SIZE], real[DURATION_TEXT_SIZE];

	if (lacks_interval(facts, finding))
		return;
	real_ms = real_interval_ms(facts);
	duration_format(said_ms, said);
	duration_format(real_ms, real);
	if (real_ms == said_ms) {
		found(finding, FINDING_GOOD, "%s, as configured", real);
		return;
	}
	found(finding, real_ms > said_ms ? FINDING_BAD : FINDING_MILD,
		"Prometheus scrapes every %s, prometheus.scrape_interval says %s%s", real, said,
		real_ms > said_ms ? ": its samples would count as stale" : "");
	advise(finding, "set prometheus.scrape_interval: %s", real);
}

/* Behind settle there must be room for evaluations that count. */
void examine_settle(const struct doctor_facts *facts, struct finding *finding)
{
	const struct rollout_config *rollout = &facts->config->rollout;
	int64_t shortest_ms = INT64_MAX, real_ms;
	char settle[DURATION_TEXT_SIZE], observe[DURATION_TEXT_SIZE], interval[DURATION_TEXT_SIZE];

	if (lacks_interval(facts, finding))
		return;
	real_ms = real_interval_ms(facts);
	for (size_t i = 0; i < rollout->stage_count; i++) {
		int64_t observe_ms = config_stage_observe_ms(facts->config, i);

		shortest_ms = observe_ms < shortest_ms ? observe_ms : shortest_ms;
	}
	duration_format(rollout->settle_ms, settle);
	duration_format(shortest_ms, observe);
	duration_format(real_ms, interval);
	if (rollout->settle_ms < LEAST_SCRAPES * real_ms) {
		found(finding, FINDING_BAD,
			"settle is %s, less than 4 scrapes of %s: the first evaluations would look "
			"at the stage before",
			settle, interval);
		advise(finding, "set prometheus.scrape_interval: %s; settle follows", interval);
	} else if (shortest_ms - rollout->settle_ms < LEAST_SCRAPES * real_ms) {
		found(finding, FINDING_MILD,
			"a stage of %s with settle %s leaves less than 4 scrapes of %s to be "
			"judged",
			observe, settle, interval);
		advise(finding, "set rollout.observe to more than settle and 4 scrapes");
	} else {
		found(finding, FINDING_GOOD, "settle %s and observe %s, with a scrape every %s",
			settle, observe, interval);
	}
}

/* ---- queries ---- */

/* The check's text of that key; NULL when its kind has none. */
static const char *query_of(const struct check_config *check, const char *key)
{
	const struct schema_row *row = check->kind->needs_prometheus ? check->kind->rows : NULL;

	for (; row && row->name; row++) {
		if (row->type == SCHEMA_STRING && strcmp(row->name, key) == 0)
			return *(char *const *)((const char *)check->params + row->offset);
	}
	return NULL;
}

/* The shortest range of a check's queries; -1: none. */
static int64_t shortest_range(const struct check_config *check)
{
	const char *texts[] = { query_of(check, "query"), query_of(check, "baseline"),
		check->min_samples_query };
	int64_t shortest = -1;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		int64_t range = texts[i] ? ranges_shortest(texts[i]) : -1;

		if (range >= 0 && (shortest < 0 || range < shortest))
			shortest = range;
	}
	return shortest;
}

static const struct check_config *find_short_range(
	const struct check_config *checks, size_t count, int64_t least_ms)
{
	for (size_t i = 0; i < count; i++) {
		int64_t range = shortest_range(&checks[i]);

		if (range >= 0 && range < least_ms)
			return &checks[i];
	}
	return NULL;
}

void examine_ranges(const struct doctor_facts *facts, struct finding *finding)
{
	const struct config *config = facts->config;
	int64_t interval_ms = config->prometheus.scrape_interval_ms;
	int64_t real_ms = facts->targets_error.kind ? 0 : real_interval_ms(facts);
	int64_t least_ms = LEAST_SCRAPES * (real_ms > interval_ms ? real_ms : interval_ms);
	const struct check_config *check =
		find_short_range(config->checks, config->check_count, least_ms);
	char range[DURATION_TEXT_SIZE], least[DURATION_TEXT_SIZE];

	for (size_t i = 0; !check && i < config->suite_count; i++)
		check = find_short_range(
			config->suites[i].checks, config->suites[i].check_count, least_ms);
	if (!check) {
		found(finding, FINDING_GOOD, "no range is shorter than 4 scrapes");
		return;
	}
	found(finding, FINDING_BAD,
		"check '%s' has a range of %s, less than 4 scrapes (%s): rate() and increase() "
		"then "
		"see little or nothing",
		check->name, duration_format(shortest_range(check), range),
		duration_format(least_ms, least));
	advise(finding, "write at least [%s], or [${window}]", least);
}

void examine_partial_answers(const struct doctor_facts *facts, struct finding *finding)
{
	const struct evaluation *evaluation = &facts->evaluation;

	for (size_t i = 0; i < evaluation->count; i++) {
		const struct measurement *m = &evaluation->verdicts[i].measurement;

		if (!m->warning[0])
			continue;
		found(finding, FINDING_BAD, "Prometheus warns at check '%s': %s",
			evaluation->verdicts[i].check->name, m->warning);
		advise(finding, "an answer that may be incomplete is never a pass: look at remote "
				"read, or at Thanos' stores");
		return;
	}
	if (facts->prometheus_error.kind) {
		found(finding, FINDING_UNSEEN, "Prometheus answers nothing");
		advise(finding, "see 'prometheus'");
		return;
	}
	found(finding, FINDING_GOOD, "no warnings");
}

static const struct {
	const char *name;
	const char *advice;
} no_data[] = {
	[NO_DATA_NONE] = { "no answer", "ask the query by hand" },
	[NO_DATA_NO_REQUESTS] = { "no requests",
		"send the canary some requests past NGINX, and look again" },
	[NO_DATA_NO_SERIES] = { "no series",
		"compare metric and labels with what the application exports at /metrics" },
	[NO_DATA_SCRAPE_DOWN] = { "a scrape is down", "see 'arms-scraped'" },
	[NO_DATA_TOO_FEW] = { "too few samples",
		"send the canary some requests past NGINX, and look again" },
	[NO_DATA_PARTIAL] = { "a partial answer", "see 'partial-answers'" },
	[NO_DATA_NAN] = { "not a number",
		"send the canary some requests past NGINX, and look again" },
};

void examine_check(const struct verdict *verdict, struct finding *finding)
{
	const struct measurement *m = &verdict->measurement;

	if (verdict->result == CHECK_ERROR) {
		bool never_works = m->error.kind == ERROR_CONFIG || m->error.kind == ERROR_METRICS;

		found(finding, never_works ? FINDING_BAD : FINDING_UNSEEN, "%.480s",
			verdict->message);
		advise(finding, "%s",
			m->error.hint[0] ? m->error.hint
			: never_works    ? "mend the query"
					 : "see 'prometheus', or what else it asks");
	} else if (verdict->result == CHECK_PASS || verdict->result == CHECK_WARN ||
		   m->is_undecided) {
		/* Undecided is what a judge that has its counts mostly is, this early. */
		found(finding, FINDING_GOOD, "%.480s", verdict->message);
	} else if (m->measured == MEASURED_NO_DATA) {
		found(finding, FINDING_MILD, "no data now (%s): %.440s", no_data[m->reason].name,
			verdict->message);
		advise(finding, "%s", no_data[m->reason].advice);
	} else {
		found(finding, FINDING_MILD, "it has data, and fails now: %.440s",
			verdict->message);
		advise(finding, "%s",
			verdict->check->hint ? verdict->check->hint
					     : "a rollout would be rolled back for it");
	}
}
