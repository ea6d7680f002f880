/* Does the canary receive what the stage says? Only for checks/. Pure. */
#ifndef CHECKS_SHARE_H
#define CHECKS_SHARE_H

#include <stdbool.h>

struct share_arm {
	double requests;
	double span_s; /* between the first and the last sample behind them */
};

struct share_input {
	struct share_arm canary;
	struct share_arm production;
	double expected;          /* 0 .. 1 */
	double scrape_interval_s; /* the arms are scraped at different times */
};

enum share_verdict { SHARE_RIGHT, SHARE_TOO_LOW, SHARE_TOO_HIGH, SHARE_UNDECIDED };

struct share_result {
	enum share_verdict verdict;
	double share;    /* measured, from the arms' rates */
	double total;    /* requests of both arms in the span that both cover */
	double expected; /* canary requests of these */
};

void share_decide(const struct share_input *input, struct share_result *ret_result);

#endif
