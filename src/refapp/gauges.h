/* The metrics that say how things are at this moment: taken when they are asked for. */
#ifndef REFAPP_GAUGES_H
#define REFAPP_GAUGES_H

#include "refapp/app.h"

void gauges_update(struct app *app, int64_t now_ms);

#endif
