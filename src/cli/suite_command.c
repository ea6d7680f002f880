/* Running suites from the command line: see suite_command.h. */
#include "cli/suite_command.h"
#include "cli/cli_private.h"

#include "canaryctl/duration.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "canaryctl/semver.h"
#include "canaryctl/suggest.h"
#include "canaryctl/suite_report.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 256 };

const struct cli_option suite_command_options[] = {
	SUITE_COMMAND_OPTIONS,
	{ "target", "production|canary", "what ${target} is in the checks; default production" },
	{ "version", "V", "what ${version} is in the checks" },
	{ 0 },
};

/* One call: the suites, and what came of them. */
struct call {
	const struct cli *cli;
	const struct config *config;
	struct suite_run *runs;
	const struct suite_report **reports;
	size_t count;
};

static int unknown_suite(const struct config *config, const char *name, struct error *err)
{
	const char *names[NAMES_MAX] = { NULL };
	CLEANUP_BUF struct buf known = BUF_INIT(300);
	const char *meant;

	for (size_t i = 0; i < config->suite_count && i + 1 < NAMES_MAX; i++) {
		names[i] = config->suites[i].name;
		buf_add_format(&known, "%s%s", i ? ", " : "", names[i]);
	}
	error_set(err, ERROR_USAGE, 0, "there is no suite '%.100s'", name);
	meant = suggest_name(name, names);
	if (meant)
		return error_hint(err, "did you mean '%s'?", meant);
	if (known.length)
		return error_hint(err, "there are: %s", buf_text(&known));
	return error_hint(err, "define it under 'suites', or include the file that does");
}

static int check_only(const struct call *call, struct error *err)
{
	const char *only = cli_value(call->cli, "only");

	for (size_t i = 0; only && i < call->count; i++) {
		if (suite_find_check(call->runs[i].request.suite, only))
			return 0;
	}
	if (!only)
		return 0;
	error_set(err, ERROR_USAGE, 0, "--only: there is no check '%.100s' in '%s'%s", only,
		call->runs[0].request.suite->name, call->count > 1 ? " and the others" : "");
	return error_hint(err, "--list prints the checks");
}

static int prepare(struct call *call, struct error *err)
{
	const struct cli *cli = call->cli;
	const char *version = cli_value(cli, "version");
	const char *target = cli_value(cli, "target");

	if (version && !semver_valid(version))
		return error_set(err, ERROR_USAGE, 0, "'%.64s' is not a version", version);
	for (size_t i = 0; i < call->count; i++) {
		struct suite_request *request = &call->runs[i].request;

		call->reports[i] = &call->runs[i].report;
		request->config = call->config;
		request->only = cli_value(cli, "only");
		request->target = target ? target : "production";
		request->version = version;
		request->is_strict = cli_has(cli, "strict");
	}
	return check_only(call, err);
}

static int find_suites(struct call *call, char *const *names, struct error *err)
{
	for (size_t i = 0; i < call->count; i++) {
		call->runs[i].request.suite = suite_find(call->config, names[i]);
		if (!call->runs[i].request.suite)
			return unknown_suite(call->config, names[i], err);
	}
	return 0;
}

/* ---- --list ---- */

static void list_check(const struct check_config *check, struct buf *text)
{
	buf_add_text(text, "  ");
	buf_add_printable(text, check->name);
	buf_add_format(text, "  %s", check->kind->name);
	if (check->require.text)
		buf_add_format(text, "  %s", check->require.text);
	if (check->prefer.text)
		buf_add_format(text, "  preferred %s", check->prefer.text);
	buf_add_format(text, "%s\n", check->severity == SEVERITY_WARNING ? "  (warning)" : "");
}

static void list_suites(const struct call *call)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	char timeout[DURATION_TEXT_SIZE];

	for (size_t i = 0; i < call->count; i++) {
		const struct suite_request *request = &call->runs[i].request;
		const struct suite_config *suite = request->suite;

		buf_add_format(&text, "%s (%zu check%s, within %s)\n", suite->name,
			suite->check_count, suite->check_count == 1 ? "" : "s",
			duration_format(suite->timeout_ms, timeout));
		for (size_t j = 0; j < suite->check_count; j++) {
			if (!request->only || strcmp(request->only, suite->checks[j].name) == 0)
				list_check(&suite->checks[j], &text);
		}
	}
	cli_print_lines(buf_text(&text), stdout);
}

/* ---- running ---- */

static void print(const struct call *call, const struct suite_report *report)
{
	struct report_options options = { .stream = stdout, .color = call->cli->color };
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	if (call->cli->format == FORMAT_JSON)
		suite_to_json(report, &text);
	else
		suite_to_text(report, &options, &text);
	fwrite(buf_text(&text), 1, text.length, stdout);
	fflush(stdout);
}

static int write_file(const char *path, const struct buf *text, int status)
{
	struct error err = { 0 };

	if (fileio_replace(path, buf_text(text), text->length, 0644, &err) == 0)
		return status;
	cli_fail(&err);
	return status == EXIT_GO ? cli_exit_status(ERROR_IO) : status;
}

static int write_files(const struct call *call, int status)
{
	const char *output = cli_value(call->cli, "output"), *junit = cli_value(call->cli, "junit");
	CLEANUP_BUF struct buf json = BUF_INIT(0), xml = BUF_INIT(0);

	for (size_t i = 0; i < call->count; i++)
		suite_to_json(call->reports[i], &json);
	suites_to_junit(call->config->service, call->reports, call->count, &xml);
	if (output)
		status = write_file(output, &json, status);
	if (junit)
		status = write_file(junit, &xml, status);
	suites_to_github(call->reports, call->count);
	return status;
}

static int run_suites(struct call *call)
{
	static const int statuses[SUITE_STATUS_COUNT] = {
		[SUITE_GO] = EXIT_GO, [SUITE_WARNING] = EXIT_WARNING, [SUITE_NO_GO] = EXIT_NO_GO
	};
	enum suite_status worst = SUITE_GO;

	for (size_t i = 0; i < call->count; i++) {
		struct suite_report *report = &call->runs[i].report;

		suite_once(&call->runs[i]);
		if (call->runs[i].signal_number)
			return call->runs[i].signal_number == SIGINT ? EXIT_SIGINT : EXIT_SIGTERM;
		/* One check was asked for, and it is in another suite. */
		if (call->runs[i].request.only && !report->count)
			report->verdict = SUITE_GO;
		else
			print(call, report);
		worst = report->verdict > worst ? report->verdict : worst;
	}
	return write_files(call, statuses[worst]);
}

static void begin(struct call *call)
{
	call->runs = mem_array(call->count, sizeof(*call->runs));
	call->reports = mem_array(call->count, sizeof(*call->reports));
}

static int run_call(struct call *call)
{
	struct error err = { 0 };

	if (prepare(call, &err) < 0)
		return cli_fail(&err);
	if (!cli_has(call->cli, "list"))
		return run_suites(call);
	list_suites(call);
	return EXIT_GO;
}

static void end(struct call *call)
{
	for (size_t i = 0; i < call->count; i++)
		suite_release(&call->runs[i]);
	free(call->runs);
	free(call->reports);
}

int suite_command(struct cli *cli, char *const *names, size_t count)
{
	struct call call = { .cli = cli, .count = count };
	struct error err = { 0 };
	int status = EXIT_GO;
	struct config *config = cli_load_config(cli, NULL, &status);

	if (!config)
		return status;
	call.config = config;
	begin(&call);
	status = find_suites(&call, names, &err) < 0 ? cli_fail(&err) : run_call(&call);
	end(&call);
	config_free(config);
	return status;
}

int suite_command_run(struct cli *cli, const struct config *config,
	const struct suite_config *suite, int64_t spent_ms)
{
	struct call call = { .cli = cli, .config = config, .count = 1 };
	int status;

	begin(&call);
	call.runs[0].request.suite = suite;
	call.runs[0].request.spent_ms = spent_ms;
	status = run_call(&call);
	end(&call);
	return status;
}
