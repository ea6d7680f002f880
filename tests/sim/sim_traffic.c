/*
 * NGINX and the driver in front of it. The driver takes the steps of src/traffic/shift.c: test,
 * install, reload, prove, and put back when one of them fails; the world says what came of each.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>

static int newest_generation;
static struct traffic_state last_proven; /* by a shift */

struct sim_change {
	struct sleep_op pause;
	bool faults[FAULT_COUNT];
	weight_t old, wanted;
	int old_generation;
};

weight_t world_effective(const struct world *world)
{
	return world->is_braked ? 0 : world->running;
}

static bool is_within(const struct span *span)
{
	int64_t at = sim.world.now_ms - sim.world.began_ms;

	return at >= span->from_ms && at < span->to_ms;
}

static bool edge_is_down(void)
{
	return is_within(&sim.plan.edge_down);
}

static bool edge_is_broken(void)
{
	return is_within(&sim.plan.edge_broken);
}

static void put_file(weight_t weight, int generation)
{
	if (!sim_is_running())
		return;
	sim_trace("  nginx: file is %d", weight);
	sim.world.file = weight;
	sim.world.file_generation = generation;
}

static void reload(void)
{
	if (!sim_is_running() || edge_is_broken() || edge_is_down())
		return;
	sim.world.running = sim.world.file;
	sim.world.running_generation = sim.world.file_generation;
	sim_trace("  nginx: reloaded, running is %d", sim.world.running);
}

void sim_foreign_weights(weight_t weight)
{
	sim_trace("* somebody changes the weights to %d", weight);
	put_file(weight, ++newest_generation);
	reload();
}

static void set_brake(bool is_on)
{
	if (!sim_is_running())
		return;
	sim_trace("  nginx: brake is %s", is_on ? "on" : "off");
	sim.world.is_braked = is_on;
}

bool sim_edge_is_readable(void)
{
	return !edge_is_down() && sim.world.running_generation == sim.world.file_generation;
}

static struct traffic_change *change_of(struct task *task)
{
	return container_of(task, struct traffic_change, task);
}

static struct sim_change *private_of(struct task *task)
{
	return change_of(task)->state_private;
}

static enum task_next pause_for(struct task *task, int64_t most_ms)
{
	sleep_start(&private_of(task)->pause, task, chance_between(1, most_ms));
	return TASK_WAIT;
}

static enum task_next finish(struct task *task, enum traffic_outcome outcome)
{
	static const char *const names[] = { "proven", "undone", "braked", "lost" };
	struct traffic_change *change = change_of(task);
	struct traffic_state *state = &change->state;

	state->is_reachable = !edge_is_down();
	state->is_braked = state->is_reachable && sim.world.is_braked;
	state->canary = state->is_reachable ? sim.world.running : WEIGHT_UNKNOWN;
	state->is_proven = state->is_reachable &&
			   sim.world.running_generation == sim.world.file_generation &&
			   outcome != TRAFFIC_LOST;
	snprintf(state->generation, sizeof(state->generation), "sim-%d",
		sim.world.running_generation);
	change->outcome = outcome;
	if (outcome != TRAFFIC_PROVEN && !change->error.kind)
		error_set(&change->error, ERROR_TRAFFIC, 0, "simulated: %s", names[outcome]);
	if (change->goal == TRAFFIC_READ && sim.mutation == MUTATION_INTERFERENCE_UNSEEN)
		*state = last_proven;
	else if (change->goal == TRAFFIC_SET)
		last_proven = *state;
	sim_trace("  driver: %s", names[outcome]);
	return TASK_DONE;
}

/* ---- read ---- */
static enum task_next read_look(struct task *task)
{
	return pause_for(task, 20);
}

static enum task_next read_seen(struct task *task)
{
	if (task->is_canceled) {
		error_set(&change_of(task)->error, ERROR_CANCELED, 0, "canceled");
		change_of(task)->state.canary = WEIGHT_UNKNOWN;
		change_of(task)->outcome = TRAFFIC_LOST;
		return TASK_DONE;
	}
	oracle_looked();
	return finish(task, edge_is_down() ? TRAFFIC_LOST : TRAFFIC_PROVEN);
}

static const struct task_step read_steps[] = { { "look", read_look }, { "seen", read_seen },
	{ 0 } };

/* ---- shift ---- */
static const struct task_step undo_steps[];

/* Not done, and what was before is proven; or the brake has to hold it. */
static enum task_next not_done(struct task *task, enum traffic_outcome outcome)
{
	if (change_of(task)->goal != TRAFFIC_ROLLBACK)
		return finish(task, outcome);
	if (!edge_is_down() && sim.world.is_braked)
		return finish(task, TRAFFIC_BRAKED);
	/* Also where the undo worked: what was asked for is 0, and it is not in force. */
	return finish(task, TRAFFIC_LOST);
}

static enum task_next shift_test(struct task *task)
{
	return pause_for(task, 40);
}

static enum task_next shift_tested(struct task *task)
{
	struct sim_change *private = private_of(task);

	if (edge_is_down()) {
		error_set(&change_of(task)->error, ERROR_UNAVAILABLE, 0, "nginx does not answer");
		return not_done(task, TRAFFIC_UNDONE);
	}
	if (private->faults[FAULT_REFUSED])
		return not_done(task, TRAFFIC_UNDONE);
	/* What is in force, not what is in the file: as src/traffic/shift.c chooses it. */
	private->old = sim.world.running;
	private->old_generation = sim.world.running_generation;
	put_file(private->wanted, ++newest_generation);
	return pause_for(task, 20);
}

static enum task_next shift_reload(struct task *task)
{
	struct sim_change *private = private_of(task);

	if (edge_is_broken()) { /* `nginx -t` says so: NGINX was told nothing */
		put_file(private->old, private->old_generation);
		return not_done(task, TRAFFIC_UNDONE);
	}
	if (sim.mutation == MUTATION_DRIVER_LIES && private->wanted > 0)
		return finish(task, TRAFFIC_PROVEN);
	if (!private->faults[FAULT_SILENT_RELOAD])
		reload();
	if (sim.mutation == MUTATION_DRIVER_OVERSHOOTS && sim.world.running == private->wanted &&
		private->wanted > 0 && private->wanted < WEIGHT_FULL)
		sim.world.running++;
	return pause_for(task, 150);
}

static enum task_next shift_prove(struct task *task)
{
	struct sim_change *private = private_of(task);

	if (private->faults[FAULT_UNPROVEN] || sim.world.running != private->wanted ||
		edge_is_down())
		sleep_start(&private->pause, task, sim.config->nginx.settle_timeout_ms);
	return TASK_WAIT;
}

static enum task_next shift_proven(struct task *task)
{
	struct sim_change *private = private_of(task);

	if (!private->faults[FAULT_UNPROVEN] && !edge_is_down() &&
		sim.world.running == private->wanted)
		return finish(task, TRAFFIC_PROVEN);
	return task_goto(task, undo_steps, TASK_MORE);
}

static const struct task_step shift_steps[] = {
	{ "test", shift_test },
	{ "tested", shift_tested },
	{ "reload", shift_reload },
	{ "prove", shift_prove },
	{ "proven", shift_proven },
	{ 0 },
};

/* The mutation: says undone, with the state that would be there. */
static enum task_next lie_undone(struct task *task)
{
	enum task_next next = not_done(task, TRAFFIC_UNDONE);

	change_of(task)->state.canary = private_of(task)->old;
	return next;
}

static enum task_next undo_install(struct task *task)
{
	if (sim.mutation == MUTATION_UNDO_LEFT_OUT &&
		sim.world.running == private_of(task)->wanted) {
		sim.world.file = sim.world.running = private_of(task)->wanted;
		return lie_undone(task);
	}
	put_file(private_of(task)->old, private_of(task)->old_generation);
	return pause_for(task, 20);
}

static enum task_next undo_reload(struct task *task)
{
	if (!private_of(task)->faults[FAULT_STUCK])
		reload();
	return pause_for(task, 150);
}

static enum task_next undo_proven(struct task *task)
{
	bool is_back = !edge_is_down() && sim.world.running == sim.world.file &&
		       !private_of(task)->faults[FAULT_STUCK];

	return not_done(task, is_back ? TRAFFIC_UNDONE : TRAFFIC_LOST);
}

static const struct task_step undo_steps[] = {
	{ "put back", undo_install },
	{ "reload old", undo_reload },
	{ "proven old", undo_proven },
	{ 0 },
};

/* ---- roll back: the brake first ---- */
static enum task_next rollback_brake(struct task *task)
{
	if (sim.mutation == MUTATION_RECOVERY_LIES && sim.process > 0)
		return finish(task, TRAFFIC_PROVEN);
	if (sim.config->nginx.brake && !private_of(task)->faults[FAULT_BRAKE_UNUSABLE])
		set_brake(true);
	sim_boundary("brake set");
	return task_goto(task, shift_steps, TASK_MORE);
}

static const struct task_step rollback_steps[] = { { "brake", rollback_brake }, { 0 } };

/* ---- release the brake ---- */
static enum task_next release_look(struct task *task)
{
	return pause_for(task, 20);
}

static enum task_next release_remove(struct task *task)
{
	if (edge_is_down() || sim.world.running != 0 ||
		private_of(task)->faults[FAULT_BRAKE_UNUSABLE])
		return finish(task, TRAFFIC_UNDONE);
	set_brake(false);
	return pause_for(task, 40);
}

static enum task_next release_seen(struct task *task)
{
	return finish(task, edge_is_down() ? TRAFFIC_UNDONE : TRAFFIC_PROVEN);
}

static const struct task_step release_steps[] = { { "look", release_look },
	{ "remove", release_remove }, { "seen", release_seen }, { 0 } };

/* ---- the driver ---- */
static void start(struct traffic_change *change, struct task *parent)
{
	static const struct {
		const char *name;
		const struct task_step *steps;
	} goals[] = {
		[TRAFFIC_READ] = { "read weights", read_steps },
		[TRAFFIC_SET] = { "set weights", shift_steps },
		[TRAFFIC_ROLLBACK] = { "roll back traffic", rollback_steps },
		[TRAFFIC_RELEASE] = { "release brake", release_steps },
		[TRAFFIC_REHEARSE] = { "rehearse", read_steps },
	};
	struct sim_change *private = mem_alloc(sizeof(*private));

	private->wanted = change->goal == TRAFFIC_ROLLBACK ? 0 : change->canary;
	for (int i = 0; i < FAULT_COUNT; i++)
	private->faults[i] = chance_percent(sim.plan.fault_percent[i]);
	change->state_private = private;
	task_start_child(
		&change->task, parent, goals[change->goal].name, goals[change->goal].steps);
	if (change->goal != TRAFFIC_READ)
		task_shield(&change->task);
}

static void release(struct traffic_change *change)
{
	free(change->state_private);
	change->state_private = NULL;
}

static const struct traffic_driver sim_driver = {
	.name = "simulated", .start = start, .release = release
};

const struct traffic_driver *traffic_driver_of(const struct config *config)
{
	(void)config;
	return &sim_driver;
}
