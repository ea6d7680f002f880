/*
 * Traffic: how the canary's weight is put in force, proven, read back and taken away. A driver
 * does it for one kind of edge (NGINX on this host or in a container; later a fleet).
 *
 * Every change ends in one of few outcomes, and nothing is called done that was not read back
 * from the running NGINX.
 */
#ifndef CANARYCTL_TRAFFIC_H
#define CANARYCTL_TRAFFIC_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"
#include "canaryctl/task.h"
#include "canaryctl/weight.h"

#include <stdbool.h>

enum { GENERATION_SIZE = 192 };

/* What the running edge says of itself. After a rollback by weights the brake stays on as well,
 * until the next rollout; it alone holds the traffic when `canary` is not 0. */
struct traffic_state {
	bool is_reachable; /* the proof address answers */
	bool is_proven;    /* all answers agree, and are what the output file says */
	bool is_braked;
	weight_t canary; /* WEIGHT_UNKNOWN when not reachable or answers differ */
	char generation[GENERATION_SIZE];
	int workers;          /* accepting; 0: /proc does not show them */
	int draining_workers; /* old ones that still serve long connections */
};

enum traffic_goal {
	TRAFFIC_READ,     /* what is in force? */
	TRAFFIC_SET,      /* make it this weight; put back when any step fails */
	TRAFFIC_ROLLBACK, /* brake first, then 0; the brake alone when a reload is impossible */
	TRAFFIC_RELEASE,  /* remove the brake; only allowed with 0 % in force */
	TRAFFIC_REHEARSE  /* render and test at this weight in a scratch configuration only */
};

enum traffic_outcome {
	TRAFFIC_PROVEN, /* done and proven (READ: read; REHEARSE: NGINX accepts it) */
	TRAFFIC_UNDONE, /* failed; what was before is in force and proven (REHEARSE: refused) */
	TRAFFIC_BRAKED, /* ROLLBACK: no reload possible, the brake holds the canary at 0, proven */
	TRAFFIC_LOST    /* not proven to be where it should be */
};

/* One thing to do with the traffic, as a task. Zeroed by the caller but for the inputs. */
struct traffic_change {
	struct task task;
	/* Inputs, borrowed until the task is done. */
	const struct config *config;
	enum traffic_goal goal;
	weight_t canary;
	const char
		*rollout; /* identifies the rollout in the generation: "20261120T170313Z-v0.2.0" */
	/* Results. */
	enum traffic_outcome outcome;
	struct traffic_state state; /* as last seen */
	struct error error;         /* why not TRAFFIC_PROVEN; which step, with its hint */
	struct buf notes;           /* warnings worth a line each, "\n"-separated */
	struct buf rendered;        /* REHEARSE: the file as it would be */
	int64_t elapsed_ms;
	void *state_private; /* the driver's */
};

struct traffic_driver {
	const char *name;
	void (*start)(struct traffic_change *change, struct task *parent);
	void (*release)(struct traffic_change *change);
};

extern const struct traffic_driver traffic_nginx;

/* The driver that the configuration asks for. */
const struct traffic_driver *traffic_driver_of(const struct config *config);

#endif
