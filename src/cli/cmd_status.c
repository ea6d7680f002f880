/* canaryctl status: what is live, from the journal, the lock and the running NGINX. */
#include "cli/cli_private.h"
#include "cli/traffic_output.h"

#include "canaryctl/clock.h"
#include "canaryctl/duration.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"
#include "canaryctl/rollout.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct status {
	const struct config *config;
	struct rollout_view view;
	struct lock_holder owner;
	bool is_owned;
	struct traffic_change reading;
	struct error journal_error;
};

/*
 * A rollout in the middle whose process is gone is interrupted, whatever its journal says last;
 * also while somebody else, the guardian for example, holds the lock to put it right.
 */
static enum rollout_state phase_of(const struct status *status)
{
	const struct rollout_view *view = &status->view;

	if (!view->deployment[0])
		return ROLLOUT_IDLE;
	if (view->report || rollout_state_is_final(view->state))
		return view->state;
	if (status->is_owned && !manual_holds_lock(&status->owner))
		return view->state;
	return ROLLOUT_INTERRUPTED;
}

/* A journal that says nothing does not say that there was nothing; half of one says nothing. */
static bool is_unknown(const struct status *status)
{
	return status->journal_error.kind != ERROR_NONE ||
	       (status->is_owned && !status->view.deployment[0]);
}

static void look(struct status *status, const struct config *config)
{
	CLEANUP_FREE char *folder = state_folder(config, false, &status->journal_error);
	CLEANUP_FREE char *path = folder ? mem_format("%s/journal.db", folder) : NULL;
	struct journal *journal = NULL;

	status->config = config;
	/* A service that never had a rollout has no journal, and that is no error. */
	if (path && access(path, F_OK) == 0) {
		journal = journal_open_for_reading(folder, &status->journal_error);
		if (journal)
			journal_fold_newest(journal, &status->view, &status->journal_error);
		journal_close(journal);
	}
	if (folder)
		status->is_owned = lock_is_held(folder, &status->owner);
	status->reading = (struct traffic_change){ .config = config, .goal = TRAFFIC_READ };
	traffic_once(&status->reading);
}

static void release(struct status *status)
{
	rollout_view_release(&status->view);
	traffic_change_release(&status->reading);
}

static int64_t left_ms(const struct status *status)
{
	int64_t left = status->view.stage_ends_at - clock_wall_ms();

	return phase_of(status) == ROLLOUT_OBSERVING && left > 0 ? left : 0;
}

static void print_json(const struct status *status)
{
	const struct rollout_view *view = &status->view;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "service", status->config->service);
	if (is_unknown(status))
		cJSON_AddNullToObject(object, "phase");
	else
		cJSON_AddStringToObject(object, "phase", rollout_state_name(phase_of(status)));
	if (view->version[0])
		cJSON_AddStringToObject(object, "version", view->version);
	else
		cJSON_AddNullToObject(object, "version");
	cJSON_AddNumberToObject(object, "stage", view->stage);
	cJSON_AddNumberToObject(object, "stage_count", view->stage_count);
	cJSON_AddNumberToObject(object, "stage_left_seconds", (double)(left_ms(status) / 1000));
	traffic_output_add_json(object, &status->reading.state);
	if (status->is_owned)
		cJSON_AddNumberToObject(object, "owner_pid", (double)status->owner.pid);
	else
		cJSON_AddNullToObject(object, "owner_pid");
	if (view->deployment[0])
		cJSON_AddStringToObject(object, "deployment", view->deployment);
	else
		cJSON_AddNullToObject(object, "deployment");
	if (view->evaluation)
		cJSON_AddItemToObject(object, "last_evaluation", cJSON_Parse(view->evaluation));
	if (status->journal_error.kind != ERROR_NONE)
		cJSON_AddStringToObject(object, "journal_error", status->journal_error.message);
	cli_print_json(object);
	cJSON_Delete(object);
}

static void add_checks(struct buf *text, const char *evaluation)
{
	cJSON *data = cJSON_Parse(evaluation);
	const cJSON *check;

	cJSON_ArrayForEach(check, cJSON_GetObjectItemCaseSensitive(data, "checks"))
	{
		const char *result = cJSON_GetStringValue(cJSON_GetObjectItem(check, "result"));
		const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(check, "message"));
		const char *name = cJSON_GetStringValue(cJSON_GetObjectItem(check, "name"));

		buf_add_format(text, "  %-8s ", result ? result : "");
		buf_add_printable(text, name ? name : "");
		buf_add_text(text, ": ");
		buf_add_printable(text, message ? message : "");
		buf_add_text(text, "\n");
	}
	cJSON_Delete(data);
}

static void add_what_it_waits_for(struct buf *text, enum rollout_state phase)
{
	if (phase == ROLLOUT_AWAITING_APPROVAL)
		buf_add_text(text, "next      canaryctl approve, or canaryctl abort\n");
	else if (phase == ROLLOUT_PAUSED)
		buf_add_text(text, "next      canaryctl resume, or canaryctl abort\n");
}

/* What ended it, in the words of its report; of one that is not over, what moved it last. */
static void add_because(struct buf *text, const struct rollout_view *view)
{
	cJSON *report = view->report ? cJSON_Parse(view->report) : NULL;
	const cJSON *reason = cJSON_GetObjectItemCaseSensitive(report, "reason");
	const char *check = cJSON_GetStringValue(cJSON_GetObjectItem(reason, "check"));
	const char *message = cJSON_GetStringValue(cJSON_GetObjectItem(reason, "message"));

	if (message || view->why[0]) {
		buf_add_text(text, "because   ");
		if (message && check && *check) {
			buf_add_printable(text, check);
			buf_add_text(text, ": ");
		}
		buf_add_printable(text, message ? message : view->why);
		buf_add_text(text, "\n");
	}
	cJSON_Delete(report);
}

static void add_rollout(struct buf *text, const struct status *status)
{
	const struct rollout_view *view = &status->view;
	enum rollout_state phase = phase_of(status);
	char duration[DURATION_TEXT_SIZE];

	buf_add_format(text, "rollout   %s, %s", view->deployment, rollout_state_name(phase));
	if (view->stage && !rollout_state_is_final(phase))
		buf_add_format(text, ", stage %d of %d", view->stage, view->stage_count);
	if (left_ms(status))
		buf_add_format(text, ", %s left",
			duration_format(left_ms(status) / 1000 * 1000, duration));
	buf_add_text(text, "\n");
	add_because(text, view);
	if (status->is_owned) {
		buf_add_format(text, "owner     process %ld\n", (long)status->owner.pid);
		add_what_it_waits_for(text, phase);
	} else if (phase == ROLLOUT_INTERRUPTED && !view->report)
		buf_add_text(
			text, "owner     nobody watches it; finish it with: canaryctl recover\n");
	else if (phase == ROLLOUT_INTERRUPTED || phase == ROLLOUT_PAUSED)
		buf_add_text(text, "owner     nobody watches it; go on with 'canaryctl deploy "
				   "--start-stage', or back with 'canaryctl rollback'\n");
	if (view->evaluation && !rollout_state_is_final(phase)) {
		buf_add_text(text, "last evaluation\n");
		add_checks(text, view->evaluation);
	}
}

static void print_text(const struct status *status)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	buf_add_format(&text, "service   %s\ntraffic   ", status->config->service);
	traffic_output_add_text(&text, &status->reading.state);
	buf_add_text(&text, "\n");
	if (!is_unknown(status) && status->view.deployment[0])
		add_rollout(&text, status);
	else if (is_unknown(status) && status->is_owned)
		buf_add_format(&text, "rollout   '%s' runs (process %ld); more is not recorded\n",
			status->owner.deployment, (long)status->owner.pid);
	else if (is_unknown(status))
		buf_add_text(&text, "rollout   unknown: the journal cannot be read\n");
	else
		buf_add_text(&text, "rollout   idle: there was none yet\n");
	if (status->journal_error.kind != ERROR_NONE)
		buf_add_format(&text, "journal   %s\n", status->journal_error.message);
	cli_print_lines(buf_text(&text), stdout);
}

static volatile sig_atomic_t is_stopped;

static void on_stop(int signal_number)
{
	(void)signal_number;
	is_stopped = 1;
}

static void show(const struct cli *cli, const struct config *config, bool is_watching)
{
	struct status status = { 0 };

	look(&status, config);
	if (is_watching && cli->format == FORMAT_TEXT && isatty(STDOUT_FILENO))
		fputs("\033[H\033[2J", stdout);
	if (cli->format == FORMAT_JSON)
		print_json(&status);
	else
		print_text(&status);
	fflush(stdout);
	release(&status);
}

static int run(struct cli *cli)
{
	const struct config_options load_options = { .traffic_only = true };
	bool is_watching = cli_has(cli, "watch");
	int status = 0;
	struct config *config = cli_load_config(cli, &load_options, &status);

	if (!config)
		return status;
	signal(SIGINT, on_stop);
	signal(SIGTERM, on_stop);
	show(cli, config, is_watching);
	while (is_watching && !is_stopped) {
		nanosleep(&(struct timespec){ .tv_sec = 1 }, NULL);
		if (!is_stopped)
			show(cli, config, true);
	}
	config_free(config);
	return EXIT_GO;
}

static const struct cli_option options[] = {
	{ "watch", NULL, "show it again every second, until ^C" },
	{ 0 },
};

const struct cli_command cmd_status = {
	.name = "status",
	.synopsis = "[--watch]",
	.summary = "show what is live: phase, weights in force, stage, last measurements, owner",
	.details = "Reads the journal and asks the running NGINX; works while a rollout runs in "
		   "another terminal, and after one died.",
	.examples = "canaryctl status\n"
		    "canaryctl status --watch\n"
		    "canaryctl status --format json | jq .phase",
	.options = options,
	.run = run,
};
