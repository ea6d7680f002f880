/* Which configuration file to use. */
#include "canaryctl/config.h"

#include <stdlib.h>
#include <unistd.h>

char *config_find(const char *wanted, struct error *err)
{
	static const char *const places[] = { "./canaryctl.yaml", "./configs/canaryctl.yaml",
		"/etc/canaryctl/canaryctl.yaml" };
	const char *environment = getenv("CANARYCTL_CONFIG");

	/* A file that was named is used, or its absence reported: never silently another one. */
	if (wanted)
		return mem_strdup(wanted);
	if (environment && *environment)
		return mem_strdup(environment);
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		if (access(places[i], F_OK) == 0)
			return mem_strdup(places[i]);
	}
	error_set(err, ERROR_CONFIG, 0, "no configuration: neither '%s' nor '%s' nor '%s' is there",
		places[0], places[1], places[2]);
	error_hint(err, "name the file with --config FILE or $CANARYCTL_CONFIG");
	return NULL;
}
