/*
 * What the rows of the schema cannot say: defaults that depend on other values, and rules between
 * values. Completing twice is the same as completing once.
 */
#include "config/rules.h"
#include "canaryctl/duration.h"
#include "config/query.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { SERVICE_MAX_BYTES = 63, SETTLE_SCRAPES = 4, EXTEND_FACTOR = 2 };

static void problem(const struct rule_report *report, const char *key, const char *hint,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
static void problem(const struct rule_report *report, const char *key, const char *hint,
	const char *format, ...)
{
	char message[512];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	report->problem(report->context, key, hint, message);
}

static void check_service(const struct config *config, const struct rule_report *report)
{
	const char *service = config->service;
	size_t length;

	if (!service)
		return;
	length = strspn(service, "abcdefghijklmnopqrstuvwxyz0123456789-");
	if (service[length] || length > SERVICE_MAX_BYTES)
		problem(report, "service", "use a-z, 0-9 and '-', at most 63 of them",
			"'%.100s' is not a service name", service);
}

static void complete_state_dir(struct config *config, const struct rule_report *report)
{
	const char *state_home = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (config->state_dir)
		return;
	if (geteuid() == 0)
		config->state_dir = arena_strdup(&config->arena, "/var/lib/canaryctl");
	else if (state_home && *state_home == '/')
		config->state_dir = arena_format(&config->arena, "%s/canaryctl", state_home);
	else if (home && *home == '/')
		config->state_dir = arena_format(&config->arena, "%s/.local/state/canaryctl", home);
	else
		problem(report, "state_dir", "name a folder that only you can write",
			"has no default without $HOME");
}

/* These become part of NGINX's configuration, where such a character would end the directive. */
static void check_nginx_text(const struct rule_report *report, const char *key, const char *text)
{
	if (!text)
		return;
	for (const char *at = text; *at; at++) {
		if ((unsigned char)*at > ' ' && *at != 0x7f && !strchr(";{}$\"'`\\#", *at))
			continue;
		problem(report, key, NULL,
			"has a character at place %zu that NGINX's configuration cannot hold",
			(size_t)(at - text) + 1);
		return;
	}
}

static void check_auth(const struct http_auth *auth, const struct rule_report *report)
{
	bool has_token = auth->credentials || auth->credentials_file;

	if (auth->username && (has_token || auth->type))
		problem(report, "prometheus.authorization", "keep one of the two",
			"cannot be combined with 'basic_auth'");
	if (auth->password && auth->password_file)
		problem(report, "prometheus.basic_auth.password_file", "keep one of the two",
			"cannot be combined with 'password'");
	if (auth->credentials && auth->credentials_file)
		problem(report, "prometheus.authorization.credentials_file", "keep one of the two",
			"cannot be combined with 'credentials'");
	if (auth->type && strcasecmp(auth->type, "basic") == 0)
		problem(report, "prometheus.authorization.type",
			"use 'basic_auth' with 'username' and 'password_file'",
			"'%s' is not possible here", auth->type);
	else if (auth->type && !has_token)
		problem(report, "prometheus.authorization",
			"give 'credentials' or 'credentials_file'", "has no credentials");
	if (!auth->cert_file != !auth->key_file)
		problem(report, "prometheus.tls_config", NULL,
			"'cert_file' and 'key_file' belong together");
}

static void complete_prometheus(struct config *config, const struct rule_report *report)
{
	char *url = config->prometheus.url;
	size_t length = strlen(url);

	while (length && url[length - 1] == '/')
		url[--length] = '\0';
	if (strpbrk(url, "?#"))
		problem(report, "prometheus.url", NULL, "must be a base URL, without '?' and '#'");
	check_auth(&config->prometheus.auth, report);
}

static struct strv argv_of(struct arena *arena, const char *const *words)
{
	struct strv argv = { 0 };

	while (words[argv.count])
		argv.count++;
	argv.items = arena_alloc(arena, (argv.count + 1) * sizeof(argv.items[0]));
	for (size_t i = 0; i < argv.count; i++)
		argv.items[i] = arena_strdup(arena, words[i]);
	return argv;
}

static void complete_commands(struct config *config)
{
	struct nginx_config *nginx = &config->nginx;
	struct arena *arena = &config->arena;
	const char *container = nginx->container;

	if (!nginx->test.count)
		nginx->test =
			container ? argv_of(arena, (const char *const[]){ "docker", "exec",
							   container, "nginx", "-t", NULL })
				  : argv_of(arena, (const char *const[]){ "nginx", "-t", NULL });
	if (!nginx->reload.count)
		nginx->reload =
			container
				? argv_of(arena, (const char *const[]){ "docker", "exec", container,
							 "nginx", "-s", "reload", NULL })
				: argv_of(arena,
					  (const char *const[]){ "nginx", "-s", "reload", NULL });
	if (!nginx->install.count && container && nginx->output)
		nginx->install = argv_of(arena,
			(const char *const[]){ "docker", "cp", "{file}",
				arena_format(arena, "%s:%s", container, nginx->output), NULL });
}

static void check_container(const struct nginx_config *nginx, const struct rule_report *report)
{
	const char *name = nginx->container;

	if (!name)
		return;
	for (const char *at = name; *at; at++) {
		if (isalnum((unsigned char)*at) || (at > name && strchr("_.-", *at)))
			continue;
		problem(report, "traffic.nginx.container", NULL, "'%.100s' is not a container name",
			name);
		return;
	}
}

/* Splits "HOST:PORT"; false when it is no such thing. */
static bool split_listen(const char *listen, size_t *ret_host_length, long *ret_port)
{
	const char *colon = strrchr(listen, ':');
	size_t digits;

	if (!colon || colon == listen)
		return false;
	if (listen[0] != '[' && memchr(listen, ':', (size_t)(colon - listen)))
		return false;
	digits = strspn(colon + 1, "0123456789");
	if (!digits || digits > 5 || colon[1 + digits])
		return false;
	*ret_host_length = (size_t)(colon - listen);
	*ret_port = strtol(colon + 1, NULL, 10);
	return *ret_port >= 1 && *ret_port <= 65535;
}

static bool is_loopback(const char *host, size_t length)
{
	return (length > 4 && strncmp(host, "127.", 4) == 0 &&
		       strspn(host, "0123456789.") >= length) ||
	       (length == 9 && strncmp(host, "localhost", 9) == 0) ||
	       (length == 5 && strncmp(host, "[::1]", 5) == 0);
}

static void complete_proof(struct config *config, const struct rule_report *report)
{
	struct nginx_config *nginx = &config->nginx;
	size_t host_length;
	long port;

	if (!split_listen(nginx->proof_listen, &host_length, &port)) {
		problem(report, "traffic.nginx.proof.listen", "write it as 127.0.0.1:8099",
			"'%.100s' is not HOST:PORT", nginx->proof_listen);
		return;
	}
	if (!is_loopback(nginx->proof_listen, host_length)) {
		if (!nginx->container)
			problem(report, "traffic.nginx.proof.listen",
				"listen on 127.0.0.1: nobody else has to see the weights",
				"'%.100s' is not a loopback address", nginx->proof_listen);
		else if (!nginx->proof_url)
			problem(report, "traffic.nginx.proof",
				"name the URL where the container publishes the proof",
				"needs a 'url', because 'listen' is not a loopback address");
	}
	check_nginx_text(report, "traffic.nginx.proof.listen", nginx->proof_listen);
	if (!nginx->proof_url)
		nginx->proof_url = arena_format(&config->arena, "http://%s/", nginx->proof_listen);
}

static void complete_nginx(struct config *config, const struct rule_report *report)
{
	struct nginx_config *nginx = &config->nginx;

	check_container(nginx, report);
	complete_commands(config);
	complete_proof(config, report);
	check_nginx_text(report, "traffic.nginx.brake", nginx->brake);
	/* A rollback goes on without it: the brake may still hold the traffic. */
	if (!config->is_traffic_only && nginx->template_path &&
		access(nginx->template_path, R_OK) < 0)
		problem(report, "traffic.nginx.template", NULL, "cannot read '%s': %s",
			nginx->template_path, strerror(errno));
}

static void check_share(const struct share_config *share, const struct rule_report *report)
{
	static const char hint[] = "write label=\"value\", such as version=\"canary\"";

	if (share->requests && strchr(share->requests, '{'))
		problem(report, "traffic.share.requests",
			"its labels go into 'canary' and 'production'",
			"must be the name of a counter alone");
	if (share->canary && !matchers_valid(share->canary))
		problem(report, "traffic.share.canary", hint, "'%.200s' is no list of labels",
			share->canary);
	if (share->production && !matchers_valid(share->production))
		problem(report, "traffic.share.production", hint, "'%.200s' is no list of labels",
			share->production);
}

int64_t config_stage_observe_ms(const struct config *config, size_t stage)
{
	int64_t own = config->rollout.stages[stage].observe_ms;

	return own ? own : config->rollout.observe_ms;
}

static void check_stage_order(const struct config *config, const struct rule_report *report)
{
	const struct rollout_config *rollout = &config->rollout;
	weight_t before = 0;

	for (size_t i = 0; i < rollout->stage_count; i++) {
		weight_t weight = rollout->stages[i].weight;
		char text[WEIGHT_TEXT_SIZE], before_text[WEIGHT_TEXT_SIZE], key[64];

		if (weight == WEIGHT_UNKNOWN)
			continue;
		snprintf(key, sizeof(key), "rollout.stages[%zu]", i);
		if (weight == 0 && i == 0)
			problem(report, key, "stages go up: 0 < weight <= 100",
				"a stage of 0 sends nothing to the canary");
		else if (weight <= before)
			problem(report, key, "stages go up: 0 < weight <= 100",
				"%s is not above %s", weight_format(weight, text),
				weight_format(before, before_text));
		before = weight;
	}
}

static void check_observe(const struct config *config, const struct rule_report *report)
{
	const struct rollout_config *rollout = &config->rollout;
	char observe_text[DURATION_TEXT_SIZE], settle_text[DURATION_TEXT_SIZE];
	bool is_said = false;

	duration_format(rollout->settle_ms, settle_text);
	for (size_t i = 0; i < rollout->stage_count; i++) {
		bool has_own = rollout->stages[i].observe_ms != 0;
		char key[64] = "rollout.observe";

		if (config_stage_observe_ms(config, i) >= rollout->settle_ms ||
			(!has_own && is_said))
			continue;
		if (has_own)
			snprintf(key, sizeof(key), "rollout.stages[%zu].observe", i);
		else
			is_said = true;
		duration_format(config_stage_observe_ms(config, i), observe_text);
		problem(report, key,
			"evaluations count from 'settle' on, which is never less than 4 x "
			"prometheus.scrape_interval",
			"%s leaves no room for a counted evaluation: settle is %s", observe_text,
			settle_text);
	}
}

void config_complete_rollout(struct config *config, const struct rule_report *report)
{
	struct rollout_config *rollout = &config->rollout;
	int64_t least_ms = SETTLE_SCRAPES * config->prometheus.scrape_interval_ms;

	rollout->settle_ms =
		rollout->settle_given_ms > least_ms ? rollout->settle_given_ms : least_ms;
	rollout->extend_limit_ms = rollout->extend_limit_given_ms
					   ? rollout->extend_limit_given_ms
					   : EXTEND_FACTOR * rollout->observe_ms;
	if (!rollout->stage_count)
		problem(report, "rollout.stages", NULL, "has no stage");
	check_stage_order(config, report);
	check_observe(config, report);
}

static void check_preflight(const struct config *config, const struct rule_report *report)
{
	const struct strv *preflight = &config->rollout.preflight;

	for (size_t i = 0; i < preflight->count; i++) {
		char key[64];
		bool found = false;

		for (size_t j = 0; j < config->suite_count && !found; j++)
			found = strcmp(config->suites[j].name, preflight->items[i]) == 0;
		if (found)
			continue;
		snprintf(key, sizeof(key), "rollout.preflight[%zu]", i);
		problem(report, key, "define it under 'suites', or include the file that does",
			"there is no suite '%.100s'", preflight->items[i]);
	}
}

void config_complete(struct config *config, const struct rule_report *report)
{
	check_service(config, report);
	complete_state_dir(config, report);
	check_nginx_text(report, "production.server", config->production.server);
	check_nginx_text(report, "canary.server", config->canary.server);
	complete_prometheus(config, report);
	complete_nginx(config, report);
	check_share(&config->share, report);
	config_complete_rollout(config, report);
	check_preflight(config, report);
}
