/*
 * The examinations in one table, and the suite that is made of their findings. To add one, write
 * its function into the file of its subject, and add a row here and a line to the table in
 * docs/operations.md.
 */
#include "doctor/doctor_private.h"

#include "checks/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 30000 };

struct examination {
	struct doctor_row row;
	doctor_examine_fn *examine;
};

#define BAD  SEVERITY_ERROR
#define MILD SEVERITY_WARNING
#define ROW(name, severity, examine, looks_for)                                                    \
	{                                                                                          \
		{ name, looks_for, severity }, examine                                             \
	}

static const struct examination examinations[] = {
	/* The running NGINX. */
	ROW("nginx-running", BAD, examine_nginx_running,
		"NGINX runs, with the configuration that is tested"),
	ROW("nginx-config", BAD, examine_nginx_config,
		"`test` and `reload` name the master's own -c, -p and -g"),
	ROW("nginx-user", MILD, examine_nginx_user, "`test` and `reload` run as the master's user"),
	ROW("nginx-test", BAD, examine_nginx_test,
		"the whole configuration passes now: somebody's broken include stops a rollback "
		"too"),
	ROW("nginx-warnings", BAD, examine_nginx_warnings,
		"NGINX does not warn of the output file"),
	ROW("listen-ports", BAD, examine_listen_ports,
		"no `listen` is held by another program: the reload would fail without a word"),
	ROW("listen-unix", MILD, examine_listen_unix,
		"no `listen unix:`, which outlives a killed NGINX"),
	ROW("reuseport", MILD, examine_reuseport,
		"with reuseport, a reload keeps the number of workers"),
	ROW("drain-timeout", MILD, examine_drain_timeout, "worker_shutdown_timeout is set"),
	ROW("old-workers", MILD, examine_old_workers,
		"no old worker still serves with old weights"),
	ROW("proof-address", BAD, examine_proof,
		"the proof answers with the weights in force, or is free before the first rollout"),
	/* The way of a request. */
	ROW("output-included", BAD, examine_output_included,
		"NGINX includes the output file, once"),
	ROW("output-mount", BAD, examine_output_mount,
		"the output file is not bind-mounted by itself"),
	ROW("pool-used", BAD, examine_pool_used, "requests are passed to the template's upstreams"),
	ROW("template", BAD, examine_template,
		"the template renders at 0 % and at every stage, and NGINX accepts it"),
	ROW("upstream-names", BAD, examine_upstream_names,
		"no other file defines an upstream of the template's name"),
	ROW("server-names", BAD, examine_server_names, "NGINX can look up the servers' names"),
	ROW("upstream-zone", BAD, examine_zone, "an upstream of both versions has a `zone`"),
	ROW("max-fails", BAD, examine_max_fails, "no failure takes a server out: max_fails=0"),
	ROW("balancing", MILD, examine_balancing,
		"weights alone decide: no hash, ip_hash, least_conn, max_conns"),
	ROW("keepalive-order", MILD, examine_keepalive, "no keepalive before the balancing method"),
	ROW("retries", BAD, examine_retries,
		"a dead or failing canary is not hidden by proxy_next_upstream"),
	ROW("error-pages", MILD, examine_error_pages,
		"no error_page turns a canary's 5xx into something else"),
	/* The brake. */
	ROW("brake-heeded", BAD, examine_brake_heeded, "NGINX's configuration looks for the brake"),
	ROW("brake-file", BAD, examine_brake_file,
		"we can set the brake, and NGINX's workers can see it"),
	ROW("brake-cache", BAD, examine_brake_cache, "no open_file_cache hides the brake"),
	ROW("brake-off", MILD, examine_brake_off, "the brake is off, unless 0 % is in force"),
	/* Prometheus. */
	ROW("prometheus", BAD, examine_prometheus, "Prometheus answers"),
	ROW("clock", BAD, examine_clock, "this host's clock and Prometheus' differ by at most 2 s"),
	ROW("arms-scraped", BAD, examine_arms_scraped, "canary and production are scraped, and up"),
	ROW("scrape-interval", BAD, examine_scrape_interval,
		"prometheus.scrape_interval is what Prometheus does"),
	ROW("settle", BAD, examine_settle, "settle and observe fit the scrape interval"),
	ROW("ranges", MILD, examine_ranges, "no query has a range of less than 4 scrapes"),
	ROW("partial-answers", MILD, examine_partial_answers,
		"Prometheus answers without warnings"),
	/* The host. */
	ROW("canary-health", BAD, examine_canary_health, "the canary says that it is healthy"),
	ROW("production-health", BAD, examine_production_health, "production answers with 200"),
	ROW("programs", BAD, examine_programs, "hooks and commands of the configuration are there"),
	ROW("state-folder", BAD, examine_state_folder,
		"the state folder is ours, and writable by us alone"),
	ROW("disk-space", BAD, examine_disk_space, "there is room for state and output"),
	ROW("recover-at-boot", MILD, examine_recover, "`canaryctl recover` runs after a reboot"),
	ROW("no-rollout", BAD, examine_rollout, "no rollout runs, and none was interrupted"),
};

#undef ROW
#undef MILD
#undef BAD

const struct doctor_row *doctor_rows(void)
{
	static struct doctor_row rows[ARRAY_SIZE(examinations) + 1];

	for (size_t i = 0; i < ARRAY_SIZE(examinations); i++)
		rows[i] = examinations[i].row;
	return rows;
}

/* ---- a finding is a check that was measured before ---- */

static enum task_next tell(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct finding *finding = run->check->params;
	struct measurement *m = &run->measurement;

	if (finding->kind == FINDING_UNSEEN) {
		measure_no_data(m, NO_DATA_NONE, finding->message);
		return measure_end(run);
	}
	m->measured = MEASURED_VALUE;
	m->fails = finding->kind != FINDING_GOOD;
	snprintf(m->message, sizeof(m->message), "%s", finding->message);
	return measure_end(run);
}

static const struct task_step tell_steps[] = {
	{ "tell", tell },
	{ 0 },
};

static void start(struct check_run *run, struct task *parent)
{
	task_start_child(&run->task, parent, "examination", tell_steps);
}

static const struct check_kind examination_kind = {
	.name = "examination",
	.help = "what the doctor found on this host",
	.unit = UNIT_PLAIN,
	.start = start,
};

static struct finding *add_check(struct doctor *doctor, const char *name, enum severity severity)
{
	struct check_config *check = &doctor->suite.checks[doctor->suite.check_count++];
	struct finding *finding = arena_alloc(&doctor->arena, sizeof(*finding));

	check->name = arena_strdup(&doctor->arena, name);
	check->kind = &examination_kind;
	check->severity = (int)severity;
	check->params = finding;
	return finding;
}

/* How severe the finding is, and what to do. What is good is said in the words of its row. */
static void conclude(struct doctor *doctor, struct finding *finding, const char *looks_for)
{
	struct check_config *check = &doctor->suite.checks[doctor->suite.check_count - 1];

	if (finding->kind == FINDING_MILD || finding->kind == FINDING_UNSEEN)
		check->severity = SEVERITY_WARNING;
	if (finding->kind != FINDING_GOOD)
		check->hint = finding->hint;
	else if (!*finding->message)
		found(finding, FINDING_GOOD, "%s", looks_for);
}

const struct suite_config *doctor_suite(struct doctor *doctor)
{
	const struct config *config = doctor->config;
	size_t count = ARRAY_SIZE(examinations) + config->check_count;

	doctor->suite = (struct suite_config){
		.name = arena_strdup(&doctor->arena, "doctor"),
		.timeout_ms = TIMEOUT_MS,
		.checks = arena_alloc(&doctor->arena, count * sizeof(struct check_config)),
	};
	for (size_t i = 0; i < ARRAY_SIZE(examinations); i++) {
		const struct examination *examination = &examinations[i];
		struct finding *finding =
			add_check(doctor, examination->row.name, examination->row.severity);

		if (doctor->has_looked)
			examination->examine(&doctor->facts, finding);
		conclude(doctor, finding, examination->row.looks_for);
	}
	for (size_t i = 0; i < config->check_count; i++) {
		struct finding *finding = add_check(doctor,
			arena_format(&doctor->arena, "check-%s", config->checks[i].name),
			SEVERITY_ERROR);

		if (doctor->has_looked)
			examine_check(&doctor->facts.evaluation.verdicts[i], finding);
		conclude(doctor, finding, "its query has data");
	}
	return &doctor->suite;
}

/* ---- life ---- */

struct doctor *doctor_new(const struct config *config)
{
	struct doctor *doctor = mem_alloc(sizeof(*doctor));

	doctor->config = config;
	return doctor;
}

void doctor_free(struct doctor *doctor)
{
	struct doctor_facts *facts = &doctor->facts;

	prom_query_release(&doctor->clock_query);
	http_release(&doctor->targets);
	http_release(&facts->canary);
	http_release(&facts->production);
	proc_release(&doctor->test);
	scratch_release(&doctor->scratch);
	evaluation_release(&facts->evaluation);
	targets_release(&facts->targets);
	survey_release(&facts->survey);
	upstreams_report_release(&facts->upstreams);
	buf_release(&facts->dump);
	buf_release(&facts->rendered);
	buf_release(&doctor->rendered);
	edge_release(&facts->edge);
	arena_release(&doctor->arena);
	free(doctor->checks);
	free(doctor);
}
