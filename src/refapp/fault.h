/*
 * Faults that can be switched on, by --fault and by POST /admin/fault. Grammar:
 *
 *   NAME=VALUE            active from now on; 0 or "off" switches it off
 *   all=off               switches all off
 *   NAME=VALUE@N          active once N further client API requests have been handled
 *   NAME=VALUE@Nrps       active while the instance handles more than N API requests per second
 *
 * A share (error_rate=8% or 0.08) is spread by error diffusion, not drawn: of any n requests,
 * share * n are hit, give or take one, in every run. Pure.
 */
#ifndef REFAPP_FAULT_H
#define REFAPP_FAULT_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/fileio.h"
#include "refapp/llm.h"

#include <stdbool.h>
#include <stdint.h>

enum fault_id {
	FAULT_ERROR_RATE,
	FAULT_LATENCY_FACTOR,
	FAULT_LATENCY_MS,
	FAULT_SLEEP_MS,
	FAULT_MALFORMED,
	FAULT_LOSS_SPIKE,
	FAULT_UNHEALTHY,
	FAULT_VERSION_LIE,
	FAULT_HANG,
	FAULT_CRASH,
	FAULT_GARBLED,
	FAULT_NO_JSON,
	FAULT_JSON_GUARD_OFF,
	FAULT_MODEL_DOWN,
	FAULT_BREAKER_OFF,
	FAULT_CACHE_OFF,
	FAULT_DISTRIBUTION_SKEW,
	FAULT_ENTROPY_STUCK,
	FAULT_REWARD_DROP,
	FAULT_VRAM_FULL,
	FAULT_BACKLOG,
	FAULT_OPTIONS_MISSING,
	FAULT_FEEDBACK_IGNORED,
	FAULT_LOG_QUIET,
	FAULT_METRICS_DOWN,
	FAULT_COUNT
};

enum fault_trigger { FAULT_ALWAYS, FAULT_AFTER_REQUESTS, FAULT_ABOVE_RATE };

#define FAULT_TEXT_SIZE 136

struct fault {
	bool set;
	double value;
	char text[FAULT_TEXT_SIZE]; /* the value of a text fault */
	enum fault_trigger trigger;
	double threshold;    /* requests per second, or requests since the start */
	int64_t accumulated; /* error diffusion, in millionths */
};

/* Start from `= { 0 }`: no fault is set. */
struct fault_set {
	struct fault faults[FAULT_COUNT];
};

/* What the triggers look at. */
struct fault_facts {
	uint64_t handled;
	double per_second;
};

/* "NAME=VALUE[@TRIGGER]", as on the command line. */
int fault_parse(
	struct fault_set *set, const char *text, uint64_t handled, struct error *err) WARN_UNUSED;

/* The same, already split at the equals sign. A fault that is refused stays as it was. */
int fault_assign(struct fault_set *set, const char *name, const char *value, uint64_t handled,
	struct error *err) WARN_UNUSED;

bool fault_active(const struct fault_set *set, enum fault_id id, const struct fault_facts *facts);

/* The value while active, else `neutral`. */
double fault_value(const struct fault_set *set, enum fault_id id, const struct fault_facts *facts,
	double neutral);

/* For a share: is this request one of those that are hit? Counts, so ask once per request. */
bool fault_hits(struct fault_set *set, enum fault_id id, const struct fault_facts *facts);

/* Is this one of the models that the fault 'model_down' names? */
bool fault_names_model(const struct fault_set *set, enum llm llm, const struct fault_facts *facts);

const char *fault_name(enum fault_id id);
const char *fault_help(enum fault_id id);

/* All faults as a JSON array of {name, set, active, value, trigger, help}. */
void fault_add_json(const struct fault_set *set, const struct fault_facts *facts, struct buf *out);

#endif
