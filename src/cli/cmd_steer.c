/* canaryctl pause, resume, approve, abort: steer the running rollout from another terminal. */
#include "canaryctl/clock.h"
#include "canaryctl/control.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"

#include "cli/cli_private.h"

#include <cjson/cJSON.h>
#include <stdio.h>

enum { ANSWER_TIMEOUT_MS = 5000 };

static void add_option(cJSON *request, const struct cli *cli, const char *name)
{
	const char *value = cli_value(cli, name);

	if (value)
		cJSON_AddStringToObject(request, name, value);
}

/* What the rollout answered; it says itself what it could not do. */
static int print_answer(const struct cli *cli, const char *reply)
{
	cJSON *answer = cJSON_Parse(reply);
	const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(answer, "message"));
	bool accepted = cJSON_IsTrue(cJSON_GetObjectItem(answer, "accepted"));
	struct error err = { 0 };

	if (cli->format == FORMAT_JSON && answer)
		cli_print_json(answer);
	else if (accepted)
		cli_print_lines(message ? message : "done", stdout);
	if (!accepted) {
		error_set(&err, ERROR_USAGE, 0, "%s", message ? message : "refused");
		error_hint(&err, "'canaryctl status' shows what it is doing");
		cli_fail(&err);
	}
	cJSON_Delete(answer);
	return accepted ? EXIT_GO : EXIT_NO_GO;
}

static int send_command(const struct cli *cli, const struct config *config, const char *line)
{
	CLEANUP_BUF struct buf reply = BUF_INIT(8192);
	struct error err = { 0 };
	CLEANUP_FREE char *folder = state_folder(config, false, &err);
	struct lock_holder holder;

	if (!lock_is_held(folder, &holder)) {
		error_set(&err, ERROR_UNAVAILABLE, 0, "no rollout of '%s' is running",
			config->service);
		error_hint(&err, "'canaryctl status' shows the last one; to take the canary's "
				 "traffic away: canaryctl rollback");
		return cli_fail(&err);
	}
	if (control_send(folder, line, ANSWER_TIMEOUT_MS, &reply, &err) < 0) {
		error_hint(&err, "process %ld holds the lock; in an emergency: canaryctl rollback",
			(long)holder.pid);
		return cli_fail(&err);
	}
	return print_answer(cli, buf_text(&reply));
}

static int run(struct cli *cli)
{
	const struct config_options load_options = { .traffic_only = true };
	cJSON *request = cJSON_CreateObject();
	int status = 0;
	struct config *config = cli_load_config(cli, &load_options, &status);
	char *line;

	cJSON_AddStringToObject(request, "command", cli->command->name);
	add_option(request, cli, "reason");
	add_option(request, cli, "as");
	add_option(request, cli, "by");
	line = cJSON_PrintUnformatted(request);
	if (config)
		status = send_command(cli, config, line ? line : "{}");
	cJSON_free(line);
	cJSON_Delete(request);
	config_free(config);
	return status;
}

static const struct cli_option reason_options[] = {
	{ "reason", "TEXT", "why; kept in the history" },
	{ 0 },
};

static const struct cli_option approve_options[] = {
	{ "as", "ROLE", "the role that approves" },
	{ "by", "NAME", "who approves" },
	{ 0 },
};

const struct cli_command cmd_pause = {
	.name = "pause",
	.synopsis = "[--reason TEXT]",
	.summary = "keep the running rollout at its stage until 'resume'",
	.details = "The checks go on, and a failing one still rolls back; only time ends nothing.",
	.examples = "canaryctl pause",
	.options = reason_options,
	.run = run,
};

const struct cli_command cmd_resume = {
	.name = "resume",
	.synopsis = "",
	.summary = "let a paused rollout go on",
	.examples = "canaryctl resume",
	.run = run,
};

const struct cli_command cmd_approve = {
	.name = "approve",
	.synopsis = "[--as ROLE] [--by NAME]",
	.summary = "approve the next stage of a rollout that waits for it",
	.examples = "canaryctl approve --as on-call --by 'Kim Lee'",
	.options = approve_options,
	.run = run,
};

const struct cli_command cmd_abort = {
	.name = "abort",
	.synopsis = "[--reason TEXT]",
	.summary = "end the running rollout: roll back",
	.examples = "canaryctl abort --reason 'wrong version'",
	.options = reason_options,
	.run = run,
};
