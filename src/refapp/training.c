/* Curves that look like a PPO run in good health: see training.h. */
#include "refapp/training.h"

#include <math.h>

static double noisy(struct training *training, double value)
{
	return value * (1 + 0.05 * (2 * random_unit(&training->random) - 1));
}

void training_init(struct training *training, uint64_t seed, uint64_t stream)
{
	*training = (struct training){ 0 };
	random_init(&training->random, seed, stream);
	training_update(training);
}

void training_update(struct training *training)
{
	double progress = 1 - exp(-(double)training->updates / 500);

	training->updates++;
	training->loss = noisy(training, 0.30 - 0.05 * progress);
	training->reward = noisy(training, 0.60 + 0.20 * progress);
	training->entropy = noisy(training, 0.010 - 0.009 * progress);
	training->clip_frac = noisy(training, 0.15 - 0.05 * progress);
}
