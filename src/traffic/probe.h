/*
 * A handful of questions to the proof address at once, each on a connection of its own, so that
 * different workers get to answer.
 */
#ifndef CANARYCTL_TRAFFIC_PROBE_H
#define CANARYCTL_TRAFFIC_PROBE_H

#include "traffic/proof_block.h"

#include "canaryctl/loop.h"

enum { PROBE_MAX = 16, PROBE_TIMEOUT_MS = 1000 };

/* Start from `= { 0 }`. */
struct probe {
	struct http_op http[PROBE_MAX];
	int count;
	/* Filled by probe_collect(). */
	struct proof_answer answers[PROBE_MAX];
	int answered;    /* answers that are ours */
	int refused;     /* nobody listens */
	int foreign;     /* somebody else answers HTTP there */
	int broken;      /* connected, but no answer */
	char oddity[96]; /* what the last of those two was; "" when there was none */
};

/* `count` is cut to PROBE_MAX. */
void probe_start(struct probe *probe, struct task *task, const char *url, int count);
void probe_collect(struct probe *probe);

#endif
