/* canaryctl doctor: the live examination of a host, as a suite of its own. */
#include "cli/suite_command.h"

#include "canaryctl/clock.h"
#include "canaryctl/doctor.h"

#include <signal.h>

static const struct cli_option options[] = {
	SUITE_COMMAND_OPTIONS,
	{ 0 },
};

static int run(struct cli *cli)
{
	int64_t began_ms = clock_monotonic_ms();
	int status = EXIT_GO;
	struct config *config = cli_load_config(cli, NULL, &status);
	struct doctor *doctor;

	if (!config)
		return status;
	doctor = doctor_new(config);
	status = cli_has(cli, "list") ? 0 : doctor_look(doctor);
	if (status)
		status = status == SIGINT ? EXIT_SIGINT : EXIT_SIGTERM;
	else
		status = suite_command_run(
			cli, config, doctor_suite(doctor), clock_monotonic_ms() - began_ms);
	doctor_free(doctor);
	config_free(config);
	return status;
}

const struct cli_command cmd_doctor = {
	.name = "doctor",
	.synopsis = "[OPTIONS]",
	.summary = "examine this host before anybody trusts it",
	.details =
		"Looks at the running NGINX and its whole configuration, at Prometheus and every "
		"check's query, and at the host, for all that would make a rollout or a "
		"rollback go wrong unseen. Each finding says what to do. Changes nothing. Exits "
		"0 for GO, 1 for WARNING, 2 for NO-GO.",
	.examples = "canaryctl doctor\n"
		    "canaryctl doctor --only listen-ports\n"
		    "canaryctl doctor --format json | jq '.checks[] | select(.status != \"GO\")'",
	.options = options,
	.run = run,
};
