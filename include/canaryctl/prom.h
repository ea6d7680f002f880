/*
 * The Prometheus client: instant queries, retried within one deadline, answers parsed into
 * bounded memory and never trusted.
 */
#ifndef CANARYCTL_PROM_H
#define CANARYCTL_PROM_H

#include "canaryctl/config.h"
#include "canaryctl/error.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "canaryctl/task.h"

#include <stdbool.h>
#include <stddef.h>

struct prom_label {
	const char *name;
	const char *value;
};

struct prom_sample {
	double time;  /* seconds */
	double value; /* may be NaN or infinite */
};

struct prom_series {
	struct prom_label *labels; /* sorted by name; includes __name__ where there is one */
	size_t label_count;
	struct prom_sample *samples; /* one for a vector or scalar; rising times for a matrix */
	size_t sample_count;
};

enum prom_type { PROM_VECTOR, PROM_MATRIX, PROM_SCALAR, PROM_STRING };

struct prom_result {
	struct arena arena; /* owns everything below */
	enum prom_type type;
	struct prom_series *series;
	size_t series_count;
	const char *warnings; /* joined by "; ", NULL: none */
};

void prom_result_release(struct prom_result *result);
const char *prom_series_label(const struct prom_series *series, const char *name); /* "" if none */

/*
 * Pure: bytes of an answer to a result. Errors: ERROR_CONFIG (bad_data and other 4xx: the query
 * or the address is wrong), ERROR_METRICS (execution, partial, malformed answer), ERROR_NET
 * (unavailable; worth a retry).
 */
int prom_parse(const char *bytes, size_t length, long http_status, const char *content_type,
	struct prom_result *ret_result, struct error *err);

/* The times at which a range query evaluates its expression: start_s, + step_s, ... up to end_s. */
struct prom_range {
	double start_s;
	double end_s;
	double step_s;
};

/* One query with its retries, as a task of its own. */
struct prom_query {
	struct task task;
	const struct prometheus_config *config;
	char *expression;        /* owned */
	double time;             /* evaluation time, seconds; 0: the server's now */
	struct prom_range range; /* step_s 0: an instant query */
	int64_t deadline_ms;     /* on the loop's clock, for all tries */
	int attempt;
	bool use_post; /* long queries; the other method is tried once when refused (405) */
	bool method_refused;
	struct http_op http;
	struct sleep_op pause;
	/* The result. */
	struct error error;
	bool answered; /* the server answered, even if with an error; not a proxy's 502 */
	struct prom_result result;
};

/* `expression` is copied. All tries end within config->timeout_ms. */
void prom_query_start(struct prom_query *query, struct task *parent,
	const struct prometheus_config *config, const char *expression, double time);
/* The same for each time of a range; the answer is a matrix. */
void prom_query_range_start(struct prom_query *query, struct task *parent,
	const struct prometheus_config *config, const char *expression, struct prom_range range);
void prom_query_release(struct prom_query *query);

/* What time the server has (seconds since 1970), of an ended query for PROM_TIME. */
#define PROM_TIME "time()"
int prom_query_time(const struct prom_query *query, double *ret_time, struct error *err);

#endif
