/*
 * What /dna/create and /evolve/... hand out and must know again: the last EVOLUTION_KEPT of each.
 * Pure.
 */
#ifndef REFAPP_EVOLUTION_H
#define REFAPP_EVOLUTION_H

#include "refapp/random.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EVOLUTION_KEPT    256
#define EVOLUTION_ID_SIZE 24
#define EVOLUTION_OPTIONS 3 /* opt_001 to opt_003 */

struct experiment {
	char id[EVOLUTION_ID_SIZE];
	char dna_id[EVOLUTION_ID_SIZE];
	unsigned int feedbacks;
};

struct evolution {
	struct random random;
	char dna[EVOLUTION_KEPT][EVOLUTION_ID_SIZE];
	size_t next_dna;
	struct experiment experiments[EVOLUTION_KEPT];
	size_t next_experiment;
};

void evolution_init(struct evolution *evolution, uint64_t seed, uint64_t stream);

const char *evolution_create_dna(struct evolution *evolution); /* its id */
bool evolution_has_dna(const struct evolution *evolution, const char *id);

struct experiment *evolution_create_experiment(struct evolution *evolution, const char *dna_id);
struct experiment *evolution_find_experiment(struct evolution *evolution, const char *id);

bool evolution_is_option(const char *id);

#endif
