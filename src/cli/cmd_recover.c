/* canaryctl recover: finish what a rollout that died left behind. */
#include "cli/cli_private.h"
#include "cli/traffic_output.h"

#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"
#include "canaryctl/rollout.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* -1: cannot be known (*err); 0: nothing to do; 1: there is something to finish. */
static int is_needed(const struct config *config, struct error *err)
{
	CLEANUP_FREE char *folder = state_folder(config, false, err);
	CLEANUP_FREE char *path = folder ? mem_format("%s/journal.db", folder) : NULL;
	struct rollout_view view = { 0 };
	struct lock_holder holder;
	struct journal *journal;
	int needed = -1;

	if (!folder)
		return -1;
	if (lock_is_held(folder, &holder)) {
		error_set(err, ERROR_LOCKED, 0, "'%s' is running (process %ld); nothing to recover",
			holder.deployment, (long)holder.pid);
		return -1;
	}
	if (access(path, F_OK) < 0)
		return 0;
	journal = journal_open_for_reading(folder, err);
	if (journal && journal_fold_newest(journal, &view, err) == 0)
		needed = view.deployment[0] &&
			 (!view.report || view.state == ROLLOUT_ROLLBACK_FAILED);
	rollout_view_release(&view);
	journal_close(journal);
	return needed;
}

static int run(struct cli *cli)
{
	struct manual_result result = { 0 };
	struct error err = { 0 };
	int status = 0;
	struct config *config = cli_load_config(cli, NULL, &status);
	int needed;

	if (!config)
		return status;
	needed = is_needed(config, &err);
	if (needed == 0 && cli->format == FORMAT_TEXT)
		puts("nothing to recover: the last rollout is over");
	if (err.kind == ERROR_LOCKED) {
		status = cli_fail(&err);
	} else if (needed) {
		/* A journal that cannot be read is no reason to leave the traffic where it is. */
		rollback_run(config, "recovered: rolled back", &result);
		status = traffic_output_result(cli, &result, true);
	}
	buf_release(&result.notes);
	config_free(config);
	return status;
}

const struct cli_command cmd_recover = {
	.name = "recover",
	.synopsis = "",
	.summary = "finish what a rollout that died left behind: the canary goes to 0 %, proven",
	.details = "Run it after a crash or a reboot. Does nothing when the last rollout is over.",
	.examples = "canaryctl recover",
	.run = run,
};
