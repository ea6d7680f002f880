/* What was found once and must not come back: see sim_cases.h. */
#include "sim_cases.h"
#include "sim.h"

#include <stdio.h>
#include <string.h>

/* Nothing of the configuration is left to chance. */
static void tune_plain(struct config *config)
{
	config->rollout.consecutive_failures = 3;
	config->rollout.on_inconclusive = ON_INCONCLUSIVE_EXTEND;
	config->rollout.extend_limit_ms = 60000;
	config->rollout.on_interrupt = ON_INTERRUPT_ROLLBACK;
	for (size_t i = 0; i < config->check_count; i++) {
		struct check_config *check = &config->checks[i];

		check->on_fail = ON_FAIL_ROLLBACK;
		check->no_data = NO_DATA_INCONCLUSIVE;
		check->from_stage = 0;
		check->observe_only = false;
		condition_parse("> 2", &check->critical, &(struct error){ 0 });
	}
}

static void tune_first_holds(struct config *config)
{
	tune_plain(config);
	config->checks[0].on_fail = ON_FAIL_HOLD;
}

static void tune_one_failure(struct config *config)
{
	tune_plain(config);
	config->rollout.consecutive_failures = 1;
}

static void tune_no_brake(struct config *config)
{
	tune_plain(config);
	config->nginx.brake = NULL;
}

/* Two stages and two checks, and nothing goes wrong. */
static void plain(struct plan *plan)
{
	*plan = (struct plan){ .stage_count = 2,
		.check_count = 2,
		.stages = { { .weight = 500, .observe_ms = 60000 },
			{ .weight = WEIGHT_FULL, .observe_ms = 60000 } },
		.approve_after_ms = 10000,
		.resume_after_ms = 10000,
		.hook_ms = 5000,
		.has_brake = true,
		.tune = tune_plain };
}

/* A stop that came while a stage's hook ran was taken up only after the next stage's shift. */
static void stop_during_hook(struct plan *plan)
{
	plan->has_hooks = true;
	plan->actions[0] = (struct action){ .kind = ACTION_SIGINT, .step = "run stage hook" };
}

/* `abort` was accepted while the last hook ran, and nothing came of it. */
static void abort_when_completed(struct plan *plan)
{
	plan->has_hooks = true;
	plan->actions[0] = (struct action){ .kind = ACTION_ABORT, .step = "succeeded" };
}

/* A command that was refused canceled the evaluation that the stage's end was to be decided by. */
static void nonsense_at_the_end(struct plan *plan)
{
	plan->is_benign = true;
	plan->actions[0] =
		(struct action){ .kind = ACTION_NONSENSE, .step = "evaluate", .occurrence = 3 };
	plan->actions[1] =
		(struct action){ .kind = ACTION_RESUME, .step = "evaluate", .occurrence = 4 };
}

/* Canary health did not count before settle. */
static void unwell_before_settle(struct plan *plan)
{
	plan->tune = tune_one_failure;
	plan->spans[0][0] = (struct span){ .from_ms = 10000, .to_ms = 20000, .mood = MOOD_BAD };
}

/*
 * A rollout that was refused was the journal's newest: recovering found nothing to do, and the
 * canary kept what the one that had died gave it.
 */
static void refused_after_a_crash(struct plan *plan)
{
	plan->actions[0] = (struct action){ .kind = ACTION_CRASH, .step = "begin stage" };
	plan->after_death = AFTER_DEPLOY;
}

/* With the disk full from its first record on, the next one used a journal that was closed. */
static void refused_with_a_full_disk(struct plan *plan)
{
	refused_after_a_crash(plan);
	plan->tune = tune_no_brake;
	plan->actions[0].step = "tested";
	plan->append_fails_at = 6;
	plan->append_fails_on = true;
}

/* A journal that was lost while the last stage was observed: it succeeded, unrecorded. */
static void disk_full_while_observing(struct plan *plan)
{
	plan->stage_count = 1;
	plan->append_fails_at = 8;
	plan->append_fails_on = true;
}

/* `abort` was accepted while a rollout that holds looked at the traffic for the last time. */
static void abort_when_held(struct plan *plan)
{
	plan->tune = tune_first_holds;
	plan->spans[1][0] =
		(struct span){ .from_ms = 20000, .to_ms = 50000, .mood = MOOD_CRITICAL };
	plan->actions[0] = (struct action){ .kind = ACTION_ABORT, .step = "held" };
}

/* At the end, a critical check that asks to hold hid that another one asked to roll back. */
static void hold_and_roll_back_at_the_end(struct plan *plan)
{
	plan->tune = tune_first_holds;
	plan->spans[1][0] =
		(struct span){ .from_ms = 55000, .to_ms = 70000, .mood = MOOD_CRITICAL };
	plan->spans[2][0] = (struct span){ .from_ms = 55000, .to_ms = 70000, .mood = MOOD_BAD };
}

/* Killed after a rollback had failed and before anybody was told: the guardian took it as over. */
static void killed_after_a_failed_rollback(struct plan *plan)
{
	plan->tune = tune_no_brake;
	plan->edge_broken = (struct span){ .from_ms = 2000, .to_ms = 30000 };
	plan->actions[0] = (struct action){ .kind = ACTION_SIGINT, .step = "evaluate" };
	plan->actions[1] = (struct action){ .kind = ACTION_CRASH, .step = "before dismiss" };
	plan->after_death = AFTER_GUARDIAN;
}

/*
 * After a rollback that had failed, a deploy that could not reach 0 % either was taken for the end
 * of it: nobody recovered.
 */
static void deployed_after_a_failed_rollback(struct plan *plan)
{
	plan->tune = tune_no_brake;
	plan->edge_down = (struct span){ .from_ms = 20000, .to_ms = 120000 };
	plan->actions[0] = (struct action){ .kind = ACTION_CRASH, .step = "after dismiss" };
	plan->after_death = AFTER_DEPLOY;
}

/* Somebody changed the weights after the last evaluation: it succeeded, and said nothing. */
static void weights_changed_at_the_end(struct plan *plan)
{
	plan->actions[0] =
		(struct action){ .kind = ACTION_FOREIGN_WEIGHTS, .step = "read traffic" };
}

/* A signal during the last look cut it short: exit status 3 for a rollout that had succeeded. */
static void signal_at_the_last_look(struct plan *plan)
{
	plan->actions[0] = (struct action){ .kind = ACTION_SIGHUP, .step = "read traffic" };
}

static const struct {
	const char *name;
	void (*change)(struct plan *plan);
} cases[] = {
	{ "stop-during-hook", stop_during_hook },
	{ "abort-when-completed", abort_when_completed },
	{ "nonsense-at-the-end", nonsense_at_the_end },
	{ "unwell-before-settle", unwell_before_settle },
	{ "refused-after-a-crash", refused_after_a_crash },
	{ "refused-with-a-full-disk", refused_with_a_full_disk },
	{ "disk-full-while-observing", disk_full_while_observing },
	{ "abort-when-held", abort_when_held },
	{ "signal-at-the-last-look", signal_at_the_last_look },
	{ "hold-and-roll-back-at-the-end", hold_and_roll_back_at_the_end },
	{ "killed-after-a-failed-rollback", killed_after_a_failed_rollback },
	{ "deployed-after-a-failed-rollback", deployed_after_a_failed_rollback },
	{ "weights-changed-at-the-end", weights_changed_at_the_end },
};

static bool run_case(size_t index)
{
	bool holds;

	sim.seed = index;
	chance_seed(index);
	plain(&sim.plan);
	cases[index].change(&sim.plan);
	holds = sim_run();
	printf("%s %s%s%s\n", holds ? "ok    " : "FAILED", cases[index].name, holds ? "" : ": ",
		holds ? "" : sim.violation);
	return holds;
}

int cases_run(void)
{
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		failed += !run_case(i);
	return failed ? 1 : 0;
}

int cases_replay(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strcmp(cases[i].name, name) == 0) {
			sim.is_traced = true;
			return run_case(i) ? 0 : 1;
		}
	}
	fprintf(stderr, "sim: no case is called '%s'\n", name);
	return 64;
}
