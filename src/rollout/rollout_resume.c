/* Whether a rollout whose process died may go on where it was: see canaryctl/rollout.h. Pure. */
#include "canaryctl/config.h"
#include "canaryctl/journal.h"
#include "canaryctl/rollout.h"

bool rollout_can_resume(const struct config *config, const struct rollout_view *view)
{
	const struct rollout_config *rollout = &config->rollout;
	size_t stage = (size_t)view->stage - 1;

	if (rollout->on_crash != ON_CRASH_RESUME || !view->version[0] || view->stage < 1 ||
		stage >= rollout->stage_count)
		return false;
	/* It ran by other stages: `deploy --stages`, or a configuration that has changed since. */
	if ((size_t)view->stage_count != rollout->stage_count ||
		view->intent != rollout->stages[stage].weight)
		return false;
	return view->state == ROLLOUT_SHIFTING || view->state == ROLLOUT_OBSERVING ||
	       view->state == ROLLOUT_AWAITING_APPROVAL;
}
