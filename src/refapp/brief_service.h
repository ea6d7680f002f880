/*
 * One brief, from the request to valid JSON: the cache, the choice of a model that answers
 * (breakers and downshift), the JSON guard, the schema. Counts and logs all of it.
 */
#ifndef REFAPP_BRIEF_SERVICE_H
#define REFAPP_BRIEF_SERVICE_H

#include "refapp/app.h"

struct brief_order {
	enum mode mode;
	const char *prompt; /* NULL: whatever comes to mind, which is never served from the cache */
};

struct brief_answer {
	enum mode served; /* the order's mode, unless its model is out of service */
	double elapsed_s;
	bool cached;
	bool fallback;
	cJSON *brief; /* owned by the caller */
};

/* -1: the reply says why there is no brief. */
int brief_serve(struct app *app, const struct request *request, const struct brief_order *order,
	struct brief_answer *ret_answer, struct reply *reply);

#endif
