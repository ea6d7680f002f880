/*
 * The shift: see shift.h. The steps below are in running order; those of the undo follow those of
 * the way there. What NGINX was told is only believed once it is proven.
 */
#include "traffic/shift.h"
#include "traffic/brake.h"
#include "traffic/nginx_output.h"
#include "traffic/template.h"

#include "canaryctl/clock.h"
#include "canaryctl/fileio.h"

#include <errno.h>
#include <string.h>

enum {
	COMMAND_TIMEOUT_MS = 30000,
	DRAIN_GLANCE_MS = 20,
	UNDO_AT_LEAST_MS = 6000,     /* a master that cannot bind tries for 2.5 s */
	UNCHANGED_MS = 1000,         /* old workers that stay: the reload was never heard */
	UNCHANGED_BINDING_MS = 3500, /* the same while the master may still be trying */
};

static enum task_next shift_prepare(struct task *task);
/* A rollback writes its file also where no NGINX runs: it will read it when it is started. */
static bool is_worth_a_try(const struct shift *shift)
{
	return shift->may_be_there && !shift->look.foreign && !shift->look.broken;
}

static enum task_next shift_examine(struct task *task);
static enum task_next shift_install(struct task *task);
static enum task_next shift_test(struct task *task);
static enum task_next shift_reload(struct task *task);
static enum task_next shift_prove(struct task *task);
static enum task_next shift_proven(struct task *task);
static enum task_next shift_finish(struct task *task);
static enum task_next undo_install(struct task *task);
static enum task_next undo_reload(struct task *task);
static enum task_next undo_prove(struct task *task);
static enum task_next undo_proven(struct task *task);

enum { STEP_INSTALL = 2, STEP_FINISH = 7, STEP_UNDO = 8 };
static const struct task_step shift_steps[] = {
	{ "prepare", shift_prepare }, /* render, test alone, look, read the old file: at once */
	{ "examine", shift_examine },
	[STEP_INSTALL] = { "install", shift_install },
	{ "test", shift_test },
	{ "reload", shift_reload },
	{ "prove", shift_prove },
	{ "proven", shift_proven },
	[STEP_FINISH] = { "finish", shift_finish },
	[STEP_UNDO] = { "undo install", undo_install },
	{ "undo reload", undo_reload },
	{ "undo prove", undo_prove },
	{ "undo proven", undo_proven },
	{ 0 },
};

static struct shift *shift_of(struct task *task)
{
	return container_of(task, struct shift, task);
}

void shift_start(struct shift *shift, struct task *parent)
{
	shift->outcome = TRAFFIC_UNDONE;
	shift->log = (struct nginx_log)NGINX_LOG_INIT;
	shift->text.maximum = shift->old.maximum = OUTPUT_MAXIMUM_BYTES;
	task_start_child(&shift->task, parent, "shift", shift_steps);
	task_shield(&shift->task);
}

int shift_render(struct edge *edge, weight_t canary, const char *generation, struct buf *ret_text,
	struct buf *notes, struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1 << 20);
	struct template_input input = { .name = edge->nginx->template_path,
		.service = edge->config->service,
		.production_server = edge->config->production.server,
		.canary_server = edge->config->canary.server,
		.generation = generation,
		.proof_listen = edge->nginx->proof_listen,
		.brake = edge->nginx->brake,
		.canary = canary };

	if (fileio_read(edge->nginx->template_path, 1 << 20, &text, err) < 0) {
		err->kind = ERROR_CONFIG;
		return -1;
	}
	if (text.length && memchr(text.data, '\0', text.length))
		return error_set(err, ERROR_CONFIG, 0, "template '%s' is not text", input.name);
	input.text = buf_text(&text);
	return template_render(&input, ret_text, notes, err);
}

static enum task_next shift_prepare(struct task *task)
{
	struct shift *shift = shift_of(task);
	struct edge *edge = shift->edge;

	shift->look.url = edge->proof_url;
	shift->look.config_path = edge->config_path;
	shift->look.is_elsewhere = edge->is_elsewhere;
	look_start(&shift->look, task);
	output_fetch_start(&shift->file, edge, task);
	if (generation_make(shift->rollout, shift->generation, &shift->render_error) < 0 ||
		shift_render(edge, shift->canary, shift->generation, &shift->text, &shift->notes,
			&shift->render_error) < 0)
		return TASK_WAIT;
	shift->scratch.edge = edge;
	shift->scratch.text = &shift->text;
	scratch_start(&shift->scratch, task);
	return TASK_WAIT;
}

static void describe_look(struct shift *shift, bool is_proven)
{
	const struct look *look = &shift->look;

	shift->state = (struct traffic_state){ .is_reachable = look->answers > 0,
		.is_proven = is_proven,
		.is_braked = look->is_braked,
		.canary = look->agree ? look->answer.canary : WEIGHT_UNKNOWN,
		.workers = look->processes.accepting,
		.draining_workers = look->processes.draining };
	if (look->agree)
		memcpy(shift->state.generation, look->answer.generation, GENERATION_SIZE);
}

static bool is_there_already(const struct shift *shift)
{
	struct proof_answer in_file;

	return shift->may_be_there && shift->look.agree &&
	       shift->look.answer.canary == shift->canary && shift->had_old &&
	       proof_block_find(buf_text(&shift->old), &in_file) &&
	       strcmp(in_file.generation, shift->look.answer.generation) == 0 &&
	       in_file.canary == shift->canary;
}

int shift_check_reachable(const struct edge *edge, const struct look *look, struct error *err)
{
	if (look->answers)
		return 0;
	/* A published port of a container accepts before anything listens inside. */
	if (look->foreign || (look->broken && !edge->is_elsewhere)) {
		error_set(err, ERROR_UNAVAILABLE, 0,
			"'%s' is held by something that is not canaryctl's proof: %s",
			edge->proof_url, look->oddity);
		return error_hint(err, "nginx could not listen there, and its reload would fail "
				       "without a word: set "
				       "traffic.nginx.proof.listen to a free port");
	}
	if (!edge->is_elsewhere && !look->processes.master && !nginx_proc_shows_any()) {
		error_set(err, ERROR_UNAVAILABLE, 0,
			"no nginx is running here, and nothing answers at '%s'", edge->proof_url);
		return error_hint(err, "start nginx, or set traffic.nginx.container");
	}
	return 0;
}

static int check_brake(const struct shift *shift, struct error *err)
{
	if (!shift->canary || (!brake_is_set(shift->edge) && !shift->look.is_braked))
		return 0;
	if (!shift->edge->nginx->brake) {
		error_set(err, ERROR_TRAFFIC, 0,
			"nginx says that the brake is set: the canary would get nothing");
		return error_hint(err,
			"set traffic.nginx.brake to the file that nginx.conf looks for, or remove "
			"that file");
	}
	error_set(err, ERROR_TRAFFIC, 0, "the brake '%s' is set: the canary would get nothing",
		shift->edge->nginx->brake);
	return error_hint(err,
		"it was set by a rollback; 'canaryctl deploy' removes it once 0 %% is in "
		"force, or remove the file");
}

/*
 * What the undo puts back. When the file is not what is in force (somebody changed it, or a shift
 * was cut off between file and reload), putting it back would be one more change.
 */
static int choose_old(struct shift *shift, struct error *err)
{
	const struct look *look = &shift->look;
	struct proof_answer in_file;

	if (!look->agree)
		return 0;
	memcpy(shift->old_generation, look->answer.generation, GENERATION_SIZE);
	if (shift->had_old && proof_block_find(buf_text(&shift->old), &in_file) &&
		strcmp(in_file.generation, shift->old_generation) == 0)
		return 0;
	buf_add_format(&shift->notes,
		"'%s' is not what is in force: nginx was not reloaded since it was changed\n",
		shift->edge->nginx->output);
	buf_clear(&shift->old);
	shift->had_old = true;
	CLEANUP_BUF struct buf ignored = BUF_INIT(8192);
	return shift_render(shift->edge, look->answer.canary, shift->old_generation, &shift->old,
		&ignored, err);
}

/* A rollback is not stopped by a /tmp without room: NGINX tests the whole file all the same. */
static void forgive_full_disk(struct shift *shift)
{
	struct error *scratch = &shift->scratch.error;

	if (!shift->may_be_there ||
		(scratch->kind != ERROR_IO && !strstr(scratch->message, "No space left")))
		return;
	buf_add_format(
		&shift->notes, "the rendered part was not tested alone: %s\n", scratch->message);
	error_clear(scratch);
}

static enum task_next shift_examine(struct task *task)
{
	struct shift *shift = shift_of(task);
	struct error *err = &shift->error;
	const struct error *scratch = &shift->scratch.error;
	int fetched = output_fetch_ended(&shift->file, &shift->old, &shift->had_old, err);

	describe_look(shift, false);
	if (fetched == 0 && is_there_already(shift)) {
		shift->outcome = TRAFFIC_PROVEN;
		shift->state.is_proven = true;
		return TASK_DONE;
	}
	if (fetched < 0)
		return TASK_DONE;
	buf_add_text(&shift->notes, buf_text(&shift->scratch.notes));
	forgive_full_disk(shift);
	if (shift->render_error.kind != ERROR_NONE || scratch->kind != ERROR_NONE) {
		*err = shift->render_error.kind != ERROR_NONE ? shift->render_error : *scratch;
		return TASK_DONE;
	}
	if (!is_worth_a_try(shift) && shift_check_reachable(shift->edge, &shift->look, err) < 0)
		return TASK_DONE;
	if (check_brake(shift, err) < 0 || output_check_mount(shift->edge, err) < 0 ||
		choose_old(shift, err) < 0)
		return TASK_DONE;
	return task_goto(task, &shift_steps[STEP_INSTALL], TASK_MORE);
}

static enum task_next shift_install(struct task *task)
{
	struct shift *shift = shift_of(task);

	if (shift->had_old)
		output_keep_copy(shift->edge, &shift->old);
	shift->file.must_get_there = shift->canary == 0;
	output_put_start(&shift->file, shift->edge, task, &shift->text);
	return TASK_WAIT;
}

static void run(struct shift *shift, char *const *argv)
{
	struct proc_options options = { .argv = argv, .timeout_ms = COMMAND_TIMEOUT_MS };

	proc_start(&shift->command, &shift->task, &options);
}

static enum task_next undo(struct shift *shift)
{
	return task_goto(&shift->task, &shift_steps[STEP_UNDO], TASK_MORE);
}

static enum task_next shift_test(struct task *task)
{
	struct shift *shift = shift_of(task);

	if (output_ended(&shift->file, &shift->error) < 0)
		return undo(shift);
	run(shift, shift->edge->test);
	return TASK_WAIT;
}

/* `nginx -t` ends with "test failed"; the reason is above that. */
static bool command_succeeded(struct shift *shift, const char *what, struct error *err)
{
	char line[512];

	if (proc_succeeded(&shift->command, what, err))
		return true;
	if (err->kind == ERROR_IO)
		err->kind = ERROR_TRAFFIC;
	if (nginx_output_find(
		    buf_text(&shift->command.errors), "[emerg]", "", NULL, line, sizeof(line)))
		error_set(err, ERROR_TRAFFIC, 0, "%s: %s", what, line);
	return false;
}

static void note_before_reload(struct shift *shift)
{
	nginx_proc_read(shift->look.processes.master, &shift->before);
	nginx_log_note(&shift->log, shift->before.master);
}

static enum task_next shift_reload(struct task *task)
{
	struct shift *shift = shift_of(task);

	if (!command_succeeded(shift, "nginx refuses its configuration", &shift->error)) {
		error_hint(&shift->error, "mend what it names, then try again");
		return undo(shift);
	}
	note_before_reload(shift);
	shift->nginx_was_told = true;
	shift->proof = (struct proof){ .url = shift->edge->proof_url,
		.generation = shift->generation,
		.before = &shift->before,
		.reload_ticks = nginx_proc_ticks(clock_boot_ms()),
		.timeout_ms = shift->edge->nginx->settle_timeout_ms,
		.log = &shift->log };
	run(shift, shift->edge->reload);
	return TASK_WAIT;
}

/* What reload commands say when there is nobody to tell; `nginx -t` leaves an empty pid file. */
static bool found_nobody(const struct shift *shift)
{
	static const char *const words[] = { "invalid PID number", "No such process",
		"is not active, cannot reload", "is not running" };
	const char *said = buf_text(&shift->command.errors);

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(said, words[i]))
			return true;
	return false;
}

static void explain_nobody(struct shift *shift)
{
	const struct look *look = &shift->look;
	struct error *err = &shift->error;

	if (look->answers && !look->processes.master && !shift->edge->is_elsewhere) {
		error_set(err, ERROR_TRAFFIC, 0,
			"nginx's master process is gone: its workers go on with the weights that "
			"they have, and nobody can have them reloaded");
		error_hint(err, "end the workers and start nginx, then try again");
	} else if (look->answers || look->processes.master) {
		error_set(err, ERROR_TRAFFIC, 0,
			"the reload command finds no running nginx, but there was one a moment "
			"ago");
		error_hint(err, "has it been stopped, or does traffic.nginx.reload look for "
				"another pid file?");
	} else {
		error_set(err, ERROR_UNAVAILABLE, 0,
			"nginx is not running: the reload command finds no process, and nothing "
			"answers at '%s'",
			shift->edge->proof_url);
		error_hint(err, "start nginx, then try again");
	}
}

/*
 * A rollback that finds no NGINX leaves the file at 0 %: put back, it would give the canary traffic
 * as soon as NGINX is started.
 */
static enum task_next leave_for_the_start(struct shift *shift)
{
	output_drop_copy(shift->edge);
	buf_add_format(&shift->notes, "'%s' gives the canary 0 %%, from nginx's next start on\n",
		shift->edge->nginx->output);
	error_hint(&shift->error, "start nginx, then prove it with 'canaryctl rollback'");
	shift->outcome = TRAFFIC_LOST;
	return TASK_DONE;
}

static enum task_next shift_prove(struct task *task)
{
	struct shift *shift = shift_of(task);

	if (!command_succeeded(shift, "nginx cannot be told to reload", &shift->error)) {
		if (found_nobody(shift))
			explain_nobody(shift);
		if (shift->error.kind == ERROR_UNAVAILABLE && shift->may_be_there)
			return leave_for_the_start(shift);
		/* Nothing was there to begin with, so nothing was changed. */
		if (!shift->look.answers)
			shift->error.kind = ERROR_UNAVAILABLE;
		return undo(shift);
	}
	proof_start(&shift->proof, task);
	return TASK_WAIT;
}

static void describe_proof(struct shift *shift)
{
	const struct proof *proof = &shift->proof;

	shift->state = (struct traffic_state){ .is_reachable = proof->answers > 0,
		.is_proven = proof->is_proven,
		.is_braked = proof->answers && proof->answer.is_braked,
		.canary =
			proof->is_proven && proof->answers ? proof->answer.canary : WEIGHT_UNKNOWN,
		.workers = proof->processes.accepting,
		.draining_workers = proof->processes.draining };
	if (proof->is_proven && proof->answers)
		memcpy(shift->state.generation, proof->answer.generation, GENERATION_SIZE);
}

static enum task_next shift_proven(struct task *task)
{
	struct shift *shift = shift_of(task);

	describe_proof(shift);
	if (!shift->proof.is_proven) {
		shift->error = shift->proof.error;
		error_wrap(&shift->error, "the new weights are not proven in force");
		return undo(shift);
	}
	shift->outcome = TRAFFIC_PROVEN;
	output_drop_copy(shift->edge);
	/* Most old workers are gone within a moment; only those that stay are worth a word. */
	if (shift->state.draining_workers)
		sleep_start(&shift->pause, task, DRAIN_GLANCE_MS);
	return task_goto(task, &shift_steps[STEP_FINISH], TASK_WAIT);
}

static enum task_next shift_finish(struct task *task)
{
	struct shift *shift = shift_of(task);
	struct nginx_processes *now = &shift->proof.processes;

	if (shift->state.draining_workers && nginx_proc_read(now->master, now)) {
		shift->state.draining_workers = now->draining;
		if (now->draining)
			buf_add_format(&shift->notes,
				"%d old nginx worker%s still serve%s long connections with the old "
				"weights; worker_shutdown_timeout bounds that\n",
				now->draining, now->draining == 1 ? "" : "s",
				now->draining == 1 ? "s" : "");
	}
	return TASK_DONE;
}

/* ---- the way back ---- */

static enum task_next undo_install(struct task *task)
{
	struct shift *shift = shift_of(task);

	shift->file.must_get_there = true;
	if (shift->had_old)
		output_put_start(&shift->file, shift->edge, task, &shift->old);
	else
		output_remove_start(&shift->file, shift->edge, task);
	return TASK_WAIT;
}

/* Putting it back can fail just as putting the new one there did: before anything was touched. */
static bool old_is_there(const struct shift *shift)
{
	CLEANUP_BUF struct buf text = BUF_INIT(OUTPUT_MAXIMUM_BYTES);
	struct error err = { 0 };

	if (shift->edge->output == EDGE_INSTALL)
		return false;
	if (fileio_read(shift->edge->nginx->output, OUTPUT_MAXIMUM_BYTES, &text, &err) < 0)
		return !shift->had_old && err.os_errno == ENOENT;
	return shift->had_old && strcmp(buf_text(&text), buf_text(&shift->old)) == 0;
}

static enum task_next undo_reload(struct task *task)
{
	struct shift *shift = shift_of(task);
	bool is_binding = shift->proof.master_complained;
	int64_t timeout_ms = shift->edge->nginx->settle_timeout_ms;

	shift->old_is_back =
		output_ended(&shift->file, &shift->undo_error) == 0 || old_is_there(shift);
	nginx_proc_read(shift->look.processes.master ? shift->look.processes.master
						     : shift->proof.processes.master,
		&shift->before);
	shift->proof = (struct proof){ .url = shift->edge->proof_url,
		.generation = shift->old_generation[0] ? shift->old_generation : NULL,
		.unwanted = shift->generation,
		.before = &shift->before,
		.timeout_ms = timeout_ms > UNDO_AT_LEAST_MS ? timeout_ms : UNDO_AT_LEAST_MS };
	/* A reload now would put the new file in force. */
	if (!shift->nginx_was_told || !shift->old_is_back)
		return TASK_MORE;
	shift->proof.reload_ticks = nginx_proc_ticks(clock_boot_ms());
	shift->proof.unchanged_ms = is_binding ? UNCHANGED_BINDING_MS : UNCHANGED_MS;
	run(shift, shift->edge->reload);
	return TASK_WAIT;
}

static enum task_next undo_prove(struct task *task)
{
	struct shift *shift = shift_of(task);

	/* Whether the reload was heard is seen by what answers, not by its exit status. */
	proof_start(&shift->proof, task);
	return TASK_WAIT;
}

static enum task_next undo_proven(struct task *task)
{
	struct shift *shift = shift_of(task);

	describe_proof(shift);
	if (!shift->old_is_back) {
		buf_add_format(&shift->notes, "'%s' could not be put back: %s\n",
			shift->edge->nginx->output, shift->undo_error.message);
		error_hint(&shift->error,
			"'%s' holds weights that are not in force: the next reload would take "
			"them. "
			"Put the old file back before anything reloads nginx",
			shift->edge->nginx->output);
	} else {
		output_drop_copy(shift->edge);
	}
	if (shift->proof.is_proven) {
		shift->outcome = TRAFFIC_UNDONE;
		return TASK_DONE;
	}
	shift->outcome = TRAFFIC_LOST;
	buf_add_format(&shift->notes, "the undo is not proven: %s\n", shift->proof.error.message);
	error_hint(&shift->error,
		"the old weights are not proven either: run 'canaryctl rollback', and look at "
		"nginx's error log");
	return TASK_DONE;
}

void shift_release(struct shift *shift)
{
	if (!shift->edge) /* never started */
		return;
	buf_release(&shift->text);
	buf_release(&shift->old);
	buf_release(&shift->notes);
	scratch_release(&shift->scratch);
	proc_release(&shift->command);
	nginx_log_release(&shift->log);
}
