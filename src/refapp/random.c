/* splitmix64 and the Box-Muller transform: see random.h. */
#include "refapp/random.h"

#include <math.h>

void random_init(struct random *random, uint64_t seed, uint64_t stream)
{
	random->state = seed;
	random->state = random_next(random) ^ (stream * UINT64_C(0xd1342543de82ef95));
}

uint64_t random_next(struct random *random)
{
	uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

double random_unit(struct random *random)
{
	return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

double random_normal(struct random *random)
{
	double radius = sqrt(-2 * log(1 - random_unit(random)));

	return radius * cos(2 * acos(-1) * random_unit(random));
}
