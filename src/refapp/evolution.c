/* Two rings of ids: see evolution.h. */
#include "refapp/evolution.h"

#include <stdio.h>
#include <string.h>

void evolution_init(struct evolution *evolution, uint64_t seed, uint64_t stream)
{
	*evolution = (struct evolution){ 0 };
	random_init(&evolution->random, seed, stream);
}

static void make_id(struct evolution *evolution, const char *prefix, char id[EVOLUTION_ID_SIZE])
{
	snprintf(id, EVOLUTION_ID_SIZE, "%s_%012llx", prefix,
		(unsigned long long)(random_next(&evolution->random) >> 16));
}

const char *evolution_create_dna(struct evolution *evolution)
{
	char *id = evolution->dna[evolution->next_dna++ % EVOLUTION_KEPT];

	make_id(evolution, "dna", id);
	return id;
}

bool evolution_has_dna(const struct evolution *evolution, const char *id)
{
	for (size_t i = 0; i < EVOLUTION_KEPT; i++) {
		if (*evolution->dna[i] && strcmp(evolution->dna[i], id) == 0)
			return true;
	}
	return false;
}

struct experiment *evolution_create_experiment(struct evolution *evolution, const char *dna_id)
{
	struct experiment *experiment =
		&evolution->experiments[evolution->next_experiment++ % EVOLUTION_KEPT];

	*experiment = (struct experiment){ 0 };
	make_id(evolution, "exp", experiment->id);
	snprintf(experiment->dna_id, sizeof(experiment->dna_id), "%s", dna_id);
	return experiment;
}

struct experiment *evolution_find_experiment(struct evolution *evolution, const char *id)
{
	for (size_t i = 0; i < EVOLUTION_KEPT; i++) {
		struct experiment *experiment = &evolution->experiments[i];

		if (*experiment->id && strcmp(experiment->id, id) == 0)
			return experiment;
	}
	return NULL;
}

bool evolution_is_option(const char *id)
{
	return strncmp(id, "opt_00", 6) == 0 && id[6] >= '1' && id[6] <= '0' + EVOLUTION_OPTIONS &&
	       !id[7];
}
