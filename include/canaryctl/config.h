/*
 * The configuration: one struct, filled from YAML through the schema table. Everything in it is
 * owned by its arena and is read-only after config_load().
 */
#ifndef CANARYCTL_CONFIG_H
#define CANARYCTL_CONFIG_H

#include "canaryctl/buf.h"
#include "canaryctl/check.h"
#include "canaryctl/error.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "canaryctl/strv.h"
#include "canaryctl/weight.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct endpoint_config {
	char *server; /* as NGINX's `server` takes it: "app:8000" */
	char *health; /* URL */
};

struct prometheus_config {
	char *url; /* without a trailing slash; may have a path prefix */
	int64_t timeout_ms;
	int64_t scrape_interval_ms;
	int64_t outage_limit_ms;
	struct http_auth auth;
};

struct nginx_config {
	char *template_path;
	char *output;
	bool output_in_place;
	char *container; /* NULL: on this host */
	struct strv test;
	struct strv reload;
	struct strv install; /* empty: atomic rename onto output; "{file}" is replaced */
	char *proof_listen;  /* "127.0.0.1:8099" */
	char *proof_url;
	char *brake; /* NULL: none */
	int64_t settle_timeout_ms;
};

struct share_config {
	char *requests; /* metric; NULL: share is not watched */
	char *canary;   /* matchers: version="canary" */
	char *production;
};

enum on_inconclusive { ON_INCONCLUSIVE_EXTEND, ON_INCONCLUSIVE_ROLLBACK, ON_INCONCLUSIVE_HOLD };
enum on_interrupt { ON_INTERRUPT_ROLLBACK, ON_INTERRUPT_HOLD };
enum on_crash { ON_CRASH_ROLLBACK, ON_CRASH_RESUME };
enum on_deadline { ON_DEADLINE_ROLLBACK, ON_DEADLINE_HOLD };

struct stage_config {
	weight_t weight;
	int64_t observe_ms; /* 0: rollout.observe */
	bool needs_approval;
	bool undecided_passes; /* `undecided: pass`: its end does not wait for evidence */
};

struct rollout_config {
	struct stage_config *stages;
	size_t stage_count;
	int64_t observe_ms;
	int64_t interval_ms;
	int64_t settle_ms;       /* effective: at least 4 scrape intervals */
	int64_t settle_given_ms; /* in the file; 0: not given */
	int64_t consecutive_failures;
	int on_inconclusive;
	int64_t extend_limit_ms;       /* effective: 2 x observe when not given */
	int64_t extend_limit_given_ms; /* in the file; 0: not given */
	int on_interrupt;
	int on_crash;
	int64_t guardian_grace_ms;
	struct strv preflight;
};

struct suite_config {
	char *name;
	int64_t timeout_ms;
	struct check_config *checks;
	size_t check_count;
};

struct hooks_config {
	struct strv before_rollout, after_stage, on_rollback, on_success, promote, cleanup;
	int64_t timeout_ms;
};

struct notify_config {
	char *webhook;
	int format; /* index into slack, json, cloudevents */
	struct strv on;
};

/* When to scale one way, and how often. */
struct scale_side {
	struct condition when; /* of the metric; has no baseline */
	int64_t for_ms;        /* it must hold for as long as this */
	int64_t step;
	int64_t cooldown_ms; /* since the last scaling, of either way */
};

struct scale_rule {
	char *service;
	char *replicas; /* query: how many there are */
	char *metric;   /* query: what decides */
	struct scale_side up, down;
	int64_t min, max;
	struct strv blocked_by;             /* as written: "gpu/vram-headroom" */
	const struct check_config **blocks; /* the same checks, in the same order */
	struct strv scale;                  /* argv with ${service} and ${replicas} */
};

struct autoscaling_config {
	int64_t interval_ms;
	int64_t timeout_ms; /* for one `scale` command */
	struct scale_rule *rules;
	size_t rule_count;
};

struct config {
	struct arena arena;
	bool is_traffic_only; /* as in struct config_options */
	char *path;           /* of the main file */
	char *folder;         /* that it is in, absolute */
	char *service;
	char *state_dir;
	struct endpoint_config production, canary;
	struct prometheus_config prometheus;
	struct nginx_config nginx;
	struct share_config share;
	struct rollout_config rollout;
	struct check_config *checks;
	size_t check_count;
	struct suite_config *suites;
	size_t suite_count;
	struct hooks_config hooks;
	int64_t promotion_soak_ms;
	struct strv promotion_approvals;
	int64_t approval_deadline_ms;
	int approval_on_deadline;
	struct notify_config *notify;
	size_t notify_count;
	struct autoscaling_config autoscaling;
	char hash[17]; /* of the text as read, for the journal */
};

/*
 * Finds the file: `wanted` (--config), $CANARYCTL_CONFIG, ./canaryctl.yaml,
 * ./configs/canaryctl.yaml, /etc/canaryctl/canaryctl.yaml. malloc'ed; NULL and *err when none.
 */
char *config_find(const char *wanted, struct error *err);

/*
 * Loads, checks and completes the configuration. All errors of the file are collected in
 * *ret_diagnostics as `file:line:col: key: problem`, each with the line, a caret and a hint, and
 * *err then holds a one-line summary (ERROR_CONFIG). NULL on error.
 *
 * `traffic_only` is for rollback: only `service`, `state_dir`, `production`, `canary` and
 * `traffic` must be right; errors elsewhere are ignored.
 */
struct config_options {
	bool traffic_only;
};
struct config *config_load(const char *path, const struct config_options *options,
	struct buf *ret_diagnostics, struct error *err);
void config_free(struct config *config);

/*
 * Applies `deploy --stages` ("1,10,50,100"; NULL: as configured) and `--observation-period`
 * (0: as configured; otherwise for every stage), then completes and checks the configuration
 * again. A stage of a weight that is configured keeps that stage's approval and observe. Errors
 * are ERROR_USAGE, and `config` must not be used after one.
 */
int config_override(
	struct config *config, const char *stages, int64_t observe_ms, struct error *err);

/* How long this stage is observed. */
int64_t config_stage_observe_ms(const struct config *config, size_t stage);

/* The effective configuration as YAML, secrets masked. */
void config_show(const struct config *config, struct buf *ret_text);

/* docs/configuration.md, generated from the schema table and the check kinds. */
void config_write_reference(struct buf *ret_text);

/* ${window}, ${version}, ${stage_weight}, ${service}, ${target}, ${target_url} and
 * ${prometheus_url} in a text; malloc'ed. The version is escaped for a PromQL string. */
char *config_expand_query(const char *query, const struct check_context *context);

#endif
