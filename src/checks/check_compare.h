/* What a `compare` check is configured with. Only for its kind, and tests. */
#ifndef CHECKS_CHECK_COMPARE_H
#define CHECKS_CHECK_COMPARE_H

#include <stdbool.h>

/* Shares are 0..1; see struct evidence_limits. */
struct compare_params {
	char *bad;
	char *total;
	char *canary;
	char *baseline;
	double false_alarm;
	double ratio;
	double floor;
	double limit;
	bool early;
};

#endif
