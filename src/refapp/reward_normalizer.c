/* A ring of rewards: see reward_normalizer.h. */
#include "refapp/reward_normalizer.h"
#include "canaryctl/mem.h"

#include <math.h>
#include <stdlib.h>

#define STD_MINIMUM 1e-8

void reward_normalizer_init(struct reward_normalizer *normalizer, size_t window)
{
	*normalizer = (struct reward_normalizer){ .window = window,
		.rewards = mem_array(window, sizeof(normalizer->rewards[0])) };
}

void reward_normalizer_release(struct reward_normalizer *normalizer)
{
	free(normalizer->rewards);
	*normalizer = (struct reward_normalizer){ 0 };
}

void reward_normalizer_add(struct reward_normalizer *normalizer, double reward)
{
	normalizer->rewards[normalizer->next] = reward;
	normalizer->next = (normalizer->next + 1) % normalizer->window;
	if (normalizer->count < normalizer->window)
		normalizer->count++;
}

struct reward_statistics reward_normalizer_statistics(const struct reward_normalizer *normalizer)
{
	struct reward_statistics statistics = { 0 };
	double squares = 0;

	if (normalizer->count == 0)
		return statistics;
	for (size_t i = 0; i < normalizer->count; i++)
		statistics.mean += normalizer->rewards[i];
	statistics.mean /= (double)normalizer->count;
	for (size_t i = 0; i < normalizer->count; i++) {
		double distance = normalizer->rewards[i] - statistics.mean;

		squares += distance * distance;
	}
	statistics.std = sqrt(squares / (double)normalizer->count);
	return statistics;
}

double reward_normalize(const struct reward_statistics *statistics, double reward)
{
	return statistics->std < STD_MINIMUM ? 0 : (reward - statistics->mean) / statistics->std;
}
