/* The table of routes: see routes.h. */
#include "refapp/routes.h"
#include "canaryctl/mem.h"

#include <string.h>

static const struct route routes[] = {
	{ "/health", ROUTE_GET, route_health },
	{ "/metrics", ROUTE_GET, route_metrics },
	{ "/api/generate", ROUTE_GET | ROUTE_POST | ROUTE_API, route_generate },
	{ "/admin/fault", ROUTE_GET | ROUTE_POST, route_fault },
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
