/* What `nginx -T` prints: the whole configuration, file by file. Pure. */
#ifndef CANARYCTL_TRAFFIC_NGINX_DUMP_H
#define CANARYCTL_TRAFFIC_NGINX_DUMP_H

#include <stdbool.h>

/* Does any file but `except` (its path as NGINX says it) have `text` outside of a comment? */
bool nginx_dump_has(const char *dump, const char *text, const char *except);

#endif
