/* canaryctl recover: finish what a rollout that died left behind. */
#include "cli/cli_private.h"
#include "cli/traffic_output.h"

#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"
#include "canaryctl/rollout.h"
#include "canaryctl/weight.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum need { NEED_NOTHING, NEED_RECOVERY, NEED_UNKNOWN, NEED_PATIENCE };

/* Reads what the last rollout was doing. A journal that cannot be read is no reason to do nothing.
 */
static enum need look(const struct config *config, struct rollout_view *ret_view, struct error *err)
{
	CLEANUP_FREE char *folder = state_folder(config, false, err);
	CLEANUP_FREE char *path = mem_format("%s/journal.db", folder);
	struct lock_holder holder;
	struct journal *journal;
	int folded = -1;

	if (lock_is_held(folder, &holder)) {
		error_set(err, ERROR_LOCKED, 0, "'%s' is running (process %ld); nothing to recover",
			holder.deployment, (long)holder.pid);
		return NEED_PATIENCE;
	}
	if (access(path, F_OK) < 0)
		return NEED_NOTHING;
	journal = journal_open_for_reading(folder, err);
	if (journal)
		folded = journal_fold_newest(journal, ret_view, err);
	journal_close(journal);
	if (folded < 0)
		return NEED_UNKNOWN;
	return rollout_view_needs_recovery(ret_view) ? NEED_RECOVERY : NEED_NOTHING;
}

static int recover(
	const struct cli *cli, const struct config *config, const struct rollout_view *view)
{
	struct cli_rollout rollout = { .version = view->version,
		.start_stage = (size_t)view->stage - 1,
		.is_approved = true,
		.evidence = view->evidence };
	struct manual_result result = { 0 };
	int status;

	rollback_run(config, "its process died; recovered", &result);
	status = traffic_output_result(cli, &result, true);
	buf_release(&result.notes);
	if (status != EXIT_GO || !rollout_can_resume(config, view))
		return status;
	if (cli->format == FORMAT_TEXT)
		printf("resuming %s at stage %d, as rollout.on_crash says\n", view->version,
			view->stage);
	return cli_roll_out(cli, config, &rollout);
}

/* Nothing is recorded that would be in the middle; what is in force is said where it is not 0 %. */
static void say_nothing_to_recover(const struct config *config, const struct rollout_view *view)
{
	struct traffic_change reading = { .config = config, .goal = TRAFFIC_READ };
	char weight[WEIGHT_TEXT_SIZE];

	traffic_once(&reading);
	puts(view->deployment[0] ? "nothing to recover: the last rollout is over"
				 : "nothing to recover: no rollout is recorded");
	if (reading.state.canary != WEIGHT_UNKNOWN && reading.state.canary > 0 &&
		!reading.state.is_braked)
		printf("the canary has %s %% of the traffic; to take it back: canaryctl rollback\n",
			weight_format(reading.state.canary, weight));
	traffic_change_release(&reading);
}

static int run(struct cli *cli)
{
	struct rollout_view view = { 0 };
	struct error err = { 0 };
	int status = 0;
	struct config *config = cli_load_config(cli, NULL, &status);

	if (!config)
		return status;
	switch (look(config, &view, &err)) {
	case NEED_PATIENCE:
		status = cli_fail(&err);
		break;
	case NEED_NOTHING:
		if (cli->format == FORMAT_TEXT)
			say_nothing_to_recover(config, &view);
		break;
	case NEED_UNKNOWN:
		cli_fail(&err);
		/* What was read up to there is no state to resume from. */
		rollout_view_release(&view);
		view = (struct rollout_view){ 0 };
		status = recover(cli, config, &view);
		break;
	case NEED_RECOVERY:
		status = recover(cli, config, &view);
		break;
	}
	rollout_view_release(&view);
	config_free(config);
	return status;
}

const struct cli_command cmd_recover = {
	.name = "recover",
	.synopsis = "",
	.summary = "finish what a rollout that died left behind",
	.details = "Run it after a crash or a reboot. The canary goes to 0 %, proven; with "
		   "rollout.on_crash: resume the rollout then begins again at the stage it was in; "
		   "what its `compare` checks have counted still counts, once. "
		   "Does nothing when the last rollout is over.",
	.examples = "canaryctl recover",
	.run = run,
};
