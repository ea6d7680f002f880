/*
 * The NGINX driver: what each goal means in terms of looks, shifts, the scratch test and the
 * brake. Each goal is its own list of steps.
 */
#include "canaryctl/traffic.h"

#include "traffic/brake.h"
#include "traffic/nginx_dump.h"
#include "traffic/shift.h"

#include "canaryctl/clock.h"

#include <stdlib.h>
#include <string.h>

enum { DUMP_TIMEOUT_MS = 30000, DUMP_MAX_BYTES = 4 << 20, RELEASE_POLL_MS = 50 };

struct nginx_change {
	struct edge edge;
	struct shift shift;
	struct look look;
	struct scratch scratch;
	struct output_file file;
	struct brake brake;
	struct sleep_op pause;
	struct buf text;
	int64_t started_ms;
	struct proc_op dump; /* nginx -T */
};

static struct traffic_change *change_of(struct task *task)
{
	return container_of(task, struct traffic_change, task);
}

static struct nginx_change *private_of(struct task *task)
{
	return change_of(task)->state_private;
}

static enum task_next finish(struct task *task, enum traffic_outcome outcome)
{
	struct traffic_change *change = change_of(task);

	change->outcome = outcome;
	change->elapsed_ms = clock_monotonic_ms() - private_of(task)->started_ms;
	return TASK_DONE;
}

static void start_look(struct task *task)
{
	struct nginx_change *private = private_of(task);

	memset(&private->look, 0, sizeof(private->look));
	private->look.url = private->edge.proof_url;
	private->look.config_path = private->edge.config_path;
	private->look.is_elsewhere = private->edge.is_elsewhere;
	look_start(&private->look, task);
}

static void describe_look(struct traffic_change *change, const struct look *look)
{
	change->state = (struct traffic_state){ .is_reachable = look->answers > 0,
		.is_braked = look->is_braked,
		.canary = look->agree ? look->answer.canary : WEIGHT_UNKNOWN,
		.workers = look->processes.accepting,
		.draining_workers = look->processes.draining };
	if (look->agree)
		memcpy(change->state.generation, look->answer.generation, GENERATION_SIZE);
}

static int not_reachable(const struct nginx_change *private, struct error *err)
{
	error_set(err, ERROR_UNAVAILABLE, 0,
		"nginx does not say at '%s' which weights are in force", private->edge.proof_url);
	return error_hint(err,
		"is nginx running, and is '%s' included? before the first rollout 'canaryctl "
		"weights set 0' writes it",
		private->edge.nginx->output);
}

/* ---- TRAFFIC_READ ---- */

static enum task_next read_look(struct task *task)
{
	struct nginx_change *private = private_of(task);

	start_look(task);
	output_fetch_start(&private->file, &private->edge, task);
	return TASK_WAIT;
}

static enum task_next read_compare(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct nginx_change *private = private_of(task);
	struct proof_answer in_file;
	bool exists;
	int fetched = output_fetch_ended(&private->file, &private->text, &exists, &change->error);

	describe_look(change, &private->look);
	if (!change->state.is_reachable) {
		not_reachable(private, &change->error);
		return finish(task, TRAFFIC_LOST);
	}
	if (!private->look.agree)
		buf_add_text(&change->notes,
			"nginx's workers do not agree: a shift is under way, or "
			"one was cut off\n");
	else if (fetched < 0)
		buf_add_format(&change->notes, "%s\n", change->error.message);
	else if (!exists || !proof_block_find(buf_text(&private->text), &in_file) ||
		 strcmp(in_file.generation, change->state.generation) != 0)
		buf_add_format(&change->notes,
			"'%s' is not what is in force: the next reload of nginx would change the "
			"weights\n",
			private->edge.nginx->output);
	else
		change->state.is_proven = true;
	error_clear(&change->error);
	return finish(task, TRAFFIC_PROVEN);
}

static const struct task_step read_steps[] = {
	{ "look", read_look },
	{ "compare", read_compare },
	{ 0 },
};

/* ---- TRAFFIC_SET ---- */

static void start_shift(struct task *task, weight_t canary, bool may_be_there)
{
	struct traffic_change *change = change_of(task);
	struct shift *shift = &private_of(task)->shift;

	shift->edge = &private_of(task)->edge;
	shift->canary = canary;
	shift->rollout = change->rollout;
	shift->may_be_there = may_be_there;
	shift_start(shift, task);
}

static void take_shift(struct task *task)
{
	struct traffic_change *change = change_of(task);
	const struct shift *shift = &private_of(task)->shift;

	change->state = shift->state;
	change->error = shift->error;
	buf_add_text(&change->notes, buf_text(&shift->notes));
}

static enum task_next set_shift(struct task *task)
{
	start_shift(task, change_of(task)->canary, false);
	return TASK_WAIT;
}

static enum task_next set_shifted(struct task *task)
{
	take_shift(task);
	return finish(task, private_of(task)->shift.outcome);
}

static const struct task_step set_steps[] = {
	{ "shift", set_shift },
	{ "shifted", set_shifted },
	{ 0 },
};

/* ---- TRAFFIC_ROLLBACK ---- */

static enum task_next rollback_brake(struct task *task)
{
	struct nginx_change *private = private_of(task);

	brake_set_start(&private->brake, &private->edge, task);
	return TASK_WAIT;
}

static enum task_next rollback_shift(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct error err = { 0 };

	if (brake_ended(&private_of(task)->brake, &err) < 0)
		buf_add_format(&change->notes, "the brake could not be set: %s\n", err.message);
	start_shift(task, 0, true);
	return TASK_WAIT;
}

static enum task_next rollback_shifted(struct task *task)
{
	struct nginx_change *private = private_of(task);

	take_shift(task);
	if (private->shift.outcome == TRAFFIC_PROVEN)
		return finish(task, TRAFFIC_PROVEN);
	start_look(task);
	return TASK_WAIT;
}

/* No reload was possible. Does the brake hold, with every worker? */
static enum task_next rollback_braked(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct nginx_change *private = private_of(task);
	bool is_braked = private->edge.nginx->brake && private->look.is_braked;

	describe_look(change, &private->look);
	if (is_braked) {
		/* Proven is that the canary gets nothing; the weights wait for a reload. */
		change->state.is_proven = true;
		error_hint(&change->error,
			"the brake '%s' holds the canary at 0: mend nginx's configuration, then "
			"run 'canaryctl rollback' again",
			private->edge.nginx->brake);
		return finish(task, TRAFFIC_BRAKED);
	}
	/* NGINX is not running: that is no traffic, and its hint says so. */
	if (change->error.kind == ERROR_UNAVAILABLE)
		return finish(task, TRAFFIC_LOST);
	error_hint(&change->error,
		"the canary may still get traffic%s: mend what is named above, "
		"then run 'canaryctl rollback' again",
		private->edge.nginx->brake ? " (the brake is not proven)" : "");
	return finish(task, TRAFFIC_LOST);
}

static const struct task_step rollback_steps[] = {
	{ "brake", rollback_brake },
	{ "shift", rollback_shift },
	{ "shifted", rollback_shifted },
	{ "braked", rollback_braked },
	{ 0 },
};

/* ---- TRAFFIC_RELEASE ---- */

static enum task_next release_look(struct task *task)
{
	start_look(task);
	return TASK_WAIT;
}

static enum task_next release_remove(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct nginx_change *private = private_of(task);

	describe_look(change, &private->look);
	if (!private->edge.nginx->brake && !change->state.is_braked)
		return finish(task, TRAFFIC_PROVEN);
	if (!change->state.is_reachable) {
		not_reachable(private, &change->error);
	} else if (!private->edge.nginx->brake) {
		error_set(&change->error, ERROR_TRAFFIC, 0,
			"nginx is braked, by a file that the configuration does not name");
		error_hint(&change->error, "set traffic.nginx.brake as it was, or remove the file");
	} else if (change->state.canary != 0) {
		error_set(&change->error, ERROR_TRAFFIC, 0,
			"the brake '%s' stays: 0 %% is not in force, so without it the canary "
			"would get traffic at once",
			private->edge.nginx->brake);
	}
	if (change->error.kind != ERROR_NONE)
		return finish(task, TRAFFIC_UNDONE);
	brake_remove_start(&private->brake, &private->edge, task);
	return TASK_WAIT;
}

static enum task_next release_removed(struct task *task)
{
	struct traffic_change *change = change_of(task);

	if (brake_ended(&private_of(task)->brake, &change->error) < 0)
		return finish(task, TRAFFIC_UNDONE);
	start_look(task);
	return TASK_WAIT;
}

static enum task_next release_looked(struct task *task);
static enum task_next release_again(struct task *task);
static enum task_next release_dump(struct task *task);
static enum task_next release_dumped(struct task *task);

static const struct task_step release_steps[] = {
	{ "look", release_look },
	{ "remove", release_remove },
	{ "removed", release_removed },
	{ "looked", release_looked },
	{ "again", release_again },
	{ "dump", release_dump },
	{ "dumped", release_dumped },
	{ 0 },
};

static enum task_next release_looked(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct nginx_change *private = private_of(task);

	describe_look(change, &private->look);
	if (private->look.agree && !private->look.answer.is_braked && !private->look.is_braked) {
		change->state.is_proven = true;
		return task_goto(task, &release_steps[5], TASK_MORE);
	}
	if (clock_monotonic_ms() - private->started_ms >= private->edge.nginx->settle_timeout_ms) {
		error_set(&change->error, ERROR_TRAFFIC, 0,
			"the brake '%s' was removed, but nginx still sees it",
			private->edge.nginx->brake);
		return finish(task, TRAFFIC_UNDONE);
	}
	sleep_start(&private->pause, task, RELEASE_POLL_MS);
	return TASK_WAIT;
}

static enum task_next release_again(struct task *task)
{
	start_look(task);
	return task_goto(task, &release_steps[3], TASK_WAIT);
}

/*
 * The proof block tells whether the brake's file is there; whether NGINX heeds it is written in
 * its own configuration. Found out now, while there is time, and not when it is needed.
 */
static enum task_next release_dump(struct task *task)
{
	struct nginx_change *private = private_of(task);
	struct proc_options options = { .argv = edge_dump_argv(&private->edge),
		.timeout_ms = DUMP_TIMEOUT_MS,
		.maximum_bytes = DUMP_MAX_BYTES };

	if (!options.argv)
		return finish(task, TRAFFIC_PROVEN);
	proc_start(&private->dump, task, &options);
	return TASK_WAIT;
}

static enum task_next release_dumped(struct task *task)
{
	struct nginx_change *private = private_of(task);
	const struct nginx_config *nginx = private->edge.nginx;

	if (private->dump.exit_status == 0 && !private->dump.output.overflowed &&
		!nginx_dump_has(buf_text(&private->dump.output), nginx->brake, nginx->output))
		buf_add_format(&change_of(task)->notes,
			"nothing in nginx's configuration heeds the brake '%s': when a reload is "
			"impossible it would not hold (see the end of nginx/nginx.canary.conf)\n",
			nginx->brake);
	return finish(task, TRAFFIC_PROVEN);
}

/* ---- TRAFFIC_REHEARSE ---- */

static enum task_next rehearse_render(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct nginx_change *private = private_of(task);
	char generation[GENERATION_SIZE];

	if (generation_make(change->rollout, generation, &change->error) < 0 ||
		shift_render(&private->edge, change->canary, generation, &change->rendered,
			&change->notes, &change->error) < 0)
		return finish(task, TRAFFIC_UNDONE);
	start_look(task);
	private->scratch.edge = &private->edge;
	private->scratch.text = &change->rendered;
	scratch_start(&private->scratch, task);
	return TASK_WAIT;
}

static enum task_next rehearse_tested(struct task *task)
{
	struct traffic_change *change = change_of(task);
	struct nginx_change *private = private_of(task);

	describe_look(change, &private->look);
	change->error = private->scratch.error;
	buf_add_text(&change->notes, buf_text(&private->scratch.notes));
	if (change->error.kind != ERROR_NONE ||
		shift_check_reachable(&private->edge, &private->look, &change->error) < 0 ||
		output_check_mount(&private->edge, &change->error) < 0)
		return finish(task, TRAFFIC_UNDONE);
	return finish(task, TRAFFIC_PROVEN);
}

static const struct task_step rehearse_steps[] = {
	{ "render", rehearse_render },
	{ "tested", rehearse_tested },
	{ 0 },
};

/* ---- the driver ---- */

static const struct {
	const char *name;
	const struct task_step *steps;
	bool must_finish; /* whatever is canceled around it */
} goals[] = {
	[TRAFFIC_READ] = { "read weights", read_steps, false },
	[TRAFFIC_SET] = { "set weights", set_steps, true },
	[TRAFFIC_ROLLBACK] = { "roll back", rollback_steps, true },
	[TRAFFIC_RELEASE] = { "release brake", release_steps, true },
	[TRAFFIC_REHEARSE] = { "rehearse", rehearse_steps, false },
};

static enum task_next refuse(struct task *task)
{
	return finish(
		task, change_of(task)->goal == TRAFFIC_ROLLBACK ? TRAFFIC_LOST : TRAFFIC_UNDONE);
}

static const struct task_step refuse_steps[] = {
	{ "refuse", refuse },
	{ 0 },
};

static void nginx_start(struct traffic_change *change, struct task *parent)
{
	struct nginx_change *private = mem_alloc(sizeof(*private));
	const struct task_step *steps = goals[change->goal].steps;

	change->state_private = private;
	change->state.canary = WEIGHT_UNKNOWN;
	private->started_ms = clock_monotonic_ms();
	private->text.maximum = OUTPUT_MAXIMUM_BYTES;
	if (edge_init(&private->edge, change->config, &change->error) < 0)
		steps = refuse_steps;
	task_start_child(&change->task, parent, goals[change->goal].name, steps);
	if (goals[change->goal].must_finish)
		task_shield(&change->task);
}

static void nginx_release(struct traffic_change *change)
{
	struct nginx_change *private = change->state_private;

	buf_release(&change->notes);
	buf_release(&change->rendered);
	if (!private)
		return;
	shift_release(&private->shift);
	proc_release(&private->dump);
	scratch_release(&private->scratch);
	buf_release(&private->text);
	edge_release(&private->edge);
	free(private);
	change->state_private = NULL;
}

const struct traffic_driver traffic_nginx = {
	.name = "nginx",
	.start = nginx_start,
	.release = nginx_release,
};
