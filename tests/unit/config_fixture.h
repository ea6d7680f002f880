/*
 * For tests of the configuration: a folder for files, a table of check kinds of its own (so that
 * no test here depends on how a kind measures), and loading text.
 */
#ifndef CONFIG_FIXTURE_H
#define CONFIG_FIXTURE_H

#include "canaryctl/buf.h"
#include "canaryctl/check.h"
#include "canaryctl/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fixture_ratio {
	char *of;
	char *over;
};
static const struct schema_row fixture_ratio_rows[] = {
	{ "of", SCHEMA_SELECTOR, offsetof(struct fixture_ratio, of), .is_required = true,
		.help = "bad ones" },
	{ "over", SCHEMA_SELECTOR, offsetof(struct fixture_ratio, over), .is_required = true,
		.help = "all" },
	{ 0 },
};
static int fixture_ratio_validate(const struct check_config *check, struct error *err)
{
	if (!check->require.text && !check->critical.text) {
		error_set(err, ERROR_CONFIG, 0, "check '%s' has no condition", check->name);
		return error_hint(err, "give it a 'require'");
	}
	if (check->require.uses_baseline)
		return error_set(err, ERROR_CONFIG, 0, "'ratio' has no baseline");
	return 0;
}
static const struct check_kind fixture_ratio = {
	.name = "ratio",
	.help = "Share of bad events.",
	.needs_prometheus = true,
	.rows = fixture_ratio_rows,
	.params_size = sizeof(struct fixture_ratio),
	.validate = fixture_ratio_validate,
};

struct fixture_latency {
	char *histogram;
	double quantile;
};
static const struct schema_row fixture_latency_rows[] = {
	{ "histogram", SCHEMA_SELECTOR, offsetof(struct fixture_latency, histogram),
		.is_required = true, .help = "without _bucket" },
	{ "quantile", SCHEMA_NUMBER, offsetof(struct fixture_latency, quantile),
		.default_text = "95%", .minimum = 0.01, .maximum = 0.9999, .help = "which" },
	{ 0 },
};
static const struct check_kind fixture_latency = {
	.name = "latency",
	.help = "Quantile of a histogram.",
	.needs_prometheus = true,
	.rows = fixture_latency_rows,
	.params_size = sizeof(struct fixture_latency),
};

struct fixture_prometheus {
	char *query;
	char *baseline;
};
static const struct schema_row fixture_prometheus_rows[] = {
	{ "query", SCHEMA_STRING, offsetof(struct fixture_prometheus, query), .is_required = true,
		.help = "PromQL" },
	{ "baseline", SCHEMA_STRING, offsetof(struct fixture_prometheus, baseline),
		.help = "PromQL" },
	{ 0 },
};
static const struct check_kind fixture_prometheus = {
	.name = "prometheus",
	.help = "Value of a query.",
	.needs_prometheus = true,
	.rows = fixture_prometheus_rows,
	.params_size = sizeof(struct fixture_prometheus),
};

struct fixture_http {
	char *url;
	struct text_map headers;
	struct strv argv;
};
static const struct schema_row fixture_http_rows[] = {
	{ "url", SCHEMA_URL, offsetof(struct fixture_http, url), .is_required = true,
		.help = "to ask" },
	{ "headers", SCHEMA_TEXT_MAP, offsetof(struct fixture_http, headers), .help = "to send" },
	{ "argv", SCHEMA_ARGV, offsetof(struct fixture_http, argv), .help = "to run" },
	{ 0 },
};
static const struct check_kind fixture_http = {
	.name = "http",
	.help = "An HTTP request.",
	.rows = fixture_http_rows,
	.params_size = sizeof(struct fixture_http),
};

const struct check_kind *const check_kinds[] = {
	&fixture_ratio,
	&fixture_latency,
	&fixture_prometheus,
	&fixture_http,
	NULL,
};

/* ---- files ---- */

static char fixture_folder[64];

static inline void fixture_write(const char *name, const char *text)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", fixture_folder, name);
	file = fopen(path, "w");
	assert(file);
	fputs(text, file);
	fclose(file);
}

static inline int fixture_setup(void **state)
{
	(void)state;
	snprintf(fixture_folder, sizeof(fixture_folder), "/tmp/canaryctl-config-XXXXXX");
	if (!mkdtemp(fixture_folder) || chdir(fixture_folder) < 0)
		return -1;
	fixture_write("template", "server ${PRODUCTION_SERVER};\n");
	return 0;
}

static inline int fixture_teardown(void **state)
{
	static const char *const names[] = { "template", "c.yaml", "more.yaml", "again.yaml",
		"broken.yaml", "shown.yaml" };
	char path[256];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", fixture_folder, names[i]);
		unlink(path);
	}
	return chdir("/") < 0 || rmdir(fixture_folder) < 0 ? -1 : 0;
}

/* The smallest configuration there is: 8 lines, before whatever a test adds. */
#define FIXTURE_MINIMAL                                                                            \
	"service: shop\n"                                                                          \
	"production: {server: 'app:8000', health: 'http://localhost:8000/health'}\n"               \
	"canary: {server: 'app:8001', health: 'http://localhost:8001/health'}\n"                   \
	"traffic:\n"                                                                               \
	"  nginx:\n"                                                                               \
	"    template: template\n"                                                                 \
	"    output: out/upstream.conf\n"                                                          \
	"# ----\n"

/* Loads text as c.yaml; what is wrong goes to *ret_diagnostics. */
static inline struct config *fixture_load(
	const char *text, bool traffic_only, struct buf *ret_diagnostics, struct error *err)
{
	struct config_options options = { .traffic_only = traffic_only };

	fixture_write("c.yaml", text);
	return config_load("c.yaml", &options, ret_diagnostics, err);
}

#endif
