/* What was found once and must not come back: see sim_cases.h. */
#include "sim_cases.h"
#include "sim.h"

#include <stdio.h>
#include <string.h>

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
		.has_brake = true };
}

/* A stop that came while a stage's hook ran was taken up only after the next stage's shift. */
static void stop_during_hook(struct plan *plan)
{
	plan->has_hooks = true;
	plan->actions[0] = (struct action){ .kind = ACTION_SIGINT, .step = "stage hook ended" };
	plan->actions[1] = (struct action){ .kind = ACTION_SIGINT, .step = "run stage hook" };
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

static const struct {
	const char *name;
	void (*change)(struct plan *plan);
} cases[] = {
	{ "stop-during-hook", stop_during_hook },
	{ "abort-when-completed", abort_when_completed },
	{ "nonsense-at-the-end", nonsense_at_the_end },
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
