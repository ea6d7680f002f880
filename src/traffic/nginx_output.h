/* What `nginx -t` prints, made into one sentence. Pure. */
#ifndef CANARYCTL_TRAFFIC_NGINX_OUTPUT_H
#define CANARYCTL_TRAFFIC_NGINX_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The first line with `mark` ("[emerg]") that also holds `about` (may be ""), without what is
 * before the message, fit to be shown. `folder` (may be NULL) is taken out of paths. False when
 * there is no such line.
 */
bool nginx_output_find(const char *output, const char *mark, const char *about, const char *folder,
	char *ret_line, size_t size);

#endif
