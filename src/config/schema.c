/*
 * The one table of configuration keys. A new key is a row here and a member of struct config;
 * parser, `config show` and docs/configuration.md follow.
 */
#include "canaryctl/schema.h"
#include "canaryctl/check.h"
#include "canaryctl/config.h"
#include "config/schema_rows.h"

#include <string.h>
#include <strings.h>

#define CONFIG(member)     .offset = offsetof(struct config, member)
#define CHECK(member)      .offset = offsetof(struct check_config, member)
#define SCALE(member)      .offset = offsetof(struct scale_rule, member)
#define SCALE_MAXIMUM      10000
#define SECOND             1000.0
#define MINUTE             (60 * SECOND)
#define HOUR               (60 * MINUTE)
#define DAY                (24 * HOUR)
#define BETWEEN(low, high) .minimum = (low), .maximum = (high)

static const char *const on_inconclusive_names[] = { "extend", "rollback", "hold", NULL };
static const char *const on_interrupt_names[] = { "rollback", "hold", NULL };
static const char *const on_crash_names[] = { "rollback", "resume", NULL };
static const char *const on_deadline_names[] = { "rollback", "hold", NULL };
static const char *const approval_names[] = { "none", "required", NULL };
static const char *const undecided_names[] = { "inconclusive", "pass", NULL };
static const char *const notify_event_names[] = { "started", "awaiting_approval", "succeeded",
	"rolled_back", "aborted", "held", "rollback_failed", NULL };
static const char *const notify_format_names[] = { "slack", "json", "cloudevents", NULL };
static const char *const no_data_names[] = { "inconclusive", "fail", "zero", "pass", NULL };
static const char *const on_fail_names[] = { "rollback", "hold", NULL };
static const char *const severity_names[] = { "error", "warning", NULL };

static const struct schema_row production_rows[] = {
	{ "server", SCHEMA_STRING, CONFIG(production.server), .is_required = true,
		.help = "address of the production version, as NGINX's `server` takes it" },
	{ "health", SCHEMA_URL, CONFIG(production.health), .is_required = true,
		.help = "URL of its health page" },
	{ 0 },
};

static const struct schema_row canary_rows[] = {
	{ "server", SCHEMA_STRING, CONFIG(canary.server), .is_required = true,
		.help = "address of the canary, as NGINX's `server` takes it" },
	{ "health", SCHEMA_URL, CONFIG(canary.health), .is_required = true,
		.help = "URL of its health page: asked at every evaluation" },
	{ 0 },
};

static const struct schema_row basic_auth_rows[] = {
	{ "username", SCHEMA_STRING, CONFIG(prometheus.auth.username), .is_required = true,
		.help = "user name" },
	{ "password", SCHEMA_SECRET, CONFIG(prometheus.auth.password),
		.help = "password; better in a file or as `${env:NAME}`" },
	{ "password_file", SCHEMA_PATH, CONFIG(prometheus.auth.password_file),
		.help = "file with the password, read anew for each request" },
	{ 0 },
};

static const struct schema_row authorization_rows[] = {
	{ "type", SCHEMA_STRING, CONFIG(prometheus.auth.type),
		.help = "scheme, `Bearer` when not given; for `Basic` use `basic_auth`" },
	{ "credentials", SCHEMA_SECRET, CONFIG(prometheus.auth.credentials),
		.help = "token; better in a file or as `${env:NAME}`" },
	{ "credentials_file", SCHEMA_PATH, CONFIG(prometheus.auth.credentials_file),
		.help = "file with the token, read anew for each request" },
	{ 0 },
};

static const struct schema_row tls_rows[] = {
	{ "ca_file", SCHEMA_PATH, CONFIG(prometheus.auth.ca_file),
		.help = "certificates to trust, PEM" },
	{ "cert_file", SCHEMA_PATH, CONFIG(prometheus.auth.cert_file),
		.help = "client certificate, PEM" },
	{ "key_file", SCHEMA_PATH, CONFIG(prometheus.auth.key_file),
		.help = "key of the client certificate, PEM" },
	{ "server_name", SCHEMA_STRING, CONFIG(prometheus.auth.server_name),
		.help = "name that the server's certificate must carry" },
	{ "insecure_skip_verify", SCHEMA_BOOL, CONFIG(prometheus.auth.insecure_skip_verify),
		.default_text = "false", .help = "accept any certificate" },
	{ 0 },
};

static const struct schema_row prometheus_rows[] = {
	{ "url", SCHEMA_URL, CONFIG(prometheus.url), .default_text = "http://localhost:9090",
		.help = "base URL; may have a path prefix (Thanos, Mimir, VictoriaMetrics)" },
	{ "timeout", SCHEMA_DURATION, CONFIG(prometheus.timeout_ms), .default_text = "5s",
		BETWEEN(100, 10 * MINUTE), .help = "for one query, with its retries" },
	{ "scrape_interval", SCHEMA_DURATION, CONFIG(prometheus.scrape_interval_ms),
		.default_text = "15s", BETWEEN(100, HOUR),
		.help = "how often Prometheus scrapes the two versions" },
	{ "outage_limit", SCHEMA_DURATION, CONFIG(prometheus.outage_limit_ms),
		.default_text = "60s", BETWEEN(SECOND, DAY),
		.help = "unreachable for longer during a rollout: roll back" },
	{ "basic_auth", SCHEMA_MAP, .nested = basic_auth_rows,
		.help = "user name and password, as in Prometheus' own `http_config`" },
	{ "authorization", SCHEMA_MAP, .nested = authorization_rows,
		.help = "a token in the Authorization header" },
	{ "tls_config", SCHEMA_MAP, .nested = tls_rows, .help = "for https" },
	{ "headers", SCHEMA_CUSTOM, CONFIG(prometheus.auth.headers), .custom = CUSTOM_HEADERS,
		.help = "further request headers: a map such as `{X-Scope-OrgID: team-a}`" },
	{ 0 },
};

static const struct schema_row proof_rows[] = {
	{ "listen", SCHEMA_STRING, CONFIG(nginx.proof_listen), .default_text = "127.0.0.1:8099",
		.help = "where NGINX tells its weights: loopback `HOST:PORT`, another port per "
			"service; rendered into the output" },
	{ "url", SCHEMA_URL, CONFIG(nginx.proof_url),
		.help = "where canaryctl asks for them; default `http://<listen>/` (a container "
			"may "
			"publish it elsewhere)" },
	{ 0 },
};

static const struct schema_row nginx_rows[] = {
	{ "template", SCHEMA_PATH, CONFIG(nginx.template_path), .is_required = true,
		.help = "NGINX text with `${CANARY_WEIGHT}` and its like" },
	{ "output", SCHEMA_PATH, CONFIG(nginx.output), .is_required = true,
		.help = "the file that NGINX includes; replaced at every shift" },
	{ "output_in_place", SCHEMA_BOOL, CONFIG(nginx.output_in_place), .default_text = "false",
		.help = "write over the same inode: for a file that is bind-mounted by itself" },
	{ "container", SCHEMA_STRING, CONFIG(nginx.container),
		.help = "name of the container NGINX runs in: sets `test`, `reload` and `install` "
			"to "
			"docker exec and docker cp" },
	{ "test", SCHEMA_ARGV, CONFIG(nginx.test),
		.help = "argv that tests the configuration; default `[nginx, -t]`" },
	{ "reload", SCHEMA_ARGV, CONFIG(nginx.reload),
		.help = "argv that reloads it; default `[nginx, -s, reload]`" },
	{ "install", SCHEMA_ARGV, CONFIG(nginx.install),
		.help = "argv that puts `{file}` in place; default is an atomic rename onto "
			"`output`" },
	{ "proof", SCHEMA_MAP, .nested = proof_rows,
		.help = "how the weights in force are read back from the running NGINX" },
	{ "brake", SCHEMA_PATH, CONFIG(nginx.brake),
		.help = "file that, while it exists, sends everything to production; only where "
			"NGINX's "
			"configuration honours it" },
	{ "settle_timeout", SCHEMA_DURATION, CONFIG(nginx.settle_timeout_ms), .default_text = "10s",
		BETWEEN(500, 10 * MINUTE),
		.help = "new weights must be proven within this, else they are put back" },
	{ 0 },
};

static const struct schema_row share_rows[] = {
	{ "requests", SCHEMA_SELECTOR, CONFIG(share.requests), .is_required = true,
		.help = "counter of requests that both versions export" },
	{ "canary", SCHEMA_STRING, CONFIG(share.canary), .is_required = true,
		.help = "its labels for the canary, such as `version=\"canary\"`" },
	{ "production", SCHEMA_STRING, CONFIG(share.production), .is_required = true,
		.help = "its labels for production" },
	{ 0 },
};

static const struct schema_row traffic_rows[] = {
	{ "nginx", SCHEMA_MAP, .is_required = true, .nested = nginx_rows,
		.help = "the NGINX in front of both versions" },
	{ "share", SCHEMA_MAP, .nested = share_rows,
		.help = "watch that the canary really receives its share" },
	{ 0 },
};

static const struct schema_row rollout_rows[] = {
	{ "stages", SCHEMA_CUSTOM, CONFIG(rollout.stages), .default_text = "[1, 5, 25, 100]",
		.custom = CUSTOM_STAGES,
		.help = "canary weights in percent, ascending: numbers, or maps (see Stages)" },
	{ "observe", SCHEMA_DURATION, CONFIG(rollout.observe_ms), .default_text = "15m",
		BETWEEN(100, 30 * DAY), .help = "how long each stage is watched" },
	{ "interval", SCHEMA_DURATION, CONFIG(rollout.interval_ms), .default_text = "15s",
		BETWEEN(100, DAY), .help = "between two evaluations of the checks" },
	{ "settle", SCHEMA_DURATION, CONFIG(rollout.settle_given_ms), BETWEEN(0, DAY),
		.help = "part of `observe`: evaluations count from here on; default, and never "
			"less "
			"than, 4 scrape intervals" },
	{ "consecutive_failures", SCHEMA_INT, CONFIG(rollout.consecutive_failures),
		.default_text = "3", BETWEEN(1, 1000),
		.help = "FAILs of one check in a row that end the rollout early" },
	{ "on_inconclusive", SCHEMA_ENUM, CONFIG(rollout.on_inconclusive), .default_text = "extend",
		.names = on_inconclusive_names,
		.help = "a stage ends undecided: observe on, roll back, or hold" },
	{ "extend_limit", SCHEMA_DURATION, CONFIG(rollout.extend_limit_given_ms),
		BETWEEN(100, 30 * DAY),
		.help = "at most this much longer, then roll back; default 2 x `observe` (none at "
			"all: `on_inconclusive: rollback`)" },
	{ "on_interrupt", SCHEMA_ENUM, CONFIG(rollout.on_interrupt), .default_text = "rollback",
		.names = on_interrupt_names, .help = "on SIGINT and SIGTERM" },
	{ "on_crash", SCHEMA_ENUM, CONFIG(rollout.on_crash), .default_text = "rollback",
		.names = on_crash_names,
		.help = "what `recover` does with an interrupted rollout" },
	{ "guardian_grace", SCHEMA_DURATION, CONFIG(rollout.guardian_grace_ms),
		.default_text = "30s", BETWEEN(0, DAY),
		.help = "after canaryctl died: how long somebody has to `recover` before the "
			"guardian "
			"does" },
	{ "preflight", SCHEMA_STRINGS, CONFIG(rollout.preflight),
		.help = "suites that must be GO before the first shift" },
	{ 0 },
};

static const struct schema_row hooks_rows[] = {
	{ "before_rollout", SCHEMA_ARGV, CONFIG(hooks.before_rollout),
		.help = "failing stops the rollout before the first shift" },
	{ "after_stage", SCHEMA_ARGV, CONFIG(hooks.after_stage),
		.help = "after a stage has passed" },
	{ "on_rollback", SCHEMA_ARGV, CONFIG(hooks.on_rollback),
		.help = "after the canary is at 0 %" },
	{ "on_success", SCHEMA_ARGV, CONFIG(hooks.on_success),
		.help = "after the last stage has passed" },
	{ "promote", SCHEMA_ARGV, CONFIG(hooks.promote),
		.help = "makes production run the new version" },
	{ "cleanup", SCHEMA_ARGV, CONFIG(hooks.cleanup),
		.help = "after a promotion, with the canary at 0 %" },
	{ "timeout", SCHEMA_DURATION, CONFIG(hooks.timeout_ms), .default_text = "5m",
		BETWEEN(100, DAY), .help = "for each of them" },
	{ 0 },
};

static const struct schema_row promotion_rows[] = {
	{ "soak", SCHEMA_DURATION, CONFIG(promotion_soak_ms), .default_text = "30m",
		BETWEEN(0, 30 * DAY), .help = "how long 100 % must have been held" },
	{ "approvals", SCHEMA_STRINGS, CONFIG(promotion_approvals),
		.help = "roles that must all have approved" },
	{ 0 },
};

static const struct schema_row approval_rows[] = {
	{ "deadline", SCHEMA_DURATION, CONFIG(approval_deadline_ms), .default_text = "2h",
		BETWEEN(SECOND, 30 * DAY), .help = "how long a question to people waits" },
	{ "on_deadline", SCHEMA_ENUM, CONFIG(approval_on_deadline), .default_text = "rollback",
		.names = on_deadline_names, .help = "what happens when nobody answers" },
	{ 0 },
};

static const struct schema_row autoscaling_rows[] = {
	{ "interval", SCHEMA_DURATION, CONFIG(autoscaling.interval_ms), .default_text = "30s",
		BETWEEN(100, DAY), .help = "between two looks, without `--once`" },
	{ "timeout", SCHEMA_DURATION, CONFIG(autoscaling.timeout_ms), .default_text = "2m",
		BETWEEN(100, DAY), .help = "for one `scale` command" },
	{ "services", SCHEMA_CUSTOM, CONFIG(autoscaling.rules), .is_required = true,
		.custom = CUSTOM_SCALE_RULES,
		.help = "the rule of each service, by its name (see Autoscaling rules)" },
	{ 0 },
};

const struct schema_row config_rows[] = {
	{ "include", SCHEMA_CUSTOM, .custom = CUSTOM_INCLUDE,
		.help = "files whose `checks`, `suites` and `autoscaling` are added to this "
			"one's" },
	{ "service", SCHEMA_STRING, CONFIG(service), .is_required = true,
		.help = "name of what is rolled out, `[a-z0-9-]`; state is kept per service" },
	{ "state_dir", SCHEMA_PATH, CONFIG(state_dir),
		.help = "folder of the journal; default `/var/lib/canaryctl`, for an ordinary user "
			"`$XDG_STATE_HOME/canaryctl`" },
	{ "production", SCHEMA_MAP, .is_required = true, .nested = production_rows,
		.help = "the version that is live now" },
	{ "canary", SCHEMA_MAP, .is_required = true, .nested = canary_rows,
		.help = "the version that is being tried" },
	{ "prometheus", SCHEMA_MAP, .nested = prometheus_rows,
		.help = "where measurements come from" },
	{ "traffic", SCHEMA_MAP, .is_required = true, .nested = traffic_rows,
		.help = "how traffic is moved" },
	{ "rollout", SCHEMA_MAP, .nested = rollout_rows, .help = "how a rollout goes" },
	{ "checks", SCHEMA_CUSTOM, CONFIG(checks), .custom = CUSTOM_CHECKS,
		.help = "validators that gate each stage (see Checks)" },
	{ "suites", SCHEMA_CUSTOM, CONFIG(suites), .custom = CUSTOM_SUITES,
		.help = "named lists of checks, or maps (see Suites)" },
	{ "hooks", SCHEMA_MAP, .nested = hooks_rows,
		.help = "programs to run, never through a shell; they get `CANARYCTL_*` in the "
			"environment" },
	{ "promotion", SCHEMA_MAP, .nested = promotion_rows, .help = "when `promote` is allowed" },
	{ "approval", SCHEMA_MAP, .nested = approval_rows, .help = "questions to people" },
	{ "notify", SCHEMA_CUSTOM, CONFIG(notify), .custom = CUSTOM_NOTIFY,
		.help = "webhooks to tell (see Notifications)" },
	{ "autoscaling", SCHEMA_MAP, .nested = autoscaling_rows,
		.help = "how many instances of each service run, for `canaryctl autoscale`" },
	{ 0 },
};

static const struct schema_row scale_up_rows[] = {
	{ "when", SCHEMA_CONDITION, SCALE(up.when), .is_required = true,
		.help = "condition of the metric, such as `> 80%`" },
	{ "for", SCHEMA_DURATION, SCALE(up.for_ms), .default_text = "3m", BETWEEN(100, 30 * DAY),
		.help = "how long it must hold, without a gap; from 1 to 10000 scrape intervals" },
	{ "step", SCHEMA_INT, SCALE(up.step), .default_text = "1", BETWEEN(1, SCALE_MAXIMUM),
		.help = "how many more at once" },
	{ "cooldown", SCHEMA_DURATION, SCALE(up.cooldown_ms), .default_text = "3m",
		BETWEEN(0, 30 * DAY),
		.help = "how long after the last scaling, up or down; never less than `for`" },
	{ 0 },
};

static const struct schema_row scale_down_rows[] = {
	{ "when", SCHEMA_CONDITION, SCALE(down.when), .is_required = true,
		.help = "condition of the metric, such as `< 30%`; with room to `scale_up.when`" },
	{ "for", SCHEMA_DURATION, SCALE(down.for_ms), .default_text = "10m", BETWEEN(100, 30 * DAY),
		.help = "how long it must hold, without a gap; from 1 to 10000 scrape intervals" },
	{ "step", SCHEMA_INT, SCALE(down.step), .default_text = "1", BETWEEN(1, SCALE_MAXIMUM),
		.help = "how many fewer at once" },
	{ "cooldown", SCHEMA_DURATION, SCALE(down.cooldown_ms), .default_text = "10m",
		BETWEEN(0, 30 * DAY),
		.help = "how long after the last scaling, up or down; never less than `for`" },
	{ 0 },
};

const struct schema_row scale_rule_rows[] = {
	{ "replicas", SCHEMA_STRING, SCALE(replicas), .is_required = true,
		.help = "PromQL: how many instances there are now, as one number" },
	{ "metric", SCHEMA_STRING, SCALE(metric), .is_required = true,
		.help = "PromQL: what decides, as one series" },
	{ "scale_up", SCHEMA_MAP, .is_required = true, .nested = scale_up_rows,
		.help = "when there should be more" },
	{ "scale_down", SCHEMA_MAP, .is_required = true, .nested = scale_down_rows,
		.help = "when there should be fewer" },
	{ "min", SCHEMA_INT, SCALE(min), .default_text = "1", BETWEEN(0, SCALE_MAXIMUM),
		.help = "never fewer" },
	{ "max", SCHEMA_INT, SCALE(max), .is_required = true, BETWEEN(1, SCALE_MAXIMUM),
		.help = "never more" },
	{ "blocked_by", SCHEMA_STRINGS, SCALE(blocked_by),
		.help = "checks without which there is no scaling up: `NAME` of `checks`, or "
			"`SUITE/NAME`" },
	{ "scale", SCHEMA_ARGV, SCALE(scale), .is_required = true,
		.help = "argv that scales; `${service}` and `${replicas}` are replaced in it" },
	{ 0 },
};

const struct schema_row stage_rows[] = {
	{ "weight", SCHEMA_WEIGHT, offsetof(struct stage_text, weight), .is_required = true,
		.help = "percent of traffic for the canary, in steps of 0.01" },
	{ "observe", SCHEMA_DURATION, offsetof(struct stage_text, observe_ms),
		BETWEEN(100, 30 * DAY), .help = "instead of `rollout.observe`" },
	{ "approval", SCHEMA_ENUM, offsetof(struct stage_text, approval), .default_text = "none",
		.names = approval_names,
		.help = "`required`: a person must say yes before it begins" },
	{ "undecided", SCHEMA_ENUM, offsetof(struct stage_text, undecided),
		.default_text = "inconclusive", .names = undecided_names,
		.help = "a `compare` check that is still on HOLD at its end: `pass` lets the stage "
			"pass all the same" },
	{ 0 },
};

const struct schema_row suite_rows[] = {
	{ "timeout", SCHEMA_DURATION, offsetof(struct suite_config, timeout_ms),
		.default_text = "30s", BETWEEN(100, DAY),
		.help = "for the whole suite; what did not answer in time is NO_DATA" },
	{ "checks", SCHEMA_CUSTOM, offsetof(struct suite_config, checks), .is_required = true,
		.custom = CUSTOM_CHECKS, .help = "list of checks" },
	{ 0 },
};

const struct schema_row notify_rows[] = {
	{ "webhook", SCHEMA_SECRET_URL, offsetof(struct notify_config, webhook),
		.is_required = true, .help = "URL to POST to" },
	{ "format", SCHEMA_ENUM, offsetof(struct notify_config, format), .default_text = "json",
		.names = notify_format_names, .help = "what is sent" },
	{ "on", SCHEMA_STRINGS, offsetof(struct notify_config, on), .names = notify_event_names,
		.help = "outcomes and events that are told, such as `rolled_back`; default all" },
	{ 0 },
};

const struct schema_row min_samples_rows[] = {
	{ "query", SCHEMA_STRING, CHECK(min_samples_query), .is_required = true,
		.help = "PromQL that counts what is behind the value" },
	{ "at_least", SCHEMA_NUMBER, CHECK(min_samples), .is_required = true, BETWEEN(0, 1e15),
		.help = "fewer is NO_DATA" },
	{ 0 },
};

const struct schema_row check_rows[] = {
	{ "name", SCHEMA_STRING, CHECK(name), .is_required = true,
		.help = "unique in its list; named in every verdict" },
	{ "require", SCHEMA_CONDITION, CHECK(require), .help = "must hold; otherwise FAIL" },
	{ "prefer", SCHEMA_CONDITION, CHECK(prefer), .help = "should hold; otherwise WARN" },
	{ "critical", SCHEMA_CONDITION, CHECK(critical),
		.help = "when it holds: roll back at once, without waiting" },
	{ "min_samples", SCHEMA_CUSTOM, CHECK(min_samples), .custom = CUSTOM_MIN_SAMPLES,
		.help = "fewer is NO_DATA: a number, or `{query, at_least}`; a `critical` counts "
			"from "
			"3 bad requests on all the same" },
	{ "no_data", SCHEMA_ENUM, CHECK(no_data), .default_text = "inconclusive",
		.names = no_data_names, .help = "what no data means; `zero` takes the value as 0" },
	{ "from_stage", SCHEMA_WEIGHT, CHECK(from_stage), .default_text = "0",
		.help = "asked only from this weight (percent) on" },
	{ "on_fail", SCHEMA_ENUM, CHECK(on_fail), .default_text = "rollback",
		.names = on_fail_names, .help = "in a rollout" },
	{ "observe_only", SCHEMA_BOOL, CHECK(observe_only), .default_text = "false",
		.help = "shown and recorded, decides nothing: for trying a new check" },
	{ "severity", SCHEMA_ENUM, CHECK(severity), .default_text = "error",
		.names = severity_names,
		.help = "in a suite: a failing check with `warning` is a WARNING" },
	{ "hint", SCHEMA_STRING, CHECK(hint), .help = "what to do when it fails" },
	{ 0 },
};

bool header_is_secret(const char *name)
{
	static const char *const words[] = { "auth", "token", "secret", "key", "cookie", "pass",
		"credential" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcasestr(name, words[i]))
			return true;
	}
	return false;
}
