/*
 * For tests of kinds of check: a folder, a configuration whose suite 's' has the given checks, and
 * one run of it with the real kinds.
 */
#ifndef SUITE_FIXTURE_H
#define SUITE_FIXTURE_H

#include "test.h"

#include "canaryctl/config.h"
#include "canaryctl/fileio.h"
#include "canaryctl/suite.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char suite_folder[] = "/tmp/canaryctl-suite-XXXXXX";
static struct config *suite_config;
static struct suite_run suite_run;

static inline int suite_setup(void **state)
{
	(void)state;
	memcpy(suite_folder + sizeof(suite_folder) - 7, "XXXXXX", 6);
	return mkdtemp(suite_folder) && chdir(suite_folder) == 0 ? 0 : -1;
}

static inline void suite_forget(void)
{
	suite_release(&suite_run);
	config_free(suite_config);
	suite_config = NULL;
	memset(&suite_run, 0, sizeof(suite_run));
}

static inline int suite_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

static inline int suite_teardown(void **state)
{
	(void)state;
	suite_forget();
	return chdir("/") < 0 ? -1 : nftw(suite_folder, suite_remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void suite_write(const char *name, const char *text)
{
	struct error err = { 0 };

	assert_int_equal(fileio_replace(name, text, strlen(text), 0600, &err), 0);
}

/* The whole configuration but the suite; `prometheus` is a URL or NULL. */
static inline struct config *suite_load(
	const char *suite, const char *prometheus, struct buf *ret_diagnostics)
{
	struct error err = { 0 };
	CLEANUP_FREE char *text =
		mem_format("service: shop\nstate_dir: state\n"
			   "production: {server: 'app:8000', health: '%s/health'}\n"
			   "canary: {server: 'app:8001', health: '%s/health'}\n"
			   "prometheus: {url: '%s', timeout: 1s}\n"
			   "traffic: {nginx: {template: c.yaml, output: out.conf}}\n"
			   "suites:\n  s:\n%s",
			prometheus ? prometheus : "http://127.0.0.1:1",
			prometheus ? prometheus : "http://127.0.0.1:1",
			prometheus ? prometheus : "http://127.0.0.1:1", suite);

	suite_write("c.yaml", text);
	return config_load("c.yaml", NULL, ret_diagnostics, &err);
}

/* Runs the suite; the report lives until the next call. */
static inline const struct suite_report *suite_of(const char *suite, const char *prometheus)
{
	struct buf diagnostics = { 0 };

	suite_forget();
	suite_config = suite_load(suite, prometheus, &diagnostics);
	if (!suite_config)
		fail_msg("%s", buf_text(&diagnostics));
	buf_release(&diagnostics);
	suite_run.request = (struct suite_request){
		.config = suite_config, .suite = &suite_config->suites[0], .target = "canary"
	};
	suite_once(&suite_run);
	return &suite_run.report;
}

/* One check without anything around it: "file: {path: a}\nrequire: ..." on one or more lines. */
static inline const struct verdict *verdict_of(const char *check)
{
	CLEANUP_FREE char *suite = mem_format("  - name: c\n    %s\n", check);

	return &suite_of(suite, NULL)->checks[0].verdict;
}

static inline void assert_verdict(
	const char *check, enum check_result result, const char *expected_message)
{
	const struct verdict *verdict = verdict_of(check);

	if (verdict->result != result || !strstr(verdict->message, expected_message))
		fail_msg("%s: %s \"%s\", expected %s \"%s\"", check,
			check_result_name(verdict->result), verdict->message,
			check_result_name(result), expected_message);
}

/* What the loader says of a check that cannot be. */
static inline void assert_refused(const char *check, const char *expected)
{
	CLEANUP_FREE char *suite = mem_format("  - name: c\n    %s\n", check);
	struct buf diagnostics = { 0 };
	struct config *config = suite_load(suite, NULL, &diagnostics);

	if (config || !strstr(buf_text(&diagnostics), expected))
		fail_msg("%s: \"%s\", expected \"%s\"", check, buf_text(&diagnostics), expected);
	buf_release(&diagnostics);
}

#endif
