/*
 * Rewards in units of their own recent spread: mean and standard deviation over the last `window`
 * steps. Computed afresh from the window each time, so that nothing drifts. Pure.
 */
#ifndef REFAPP_REWARD_NORMALIZER_H
#define REFAPP_REWARD_NORMALIZER_H

#include <stdbool.h>
#include <stddef.h>

struct reward_normalizer_settings {
	bool enabled;
	int window_size; /* steps */
};

struct reward_normalizer {
	double *rewards; /* ring */
	size_t window;
	size_t count;
	size_t next;
};

struct reward_statistics {
	double mean;
	double std; /* of the population; 0 for fewer than two rewards */
};

void reward_normalizer_init(struct reward_normalizer *normalizer, size_t window);
void reward_normalizer_release(struct reward_normalizer *normalizer);

void reward_normalizer_add(struct reward_normalizer *normalizer, double reward);
struct reward_statistics reward_normalizer_statistics(const struct reward_normalizer *normalizer);

/* 0 while there is no spread to measure with. */
double reward_normalize(const struct reward_statistics *statistics, double reward);

#endif
