/* canaryctl deploy: run a rollout in the foreground, or rehearse it. */
#include "cli/cli_private.h"

#include "canaryctl/duration.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "canaryctl/rollout.h"
#include "canaryctl/semver.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct deploy {
	struct cli_rollout rollout;
	const char *stages;
	int64_t observe_ms; /* 0: as configured */
	weight_t start_weight;
};

static int need_version(struct deploy *deploy, const struct cli *cli, struct error *err)
{
	deploy->rollout.version = cli_value(cli, "version");
	if (!deploy->rollout.version) {
		error_set(err, ERROR_USAGE, 0, "'deploy' needs the version to roll out");
		return error_hint(err, "for example: canaryctl deploy --version v0.2.0");
	}
	if (semver_valid(deploy->rollout.version))
		return 0;
	error_set(err, ERROR_USAGE, 0, "'%.64s' is not a version", deploy->rollout.version);
	return error_hint(err, "versions are semantic versions with an optional leading v: v0.2.0, "
			       "1.4.0-rc.1");
}

/* An hour later is too late to learn that the report has no place. */
static int need_place(const char *option, const char *path, struct error *err)
{
	CLEANUP_FREE char *folder = mem_strdup(path ? path : "");
	char *slash = strrchr(folder, '/');

	if (!path)
		return 0;
	if (slash)
		slash[slash == folder] = '\0';
	if (access(slash ? folder : ".", W_OK | X_OK) == 0)
		return 0;
	error_set(
		err, ERROR_IO, errno, "--%s: cannot write into '%s'", option, slash ? folder : ".");
	return error_hint(err, "nothing was changed; name a file in a folder that is there");
}

static int parse_options(struct deploy *deploy, const struct cli *cli, struct error *err)
{
	const char *observe = cli_value(cli, "observation-period");
	const char *start = cli_value(cli, "start-stage");

	if (need_version(deploy, cli, err) < 0)
		return -1;
	deploy->stages = cli_value(cli, "stages");
	deploy->rollout.is_dry_run = cli_has(cli, "dry-run");
	deploy->rollout.output = cli_value(cli, "output");
	deploy->rollout.junit = cli_value(cli, "junit");
	deploy->start_weight = WEIGHT_UNKNOWN;
	if (observe && (!duration_parse(observe, &deploy->observe_ms) || !deploy->observe_ms)) {
		error_set(err, ERROR_USAGE, 0, "--observation-period: '%s' is not a duration",
			observe);
		return error_hint(err, "seconds (1800) or a duration such as 90s, 15m, 1h30m");
	}
	if (start && (!weight_parse(start, &deploy->start_weight) || !deploy->start_weight)) {
		error_set(err, ERROR_USAGE, 0, "--start-stage: '%s' is not a weight", start);
		return error_hint(err, "name the stage by its weight in percent: --start-stage 5");
	}
	if (need_place("output", deploy->rollout.output, err) < 0)
		return -1;
	return need_place("junit", deploy->rollout.junit, err);
}

static int find_stage(
	const struct config *config, weight_t weight, size_t *ret_index, struct error *err)
{
	CLEANUP_BUF struct buf known = BUF_INIT(512);
	char text[WEIGHT_TEXT_SIZE];

	*ret_index = 0;
	if (weight == WEIGHT_UNKNOWN)
		return 0;
	for (size_t i = 0; i < config->rollout.stage_count; i++) {
		if (config->rollout.stages[i].weight == weight) {
			*ret_index = i;
			return 0;
		}
		buf_add_format(&known, "%s%s", i ? ", " : "",
			weight_format(config->rollout.stages[i].weight, text));
	}
	error_set(err, ERROR_USAGE, 0, "--start-stage: there is no stage of %s %%",
		weight_format(weight, text));
	return error_hint(err, "the stages are %s", buf_text(&known));
}

/* On a terminal somebody may have typed the wrong version or be on the wrong host. */
static bool is_confirmed(
	const struct cli *cli, const struct config *config, const struct deploy *deploy)
{
	char answer[16] = "";

	if (deploy->rollout.is_dry_run || cli_has(cli, "yes") || cli->format != FORMAT_TEXT ||
		!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return true;
	printf("Roll out %s of %s to %s? [y/N] ", deploy->rollout.version, config->service,
		config->nginx.output);
	fflush(stdout);
	if (fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	puts("nothing was changed");
	return false;
}

typedef void report_writer(const struct rollout_report *report, struct buf *ret_text);

static void write_report(
	const char *path, report_writer *write, const struct rollout_report *report, int *status)
{
	CLEANUP_BUF struct buf text = BUF_INIT(16 << 20);
	struct error err = { 0 };

	if (!path)
		return;
	write(report, &text);
	if (fileio_replace(path, buf_text(&text), text.length, 0644, &err) == 0)
		return;
	cli_fail(&err);
	if (*status == EXIT_GO) /* what the traffic does is never hidden by a lost report */
		*status = EXIT_WARNING;
}

/*
 * What did not begin, and what ended unproven, is also said on stderr, where somebody sees it who
 * keeps the output in a file. The status of a rollout that could not begin is that of its cause.
 */
static int finish_status(const struct rollout_result *result, int status)
{
	const struct rollout_report *report = &result->report;
	struct error err = { 0 };

	if (status == EXIT_UNPROVEN) {
		error_set(&err, ERROR_TRAFFIC, 0, "the traffic is not proven: %s",
			report->has_reason ? report->reason.message
					   : "nginx does not show the last stage's weights");
		error_hint(&err, "run: canaryctl rollback");
		cli_fail(&err);
	}
	if (report->outcome != OUTCOME_ABORTED && report->outcome != OUTCOME_RUNNING)
		return status;
	if (result->error.kind != ERROR_NONE)
		return cli_fail(&result->error);
	error_set(&err, ERROR_NONE, 0, "%s", report->reason.message);
	error_hint(&err, "%s", report->reason.hint);
	cli_fail(&err);
	return status;
}

int cli_roll_out(
	const struct cli *cli, const struct config *config, const struct cli_rollout *rollout)
{
	struct report_options options = { .stream = stdout,
		.color = cli->color,
		.live = cli->format == FORMAT_TEXT && isatty(STDOUT_FILENO) &&
			!rollout->is_dry_run };
	struct rollout_observer *observer =
		cli->format == FORMAT_JSON ? report_json_new(&options) : report_text_new(&options);
	struct rollout_request request = { .config = config,
		.version = rollout->version,
		.start_stage = rollout->start_stage,
		.is_approved = rollout->is_approved,
		.evidence = rollout->evidence,
		.observers = &observer,
		.observer_count = 1 };
	struct rollout_result result = { 0 };
	int status = rollout->is_dry_run ? rollout_rehearse(&request, &result)
					 : rollout_run(&request, &result);

	observer->release(observer);
	fflush(stdout);
	status = finish_status(&result, status);
	if (result.report.outcome != OUTCOME_RUNNING) {
		write_report(rollout->output, report_to_json, &result.report, &status);
		write_report(rollout->junit, report_to_junit, &result.report, &status);
		report_to_github(&result.report);
	}
	rollout_report_release(&result.report);
	return status;
}

static int run(struct cli *cli)
{
	struct deploy deploy = { 0 };
	struct error err = { 0 };
	int status = 0;
	struct config *config;

	if (parse_options(&deploy, cli, &err) < 0)
		return cli_fail(&err);
	config = cli_load_config(cli, NULL, &status);
	if (!config)
		return status;
	if (config_override(config, deploy.stages, deploy.observe_ms, &err) < 0 ||
		find_stage(config, deploy.start_weight, &deploy.rollout.start_stage, &err) < 0)
		status = cli_fail(&err);
	else if (!is_confirmed(cli, config, &deploy))
		status = EXIT_NO_GO;
	else
		status = cli_roll_out(cli, config, &deploy.rollout);
	config_free(config);
	return status;
}

static const struct cli_option options[] = {
	{ "version", "V", "the version that the canary runs: a semantic version" },
	{ "stages", "1,5,25,100",
		"canary weights in percent, ascending, instead of the configured ones" },
	{ "observation-period", "DURATION", "how long each stage is observed: seconds, or 30m" },
	{ "start-stage", "WEIGHT", "begin at the stage of this weight" },
	{ "dry-run", NULL, "rehearse: render, test and ask everything, change nothing" },
	{ "output", "FILE", "write the final report there, as JSON" },
	{ "junit", "FILE", "write the final report there, as JUnit XML" },
	{ "yes", NULL, "don't ask for confirmation on a terminal" },
	{ 0 },
};

const struct cli_command cmd_deploy = {
	.name = "deploy",
	.synopsis = "--version V [OPTIONS]",
	.summary =
		"roll a version out in stages, watching it, and roll it back when it is not good",
	.details =
		"Runs in the foreground. ^C stops safely: the canary is put to 0 % and that is "
		"proven before the command ends. Exits 0 when the version has all the traffic, 1 "
		"when the rollout was left on hold, 2 when it was rolled back, 3 when the traffic "
		"is not proven to be where it should be.",
	.examples =
		"canaryctl deploy --version v0.2.0 --dry-run\n"
		"canaryctl deploy --version v0.2.0\n"
		"canaryctl deploy --version v0.2.0 --stages 1,10,50,100 --observation-period 30m\n"
		"canaryctl deploy --version v0.2.0 --format json --output report.json",
	.options = options,
	.run = run,
};
