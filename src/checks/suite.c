/*
 * Running a suite: batches of checks, each an evaluation, and a watchdog that ends the asking when
 * the suite's time is over. What did not answer by then is NO_DATA, never a pass.
 */
#include "canaryctl/suite.h"
#include "canaryctl/clock.h"
#include "canaryctl/duration.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_MS = 5 * 60 * 1000 };

struct suite_asking {
	struct task asker;    /* asks batch after batch */
	struct task watchdog; /* ends the asker when the time is over */
	struct sleep_op patience;
	bool timed_out;
	int64_t began_ms; /* the loop's clock */
	struct suite_run *run;
	const struct check_config **checks; /* to be asked: count pointers */
	size_t count;
	size_t batch_size;
	size_t next; /* first check of the current batch */
	struct captures captures;
	struct evaluation evaluation;
};

static const char *const status_names[SUITE_STATUS_COUNT] = {
	[SUITE_GO] = "GO",
	[SUITE_WARNING] = "WARNING",
	[SUITE_NO_GO] = "NO_GO",
};

const char *suite_status_name(enum suite_status status)
{
	return (unsigned)status < SUITE_STATUS_COUNT ? status_names[status] : "unknown";
}

const struct suite_config *suite_find(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->suite_count; i++) {
		if (strcmp(config->suites[i].name, name) == 0)
			return &config->suites[i];
	}
	return NULL;
}

const struct check_config *suite_find_check(const struct suite_config *suite, const char *name)
{
	for (size_t i = 0; i < suite->check_count; i++) {
		if (strcmp(suite->checks[i].name, name) == 0)
			return &suite->checks[i];
	}
	return NULL;
}

/* ---- verdicts ---- */

enum suite_status suite_status_of(const struct verdict *verdict, bool is_strict)
{
	bool is_mild =
		verdict->result == CHECK_WARN || verdict->check->severity == SEVERITY_WARNING;

	if (verdict->result == CHECK_PASS || verdict->check->observe_only)
		return SUITE_GO;
	return is_mild && !is_strict ? SUITE_WARNING : SUITE_NO_GO;
}

void suite_judge(struct suite_report *report, bool is_strict)
{
	memset(report->counts, 0, sizeof(report->counts));
	report->verdict = report->count ? SUITE_GO : SUITE_NO_GO;
	for (size_t i = 0; i < report->count; i++) {
		struct suite_check *check = &report->checks[i];

		check->status = suite_status_of(&check->verdict, is_strict);
		report->counts[check->status]++;
		if (check->status > report->verdict)
			report->verdict = check->status;
	}
}

static void judge_unanswered(const struct suite_asking *asking, const struct check_config *check,
	struct verdict *ret_verdict)
{
	struct measurement nothing = { .measured = MEASURED_NO_DATA };
	char timeout[DURATION_TEXT_SIZE];

	duration_format(asking->run->request.suite->timeout_ms, timeout);
	snprintf(nothing.message, sizeof(nothing.message),
		"no answer within the suite's timeout of %s", timeout);
	check_judge(check, &nothing, ret_verdict);
}

/* ---- asking ---- */

static bool captures_values(const struct check_config *check)
{
	const struct text_map *captures =
		check->kind->captures ? check->kind->captures(check) : NULL;

	return captures && captures->count;
}

static void choose_checks(struct suite_asking *asking)
{
	const struct suite_request *request = &asking->run->request;
	const struct suite_config *suite = request->suite;
	bool is_ordered = false;

	asking->checks = mem_array(suite->check_count + 1, sizeof(*asking->checks));
	for (size_t i = 0; i < suite->check_count; i++) {
		const struct check_config *check = &suite->checks[i];

		is_ordered = is_ordered || captures_values(check);
		if (!request->only || strcmp(request->only, check->name) == 0)
			asking->checks[asking->count++] = check;
	}
	asking->batch_size = is_ordered ? 1 : asking->count;
}

static enum task_next ask_batch(struct task *task)
{
	struct suite_asking *asking = container_of(task, struct suite_asking, asker);
	const struct suite_request *request = &asking->run->request;

	if (asking->next >= asking->count || asking->timed_out || task->is_canceled) {
		task_cancel(&asking->watchdog);
		return TASK_DONE;
	}
	asking->evaluation = (struct evaluation){
		.checks = asking->checks + asking->next,
		.count = asking->batch_size,
		.context = { .config = request->config,
			.version = request->version ? request->version : "",
			.window_ms = WINDOW_MS,
			.target = request->target,
			.captures = &asking->captures },
	};
	evaluation_start(&asking->evaluation, task);
	return TASK_WAIT;
}

static bool was_cut_off(const struct suite_asking *asking, const struct check_run *run)
{
	int64_t deadline_ms = asking->began_ms + asking->run->request.suite->timeout_ms;

	return asking->timed_out && (run->ended_ms == 0 || run->ended_ms >= deadline_ms ||
					    run->measurement.error.kind == ERROR_CANCELED);
}

static enum task_next batch_answered(struct task *task)
{
	struct suite_asking *asking = container_of(task, struct suite_asking, asker);
	struct evaluation *evaluation = &asking->evaluation;

	for (size_t i = 0; i < evaluation->count; i++) {
		struct suite_check *check = &asking->run->report.checks[asking->next + i];

		check->was_reached = true;
		check->verdict = evaluation->verdicts[i];
		if (was_cut_off(asking, &evaluation->runs[i]))
			judge_unanswered(asking, evaluation->checks[i], &check->verdict);
	}
	asking->next += evaluation->count;
	evaluation_release(evaluation);
	return task_goto(task, task->step - 2, TASK_MORE);
}

static const struct task_step asker_steps[] = {
	{ "ask batch", ask_batch },
	{ "batch answered", batch_answered },
	{ 0 },
};

static enum task_next watch(struct task *task)
{
	struct suite_asking *asking = container_of(task, struct suite_asking, watchdog);

	sleep_start(&asking->patience, task, asking->run->request.suite->timeout_ms);
	return TASK_WAIT;
}

static enum task_next watched(struct task *task)
{
	struct suite_asking *asking = container_of(task, struct suite_asking, watchdog);

	if (asking->asker.is_done)
		return TASK_DONE;
	asking->timed_out = true;
	task_cancel(&asking->asker);
	return TASK_DONE;
}

static const struct task_step watchdog_steps[] = {
	{ "watch", watch },
	{ "watched", watched },
	{ 0 },
};

/* ---- the suite ---- */

static enum task_next suite_begin(struct task *task)
{
	struct suite_run *run = container_of(task, struct suite_run, task);
	struct suite_asking *asking = mem_alloc(sizeof(*asking));

	run->asking = asking;
	asking->run = run;
	asking->began_ms = loop_now_ms(task->loop);
	choose_checks(asking);
	run->report.suite = run->request.suite->name;
	run->report.started_at = clock_wall_ms();
	run->report.count = asking->count;
	run->report.checks = mem_array(asking->count + 1, sizeof(*run->report.checks));
	task_start_child(&asking->watchdog, task, "suite watchdog", watchdog_steps);
	task_start_child(&asking->asker, task, "suite asker", asker_steps);
	return TASK_WAIT;
}

static enum task_next suite_end(struct task *task)
{
	struct suite_run *run = container_of(task, struct suite_run, task);
	struct suite_asking *asking = run->asking;

	for (size_t i = asking->next; i < asking->count; i++)
		judge_unanswered(asking, asking->checks[i], &run->report.checks[i].verdict);
	run->report.duration_ms =
		run->request.spent_ms + loop_now_ms(task->loop) - asking->began_ms;
	suite_judge(&run->report, run->request.is_strict);
	return TASK_DONE;
}

static const struct task_step suite_steps[] = {
	{ "begin", suite_begin },
	{ "end", suite_end },
	{ 0 },
};

void suite_start(struct suite_run *run, struct task *parent)
{
	task_start_child(&run->task, parent, "suite", suite_steps);
}

static void on_signal(int signal_number, void *context)
{
	struct suite_run *run = context;

	run->signal_number = signal_number;
	task_cancel(&run->task);
}

void suite_once(struct suite_run *run)
{
	struct loop *loop = loop_new();

	/* Programs of checks run in process groups of their own: ^C ends them through us alone. */
	loop_watch_signal(loop, SIGINT, on_signal, run);
	loop_watch_signal(loop, SIGTERM, on_signal, run);
	task_start(&run->task, loop, "suite", suite_steps);
	loop_run(loop, &run->task);
	loop_free(loop);
}

void suite_release(struct suite_run *run)
{
	struct suite_asking *asking = run->asking;

	if (asking) {
		captures_release(&asking->captures);
		free(asking->checks);
		free(asking);
	}
	free(run->report.checks);
	run->asking = NULL;
	run->report.checks = NULL;
}
