/*
 * The running NGINX: is it the one that is tested and reloaded, would its next reload succeed,
 * and does it say which weights are in force?
 */
#include "doctor/facts.h"

#include "canaryctl/clock.h"
#include "canaryctl/duration.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const char default_config[] = "/etc/nginx/nginx.conf";

bool lacks_survey(const struct doctor_facts *facts, struct finding *finding)
{
	if (facts->has_survey)
		return false;
	found(finding, FINDING_UNSEEN, "'nginx -T' did not show nginx's configuration");
	advise(finding, "see 'nginx-running' and 'nginx-test', mend what they name, then look "
			"again");
	return true;
}

/* The same of its processes. */
static bool lacks_processes(const struct doctor_facts *facts, struct finding *finding)
{
	if (facts->master)
		return false;
	if (facts->edge.is_elsewhere) {
		found(finding, FINDING_UNSEEN,
			"nginx runs elsewhere, and its processes are not to be seen from here");
		advise(finding,
			"look inside, once: the master's -c and user, who listens (ss -ltnp), "
			"and workers that are shutting down");
	} else {
		found(finding, FINDING_UNSEEN, "no master process is to be seen");
		advise(finding, "see 'nginx-running', or run doctor as a user who may see its "
				"processes");
	}
	return true;
}

void examine_nginx_running(const struct doctor_facts *facts, struct finding *finding)
{
	const struct nginx_processes *processes = &facts->look.processes;

	if (facts->master) {
		found(finding, FINDING_GOOD, "master %d, %d workers", facts->master,
			processes->accepting);
	} else if (facts->look.answers) {
		found(finding, FINDING_GOOD, "it answers at '%s'", facts->edge.proof_url);
	} else if (facts->edge.is_elsewhere && !facts->test_error.kind) {
		found(finding, FINDING_GOOD, "it runs elsewhere, and '%s' works",
			facts->edge.test[0]);
	} else if (facts->edge.is_elsewhere) {
		found(finding, FINDING_BAD, "%s", facts->test_error.message);
		advise(finding,
			"start the container, and see that traffic.nginx.test can reach it");
	} else if (facts->stranger) {
		found(finding, FINDING_BAD, "nginx runs, but with another configuration: '%.200s'",
			facts->title);
		advise(finding, "make traffic.nginx.test and reload name the configuration of the "
				"nginx that serves the traffic");
	} else {
		found(finding, FINDING_BAD, "no nginx is running here");
		advise(finding,
			"start nginx, or set traffic.nginx.container when it runs in one; run "
			"doctor as a user who may see its processes");
	}
}

/* ---- is it the one that is tested? ---- */

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool changes_user(const char *program)
{
	static const char *const programs[] = { "sudo", "doas", "runuser", "su", "setpriv" };

	for (size_t i = 0; i < ARRAY_SIZE(programs); i++)
		if (strcmp(basename_of(program), programs[i]) == 0)
			return true;
	return false;
}

/* nginx itself, maybe behind `sudo -n`; not `systemctl reload nginx`. */
static bool is_nginx(char *const *argv)
{
	if (changes_user(argv[0])) {
		do
			argv++;
		while (argv[0] && argv[0][0] == '-');
	}
	return argv[0] && strcmp(basename_of(argv[0]), "nginx") == 0;
}

static const char *option_of(char *const *argv, const char *option)
{
	for (size_t i = 0; argv[i]; i++)
		if (strcmp(argv[i], option) == 0)
			return argv[i + 1];
	return NULL;
}

static bool same_path(const char *a, const char *b)
{
	size_t length = strlen(a), other = strlen(b);

	while (length > 1 && a[length - 1] == '/')
		length--;
	while (other > 1 && b[other - 1] == '/')
		other--;
	return length == other && strncmp(a, b, length) == 0;
}

/* Does the command use the master's -c or -p? */
static bool is_same(const struct doctor_facts *facts, char *const *argv, const char *option,
	struct finding *finding)
{
	const char *fallback = strcmp(option, "-c") == 0 ? default_config : "";
	const char *masters = fallback, *ours = option_of(argv, option);
	char value[1024];

	if (!is_nginx(argv))
		return true;
	if (nginx_title_option(facts->title, option, value, sizeof(value)))
		masters = value;
	ours = ours ? ours : fallback;
	if (same_path(masters, ours))
		return true;
	found(finding, FINDING_BAD, "the master runs with %s '%s', but '%s ...' uses %s '%s'",
		option, masters, argv[0], option, ours);
	advise(finding,
		"give traffic.nginx.test and reload the same -c and -p as the master's: "
		"'%.200s'",
		facts->title);
	return false;
}

/* What -g says beside how the master is started ("daemon on; master_process on;" at Debian's). */
static bool has_own_directives(const char *title, char *ret_text, size_t size)
{
	static const char *const harmless[] = { "daemon off;", "daemon on;", "master_process on;" };
	const char *start = strstr(title, " -g ");
	char *end, *known;

	if (!start)
		return false;
	snprintf(ret_text, size, "%s", start + strlen(" -g "));
	end = strstr(ret_text, " -");
	if (end)
		*end = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		known = strstr(ret_text, harmless[i]);
		if (known)
			memset(known, ' ', strlen(harmless[i]));
	}
	return ret_text[strspn(ret_text, " ")] != '\0';
}

void examine_nginx_config(const struct doctor_facts *facts, struct finding *finding)
{
	char directives[512];

	if (!facts->stranger && lacks_processes(facts, finding))
		return;
	if (!is_same(facts, facts->edge.test, "-c", finding) ||
		!is_same(facts, facts->edge.reload, "-c", finding) ||
		!is_same(facts, facts->edge.test, "-p", finding) ||
		!is_same(facts, facts->edge.reload, "-p", finding))
		return;
	if (has_own_directives(facts->title, directives, sizeof(directives)) &&
		!option_of(facts->edge.test, "-g")) {
		found(finding, FINDING_MILD, "the master was started with '-g %s', the test is not",
			directives + strspn(directives, " "));
		advise(finding, "move these directives into nginx.conf, or give traffic.nginx.test "
				"and reload the same -g");
		return;
	}
	found(finding, FINDING_GOOD, "test and reload use the master's -c and -p");
}

void examine_nginx_user(const struct doctor_facts *facts, struct finding *finding)
{
	if (lacks_processes(facts, finding))
		return;
	if (facts->master_user == geteuid() || changes_user(facts->edge.test[0])) {
		found(finding, FINDING_GOOD, "user %ld", (long)facts->master_user);
		return;
	}
	found(finding, FINDING_BAD,
		"the master runs as user %ld, but canaryctl is user %ld: 'nginx -t' and 'nginx -s "
		"reload' then fail, or leave files that the master cannot write",
		(long)facts->master_user, (long)geteuid());
	advise(finding, "run canaryctl as the master's user, or put [sudo, -n] in front of "
			"traffic.nginx.test and reload");
}

/* ---- would a reload succeed? ---- */

void examine_nginx_test(const struct doctor_facts *facts, struct finding *finding)
{
	if (!facts->was_tested) {
		found(finding, FINDING_UNSEEN, "not run: no nginx is to be seen");
		advise(finding, "see 'nginx-running'");
	} else if (facts->test_error.kind) {
		found(finding, FINDING_BAD, "nginx refuses its configuration: %.400s",
			facts->test_error.message);
		advise(finding, "mend it before anything else: no reload is possible, so no shift "
				"and no rollback; only the brake would hold");
	} else {
		found(finding, FINDING_GOOD, "nginx accepts its whole configuration");
	}
}

void examine_nginx_warnings(const struct doctor_facts *facts, struct finding *finding)
{
	if (!facts->was_tested || facts->test_error.kind) {
		found(finding, FINDING_UNSEEN, "nginx did not accept its configuration");
		advise(finding, "see 'nginx-test'");
	} else if (facts->test_warning[0]) {
		found(finding, FINDING_BAD, "nginx warns: %.400s", facts->test_warning);
		advise(finding, "nginx goes on without what it warns of: mend the template");
	} else {
		found(finding, FINDING_GOOD, "nginx does not warn of '%s'",
			facts->config->nginx.output);
	}
}

static bool is_taken(const struct doctor_facts *facts, const struct listener *wanted)
{
	for (size_t i = 0; i < facts->own_count; i++)
		if (listener_is_in_the_way(&facts->own[i], wanted))
			return false;
	for (size_t i = 0; i < facts->other_count; i++)
		if (listener_is_in_the_way(&facts->others[i], wanted))
			return true;
	return false;
}

/* The trap: `nginx -t` and `nginx -s reload` both exit 0, and nothing has changed. */
void examine_listen_ports(const struct doctor_facts *facts, struct finding *finding)
{
	if (lacks_survey(facts, finding) || lacks_processes(facts, finding))
		return;
	if (!facts->sees_sockets) {
		found(finding, FINDING_UNSEEN, "which sockets are nginx's is not to be seen");
		advise(finding, "run doctor as root, or as the user of nginx's master");
		return;
	}
	for (size_t i = 0; i < facts->survey.listen_count; i++) {
		const struct survey_listen *listen = &facts->survey.listens[i];

		if (!is_taken(facts, &listen->address))
			continue;
		found(finding, FINDING_BAD,
			"'listen %s' at %s is held by another program: every reload would fail, "
			"and both 'nginx -t' and 'nginx -s reload' would exit 0",
			listen->text, listen->place);
		advise(finding, "end the program that holds the port (ss -ltnp), or take the "
				"listen out");
		return;
	}
	found(finding, FINDING_GOOD, "%zu listen addresses, none of them held by another program",
		facts->survey.listen_count);
}

void examine_listen_unix(const struct doctor_facts *facts, struct finding *finding)
{
	const char *place = facts->survey.unix_listen;

	/* What is going to be in the output counts as if it were there. */
	if (nginx_dump_has(buf_text(&facts->rendered), "listen unix:", ""))
		place = facts->config->nginx.template_path;
	else if (lacks_survey(facts, finding))
		return;
	if (!place) {
		found(finding, FINDING_GOOD, "no 'listen unix:'");
		return;
	}
	found(finding, FINDING_BAD,
		"%s listens on a unix socket, which outlives a killed nginx: the next start fails "
		"with 'Address already in use'",
		place);
	advise(finding, "listen on a loopback port instead, or have the socket removed before "
			"nginx starts (ExecStartPre)");
}

void examine_reuseport(const struct doctor_facts *facts, struct finding *finding)
{
	int workers = facts->look.processes.accepting, wanted;

	if (lacks_survey(facts, finding))
		return;
	wanted = facts->survey.worker_processes;
	if (!facts->survey.reuseport || !workers || !wanted || wanted == workers) {
		found(finding, FINDING_GOOD, "a reload keeps the number of workers");
		return;
	}
	found(finding, FINDING_BAD,
		"%s has reuseport, and %d workers run where the configuration says %d: with fewer "
		"workers, a reload resets connections",
		facts->survey.reuseport, workers, wanted);
	advise(finding, "reload nginx once, at a quiet time, before the rollout; never change "
			"worker_processes during one");
}

/* ---- workers ---- */

void examine_drain_timeout(const struct doctor_facts *facts, struct finding *finding)
{
	if (lacks_survey(facts, finding))
		return;
	if (facts->survey.shutdown_timeout) {
		found(finding, FINDING_GOOD, "%s", facts->survey.shutdown_timeout);
		return;
	}
	found(finding, FINDING_BAD,
		"worker_shutdown_timeout is not set: a WebSocket or stream keeps its old worker, "
		"and the old weights, for as long as it lasts");
	advise(finding, "set worker_shutdown_timeout in nginx.conf, longer than the longest "
			"request (nginx/nginx.canary.conf has 5m)");
}

static int64_t oldest_draining_ms(const struct nginx_processes *processes)
{
	int64_t now = nginx_proc_ticks(clock_boot_ms()), oldest = now;

	for (int i = 0; i < processes->count; i++) {
		const struct nginx_worker *worker = &processes->workers[i];

		if (worker->is_draining && worker->start_ticks < oldest)
			oldest = worker->start_ticks;
	}
	return (now - oldest) * 1000 / sysconf(_SC_CLK_TCK);
}

void examine_old_workers(const struct doctor_facts *facts, struct finding *finding)
{
	const struct nginx_processes *processes = &facts->look.processes;
	char age[DURATION_TEXT_SIZE];

	if (lacks_processes(facts, finding))
		return;
	if (!processes->draining) {
		found(finding, FINDING_GOOD, "no old workers");
		return;
	}
	duration_format(oldest_draining_ms(processes) / 1000 * 1000, age);
	found(finding, FINDING_BAD,
		"%d old worker%s still serve%s long connections with the old weights; the oldest "
		"was started %s ago",
		processes->draining, processes->draining == 1 ? "" : "s",
		processes->draining == 1 ? "s" : "", age);
	advise(finding, "wait for them, or set worker_shutdown_timeout");
}

/* ---- the proof ---- */

static void examine_unanswered(const struct doctor_facts *facts, struct finding *finding)
{
	const char *url = facts->edge.proof_url;

	if (facts->look.foreign || (facts->look.broken && !facts->edge.is_elsewhere)) {
		found(finding, FINDING_BAD, "'%s' is held by something that is not nginx", url);
		advise(finding, "nginx could not listen there, and its reload would fail without a "
				"word: set traffic.nginx.proof.listen to a free port");
	} else if (facts->output_has_proof) {
		found(finding, FINDING_BAD,
			"'%s' has the proof, but nobody answers at '%s': nginx does not run, does "
			"not include the file, or could not be reloaded",
			facts->config->nginx.output, url);
		advise(finding, "see nginx's error log, and 'output-included'");
	} else {
		found(finding, FINDING_GOOD, "free; the first rollout will write it");
	}
}

void examine_proof(const struct doctor_facts *facts, struct finding *finding)
{
	const struct look *look = &facts->look;
	char weight[WEIGHT_TEXT_SIZE];

	if (!look->answers) {
		examine_unanswered(facts, finding);
	} else if (!look->agree) {
		found(finding, FINDING_MILD, "nginx's workers do not agree on the weights");
		advise(finding, "a shift is under way, or one was cut off: run 'canaryctl status'");
	} else if (facts->output_exists &&
		   (!facts->output_has_proof ||
			   strcmp(facts->output_proof.generation, look->answer.generation) != 0)) {
		found(finding, FINDING_MILD,
			"'%s' is not what is in force: the next reload of nginx would change the "
			"weights",
			facts->config->nginx.output);
		advise(finding,
			"somebody changed it by hand: 'canaryctl rollback' or 'weights set' "
			"writes it anew");
	} else {
		found(finding, FINDING_GOOD, "%s %% canary in force",
			weight_format(look->answer.canary, weight));
	}
}
