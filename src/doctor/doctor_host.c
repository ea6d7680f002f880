/* The host: programs, state, room on the disks, the two applications, and the time after a crash.
 */
#include "doctor/facts.h"

#include "canaryctl/fileio.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "checks/health.h"

#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* ---- the applications ---- */

static bool does_not_answer(
	const char *name, const char *url, const struct http_op *http, struct finding *finding)
{
	if (!http->error.kind)
		return false;
	found(finding, FINDING_BAD, "%s does not answer at '%s': %.300s", name, url,
		http->error.message);
	advise(finding, "start it, or mend %s.health", name);
	return true;
}

void examine_canary_health(const struct doctor_facts *facts, struct finding *finding)
{
	const char *url = facts->config->canary.health;
	struct health_answer answer = { .status = facts->canary.status,
		.body = buf_text(&facts->canary.body),
		.length = facts->canary.body.length };
	CLEANUP_BUF struct buf problem = BUF_INIT(400);

	if (does_not_answer("canary", url, &facts->canary, finding))
		return;
	if (health_is_good(&answer, "", &problem)) {
		found(finding, FINDING_GOOD, "healthy");
		return;
	}
	found(finding, FINDING_BAD, "%s", buf_text(&problem));
	advise(finding, "it must answer {\"status\": \"healthy\", \"version\": \"...\"} at '%s'",
		url);
}

void examine_production_health(const struct doctor_facts *facts, struct finding *finding)
{
	const char *url = facts->config->production.health;

	if (does_not_answer("production", url, &facts->production, finding))
		return;
	if (facts->production.status == 200) {
		found(finding, FINDING_GOOD, "healthy");
		return;
	}
	found(finding, FINDING_BAD, "production's health answers with status %ld, not 200",
		facts->production.status);
	advise(finding, "a rollback sends everything to production: mend it first");
}

/* ---- programs ---- */

void examine_programs(const struct doctor_facts *facts, struct finding *finding)
{
	const struct config *config = facts->config;
	const struct {
		const char *key;
		const struct strv *argv;
	} programs[] = {
		{ "traffic.nginx.test", &config->nginx.test },
		{ "traffic.nginx.reload", &config->nginx.reload },
		{ "traffic.nginx.install", &config->nginx.install },
		{ "hooks.before_rollout", &config->hooks.before_rollout },
		{ "hooks.after_stage", &config->hooks.after_stage },
		{ "hooks.on_rollback", &config->hooks.on_rollback },
		{ "hooks.on_success", &config->hooks.on_success },
		{ "hooks.promote", &config->hooks.promote },
		{ "hooks.cleanup", &config->hooks.cleanup },
	};

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
		const struct strv *argv = programs[i].argv;

		if (!argv->count || fileio_program_exists(argv->items[0]))
			continue;
		found(finding, FINDING_BAD, "%s: there is no program '%s'", programs[i].key,
			argv->items[0]);
		advise(finding, "install it, make it executable, or write its whole path");
		return;
	}
	found(finding, FINDING_GOOD, "all programs of the configuration are there");
}

/* ---- state ---- */

/* The nearest folder that exists; malloc'ed. */
static char *nearest_folder(const char *path)
{
	char *nearest = mem_strdup(path);
	char *slash;

	while (access(nearest, F_OK) < 0 && (slash = strrchr(nearest, '/')) && slash != nearest)
		*slash = '\0';
	return nearest;
}

void examine_state_folder(const struct doctor_facts *facts, struct finding *finding)
{
	struct error err = { 0 };
	CLEANUP_FREE char *folder = state_folder(facts->config, false, &err);
	CLEANUP_FREE char *nearest = nearest_folder(folder);
	struct stat info;

	if (state_folder_check(folder, &err) < 0) {
		found(finding, FINDING_BAD, "%s", err.message);
		advise(finding, "%s", err.hint[0] ? err.hint : "set state_dir to another folder");
	} else if (access(nearest, W_OK | X_OK) < 0) {
		found(finding, FINDING_BAD, "'%s' is not writable for this user", nearest);
		advise(finding, "run canaryctl as its owner, or set state_dir");
	} else if (stat(folder, &info) == 0 && (info.st_mode & (S_IRWXG | S_IRWXO))) {
		found(finding, FINDING_MILD, "the state folder '%s' is open to others (mode %04o)",
			folder, info.st_mode & 07777);
		advise(finding, "chmod 700 '%s'", folder);
	} else {
		found(finding, FINDING_GOOD, "'%s' is ours alone", folder);
	}
}

static bool is_short_of_room(const char *path, struct finding *finding)
{
	static const unsigned long long least_bytes = 64ULL << 20;
	CLEANUP_FREE char *nearest = nearest_folder(path);
	struct statvfs info;
	unsigned long long free_bytes;

	if (statvfs(nearest, &info) < 0)
		return false;
	free_bytes = (unsigned long long)info.f_bavail * info.f_frsize;
	if (free_bytes >= least_bytes && (info.f_favail > 0 || info.f_files == 0))
		return false;
	found(finding, FINDING_BAD, "the file system of '%s' has %llu MiB left", nearest,
		free_bytes >> 20);
	advise(finding,
		"make room: on a full disk a rollout ends, with the brake and what fits into "
		"the file that is there");
	return true;
}

void examine_disk_space(const struct doctor_facts *facts, struct finding *finding)
{
	const struct config *config = facts->config;

	if (is_short_of_room(config->state_dir, finding) ||
		(!facts->edge.is_elsewhere && is_short_of_room(config->nginx.output, finding)))
		return;
	found(finding, FINDING_GOOD, "there is room for the state and for the output");
}

/* ---- what was before, and what comes after a crash ---- */

/* True when the last rollout left something to put right. */
static bool needs_recovery(const char *folder, struct error *err)
{
	CLEANUP_FREE char *path = mem_format("%s/journal.db", folder);
	struct rollout_view view = { 0 };
	struct journal *journal;
	bool needs = false;

	if (access(path, F_OK) < 0)
		return false;
	journal = journal_open_for_reading(folder, err);
	if (journal && journal_fold_newest(journal, &view, err) == 0)
		needs = rollout_view_needs_recovery(&view);
	journal_close(journal);
	rollout_view_release(&view);
	return needs;
}

void examine_rollout(const struct doctor_facts *facts, struct finding *finding)
{
	struct error err = { 0 };
	CLEANUP_FREE char *folder = state_folder(facts->config, false, &err);
	struct lock_holder holder;

	if (lock_is_held(folder, &holder)) {
		found(finding, FINDING_MILD, "'%s' is running (process %ld)", holder.deployment,
			(long)holder.pid);
		advise(finding,
			"see it with 'canaryctl status'; what is found here is found in the "
			"middle of it");
	} else if (needs_recovery(folder, &err)) {
		found(finding, FINDING_BAD, "a rollout was interrupted, and nobody watches it");
		advise(finding, "finish it: canaryctl recover");
	} else if (err.kind) {
		found(finding, FINDING_BAD, "the journal cannot be read: %.400s", err.message);
		advise(finding, "move '%s/journal.db' away; a rollback works without it", folder);
	} else {
		found(finding, FINDING_GOOD, "no rollout is under way");
	}
}

/* Is `canaryctl recover` started at boot? */
void examine_recover(const struct doctor_facts *facts, struct finding *finding)
{
	glob_t units = { 0 };
	bool has_unit;

	(void)facts;
	if (access("/run/systemd/system", F_OK) < 0) {
		found(finding, FINDING_GOOD,
			"no systemd here: what starts nginx must also run "
			"'canaryctl recover'");
		return;
	}
	has_unit = glob("/etc/systemd/system/*.wants/canaryctl-recover*.service", 0, NULL,
			   &units) == 0;
	globfree(&units);
	if (has_unit) {
		found(finding, FINDING_GOOD, "'canaryctl recover' is run at boot");
		return;
	}
	found(finding, FINDING_BAD,
		"no canaryctl-recover unit is enabled: after a reboot nobody would finish a "
		"rollout "
		"that it interrupted");
	advise(finding, "install configs/systemd/canaryctl-recover@.service and enable it");
}
