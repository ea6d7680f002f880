/* Hooks: the operator's own programs at fixed points, with CANARYCTL_* in their environment. */
#include "rollout/rollout_private.h"

#include <stdio.h>

enum { HOOK_VARIABLES = 6 };

bool hook_start(struct rollout *rollout, const struct strv *argv)
{
	const struct rollout_report *report = &rollout->report;
	char weight[WEIGHT_TEXT_SIZE] = "0";
	char *environment[HOOK_VARIABLES + 1] = { 0 };
	struct proc_options options = { .argv = argv->items,
		.environment = environment,
		.timeout_ms = rollout->config->hooks.timeout_ms };

	if (!argv->count)
		return false;
	if (rollout->report.traffic.canary != WEIGHT_UNKNOWN)
		weight_format(rollout->report.traffic.canary, weight);
	environment[0] = mem_format("CANARYCTL_SERVICE=%s", report->service);
	environment[1] = mem_format("CANARYCTL_VERSION=%s", report->version);
	environment[2] = mem_format("CANARYCTL_DEPLOYMENT=%s", report->deployment);
	environment[3] = mem_format("CANARYCTL_STAGE=%zu", rollout->stage + 1);
	environment[4] = mem_format("CANARYCTL_CANARY_WEIGHT=%s", weight);
	environment[5] = mem_format("CANARYCTL_REASON=%s", report->reason.message);
	proc_start(&rollout->hook, &rollout->task, &options);
	for (int i = 0; i < HOOK_VARIABLES; i++)
		mem_free_pointer(&environment[i]);
	return true;
}

bool hook_succeeded(struct rollout *rollout, const char *name, struct error *err)
{
	char what[64];

	snprintf(what, sizeof(what), "the hook %s", name);
	return proc_succeeded(&rollout->hook, what, err);
}

void hook_stop(struct rollout *rollout)
{
	if (op_is_running(&rollout->hook.op))
		rollout->hook.op.cancel(&rollout->hook.op);
}
