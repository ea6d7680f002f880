/* How much PPO is to explore: the entropy coefficient falls linearly with the step. Pure. */
#ifndef REFAPP_PPO_SCHEDULE_H
#define REFAPP_PPO_SCHEDULE_H

#include <stdint.h>

struct ppo_schedule {
	double initial;
	double final;
	int decay_steps;
};

double ppo_entropy_coef(const struct ppo_schedule *schedule, uint64_t step);

#endif
