/* The table of faults, their grammar and their triggers: see fault.h. */
#include "refapp/fault.h"
#include "canaryctl/mem.h"
#include "canaryctl/semver.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum fault_kind {
	KIND_SHARE,   /* 0..1 or a percentage, of requests */
	KIND_FACTOR,  /* multiplies */
	KIND_MS,      /* milliseconds */
	KIND_SWITCH,  /* 1 or nothing */
	KIND_AMOUNT,  /* a plain number */
	KIND_VERSION, /* a semantic version */
	KIND_MODEL    /* a language model, or all of them */
};

struct fault_row {
	const char *name;
	enum fault_kind kind;
	const char *help;
};

static const struct fault_row rows[FAULT_COUNT] = {
	[FAULT_ERROR_RATE] = { "error_rate", KIND_SHARE, "share of API answers that are 500" },
	[FAULT_LATENCY_FACTOR] = { "latency_factor", KIND_FACTOR, "multiplies the model latency" },
	[FAULT_LATENCY_MS] = { "latency_ms", KIND_MS, "adds to the model latency" },
	[FAULT_SLEEP_MS] = { "sleep_ms", KIND_MS, "really waits before each API answer" },
	[FAULT_MALFORMED] = { "malformed", KIND_SHARE, "share of briefs that fail the schema" },
	[FAULT_LOSS_SPIKE] = { "loss_spike", KIND_FACTOR, "multiplies rl_training_loss" },
	[FAULT_UNHEALTHY] = { "unhealthy", KIND_SWITCH, "/health answers 503 \"unhealthy\"" },
	[FAULT_VERSION_LIE] = { "version_lie", KIND_VERSION, "reports this version instead" },
	[FAULT_HANG] = { "hang", KIND_SHARE, "share of API requests held for up to 30 s" },
	[FAULT_CRASH] = { "crash", KIND_SWITCH,
		"exits at once; by flag, at the first API request" },
	[FAULT_GARBLED] = { "garbled", KIND_SHARE,
		"share of model answers that are no JSON; a retry may help" },
	[FAULT_NO_JSON] = { "no_json", KIND_SHARE,
		"share of briefs that no retry gets JSON for: fallback" },
	[FAULT_JSON_GUARD_OFF] = { "json_guard_off", KIND_SWITCH,
		"no retries, no fallback: an answer that is no JSON is a 500" },
	[FAULT_MODEL_DOWN] = { "model_down", KIND_MODEL,
		"every call of qwen, mistral, llama or all fails" },
	[FAULT_BREAKER_OFF] = { "breaker_off", KIND_SWITCH, "no circuit breaker opens" },
	[FAULT_CACHE_OFF] = { "cache_off", KIND_SWITCH, "every look-up is a miss" },
	[FAULT_DISTRIBUTION_SKEW] = { "distribution_skew", KIND_SHARE,
		"share of fast requests that are served as creative" },
	[FAULT_ENTROPY_STUCK] = { "entropy_stuck", KIND_SWITCH,
		"ppo_entropy_coef stays at its initial value" },
	[FAULT_REWARD_DROP] = { "reward_drop", KIND_AMOUNT,
		"takes this off each reward; 0.5 makes training roll back" },
	[FAULT_VRAM_FULL] = { "vram_full", KIND_SHARE,
		"at least this share of the GPU memory is in use" },
	[FAULT_BACKLOG] = { "backlog", KIND_AMOUNT, "adds to queue_depth" },
	[FAULT_OPTIONS_MISSING] = { "options_missing", KIND_SWITCH,
		"/evolve/options answers without any option" },
	[FAULT_FEEDBACK_IGNORED] = { "feedback_ignored", KIND_SWITCH,
		"/evolve/feedback triggers no training" },
	[FAULT_LOG_QUIET] = { "log_quiet", KIND_SWITCH, "no llm_brief and rl_update lines" },
	[FAULT_METRICS_DOWN] = { "metrics_down", KIND_SWITCH, "/metrics answers 503" },
};

static const double kind_maximum[] = {
	[KIND_SHARE] = 1,
	[KIND_FACTOR] = 1000,
	[KIND_MS] = 600000,
	[KIND_SWITCH] = 1,
	[KIND_AMOUNT] = 1e6,
};

static const char *const kind_expects[] = {
	[KIND_SHARE] = "a share from 0 to 1, or a percentage",
	[KIND_FACTOR] = "a factor from 0 to 1000",
	[KIND_MS] = "milliseconds from 0 to 600000",
	[KIND_SWITCH] = "0 or 1",
	[KIND_AMOUNT] = "a number from 0 to 1000000",
	[KIND_VERSION] = "a semantic version, or 0",
	[KIND_MODEL] = "qwen, mistral, llama or all, or 0",
};

static bool parse_number(const char *text, double *ret_number, const char **ret_rest)
{
	char *end;

	/* strtod() also takes spaces, hexadecimal, "inf" and "nan". */
	if (!*text || !strchr("0123456789.", *text) || strpbrk(text, "xX"))
		return false;
	errno = 0;
	*ret_number = strtod(text, &end);
	*ret_rest = end;
	return end != text && errno == 0 && isfinite(*ret_number);
}

static bool parse_trigger(const char *text, uint64_t handled, struct fault *fault)
{
	const char *rest;

	if (!parse_number(text, &fault->threshold, &rest))
		return false;
	if (strcmp(rest, "rps") == 0) {
		fault->trigger = FAULT_ABOVE_RATE;
		return true;
	}
	fault->trigger = FAULT_AFTER_REQUESTS;
	if (*rest || fault->threshold != floor(fault->threshold) || fault->threshold > 1e12)
		return false;
	fault->threshold += (double)handled;
	return true;
}

static bool is_text(enum fault_kind kind)
{
	return kind == KIND_VERSION || kind == KIND_MODEL;
}

static bool is_valid_text(enum fault_kind kind, const char *text)
{
	enum llm llm;

	if (kind == KIND_VERSION)
		return semver_valid(text);
	return strcmp(text, "all") == 0 || llm_parse(text, &llm);
}

static bool parse_value(enum fault_kind kind, const char *text, struct fault *fault)
{
	const char *rest;

	if (strcmp(text, "0") == 0 || strcmp(text, "off") == 0)
		return true;
	fault->set = true;
	if (is_text(kind)) {
		if (!is_valid_text(kind, text) || strlen(text) >= sizeof(fault->text))
			return false;
		memcpy(fault->text, text, strlen(text) + 1);
		return true;
	}
	if (!parse_number(text, &fault->value, &rest))
		return false;
	if (kind == KIND_SHARE && strcmp(rest, "%") == 0)
		fault->value /= 100;
	else if (*rest)
		return false;
	if (kind == KIND_SWITCH && fault->value != 0 && fault->value != 1)
		return false;
	fault->set = fault->value != 0;
	return fault->value <= kind_maximum[kind];
}

static int unknown_fault(const char *name, struct error *err)
{
	CLEANUP_BUF struct buf names = BUF_INIT(384);

	for (int i = 0; i < FAULT_COUNT; i++)
		buf_add_format(&names, "%s%s", i ? ", " : "", rows[i].name);
	error_set(err, ERROR_USAGE, 0, "unknown fault '%s'", name);
	return error_hint(err, "faults are %s", buf_text(&names));
}

static int switch_all_off(struct fault_set *set, const char *value, struct error *err)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "off") != 0)
		return error_set(err, ERROR_USAGE, 0,
			"'all' faults can only be switched off, not set to '%s'", value);
	*set = (struct fault_set){ 0 };
	return 0;
}

int fault_assign(struct fault_set *set, const char *name, const char *value, uint64_t handled,
	struct error *err)
{
	const char *at = strrchr(value, '@');
	CLEANUP_FREE char *amount = mem_strndup(value, at ? (size_t)(at - value) : strlen(value));
	struct fault fault = { 0 };
	int id = 0;

	if (strcmp(name, "all") == 0)
		return switch_all_off(set, value, err);
	while (id < FAULT_COUNT && strcmp(name, rows[id].name) != 0)
		id++;
	if (id == FAULT_COUNT)
		return unknown_fault(name, err);
	if (!parse_value(rows[id].kind, amount, &fault))
		return error_set(err, ERROR_USAGE, 0, "fault '%s' wants %s, not '%s'", name,
			kind_expects[rows[id].kind], amount);
	if (at && !parse_trigger(at + 1, handled, &fault))
		return error_set(err, ERROR_USAGE, 0,
			"trigger '%s' of fault '%s' is neither a number of requests nor a rate "
			"such "
			"as 20rps",
			at, name);
	set->faults[id] = fault;
	return 0;
}

int fault_parse(struct fault_set *set, const char *text, uint64_t handled, struct error *err)
{
	const char *equals = strchr(text, '=');

	if (!equals || equals == text)
		return error_set(err, ERROR_USAGE, 0, "fault '%s' is not NAME=VALUE", text);

	CLEANUP_FREE char *name = mem_strndup(text, (size_t)(equals - text));
	return fault_assign(set, name, equals + 1, handled, err);
}

bool fault_active(const struct fault_set *set, enum fault_id id, const struct fault_facts *facts)
{
	const struct fault *fault = &set->faults[id];

	if (!fault->set)
		return false;
	switch (fault->trigger) {
	case FAULT_ALWAYS:
		return true;
	case FAULT_AFTER_REQUESTS:
		return (double)facts->handled > fault->threshold;
	case FAULT_ABOVE_RATE:
		return facts->per_second > fault->threshold;
	}
	return false;
}

double fault_value(const struct fault_set *set, enum fault_id id, const struct fault_facts *facts,
	double neutral)
{
	return fault_active(set, id, facts) ? set->faults[id].value : neutral;
}

bool fault_hits(struct fault_set *set, enum fault_id id, const struct fault_facts *facts)
{
	struct fault *fault = &set->faults[id];

	if (!fault_active(set, id, facts))
		return false;
	/* Integers: thousands of additions of 0.08 would drift. */
	fault->accumulated += llround(fault->value * 1e6);
	if (fault->accumulated < 1000000)
		return false;
	fault->accumulated -= 1000000;
	return true;
}

bool fault_names_model(const struct fault_set *set, enum llm llm, const struct fault_facts *facts)
{
	const char *text = set->faults[FAULT_MODEL_DOWN].text;
	enum llm named;

	if (!fault_active(set, FAULT_MODEL_DOWN, facts))
		return false;
	return strcmp(text, "all") == 0 || (llm_parse(text, &named) && named == llm);
}

const char *fault_name(enum fault_id id)
{
	return rows[id].name;
}

const char *fault_help(enum fault_id id)
{
	return rows[id].help;
}

static void add_trigger_json(const struct fault *fault, struct buf *out)
{
	if (fault->trigger == FAULT_AFTER_REQUESTS)
		buf_add_format(out, "\"after %.0f requests\"", fault->threshold);
	else if (fault->trigger == FAULT_ABOVE_RATE)
		buf_add_format(out, "\"above %g requests per second\"", fault->threshold);
	else
		buf_add_text(out, "\"always\"");
}

void fault_add_json(const struct fault_set *set, const struct fault_facts *facts, struct buf *out)
{
	buf_add_text(out, "[");
	for (int i = 0; i < FAULT_COUNT; i++) {
		const struct fault *fault = &set->faults[i];

		buf_add_format(out,
			"%s{\"name\":\"%s\",\"set\":%s,\"active\":%s,\"value\":", i ? "," : "",
			rows[i].name, fault->set ? "true" : "false",
			fault_active(set, (enum fault_id)i, facts) ? "true" : "false");
		/* A valid text has no character that JSON would need escaped. */
		if (fault->set && is_text(rows[i].kind))
			buf_add_format(out, "\"%s\"", fault->text);
		else
			buf_add_format(out, "%g", fault->value);
		buf_add_text(out, ",\"trigger\":");
		add_trigger_json(fault, out);
		/* The help texts hold double quotes at most. */
		buf_add_text(out, ",\"help\":\"");
		for (const char *p = rows[i].help; *p; p++)
			buf_add_format(out, *p == '"' ? "\\%c" : "%c", *p);
		buf_add_text(out, "\"}");
	}
	buf_add_text(out, "]");
}
