/* The table of routes: see routes.h. */
#include "refapp/routes.h"
#include "canaryctl/mem.h"

#include <string.h>

static const struct route routes[] = {
	{ "/health", ROUTE_GET, route_health },
	{ "/health/llm", ROUTE_GET, route_llm_health },
	{ "/metrics", ROUTE_GET, route_metrics },
	{ "/dna/create", ROUTE_POST | ROUTE_API, route_dna_create },
	{ "/evolve/options", ROUTE_POST | ROUTE_API, route_evolve_options },
	{ "/evolve/feedback", ROUTE_POST | ROUTE_API, route_evolve_feedback },
	{ "/api/generate", ROUTE_GET | ROUTE_POST | ROUTE_API, route_generate },
	{ "/api/config", ROUTE_GET, route_config },
	{ "/api/test-llm", ROUTE_POST, route_test_llm },
	{ "/admin/fault", ROUTE_GET | ROUTE_POST, route_fault },
	{ "/admin/cache/stats", ROUTE_GET, route_cache_stats },
	{ "/admin/cache/config", ROUTE_GET, route_cache_config },
	{ "/admin/cache/ttl", ROUTE_POST, route_cache_ttl },
	{ "/admin/cache/clear", ROUTE_POST, route_cache_clear },
	{ "/admin/model/load", ROUTE_POST, route_model_load },
	{ "/admin/model/unload", ROUTE_POST, route_model_unload },
	{ "/admin/mode/set", ROUTE_POST, route_mode_set },
	{ "/admin/set-mode", ROUTE_POST, route_mode_set },
	{ "/admin/downshift/stats", ROUTE_GET, route_downshift_stats },
	{ "/admin/distribution/stats", ROUTE_GET, route_distribution_stats },
	{ "/admin/training/stats", ROUTE_GET, route_training_stats },
	{ "/admin/training/run", ROUTE_POST, route_training_run },
};

const struct route *route_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++) {
		if (strcmp(path, routes[i].path) == 0)
			return &routes[i];
	}
	return NULL;
}

bool route_allows(const struct route *route, const char *method)
{
	if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0)
		return route->flags & ROUTE_GET;
	return strcmp(method, "POST") == 0 && (route->flags & ROUTE_POST);
}

const char *route_methods(const struct route *route)
{
	switch (route->flags & (ROUTE_GET | ROUTE_POST)) {
	case ROUTE_GET:
		return "GET, HEAD";
	case ROUTE_POST:
		return "POST";
	default:
		return "GET, HEAD, POST";
	}
}
