/*
 * The simulated language models: each mode has one, with its own distribution of latencies. The
 * latency is model time: it is reported and recorded, not slept. Pure.
 */
#ifndef REFAPP_MODEL_H
#define REFAPP_MODEL_H

#include "canaryctl/buf.h"
#include "refapp/random.h"

#include <stdbool.h>

enum mode { MODE_FAST, MODE_BALANCED, MODE_CREATIVE, MODE_COUNT };

bool mode_parse(const char *text, enum mode *ret_mode);
const char *mode_name(enum mode mode);
const char *mode_model(enum mode mode);

/* Seconds, from a lognormal distribution with the mode's median and 95th percentile. */
double model_latency_s(enum mode mode, struct random *random);
double model_median_s(enum mode mode);

/* A brief as JSON. A malformed one lacks what its schema demands: the notes. */
void model_write_brief(enum mode mode, bool malformed, struct random *random, struct buf *out);

/* What a mode has to say about a note: always the same, and so worth caching. */
void model_describe_note(enum mode mode, const char *note, struct buf *out);

#endif
