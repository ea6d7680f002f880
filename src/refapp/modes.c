/* See modes.h. */
#include "refapp/modes.h"

#include <string.h>

bool mode_wanted(
	struct app *app, const char *name, int64_t now_ms, enum mode *ret_mode, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, now_ms);

	if (!name || strcmp(name, "auto") == 0) {
		*ret_mode = distributor_pick(&app->distributor, &app->settings.distributor);
	} else if (!mode_parse(name, ret_mode)) {
		reply_error(reply, 400, "unknown mode '%s': fast, balanced and creative are known",
			name);
		return false;
	}
	if (*ret_mode == MODE_FAST && fault_hits(&app->faults, FAULT_DISTRIBUTION_SKEW, &facts))
		*ret_mode = MODE_CREATIVE;
	distributor_note(&app->distributor, *ret_mode, now_ms);
	return true;
}
