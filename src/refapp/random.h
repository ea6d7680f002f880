/*
 * Seeded pseudo-random numbers (splitmix64): the same seed and stream give the same numbers on
 * every machine. Pure.
 */
#ifndef REFAPP_RANDOM_H
#define REFAPP_RANDOM_H

#include <stdint.h>

struct random {
	uint64_t state;
};

/* Streams of one seed are independent, so that one user of numbers does not shift another's. */
void random_init(struct random *random, uint64_t seed, uint64_t stream);
uint64_t random_next(struct random *random);
double random_unit(struct random *random);   /* [0, 1) */
double random_normal(struct random *random); /* mean 0, deviation 1 */

#endif
