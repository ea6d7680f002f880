/*
 * NGINX text from the template: the one place where weights become NGINX's words. Pure.
 *
 * Only ${PRODUCTION_WEIGHT}, ${CANARY_WEIGHT}, ${PRODUCTION_SERVER}, ${CANARY_SERVER} and
 * ${GENERATION} are replaced. Behind `weight=` a weight is an integer, or the whole word becomes
 * `down` when it is 0; elsewhere it is a percentage, and a statement that starts with a share of
 * 0% (a line of split_clients) is left out.
 */
#ifndef CANARYCTL_TRAFFIC_TEMPLATE_H
#define CANARYCTL_TRAFFIC_TEMPLATE_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/weight.h"

struct template_input {
	const char *name; /* of the template, for messages */
	const char *text;
	const char *service;
	const char *production_server;
	const char *canary_server;
	const char *generation;
	const char *proof_listen;
	const char *brake; /* NULL: none */
	weight_t canary;
};

/*
 * The whole file: the template with its words replaced, and the proof server behind it. What is
 * worth a line of warning is added to *notes. ERROR_CONFIG when the template holds no weight, or
 * when what comes out would leave an upstream without a server.
 */
int template_render(const struct template_input *input, struct buf *ret_output, struct buf *notes,
	struct error *err);

#endif
