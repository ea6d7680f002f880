/*
 * What was seen of the host, and the examinations that make findings of it. Facts are what takes
 * waiting or parsing; what the file system tells at once, an examination asks itself.
 */
#ifndef DOCTOR_FACTS_H
#define DOCTOR_FACTS_H

#include "doctor/finding.h"
#include "doctor/survey.h"
#include "doctor/targets.h"

#include "canaryctl/check.h"
#include "canaryctl/config.h"
#include "canaryctl/error.h"
#include "canaryctl/loop.h"
#include "traffic/edge.h"
#include "traffic/look.h"
#include "traffic/proof_block.h"
#include "traffic/upstreams.h"

#include <sys/types.h>

enum { MOST_LISTENERS = 1024, MASTER_TITLE_SIZE = 2048 };

struct doctor_facts {
	const struct config *config;

	/* ---- NGINX ---- */
	struct edge edge;
	struct look look;
	int master;   /* 0: none that is meant is to be seen */
	int stranger; /* one that was started with another configuration; only without `master` */
	char title[MASTER_TITLE_SIZE]; /* of either */
	uid_t master_user;
	uid_t worker_user;
	gid_t worker_group;
	bool has_worker;
	bool was_tested; /* `nginx -t` of the whole configuration was run */
	struct error test_error;
	char test_warning[512]; /* about our output file; "" when none */
	struct buf dump;        /* of nginx -T */
	bool has_survey;
	struct survey survey;
	bool sees_sockets; /* which ones are the master's */
	struct listener own[MOST_LISTENERS];
	size_t own_count;
	struct listener others[MOST_LISTENERS];
	size_t other_count;

	/* ---- the output file, and what the template renders to ---- */
	struct error output_error;
	bool output_exists;
	bool output_has_proof;
	struct proof_answer output_proof;
	struct error template_error; /* of the first stage that is refused */
	weight_t template_weight;    /* that stage */
	bool has_upstreams;
	struct buf rendered; /* with both versions taking traffic */
	struct upstreams_report upstreams;

	/* ---- Prometheus ---- */
	struct error prometheus_error;
	double server_time; /* seconds; both clocks, at the same moment */
	double own_time;
	double time_error;            /* at most, seconds */
	struct evaluation evaluation; /* of config->checks */
	struct error targets_error;
	struct targets targets;

	/* ---- the applications ---- */
	struct http_op canary, production;
};

typedef void doctor_examine_fn(const struct doctor_facts *facts, struct finding *finding);

/* doctor_nginx.c: the running NGINX */
doctor_examine_fn examine_nginx_running, examine_nginx_config, examine_nginx_user,
	examine_nginx_test, examine_nginx_warnings, examine_listen_ports, examine_listen_unix,
	examine_reuseport, examine_drain_timeout, examine_old_workers, examine_proof;
/* doctor_traffic.c: the way of a request */
doctor_examine_fn examine_output_included, examine_output_mount, examine_pool_used,
	examine_template, examine_upstream_names, examine_server_names, examine_zone,
	examine_max_fails, examine_balancing, examine_keepalive, examine_retries,
	examine_error_pages;
/* doctor_brake.c */
doctor_examine_fn examine_brake_heeded, examine_brake_file, examine_brake_cache, examine_brake_off;
/* doctor_prometheus.c */
doctor_examine_fn examine_prometheus, examine_clock, examine_arms_scraped, examine_scrape_interval,
	examine_settle, examine_ranges, examine_partial_answers;
/* doctor_host.c */
doctor_examine_fn examine_canary_health, examine_production_health, examine_programs,
	examine_state_folder, examine_disk_space, examine_recover, examine_rollout;

/* One check of a stage: can it be asked, and does it have data now? */
void examine_check(const struct verdict *verdict, struct finding *finding);

/* Without a survey there is nothing to say: true, and the finding says so. */
bool lacks_survey(const struct doctor_facts *facts, struct finding *finding);

#endif
