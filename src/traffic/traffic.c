/* Drivers by configuration: see canaryctl/traffic.h. */
#include "canaryctl/traffic.h"

const struct traffic_driver *traffic_driver_of(const struct config *config)
{
	(void)config; /* one NGINX is all that can be configured so far */
	return &traffic_nginx;
}
