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

typedef void route_function(struct app *app, const struct request *request, struct reply *reply);

struct route {
	const char *path;
	unsigned int flags;
	route_function *run;
};

const struct route *route_find(const char *path);
bool route_allows(const struct route *route, const char *method);
const char *route_methods(const struct route *route); /* for Allow: */

route_function route_cache_clear;
route_function route_cache_config;
route_function route_cache_stats;
route_function route_cache_ttl;
route_function route_config;
route_function route_distribution_stats;
route_function route_dna_create;
route_function route_downshift_stats;
route_function route_evolve_feedback;
route_function route_evolve_options;
route_function route_fault;
route_function route_generate;
route_function route_health;
route_function route_llm_health;
route_function route_metrics;
route_function route_mode_set;
route_function route_model_load;
route_function route_model_unload;
route_function route_test_llm;
route_function route_training_run;
route_function route_training_stats;

#endif
