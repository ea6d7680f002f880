/*
 * The guardian as the rollout sees it: started before the first shift, and started anew when
 * somebody, or the kernel for want of memory, has killed it. For a moment nobody would put right
 * what a kill of this process leaves, so its death wakes the rollout.
 */
#include "rollout/rollout_private.h"

#include <signal.h>

enum { LIVED_MS = 1000 }; /* one that died sooner is started again only at the next evaluation */

static void on_child(int signal_number, void *context)
{
	struct rollout *rollout = context;

	(void)signal_number;
	if (loop_now_ms(rollout->loop) - rollout->guardian_began_ms < LIVED_MS ||
		guardian_is_alive(&rollout->guardian))
		return;
	if (op_is_running(&rollout->pause.op))
		rollout->pause.op.cancel(&rollout->pause.op);
}

int rollout_guard(struct rollout *rollout, struct error *err)
{
	if (!rollout->guardian_began_ms)
		loop_watch_signal(rollout->loop, SIGCHLD, on_child, rollout);
	rollout->guardian_began_ms = loop_now_ms(rollout->loop);
	return guardian_start(rollout->config, rollout->folder, &rollout->guardian, err);
}

void rollout_mind_guardian(struct rollout *rollout)
{
	struct error err = { 0 };
	CLEANUP_FREE char *note = NULL;

	if (!rollout->guardian_began_ms || guardian_is_alive(&rollout->guardian))
		return;
	if (rollout_guard(rollout, &err) == 0)
		note = mem_format("the guardian had died; a new one was started (process %ld)",
			(long)rollout->guardian.pid);
	else
		note = mem_format("the guardian has died, and there is no new one: %s; if this "
				  "process is killed, run 'canaryctl recover'",
			err.message);
	rollout_tell(rollout, EVENT_NOTE, note);
}
