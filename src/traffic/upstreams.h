/*
 * What a rendered file would do with the traffic, as far as its text shows: NGINX accepts an
 * upstream whose servers are all `down` and then answers every request with 502. Pure.
 */
#ifndef CANARYCTL_TRAFFIC_UPSTREAMS_H
#define CANARYCTL_TRAFFIC_UPSTREAMS_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"

#include <stdbool.h>

/* Start from `= { 0 }`. */
struct upstreams_report {
	bool has_production_pool;     /* an upstream of the production server alone */
	struct buf names;             /* of all: "'a', 'b'" */
	struct buf without_zone;      /* upstreams of several servers; as the others below */
	struct buf without_max_fails; /* with a server that failures can take out */
	struct buf shared;            /* of several servers */
	struct buf unweighted;  /* where something else than weights decides: "'a' (ip_hash)" */
	struct buf late_method; /* with `keepalive` before the balancing method */
};

/*
 * -1 (ERROR_CONFIG, with the line of `text`) when an upstream has no server that would take
 * traffic, a split_clients has no line, or the text is broken. `name` is for messages.
 */
int upstreams_examine(const char *name, const char *text, const char *production_server,
	struct upstreams_report *ret_report, struct error *err);
void upstreams_report_release(struct upstreams_report *report);

#endif
