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

static const struct examination examinations[] = {
	/* The running NGINX. */
	{ { "nginx-running", "NGINX runs, with the configuration that is tested", BAD },
		examine_nginx_running },
	{ { "nginx-config", "`test` and `reload` name the master's own -c, -p and -g", BAD },
		examine_nginx_config },
	{ { "nginx-user", "`test` and `reload` run as the master's user", MILD },
		examine_nginx_user },
	{ { "nginx-test",
		  "the whole configuration passes now: somebody's broken include stops a "
		  "rollback too",
		  BAD },
		examine_nginx_test },
	{ { "nginx-warnings", "NGINX does not warn of the output file", BAD },
		examine_nginx_warnings },
	{ { "listen-ports",
		  "no `listen` is held by another program: the reload would fail without "
		  "a word",
		  BAD },
		examine_listen_ports },
	{ { "listen-unix", "no `listen unix:`, which outlives a killed NGINX", MILD },
		examine_listen_unix },
	{ { "reuseport", "with reuseport, a reload keeps the number of workers", MILD },
		examine_reuseport },
	{ { "drain-timeout", "worker_shutdown_timeout is set", MILD }, examine_drain_timeout },
	{ { "old-workers", "no old worker still serves with old weights", MILD },
		examine_old_workers },
	{ { "proof-address",
		  "the proof answers with the weights in force, or is free before the "
		  "first rollout",
		  BAD },
		examine_proof },
	/* The way of a request. */
	{ { "output-included", "NGINX includes the output file, once", BAD },
		examine_output_included },
	{ { "output-mount", "the output file is not bind-mounted by itself", BAD },
		examine_output_mount },
	{ { "pool-used", "requests are passed to the template's upstreams", BAD },
		examine_pool_used },
	{ { "template", "the template renders at 0 % and at every stage, and NGINX accepts it",
		  BAD },
		examine_template },
	{ { "server-names", "NGINX can look up the servers' names", BAD }, examine_server_names },
	{ { "upstream-zone", "an upstream of both versions has a `zone`", BAD }, examine_zone },
	{ { "max-fails", "no failure takes a server out: max_fails=0", BAD }, examine_max_fails },
	{ { "balancing", "weights alone decide: no hash, ip_hash, least_conn, max_conns", MILD },
		examine_balancing },
	{ { "keepalive-order", "no keepalive before the balancing method", MILD },
		examine_keepalive },
	{ { "retries", "a dead or failing canary is not hidden by proxy_next_upstream", BAD },
		examine_retries },
	{ { "error-pages", "no error_page turns a canary's 5xx into something else", MILD },
		examine_error_pages },
	/* The brake. */
	{ { "brake-heeded", "NGINX's configuration looks for the brake", BAD },
		examine_brake_heeded },
	{ { "brake-file", "we can set the brake, and NGINX's workers can see it", BAD },
		examine_brake_file },
	{ { "brake-cache", "no open_file_cache hides the brake", BAD }, examine_brake_cache },
	{ { "brake-off", "the brake is off, unless 0 % is in force", MILD }, examine_brake_off },
	/* Prometheus. */
	{ { "prometheus", "Prometheus answers", BAD }, examine_prometheus },
	{ { "clock", "this host's clock and Prometheus' differ by at most 2 s", BAD },
		examine_clock },
	{ { "arms-scraped", "canary and production are scraped, and up", BAD },
		examine_arms_scraped },
	{ { "scrape-interval", "prometheus.scrape_interval is what Prometheus does", BAD },
		examine_scrape_interval },
	{ { "settle", "settle and observe fit the scrape interval", BAD }, examine_settle },
	{ { "ranges", "no query has a range of less than 4 scrapes", MILD }, examine_ranges },
	{ { "partial-answers", "Prometheus answers without warnings", MILD },
		examine_partial_answers },
	/* The host. */
	{ { "canary-health", "the canary says that it is healthy", BAD }, examine_canary_health },
	{ { "production-health", "production answers with 200", BAD }, examine_production_health },
	{ { "programs", "hooks and commands of the configuration are there", BAD },
		examine_programs },
	{ { "state-folder", "the state folder is ours, and writable by us alone", BAD },
		examine_state_folder },
	{ { "disk-space", "there is room for state and output", BAD }, examine_disk_space },
	{ { "recover-at-boot", "`canaryctl recover` runs after a reboot", MILD }, examine_recover },
	{ { "no-rollout", "no rollout runs, and none was interrupted", BAD }, examine_rollout },
};

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
	if (!m->fails)
		snprintf(m->value_text, sizeof(m->value_text), "good");
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

/* How severe the finding is, and what to do. */
static void conclude(struct doctor *doctor, struct finding *finding)
{
	struct check_config *check = &doctor->suite.checks[doctor->suite.check_count - 1];

	if (finding->kind == FINDING_MILD || finding->kind == FINDING_UNSEEN)
		check->severity = SEVERITY_WARNING;
	if (finding->kind != FINDING_GOOD)
		check->hint = finding->hint;
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
		conclude(doctor, finding);
	}
	for (size_t i = 0; i < config->check_count; i++) {
		struct finding *finding = add_check(doctor,
			arena_format(&doctor->arena, "check-%s", config->checks[i].name),
			SEVERITY_ERROR);

		if (doctor->has_looked)
			examine_check(&doctor->facts.evaluation.verdicts[i], finding);
		conclude(doctor, finding);
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
