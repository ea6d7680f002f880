/* NULL-terminated vectors of strings: argv as configured, never a shell string. */
#ifndef CANARYCTL_STRV_H
#define CANARYCTL_STRV_H

#include <stddef.h>

struct strv {
	char **items; /* NULL-terminated; NULL when count is 0 */
	size_t count;
};

#endif
