/*
 * rollout.preflight: suites that must be GO before the first shift. A WARNING refuses too: nobody
 * looks at a rollout that has begun by itself.
 */
#include "rollout/rollout_private.h"

static bool start_suite(struct rollout *rollout, size_t index)
{
	const struct strv *names = &rollout->config->rollout.preflight;

	suite_release(&rollout->preflight);
	if (index >= names->count)
		return false;
	rollout->preflight = (struct suite_run){
		.request = { .config = rollout->config,
			.suite = suite_find(rollout->config, names->items[index]),
			.target = "canary",
			.version = rollout->report.version },
	};
	suite_start(&rollout->preflight, &rollout->task);
	return true;
}

static const struct suite_check *worst_check(const struct suite_report *report)
{
	for (size_t i = 0; i < report->count; i++) {
		if (report->checks[i].status == report->verdict)
			return &report->checks[i];
	}
	return NULL;
}

bool rollout_preflight_refuses(const struct rollout *rollout, struct error *err)
{
	const struct suite_report *report = &rollout->preflight.report;
	const struct suite_check *worst = worst_check(report);
	int others = report->counts[report->verdict] - 1;

	if (report->verdict == SUITE_GO)
		return false;
	if (!worst) {
		error_set(err, ERROR_NONE, 0, "preflight suite '%s' has no checks", report->suite);
		return true;
	}
	error_set(err, ERROR_NONE, 0, "preflight suite '%s' is %s: '%s': %s", report->suite,
		suite_status_name(report->verdict), worst->verdict.check->name,
		worst->verdict.message);
	if (others > 0)
		error_hint(err, "nothing was changed; %d more: canaryctl check %s --version %s",
			others, report->suite, rollout->report.version);
	else if (worst->verdict.check->hint)
		error_hint(err, "nothing was changed; %s", worst->verdict.check->hint);
	else
		error_hint(err, "nothing was changed; see: canaryctl check %s --version %s",
			report->suite, rollout->report.version);
	return true;
}

enum task_next rollout_ask_preflight(struct task *task)
{
	struct rollout *rollout = rollout_of(task);

	if (!start_suite(rollout, rollout->preflight_index))
		return task_goto(task, task->step + 1, TASK_MORE);
	return TASK_WAIT;
}
