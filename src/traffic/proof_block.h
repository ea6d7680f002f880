/*
 * The proof: a small server of canaryctl's own in the rendered file, which says from inside the
 * running NGINX which weights are in force. Here is what it says and how its answers are read.
 * Pure but for the random part of a generation; the answers are never trusted.
 */
#ifndef CANARYCTL_TRAFFIC_PROOF_BLOCK_H
#define CANARYCTL_TRAFFIC_PROOF_BLOCK_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/traffic.h"
#include "canaryctl/weight.h"

#include <stdbool.h>
#include <stddef.h>

struct proof_block {
	const char *listen;
	const char *brake; /* NULL: none */
	const char *generation;
	weight_t canary;
};

/* ERROR_CONFIG when a setting has characters that NGINX would read as something else. */
int proof_block_check(const struct proof_block *block, struct error *err);
void proof_block_append(const struct proof_block *block, struct buf *output);

/* One answer of a worker. */
struct proof_answer {
	char generation[GENERATION_SIZE];
	weight_t canary;
	int pid;
	bool is_braked;
};

/* False when it is not an answer of ours. */
bool proof_answer_parse(const char *body, size_t length, struct proof_answer *ret_answer);

/* The answer that a rendered file would give (without its pid); false when it has no proof. */
bool proof_block_find(const char *text, struct proof_answer *ret_answer);

/*
 * "<rollout>/<8 hex digits>": the part before the slash stays within a rollout, so that a
 * template can take its salt from it; the rest is new for each shift.
 */
int generation_make(const char *rollout, char *ret_generation, struct error *err);

#endif
