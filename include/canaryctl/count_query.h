/*
 * The exact count of what happened to one arm in a window, as a task: asks for the raw samples,
 * for `up` of the targets, counts (window.h), and when there is nothing to count finds out why.
 */
#ifndef CANARYCTL_COUNT_QUERY_H
#define CANARYCTL_COUNT_QUERY_H

#include "canaryctl/prom.h"
#include "canaryctl/selector.h"
#include "canaryctl/window.h"

enum count_outcome {
	COUNT_DONE,
	COUNT_NO_REQUESTS, /* the targets are up and fresh, and nothing happened */
	COUNT_NO_SERIES,   /* nothing matches; `why` says which label sets exist */
	COUNT_DOWN,        /* a target is down, gone or stale */
	COUNT_PARTIAL,     /* Prometheus warned: the answer may be incomplete */
	COUNT_ERROR,
};

struct count_request {
	const struct prometheus_config *config;
	const char *over; /* selectors, expanded */
	const char *of;   /* NULL: only `over` is counted */
	double time;      /* server time, seconds */
	int64_t window_ms;
};

struct count_query {
	struct task task;
	const struct prometheus_config *config;
	double time;
	int64_t window_ms;
	struct arena arena;
	char *over_text;
	char *of_text;
	struct selector over_selector;
	struct selector of_selector;
	/* The queries; those with asked_ were started. */
	struct prom_query over;
	struct prom_query of;
	struct prom_query up;
	struct prom_query more_up;
	struct prom_query existing;
	struct prom_query recent;
	bool asked_of;
	bool asked_up;
	bool asked_more_up;
	bool asked_existing;
	/* The result. */
	enum count_outcome outcome;
	struct error error;   /* COUNT_ERROR */
	struct window window; /* also with other outcomes: what could be seen */
	char why[512];        /* not COUNT_DONE: one sentence */
	char warning[256];
};

void count_query_start(
	struct count_query *query, struct task *parent, const struct count_request *request);
void count_query_release(struct count_query *query);

/*
 * Counts the same answers again: only what samples after `after` added, up to `until`. Release
 * *ret_window with window_release().
 */
void count_query_between(
	const struct count_query *query, double after, double until, struct window *ret_window);

#endif
