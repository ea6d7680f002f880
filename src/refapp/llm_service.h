/*
 * Calling the language models through their breakers, and how they are. Counts, and logs every
 * change of a breaker's state.
 */
#ifndef REFAPP_LLM_SERVICE_H
#define REFAPP_LLM_SERVICE_H

#include "refapp/app.h"

/*
 * Finds the mode whose model answers for a request of `mode`: its own, or else (auto_downshift) a
 * cheaper one, or else any. False: none does.
 */
bool llm_choose(struct app *app, const struct settings *settings, enum mode mode, int64_t now_ms,
	enum mode *ret_served);

struct llm_health {
	bool healthy;
	const char *status; /* healthy, unhealthy or unloaded */
	const char *reason; /* "" when healthy */
	double latency_s;   /* of the test inference; 0 when there was none */
	enum breaker_state breaker;
};

/* Loaded, breaker closed, and a test inference that answers in time. Changes no breaker's count. */
struct llm_health llm_health(struct app *app, enum llm llm, int64_t now_ms);

#endif
