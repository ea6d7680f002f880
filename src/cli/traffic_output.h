/* What `rollback`, `weights` and `status` say of the traffic; shared by these commands only. */
#ifndef CANARYCTL_TRAFFIC_OUTPUT_H
#define CANARYCTL_TRAFFIC_OUTPUT_H

#include "canaryctl/cli.h"
#include "canaryctl/rollout.h"

#include <cjson/cJSON.h>

/* Adds canary_weight, production_weight, proven, braked, generation (weights in percent). */
void traffic_output_add_json(cJSON *object, const struct traffic_state *traffic);

/* "canary 5 %, production 95 %, proven (generation ...)". */
void traffic_output_add_text(struct buf *text, const struct traffic_state *traffic);

/* Prints what is in force. Returns the exit status. */
int traffic_output_reading(const struct cli *cli, const struct traffic_change *change);

/* Prints what a change by hand came to. Returns the exit status. */
int traffic_output_result(
	const struct cli *cli, const struct manual_result *result, bool is_rollback);

#endif
