/*
 * The simulated reinforcement learning: one update per TRAINING_BATCH requests, whose loss falls
 * towards a floor with a little noise. Pure.
 */
#ifndef REFAPP_TRAINING_H
#define REFAPP_TRAINING_H

#include "refapp/random.h"

#include <stdint.h>

#define TRAINING_BATCH 20

struct training {
	struct random random;
	uint64_t updates;
	double loss;
	double reward;
	double entropy;
	double clip_frac;
};

void training_init(struct training *training, uint64_t seed, uint64_t stream); /* one update done */
void training_update(struct training *training);

#endif
