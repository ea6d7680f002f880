/* What an answer of Prometheus that is no result means: see prom_refuse.c. Only for metrics/. */
#ifndef METRICS_PROM_REFUSE_H
#define METRICS_PROM_REFUSE_H

#include "canaryctl/error.h"

/* An answer of status `http_status` without a usable error document in it. Returns -1. */
int prom_refuse_status(
	long http_status, const char *content_type, const char *body, struct error *err);

/* {"status":"error","errorType":type,"error":text}. Returns -1. */
int prom_refuse_error(long http_status, const char *type, const char *text, struct error *err);

#endif
