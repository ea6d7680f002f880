/* The brake: would it hold when a reload is impossible? */
#include "doctor/facts.h"

#include "traffic/brake.h"
#include "traffic/nginx_dump.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool has_no_brake(const struct doctor_facts *facts, struct finding *finding)
{
	if (facts->config->nginx.brake)
		return false;
	found(finding, FINDING_GOOD, "there is no brake");
	return true;
}

void examine_brake_heeded(const struct doctor_facts *facts, struct finding *finding)
{
	const struct nginx_config *nginx = &facts->config->nginx;

	if (!nginx->brake) {
		found(finding, FINDING_MILD,
			"traffic.nginx.brake is not set: a rollback needs a reload, which "
			"somebody's broken include would stop");
		advise(finding, "add the lines of nginx/nginx.canary.conf to the site and set "
				"traffic.nginx.brake");
		return;
	}
	if (lacks_survey(facts, finding))
		return;
	if (nginx_dump_has(buf_text(&facts->dump), nginx->brake, nginx->output)) {
		found(finding, FINDING_GOOD, "nginx's configuration looks for '%s'", nginx->brake);
		return;
	}
	found(finding, FINDING_BAD,
		"nothing in nginx's configuration heeds the brake '%s': when a reload is "
		"impossible it would not hold",
		nginx->brake);
	advise(finding, "add 'if (-f %s)' to the site, as in nginx/nginx.canary.conf",
		nginx->brake);
}

/* May this user go through the folder? */
static bool lets_through(const struct stat *folder, const struct doctor_facts *facts)
{
	if (facts->worker_user == 0 || (folder->st_mode & S_IXOTH))
		return true;
	if (folder->st_uid == facts->worker_user)
		return folder->st_mode & S_IXUSR;
	return folder->st_gid == facts->worker_group && (folder->st_mode & S_IXGRP);
}

/* The first folder on the way to `path` that NGINX's workers cannot pass; NULL: none. */
static char *find_barrier(const char *path, const struct doctor_facts *facts)
{
	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *folder = mem_strndup(path, (size_t)(slash - path));
		struct stat info;

		if (stat(folder, &info) == 0 && !lets_through(&info, facts))
			return folder;
		free(folder);
	}
	return NULL;
}

static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	slash[slash == path] = '\0'; /* "/" stays */
}

void examine_brake_file(const struct doctor_facts *facts, struct finding *finding)
{
	const char *brake = facts->config->nginx.brake;
	CLEANUP_FREE char *folder = brake ? mem_strdup(brake) : NULL;
	CLEANUP_FREE char *barrier = NULL;

	if (has_no_brake(facts, finding))
		return;
	if (facts->edge.is_elsewhere) {
		found(finding, FINDING_UNSEEN, "'%s' is elsewhere, not to be seen from here",
			brake);
		advise(finding, "look inside, once: can nginx's workers see that file?");
		return;
	}
	do
		go_up(folder);
	while (access(folder, F_OK) < 0);
	if (access(folder, W_OK | X_OK) < 0) {
		found(finding, FINDING_BAD, "'%s' is not writable: the brake could not be set",
			folder);
		advise(finding, "make the brake's folder writable for this user; one in /run is "
				"made anew with systemd's RuntimeDirectory= or tmpfiles.d");
		return;
	}
	if (!facts->has_worker) {
		found(finding, FINDING_UNSEEN, "which user nginx's workers are is not to be seen");
		advise(finding, "see 'nginx-running'");
		return;
	}
	barrier = find_barrier(brake, facts);
	if (barrier) {
		found(finding, FINDING_BAD,
			"nginx's workers (user %ld) cannot pass '%s': they would not see the brake",
			(long)facts->worker_user, barrier);
		advise(finding, "chmod o+x '%s', or choose another folder for traffic.nginx.brake",
			barrier);
		return;
	}
	found(finding, FINDING_GOOD, "'%s' can be set and seen", brake);
}

void examine_brake_cache(const struct doctor_facts *facts, struct finding *finding)
{
	const struct survey *survey = &facts->survey;

	if (has_no_brake(facts, finding) || lacks_survey(facts, finding))
		return;
	if (!survey->file_cache || !survey->file_cache_errors) {
		found(finding, FINDING_GOOD, "no open_file_cache remembers that it is not there");
		return;
	}
	found(finding, FINDING_BAD,
		"open_file_cache_errors is on (%s): nginx remembers that the brake is not there, "
		"and "
		"sees it late",
		survey->file_cache_errors);
	advise(finding, "set open_file_cache_errors off, or open_file_cache off in the server that "
			"looks for the brake");
}

void examine_brake_off(const struct doctor_facts *facts, struct finding *finding)
{
	bool is_at_zero = facts->look.agree && facts->look.answer.canary == 0;

	if (has_no_brake(facts, finding))
		return;
	if (!brake_is_set(&facts->edge) && !facts->look.is_braked) {
		found(finding, FINDING_GOOD, "off");
	} else if (is_at_zero) {
		found(finding, FINDING_GOOD,
			"on, and 0 %% is in force: the next rollout removes it");
	} else {
		found(finding, FINDING_BAD,
			"the brake is on, and 0 %% is not proven: it alone sends everything to "
			"production");
		advise(finding,
			"run 'canaryctl status' and then 'canaryctl rollback'; if nobody set "
			"it on purpose, remove '%s'",
			facts->config->nginx.brake);
	}
}
