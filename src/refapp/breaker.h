/*
 * A circuit breaker, one per language model. Closed, it lets calls through and counts the results
 * of the last `window` of them; when a share of `failure_threshold` failed it opens and refuses
 * calls for `timeout_ms`; then it is half open and lets one call through at a time, whose result
 * closes or opens it. Pure: the caller brings the time.
 */
#ifndef REFAPP_BREAKER_H
#define REFAPP_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

#define BREAKER_WINDOW_MAX 200

/* The numbers are those of the metric circuit_breaker_state. */
enum breaker_state { BREAKER_CLOSED = 0, BREAKER_OPEN = 1, BREAKER_HALF_OPEN = 2 };

struct breaker_settings {
	bool enabled;
	double failure_threshold; /* share of the window */
	int window;               /* calls, at most BREAKER_WINDOW_MAX */
	int minimum_calls;        /* fewer are not judged */
	int64_t timeout_ms;
	bool auto_downshift; /* for whoever routes: the breaker does not look at it */
};

/* Start from `= { 0 }`: closed. */
struct breaker {
	enum breaker_state state;
	bool failed[BREAKER_WINDOW_MAX]; /* ring */
	int next;
	int calls; /* in the ring */
	int failures;
	int64_t opened_ms;
	uint64_t times_opened;
	bool probing; /* half open, and the one call is out */
};

/* May a call go out now? One that may is to be followed by breaker_note(). */
bool breaker_allow(
	struct breaker *breaker, const struct breaker_settings *settings, int64_t now_ms);
void breaker_note(struct breaker *breaker, const struct breaker_settings *settings, bool failed,
	int64_t now_ms);

/* An open breaker becomes half open by time alone; for those who only look. */
enum breaker_state breaker_state_at(
	struct breaker *breaker, const struct breaker_settings *settings, int64_t now_ms);

double breaker_failure_share(const struct breaker *breaker); /* 0 without calls */
const char *breaker_state_name(enum breaker_state state);

#endif
