/*
 * The rehearsal (`deploy --dry-run`): renders every stage's file and has NGINX test it alone, asks
 * every query once, looks at all that the rollout would need, and prints the time line. Changes
 * nothing; what would stop the rollout is said, all of it, not only the first.
 */
#include "canaryctl/clock.h"
#include "canaryctl/diff.h"
#include "canaryctl/duration.h"
#include "canaryctl/fileio.h"

#include "rollout/rollout_private.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LARGEST_FILE_BYTES = 1 << 20 };

struct rehearsal {
	struct rollout rollout;
	int obstacles;
	bool is_unreachable; /* one of them is something that cannot be reached */
	struct buf previous; /* the file as it is, then each stage's as it would be */
};

static struct rehearsal *rehearsal_of(struct task *task)
{
	return container_of(rollout_of(task), struct rehearsal, rollout);
}

static void plan(struct rehearsal *rehearsal, const char *text)
{
	rollout_tell(&rehearsal->rollout, EVENT_PLAN, text);
}

/* Something that would stop the rollout; the first is the report's reason. */
static void add_obstacle(struct rehearsal *rehearsal, const struct error *err)
{
	CLEANUP_FREE char *text = mem_format("would stop the rollout: %s%s%s", err->message,
		err->hint[0] ? "; " : "", err->hint);

	rehearsal->obstacles++;
	rehearsal->is_unreachable |= err->kind == ERROR_UNAVAILABLE;
	rollout_reason_of_error(&rehearsal->rollout, err);
	rollout_tell(&rehearsal->rollout, EVENT_NOTE, text);
}

/* ---- what needs no waiting ---- */
static void check_program(struct rehearsal *rehearsal, const char *what, const struct strv *argv)
{
	struct error err = { 0 };

	if (!argv->count || fileio_program_exists(argv->items[0]))
		return;
	error_set(&err, ERROR_NONE, 0, "%s: there is no program '%s'", what, argv->items[0]);
	add_obstacle(rehearsal, &err);
}

static void check_programs(struct rehearsal *rehearsal)
{
	const struct config *config = rehearsal->rollout.config;
	const struct hooks_config *hooks = &config->hooks;

	check_program(rehearsal, "traffic.nginx.test", &config->nginx.test);
	check_program(rehearsal, "traffic.nginx.reload", &config->nginx.reload);
	check_program(rehearsal, "traffic.nginx.install", &config->nginx.install);
	check_program(rehearsal, "hooks.before_rollout", &hooks->before_rollout);
	check_program(rehearsal, "hooks.after_stage", &hooks->after_stage);
	check_program(rehearsal, "hooks.on_rollback", &hooks->on_rollback);
	check_program(rehearsal, "hooks.on_success", &hooks->on_success);
}

/* The nearest folder that exists decides whether the state folder could be made. */
static void check_state_folder(struct rehearsal *rehearsal)
{
	const struct config *config = rehearsal->rollout.config;
	struct error err = { 0 };
	CLEANUP_FREE char *folder = state_folder(config, false, &err);
	CLEANUP_FREE char *nearest = mem_strdup(folder);
	struct lock_holder holder;
	char *slash;

	while (access(nearest, F_OK) < 0 && (slash = strrchr(nearest, '/')) && slash != nearest)
		*slash = '\0';
	if (access(nearest, W_OK | X_OK) < 0) {
		error_set(&err, ERROR_UNAVAILABLE, 0, "the state folder '%s' is not writable",
			nearest);
		add_obstacle(rehearsal, &err);
	}
	if (state_folder_check(folder, &err) < 0)
		add_obstacle(rehearsal, &err);
	if (lock_is_held(folder, &holder)) {
		error_set(&err, ERROR_LOCKED, 0, "'%s' is running (process %ld) and holds the lock",
			holder.deployment, (long)holder.pid);
		add_obstacle(rehearsal, &err);
	}
}

static enum task_next check_host(struct task *task)
{
	struct rehearsal *rehearsal = rehearsal_of(task);
	struct error err = { 0 };

	rollout_tell(&rehearsal->rollout, EVENT_STARTED, NULL);
	check_programs(rehearsal);
	check_state_folder(rehearsal);
	if (fileio_read(rehearsal->rollout.config->nginx.output, LARGEST_FILE_BYTES,
		    &rehearsal->previous, &err) < 0)
		buf_clear(&rehearsal->previous);
	return TASK_MORE;
}

/* ---- the canary and every query ---- */
static enum task_next ask_everything(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	rollout->asked_count = 0;
	for (size_t i = 0; i < rollout->check_count; i++) {
		/* No stage has begun: there is no share to compare with. */
		if (strcmp(rollout->checks[i]->name, CHECK_NAME_SHARE) == 0)
			continue;
		rollout->asked[rollout->asked_count] = rollout->checks[i];
		rollout->records[rollout->asked_count++] = &rollout_stage(rollout)->checks[i];
	}
	rollout_change_traffic(rollout, TRAFFIC_READ, 0);
	rollout_ask(rollout, rollout->asked, rollout->asked_count, LONGEST_WINDOW_MS);
	return TASK_WAIT;
}

static void judge_answers(struct rehearsal *rehearsal)
{
	struct rollout *rollout = &rehearsal->rollout;
	const struct evaluation *evaluation = &rollout->evaluation;
	struct stage_rules rules = { .never_ends = true, .consecutive_failures = 1 };
	const struct check_report *failing = NULL;

	stage_take(
		&rules, 0, evaluation->verdicts, rollout->records, rollout->asked_count, &failing);
	rollout_tell_evaluated(rollout, true, 0);
	for (size_t i = 0; i < evaluation->count; i++) {
		const struct verdict *verdict = &evaluation->verdicts[i];
		struct error err = verdict->measurement.error;

		if (verdict->result == CHECK_ERROR && err.kind == ERROR_CONFIG) {
			error_wrap(&err, "check '%s'", verdict->check->name);
			add_obstacle(rehearsal, &err);
		}
	}
}

static enum task_next everything_asked(struct task *task)
{
	struct rehearsal *rehearsal = rehearsal_of(task);
	struct rollout *rollout = &rehearsal->rollout;
	struct error err = { 0 };

	rollout->report.traffic = rollout->change.state;
	judge_answers(rehearsal);
	if (rollout_metrics_missing(rollout, &err))
		add_obstacle(rehearsal, &err);
	if (rollout_canary_unfit(rollout, &err))
		add_obstacle(rehearsal, &err);
	return TASK_MORE;
}

/* ---- the suites that must be GO ---- */
static enum task_next preflight_answered(struct task *task)
{
	struct rehearsal *rehearsal = rehearsal_of(task);
	struct error err = { 0 };

	if (rollout_preflight_refuses(&rehearsal->rollout, &err))
		add_obstacle(rehearsal, &err);
	rehearsal->rollout.preflight_index++;
	return task_goto(task, task->step - 2, TASK_MORE); /* the next suite */
}

/* ---- each stage's file ---- */
static enum task_next render_stage(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	rollout_change_traffic(rollout, TRAFFIC_REHEARSE, rollout_stage(rollout)->weight);
	return TASK_WAIT;
}

static void show_diff(struct rehearsal *rehearsal)
{
	const struct rollout *rollout = &rehearsal->rollout;
	CLEANUP_BUF struct buf diff = BUF_INIT(1 << 20);
	CLEANUP_FREE char *copy = NULL;
	char weight[WEIGHT_TEXT_SIZE];
	char *rest;

	weight_format(rollout_stage(&rehearsal->rollout)->weight, weight);
	buf_add_format(&diff, "%s at %s %% canary would change by:\n",
		rollout->config->nginx.output, weight);
	diff_lines(buf_text(&rehearsal->previous), buf_text(&rollout->change.rendered), &diff);
	copy = rest = buf_take(&diff);
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			plan(rehearsal, line);
	}
}

static enum task_next stage_rendered(struct task *task)
{
	struct rehearsal *rehearsal = rehearsal_of(task);
	struct rollout *rollout = &rehearsal->rollout;
	struct traffic_change *change = &rollout->change;

	if (change->outcome != TRAFFIC_PROVEN) {
		add_obstacle(rehearsal, &change->error);
		return TASK_MORE;
	}
	rollout_tell_notes(rollout);
	show_diff(rehearsal);
	buf_clear(&rehearsal->previous);
	buf_add(&rehearsal->previous, buf_text(&change->rendered), change->rendered.length);
	if (++rollout->stage < rollout->report.stage_count)
		return task_goto(task, task->step - 2, TASK_MORE); /* render the next one */
	return TASK_MORE;
}

/* ---- the time line ---- */
/* What the forecasts of the `compare` checks rest on. */
static void tell_traffic(struct rehearsal *rehearsal)
{
	const struct rollout *rollout = &rehearsal->rollout;

	for (size_t i = 0; i < rollout->asked_count; i++) {
		const struct check_config *check = rollout->asked[i];
		const struct measurement *seen = &rollout->evaluation.verdicts[i].measurement;
		double requests = seen->samples + seen->baseline_samples;
		char share[CHECK_VALUE_TEXT_SIZE];

		if (!check->kind->keeps_evidence || !(requests > 0) || !(seen->span_s > 0))
			continue;
		CLEANUP_FREE char *line = mem_format("%s: %.3g requests/s now, %s of production's "
						     "are bad; times are from the shift",
			check->name, requests / seen->span_s,
			check_format_value(UNIT_SHARE, seen->baseline, share));

		plan(rehearsal, line);
	}
}

static enum task_next tell_time_line(struct task *task)
{
	struct rehearsal *rehearsal = rehearsal_of(task);
	struct rollout *rollout = &rehearsal->rollout;
	int64_t at = clock_wall_ms();
	char time[CLOCK_TEXT_SIZE], duration[DURATION_TEXT_SIZE], weight[WEIGHT_TEXT_SIZE];

	rollout->stage = 0;
	tell_traffic(rehearsal);
	for (size_t i = rollout->request->start_stage; i < rollout->report.stage_count; i++) {
		const struct stage_report *stage = &rollout->report.stages[i];
		CLEANUP_FREE char *line = mem_format("%s  stage %d: %s %% canary, observed for %s",
			clock_format_local(at, time), stage->index,
			weight_format(stage->weight, weight),
			duration_format(stage->observe_ms, duration));

		plan(rehearsal, line);
		rehearse_forecast(rollout, stage);
		at += stage->observe_ms;
	}
	CLEANUP_FREE char *end = mem_format(
		"%s  done, when every stage passes at once", clock_format_local(at, time));
	plan(rehearsal, end);
	rollout->report.outcome = rehearsal->obstacles ? OUTCOME_ABORTED : OUTCOME_REHEARSED;
	return TASK_DONE;
}

static const struct task_step rehearsal_steps[] = {
	{ "check host", check_host },
	{ "ask everything", ask_everything },
	{ "everything asked", everything_asked },
	{ "ask preflight", rollout_ask_preflight },
	{ "preflight answered", preflight_answered },
	{ "render stage", render_stage },
	{ "stage rendered", stage_rendered },
	{ "tell time line", tell_time_line },
	{ 0 },
};

int rollout_rehearse(const struct rollout_request *request, struct rollout_result *ret_result)
{
	struct rehearsal rehearsal = { .previous = BUF_INIT(LARGEST_FILE_BYTES) };
	struct rollout *rollout = &rehearsal.rollout;

	rollout_init(rollout, request);
	task_start(&rollout->task, rollout->loop, "rehearsal", rehearsal_steps);
	loop_run(rollout->loop, &rollout->task);
	rollout->report.ended_at = clock_wall_ms();
	rollout_tell(rollout, EVENT_FINISHED, NULL);
	ret_result->report = rollout->report;
	rollout_release(rollout);
	buf_release(&rehearsal.previous);
	if (!rehearsal.obstacles)
		return 0;
	return rehearsal.is_unreachable ? 69 : 2;
}
