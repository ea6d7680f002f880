/* From what a client asks for to the mode that it gets. */
#ifndef REFAPP_MODES_H
#define REFAPP_MODES_H

#include "refapp/app.h"

/*
 * `name` may be NULL or "auto": then the distributor chooses. Notes the choice for the
 * distribution. False: there is no such mode, and the reply says so.
 */
bool mode_wanted(struct app *app, const char *name, int64_t now_ms, enum mode *ret_mode,
	struct reply *reply);

#endif
