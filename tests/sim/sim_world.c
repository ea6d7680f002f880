/*
 * The simulation as a whole: its time, its boundaries, its trace, and the processes that a plan
 * starts one after another. Instead of src/base's clock.c and log.c.
 */
#include "sim.h"

#include "canaryctl/clock.h"
#include "canaryctl/log.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
	BEGIN_MS = 1000000,
	MOST_BOUNDARIES = 40000,
	LONGEST_MS = 45 * 60 * 1000,
	WALL_AHEAD_MS = 1700000000,
};

struct sim sim;
static sigjmp_buf on_bug;

const char *sim_action_name(enum action_kind kind)
{
	static const char *const names[ACTION_COUNT] = { "nothing", "SIGINT", "SIGTERM", "SIGHUP",
		"pause", "resume", "approve", "abort", "rollback", "nonsense", "crash",
		"somebody reloads nginx", "somebody changes the weights", "somebody sets the brake",
		"the wall clock jumps", "stopped for minutes" };

	return names[kind];
}

/* ---- the clocks ---- */
int64_t clock_monotonic_ms(void)
{
	return sim.world.now_ms;
}

int64_t clock_boot_ms(void)
{
	return sim.world.now_ms;
}

int64_t clock_wall_ms(void)
{
	return (int64_t)WALL_AHEAD_MS * 1000 + sim.world.now_ms + sim.world.wall_jump_ms;
}

/* ---- the trace ---- */
void sim_trace(const char *format, ...)
{
	va_list args;

	if (!sim.is_traced || !sim_is_running())
		return;
	printf("%10.3f %4d  ", (double)(sim.world.now_ms - sim.world.began_ms) / 1000,
		sim.boundaries);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

void sim_violated(const char *invariant, const char *format, ...)
{
	va_list args;

	if (sim.invariant || sim.is_dead)
		return;
	va_start(args, format);
	vsnprintf(sim.violation, sizeof(sim.violation), format, args);
	va_end(args);
	sim_trace("VIOLATED %s: %s", invariant, sim.violation);
	sim.invariant = invariant;
	sim.is_lost = true;
}

bool sim_is_running(void)
{
	return !sim.is_dead && !sim.is_lost;
}

void log_set_level(enum log_level level)
{
	(void)level;
}

bool log_parse_level(const char *text, enum log_level *ret_level)
{
	(void)text;
	(void)ret_level;
	return false;
}

/* The product names each step here before it runs: that makes it a boundary. */
void log_write(enum log_level level, const char *format, ...)
{
	char text[1024];
	va_list args;

	if (!sim_is_running())
		return;
	va_start(args, format);
	if (level == LOG_LEVEL_DEBUG && strcmp(format, "task %s: %s") == 0) {
		va_arg(args, const char *);
		sim_boundary(va_arg(args, const char *));
	} else if (sim.is_traced) {
		vsnprintf(text, sizeof(text), format, args);
		sim_trace("  log: %s", text);
	}
	va_end(args);
}

/* ---- what happens at a boundary ---- */
static void happen(int index)
{
	struct world *world = &sim.world;
	int64_t stopped_ms;

	switch (sim.plan.actions[index].kind) {
	case ACTION_CRASH:
		sim_trace("* kill -9");
		sim.is_dead = true;
		break;
	case ACTION_FOREIGN_RELOAD:
		world->running = world->file;
		world->running_generation = world->file_generation;
		sim_trace("* somebody reloads nginx: running is %d", world->running);
		break;
	case ACTION_FOREIGN_WEIGHTS:
		sim_foreign_weights((weight_t)chance_between(0, WEIGHT_FULL));
		oracle_interfered();
		break;
	case ACTION_FOREIGN_BRAKE:
		sim_trace("* somebody sets the brake");
		world->is_braked = world->is_braked || sim.config->nginx.brake;
		oracle_interfered();
		break;
	case ACTION_CLOCK_JUMP:
		world->wall_jump_ms += chance_between(-3600000, 3600000);
		break;
	case ACTION_STOPPED:
		stopped_ms = chance_between(1000, 600000);
		sim_trace("* stopped for %lld ms", (long long)stopped_ms);
		world->stopped_ms += stopped_ms;
		world->now_ms += stopped_ms;
		oracle_stopped();
		break;
	default:
		sim.actions_pending |= 1u << index;
		break;
	}
}

static bool is_due(int index, const char *label)
{
	const struct action *action = &sim.plan.actions[index];

	if (action->step)
		return strcmp(action->step, label) == 0 && sim.seen[index]++ == action->occurrence;
	if (action->boundary)
		return sim.boundaries == action->boundary;
	return sim.world.now_ms >= sim.world.began_ms + action->at_ms;
}

void sim_boundary(const char *label)
{
	if (!sim_is_running())
		return;
	sim.boundaries++;
	sim_trace("%s", label);
	oracle_step();
	if (sim.boundaries > MOST_BOUNDARIES ||
		sim.world.now_ms - sim.world.began_ms > LONGEST_MS + sim.world.stopped_ms)
		sim_violated("ends", "the rollout does not end");
	for (int i = 0; i < SIM_ACTIONS; i++) {
		unsigned bit = 1u << i;

		if (!sim.plan.actions[i].kind || (sim.actions_done & bit) || !is_due(i, label))
			continue;
		sim.actions_done |= bit;
		happen(i);
		if (sim.is_dead)
			return;
	}
}

/* ---- the processes ---- */
static void on_event(struct rollout_observer *observer, const struct rollout_event *event)
{
	(void)observer;
	if (!sim_is_running())
		return;
	sim_trace(
		"  event: %s %s", rollout_event_name(event->kind), event->text ? event->text : "");
	if (sim.mutation == MUTATION_EVENT_LOST && event->kind == EVENT_SHIFTED)
		return;
	oracle_told(event);
	if (sim.mutation == MUTATION_FINISHED_TWICE && event->kind == EVENT_FINISHED)
		oracle_told(event);
}

static void deploy(void)
{
	static struct rollout_observer observer = { .on_event = on_event };
	static struct rollout_observer *const observers[] = { &observer };
	struct rollout_request request = { .config = sim.config,
		.version = "v1.0.0",
		.start_stage = sim.start_stage,
		.is_approved = sim.is_resumed,
		.observers = observers,
		.observer_count = 1 };
	struct rollout_result result = { 0 };
	int status;

	sim_trace("--- deploy");
	oracle_process_begins(true);
	status = rollout_run(&request, &result);
	if (sim.mutation == MUTATION_STATUS_LIES)
		status = 0;
	sim_trace("exit status %d, %s", status, rollout_outcome_name(result.report.outcome));
	if (sim_is_running())
		oracle_deploy_ended(status, &result);
	rollout_report_release(&result.report);
}

static void roll_back(const char *who)
{
	struct manual_result result = { 0 };

	sim_trace("--- %s rolls back", who);
	oracle_process_begins(false);
	rollback_run(sim.config, who, &result);
	if (sim_is_running())
		oracle_recovery_ended(&result);
	buf_release(&result.notes);
}

/* As `recover` and the guardian decide. */
static bool is_needed(void)
{
	struct rollout_view view = { 0 };
	bool is_known = sim_journal_fold(NULL, &view);
	bool needed = !is_known || rollout_view_needs_recovery(&view);

	rollout_view_release(&view);
	return needed;
}

/* As `recover` decides, from what it found before it rolled back. */
static bool may_go_on(void)
{
	struct rollout_view view = { 0 };
	bool may = sim_journal_fold(NULL, &view) && rollout_view_needs_recovery(&view) &&
		   rollout_can_resume(sim.config, &view);

	if (may)
		sim.start_stage = (size_t)view.stage - 1;
	rollout_view_release(&view);
	return may;
}

static void recover(void)
{
	sim.is_resumed = may_go_on();
	roll_back("recover");
	if (sim.is_resumed && sim_is_running() && !oracle_is_lost())
		deploy();
}

static void mend(void)
{
	bool is_guardian = sim.plan.after_death == AFTER_GUARDIAN && sim_guardian_waits();

	sim_guardian_gone();
	sim.world.now_ms +=
		is_guardian ? sim.config->rollout.guardian_grace_ms : chance_between(1000, 100000);
	if (sim.mutation == MUTATION_GUARDIAN_SLEEPS)
		return;
	if (!is_needed())
		return;
	if (is_guardian)
		roll_back("the guardian");
	else
		recover();
}

static void bury(void)
{
	sim_process_died();
	sim.is_dead = false;
	sim.actions_pending = 0;
	sim.approve_at = sim.resume_at = sim.give_up_at = 0;
	sim.process++;
	sim_trace("process %d is dead", sim.process);
}

static void run_processes(void)
{
	deploy();
	while (sim.is_dead && sim.process < SIM_PROCESSES) {
		bury();
		if (sim.plan.after_death == AFTER_DEPLOY && sim.process == 1) {
			sim.world.now_ms += 2000;
			sim_guardian_gone();
			deploy();
			if (!sim.is_dead && !sim.is_lost)
				mend();
		} else {
			mend();
		}
	}
}

static void on_abort(int number)
{
	siglongjmp(on_bug, number);
}

static void begin(void)
{
	sim.config = plan_config(&sim.plan);
	sim.world = (struct world){ .now_ms = BEGIN_MS,
		.began_ms = BEGIN_MS,
		.running = sim.plan.initial,
		.file = sim.plan.initial,
		.is_braked = sim.plan.initial_brake };
	sim.is_dead = sim.is_lost = false;
	sim.process = sim.boundaries = sim.appends = 0;
	sim.start_stage = sim.plan.start_stage;
	sim.is_resumed = false;
	sim.actions_done = sim.actions_pending = 0;
	memset(sim.seen, 0, sizeof(sim.seen));
	sim.approve_at = sim.resume_at = sim.give_up_at = 0;
	sim.loop = NULL;
	sim.invariant = NULL;
	sim_journal_reset();
	oracle_begin();
}

bool sim_run(void)
{
	signal(SIGABRT, on_abort);
	begin();
	if (sim.is_traced)
		plan_write(&sim.plan);
	if (sigsetjmp(on_bug, 1)) {
		sim.is_dead = false;
		sim_violated("no-bug", "the product found a bug in itself: see above");
	} else {
		run_processes();
		if (sim_is_running())
			oracle_world_ends();
	}
	return !sim.invariant;
}
