/*
 * sim: rollouts in a simulated world.
 *
 *	sim --seed N		replays one, with a trace
 *	sim --rollouts N	runs many, from --from SEED on (default: fresh), and names each seed
 *				in which an invariant does not hold
 *	sim --mutate NAME	breaks something first: succeeds when that is found
 *	sim --mutations		all of them
 *	sim --cases		the repro cases; --case NAME replays one, with a trace
 */
#include "sim.h"
#include "sim_cases.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { MOST_SHOWN = 10, MUTANT_ROLLOUTS = 20000 };

static const struct {
	const char *name;
	const char *invariant;
	const char *what;
} mutations[] = {
#define MUTATION_ROW(identifier, name, invariant, what)                                            \
	[MUTATION_##identifier] = { name, invariant, what },
	SIM_MUTATIONS(MUTATION_ROW)
};

static bool run_seed(uint64_t seed)
{
	sim.seed = seed;
	plan_from_seed(&sim.plan, seed);
	return sim_run();
}

static int replay(uint64_t seed)
{
	bool holds;

	sim.is_traced = true;
	holds = run_seed(seed);
	printf(holds ? "all invariants hold\n" : "%s: %s\n", sim.invariant, sim.violation);
	return holds ? 0 : 1;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int run_many(uint64_t from, long count)
{
	double began = seconds(), took;
	long failed = 0;

	for (long i = 0; i < count; i++) {
		uint64_t seed = from + (uint64_t)i;

		if (run_seed(seed))
			continue;
		if (failed++ < MOST_SHOWN)
			printf("FAILED seed %llu: %s: %s\n", (unsigned long long)seed,
				sim.invariant, sim.violation);
	}
	took = seconds() - began;
	printf("%ld rollouts from seed %llu, %ld failed, %.1f s, %.0f a minute\n", count,
		(unsigned long long)from, failed, took, (double)count / took * 60);
	if (failed)
		printf("replay one with: sim --seed N\n");
	return failed ? 1 : 0;
}

/* Is it found, by the invariant that is there for it? */
static int run_mutant(enum mutation mutation, uint64_t from)
{
	sim.mutation = mutation;
	for (long i = 0; i < MUTANT_ROLLOUTS; i++) {
		if (run_seed(from + (uint64_t)i) ||
			strcmp(sim.invariant, mutations[mutation].invariant) != 0)
			continue;
		printf("found %-18s after %5ld rollouts, seed %llu: %s: %s\n",
			mutations[mutation].name, i + 1, (unsigned long long)(from + (uint64_t)i),
			sim.invariant, sim.violation);
		return 0;
	}
	printf("NOT FOUND: %s (%s), by invariant '%s'\n", mutations[mutation].name,
		mutations[mutation].what, mutations[mutation].invariant);
	return 1;
}

static int run_mutants(const char *wanted, uint64_t from)
{
	int result = 0, count = 0;

	for (int i = MUTATION_NONE + 1; i < MUTATION_COUNT; i++) {
		if (wanted && strcmp(wanted, mutations[i].name) != 0)
			continue;
		count++;
		result |= run_mutant((enum mutation)i, from);
	}
	if (count)
		return result;
	fprintf(stderr, "sim: no mutation is called '%s'\n", wanted);
	return 64;
}

static uint64_t fresh_seed(void)
{
	uint32_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return (uint64_t)time(NULL);
	return seed;
}

static int usage(void)
{
	fputs("usage: sim --seed N | --rollouts N [--from SEED] | --mutate NAME [--from SEED] |\n"
	      "           --mutations | --cases | --case NAME\n",
		stderr);
	return 64;
}

int main(int argc, char **argv)
{
	const char *command = argc > 1 ? argv[1] : "";
	const char *value = argc > 2 ? argv[2] : NULL;
	uint64_t from =
		argc > 4 && strcmp(argv[3], "--from") == 0 ? strtoull(argv[4], NULL, 10) : 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (strcmp(command, "--mutations") == 0)
		return run_mutants(NULL, from);
	if (strcmp(command, "--cases") == 0)
		return cases_run();
	if (!value)
		return usage();
	if (strcmp(command, "--seed") == 0)
		return replay(strtoull(value, NULL, 10));
	if (strcmp(command, "--rollouts") == 0)
		return run_many(argc > 4 ? from : fresh_seed(), strtol(value, NULL, 10));
	if (strcmp(command, "--mutate") == 0)
		return run_mutants(value, from);
	if (strcmp(command, "--case") == 0)
		return cases_replay(value);
	return usage();
}
