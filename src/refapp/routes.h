/* What is served where. A route is one function and one row in routes.c. */
#ifndef REFAPP_ROUTES_H
#define REFAPP_ROUTES_H

#include "refapp/app.h"

#include <stdbool.h>

enum route_flags {
	ROUTE_GET = 1,
	ROUTE_POST = 2,
	ROUTE_API = 4 /* a client's request: counted, and subject to the faults */
};

struct route {
	const char *path;
	unsigned int flags;
	void (*run)(struct app *app, const struct request *request, struct reply *reply);
};

const struct route *route_find(const char *path);
bool route_allows(const struct route *route, const char *method);
const char *route_methods(const struct route *route); /* for Allow: */

void route_fault(struct app *app, const struct request *request, struct reply *reply);
void route_generate(struct app *app, const struct request *request, struct reply *reply);
void route_health(struct app *app, const struct request *request, struct reply *reply);
void route_metrics(struct app *app, const struct request *request, struct reply *reply);

#endif
