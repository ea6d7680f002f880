/* See ppo_schedule.h. */
#include "refapp/ppo_schedule.h"

double ppo_entropy_coef(const struct ppo_schedule *schedule, uint64_t step)
{
	if (step >= (uint64_t)schedule->decay_steps)
		return schedule->final;
	return schedule->initial +
	       (schedule->final - schedule->initial) * (double)step / schedule->decay_steps;
}
