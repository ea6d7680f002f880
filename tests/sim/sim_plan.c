/* What a seed means: a configuration, what goes wrong, and who does what when. */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { INTERVAL_MS = 15000, SETTLE_MS = 30000, MOST_BOUNDARIES = 900 };

/* ---- chance: splitmix64 ---- */
static uint64_t chance_state;

void chance_seed(uint64_t seed)
{
	chance_state = seed;
}

static uint64_t chance_next(void)
{
	uint64_t z = (chance_state += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t chance_below(uint32_t limit)
{
	return limit ? (uint32_t)((chance_next() >> 32) * limit >> 32) : 0;
}

bool chance_percent(int percent)
{
	return (int)chance_below(100) < percent;
}

int64_t chance_between(int64_t from, int64_t to)
{
	return to <= from ? from : from + (int64_t)(chance_next() % (uint64_t)(to - from + 1));
}

/* The product spreads its retries by chance: here that comes from the seed, too. */
uint32_t arc4random_uniform(uint32_t limit)
{
	return chance_below(limit);
}

/* ---- the configuration ---- */
static struct config the_config;
static struct stage_config the_stages[SIM_STAGES];
static struct check_config the_checks[SIM_CHECKS];
static struct sim_check_params the_params[SIM_CHECKS];
static char check_names[SIM_CHECKS][8] = { "c1", "c2", "c3" };
static char service[] = "sim", state_dir[] = "/sim", canary_url[] = "http://canary/health",
	    prometheus_url[] = "http://prometheus", brake_path[] = "/sim/brake",
	    hook_program[] = "hook";
static char *hook_argv[] = { hook_program, NULL };

static void fill_check(const struct plan *plan, int index)
{
	struct check_config *check = &the_checks[index];
	struct error err = { 0 };

	the_params[index].index = index + 1;
	*check = (struct check_config){ .name = check_names[index],
		.kind = &sim_check_kind,
		.params = &the_params[index],
		.no_data = NO_DATA_INCONCLUSIVE,
		.on_fail = chance_percent(15) ? ON_FAIL_HOLD : ON_FAIL_ROLLBACK };
	if (condition_parse("< 1", &check->require, &err) < 0 ||
		condition_parse("< 0.5", &check->prefer, &err) < 0 ||
		(chance_percent(60) && condition_parse("> 2", &check->critical, &err) < 0))
		BUG("%s", err.message);
	if (chance_percent(20))
		check->from_stage = plan->stages[chance_below((uint32_t)plan->stage_count)].weight;
	if (chance_percent(10))
		check->no_data = (int)chance_below(4);
	check->observe_only = chance_percent(10);
}

static void fill_rollout(const struct plan *plan, struct config *config)
{
	struct rollout_config *rollout = &config->rollout;

	memcpy(the_stages, plan->stages, sizeof(the_stages));
	rollout->stages = the_stages;
	rollout->stage_count = plan->stage_count;
	if (sim.mutation == MUTATION_STAGE_SKIPPED && plan->stage_count > 2) {
		the_stages[1] = the_stages[2];
		the_stages[2] = the_stages[3];
		rollout->stage_count--;
	}
	for (size_t i = 0; sim.mutation == MUTATION_APPROVAL_IGNORED && i < SIM_STAGES; i++)
		the_stages[i].needs_approval = false;
	rollout->observe_ms = plan->stages[0].observe_ms;
	rollout->interval_ms = INTERVAL_MS;
	rollout->settle_ms = SETTLE_MS;
	rollout->consecutive_failures = 1 + chance_below(3);
	rollout->on_inconclusive = (int)chance_below(3);
	rollout->extend_limit_ms = chance_between(0, 8) * 10000;
	rollout->on_interrupt = chance_percent(25) ? ON_INTERRUPT_HOLD : ON_INTERRUPT_ROLLBACK;
	rollout->on_crash = chance_percent(50) ? ON_CRASH_RESUME : ON_CRASH_ROLLBACK;
	rollout->guardian_grace_ms = 30000;
}

/* Its own chance, so that a named case can change the plan and keep the configuration. */
const struct config *plan_config(const struct plan *plan)
{
	struct config *config = &the_config;

	*config = (struct config){ .service = service, .state_dir = state_dir };
	fill_rollout(plan, config);
	for (size_t i = 0; i < plan->check_count; i++)
		fill_check(plan, (int)i);
	config->checks = the_checks;
	config->check_count = plan->check_count;
	config->canary.health = canary_url;
	config->prometheus.url = prometheus_url;
	config->prometheus.timeout_ms = 5000;
	config->prometheus.scrape_interval_ms = 7000;
	config->prometheus.outage_limit_ms = 60000;
	config->nginx.settle_timeout_ms = 10000;
	config->nginx.brake = plan->has_brake ? brake_path : NULL;
	config->hooks.timeout_ms = 60000;
	config->approval_deadline_ms = 120000;
	config->approval_on_deadline = chance_percent(30) ? ON_DEADLINE_HOLD : ON_DEADLINE_ROLLBACK;
	if (plan->has_hooks) {
		const struct strv argv = { .items = hook_argv, .count = 1 };

		config->hooks.before_rollout = config->hooks.after_stage = argv;
		config->hooks.on_rollback = config->hooks.on_success = argv;
	}
	if (plan->is_benign) {
		for (size_t i = 0; i < plan->check_count; i++)
			the_checks[i].no_data = NO_DATA_INCONCLUSIVE;
	}
	if (plan->tune)
		plan->tune(config);
	return config;
}

/* ---- the plan ---- */
static void choose_stages(struct plan *plan)
{
	weight_t weight = 0;

	plan->stage_count = 1 + chance_below(SIM_STAGES);
	for (size_t i = 0; i < plan->stage_count; i++) {
		struct stage_config *stage = &plan->stages[i];

		weight +=
			(weight_t)chance_between(1, (WEIGHT_FULL - weight) / (SIM_STAGES - (int)i));
		stage->weight = weight;
		stage->observe_ms = SETTLE_MS + chance_between(1, 40) * 1000;
		stage->needs_approval = chance_percent(20);
	}
	if (chance_percent(60))
		plan->stages[plan->stage_count - 1].weight = WEIGHT_FULL;
	plan->start_stage = chance_percent(10) ? chance_below((uint32_t)plan->stage_count) : 0;
	plan->check_count = chance_below(SIM_CHECKS + 1);
}

int64_t plan_duration_ms(const struct plan *plan)
{
	int64_t sum = 0;

	for (size_t i = plan->start_stage; i < plan->stage_count; i++)
		sum += plan->stages[i].observe_ms + 2000 + (plan->has_hooks ? plan->hook_ms : 0);
	return sum;
}

static struct span choose_span(int64_t duration_ms, int64_t longest_ms, int mood)
{
	int64_t from = chance_between(0, duration_ms);

	return (struct span){
		.from_ms = from, .to_ms = from + chance_between(1, longest_ms), .mood = mood
	};
}

/* The canary, as its checks see it. */
static void choose_moods(struct plan *plan, int64_t duration_ms)
{
	for (size_t i = 0; i <= plan->check_count; i++) {
		for (size_t j = 0; j < SIM_SPANS; j++) {
			if (chance_percent(25))
				plan->spans[i][j] = choose_span(
					duration_ms, 90000, 1 + (int)chance_below(MOOD_COUNT - 1));
		}
	}
	if (chance_percent(15)) {
		static const int moods[] = { MOOD_ERROR, MOOD_SILENT, MOOD_BAD };

		plan->outage = choose_span(duration_ms, 150000, moods[chance_below(3)]);
	}
	plan->late_percent = chance_percent(20) ? 20 : 0;
}

static void choose_faults(struct plan *plan, int64_t duration_ms)
{
	if (chance_percent(35)) {
		for (int i = 0; i < FAULT_COUNT; i++)
			plan->fault_percent[i] = chance_percent(50) ? (int)chance_below(60) : 0;
	}
	if (chance_percent(8))
		plan->edge_down = choose_span(duration_ms, 60000, 0);
	if (chance_percent(8))
		plan->edge_broken = choose_span(duration_ms, 200000, 0);
	if (chance_percent(12)) {
		plan->append_fails_at = 1 + (int)chance_below(50);
		plan->append_fails_on = chance_percent(70);
		plan->append_lies = chance_percent(20);
	}
	plan->cannot_open = chance_percent(1);
	plan->is_locked = chance_percent(1);
	plan->guardian_fails = chance_percent(1);
	plan->hooks_fail = chance_percent(10);
}

static void choose_actions(struct plan *plan, int64_t duration_ms)
{
	/* What does a healthy rollout no harm. */
	static const enum action_kind harmless[] = { ACTION_PAUSE, ACTION_RESUME, ACTION_APPROVE,
		ACTION_NONSENSE, ACTION_CLOCK_JUMP };
	int count = (int)chance_below(4);

	for (int i = 0; i < count; i++) {
		struct action *action = &plan->actions[i];

		action->kind = plan->is_benign
				       ? harmless[chance_below(ARRAY_SIZE(harmless))]
				       : 1 + (enum action_kind)chance_below(ACTION_COUNT - 1);
		if (chance_percent(30))
			action->at_ms = chance_between(1, duration_ms);
		else
			action->boundary = 1 + (int)chance_below(1 + chance_below(MOST_BOUNDARIES));
	}
	plan->after_death = chance_below(AFTER_COUNT);
}

void plan_from_seed(struct plan *plan, uint64_t seed)
{
	int64_t duration_ms;

	chance_seed(seed);
	*plan = (struct plan){ .is_benign = chance_percent(25) };
	plan->has_brake = chance_percent(70);
	plan->has_hooks = chance_percent(30);
	plan->hook_ms = chance_between(1, 20000);
	choose_stages(plan);
	duration_ms = plan_duration_ms(plan) + 5000;
	plan->approve_after_ms =
		plan->is_benign || chance_percent(70) ? chance_between(1, 60000) : 0;
	plan->resume_after_ms =
		plan->is_benign || chance_percent(80) ? chance_between(1, 90000) : 0;
	if (chance_percent(15))
		plan->initial = (weight_t)chance_between(1, WEIGHT_FULL);
	plan->initial_brake = plan->has_brake && chance_percent(20);
	if (!plan->is_benign) {
		choose_moods(plan, duration_ms);
		choose_faults(plan, duration_ms);
	}
	choose_actions(plan, duration_ms);
}

int plan_mood(const struct span *spans, size_t count)
{
	int64_t at = sim.world.now_ms - sim.world.began_ms;

	for (size_t i = 0; i < count; i++) {
		if (at >= spans[i].from_ms && at < spans[i].to_ms)
			return spans[i].mood;
	}
	return MOOD_GOOD;
}

/* ---- for people ---- */
static void write_span(const char *what, const struct span *span)
{
	static const char *const moods[MOOD_COUNT] = { "good", "warn", "bad", "critical", "no data",
		"error", "silent" };

	if (span->to_ms)
		printf("  %s: %s from %.3f s to %.3f s\n", what, moods[span->mood],
			(double)span->from_ms / 1000, (double)span->to_ms / 1000);
}

static void write_configuration(const struct plan *plan)
{
	for (size_t i = 0; i < plan->stage_count; i++) {
		char weight[WEIGHT_TEXT_SIZE];

		printf("  stage %zu: %s %%, %lld s%s\n", i + 1,
			weight_format(plan->stages[i].weight, weight),
			(long long)plan->stages[i].observe_ms / 1000,
			plan->stages[i].needs_approval ? ", approval" : "");
	}
	for (size_t i = 0; i < plan->check_count; i++)
		printf("  check %s: no_data %d, on_fail %s%s%s, from %d\n", the_checks[i].name,
			the_checks[i].no_data,
			the_checks[i].on_fail == ON_FAIL_HOLD ? "hold" : "rollback",
			the_checks[i].observe_only ? ", observe only" : "",
			the_checks[i].critical.text ? ", critical" : "", the_checks[i].from_stage);
	printf("  consecutive %lld, on_inconclusive %d, extend %lld s, on_interrupt %d%s%s\n",
		(long long)the_config.rollout.consecutive_failures,
		the_config.rollout.on_inconclusive,
		(long long)the_config.rollout.extend_limit_ms / 1000,
		the_config.rollout.on_interrupt, plan->has_brake ? ", brake" : "",
		plan->has_hooks ? ", hooks" : "");
}

void plan_write(const struct plan *plan)
{
	static const char *const faults[FAULT_COUNT] = { "refused", "silent reload", "unproven",
		"stuck", "brake unusable" };

	printf("plan%s: canary at %d, brake %s\n", plan->is_benign ? " (benign)" : "",
		plan->initial, plan->initial_brake ? "on" : "off");
	write_configuration(plan);
	for (size_t i = 0; i <= plan->check_count; i++) {
		for (size_t j = 0; j < SIM_SPANS; j++)
			write_span(i ? check_names[i - 1] : "health", &plan->spans[i][j]);
	}
	write_span("prometheus", &plan->outage);
	write_span("nginx is down (any mood)", &plan->edge_down);
	write_span("nginx cannot reload (any mood)", &plan->edge_broken);
	for (int i = 0; i < FAULT_COUNT; i++) {
		if (plan->fault_percent[i])
			printf("  %s: %d %% of changes\n", faults[i], plan->fault_percent[i]);
	}
	if (plan->append_fails_at)
		printf("  append %d%s fails%s\n", plan->append_fails_at,
			plan->append_fails_on ? " and all after it" : "",
			plan->append_lies ? ", but is written" : "");
	for (int i = 0; i < SIM_ACTIONS; i++) {
		const struct action *action = &plan->actions[i];

		if (!action->kind)
			continue;
		printf("  %s at ", sim_action_name(action->kind));
		if (action->step)
			printf("step '%s' (time %d)\n", action->step, action->occurrence + 1);
		else if (action->boundary)
			printf("boundary %d\n", action->boundary);
		else
			printf("%.3f s\n", (double)action->at_ms / 1000);
	}
}
