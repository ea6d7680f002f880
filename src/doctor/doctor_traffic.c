/*
 * The way of a request: does what the template renders get into NGINX's configuration, do
 * requests go through it, and would the canary get the share that the weights say, with its
 * errors to be seen?
 */
#include "doctor/facts.h"

#include "traffic/output_file.h"

#include <stdlib.h>
#include <string.h>

/* ---- the output file ---- */

void examine_output_included(const struct doctor_facts *facts, struct finding *finding)
{
	const char *output = facts->config->nginx.output;
	CLEANUP_FREE char *real = facts->edge.is_elsewhere ? NULL : realpath(output, NULL);
	bool would;
	int reads;

	if (lacks_survey(facts, finding))
		return;
	reads = survey_reads(&facts->survey, output, real, &would);
	if (reads == 1 || (!reads && would && !facts->output_exists)) {
		found(finding, FINDING_GOOD, "nginx includes '%s' once", output);
	} else if (reads > 1) {
		found(finding, FINDING_BAD, "nginx includes '%s' %d times", output, reads);
		advise(finding, "take the include out that is too many");
	} else {
		found(finding, FINDING_BAD,
			"nginx does not include '%s': new weights would change nothing", output);
		advise(finding,
			"add 'include %s;' to the http block of nginx.conf, or set "
			"traffic.nginx.output to a file that it includes",
			output);
	}
}

void examine_output_mount(const struct doctor_facts *facts, struct finding *finding)
{
	struct error err = { 0 };

	if (output_check_mount(&facts->edge, &err) < 0) {
		found(finding, FINDING_BAD, "%s", err.message);
		advise(finding, "%s", err.hint);
	} else {
		found(finding, FINDING_GOOD, "'%s' can be replaced", facts->config->nginx.output);
	}
}

/* ---- the template ---- */

void examine_template(const struct doctor_facts *facts, struct finding *finding)
{
	const struct error *err = &facts->template_error;
	char weight[WEIGHT_TEXT_SIZE];

	if (!err->kind) {
		found(finding, FINDING_GOOD,
			"renders at 0 %% and at every stage, and nginx accepts it");
		return;
	}
	found(finding, FINDING_BAD, "at %s %% canary: %.400s",
		weight_format(facts->template_weight, weight), err->message);
	advise(finding, "%s", err->hint[0] ? err->hint : "mend the template");
}

/* NGINX looks names up once, when it reads its configuration: one that is unknown stops a reload.
 */
void examine_server_names(const struct doctor_facts *facts, struct finding *finding)
{
	static const char complaint[] = "host not found in upstream";
	const char *said = strstr(facts->template_error.message, complaint);

	if (!said)
		said = strstr(facts->test_error.message, complaint);
	if (!said && facts->template_error.kind) {
		found(finding, FINDING_UNSEEN, "nginx did not get as far as looking names up");
		advise(finding, "see 'template'");
		return;
	}
	if (!said) {
		found(finding, FINDING_GOOD, "nginx can look up all servers");
		return;
	}
	found(finding, FINDING_BAD, "nginx cannot look up a server: %.300s", said);
	advise(finding,
		"mend the name (DNS, /etc/hosts), or write the server's address: as long as "
		"the name is unknown, no reload is possible, nor a rollback");
}

static bool lacks_upstreams(const struct doctor_facts *facts, struct finding *finding)
{
	if (facts->has_upstreams)
		return false;
	found(finding, FINDING_UNSEEN, "the template does not render");
	advise(finding, "see 'template'");
	return true;
}

/* Does a name of the rendered file's upstreams stand behind the scheme? */
static bool names_upstream(const char *pass, const char *names)
{
	const char *host = strstr(pass, "://");
	size_t length;
	CLEANUP_FREE char *quoted = NULL;

	host = host ? host + 3 : pass;
	length = strcspn(host, "/:");
	quoted = mem_format("'%.*s'", (int)length, host);
	return length && strstr(names, quoted);
}

/* With the output file of today NGINX may be content; with the one of the first stage it is not. */
void examine_upstream_names(const struct doctor_facts *facts, struct finding *finding)
{
	const struct survey *survey = &facts->survey;
	const char *output = facts->config->nginx.output;
	CLEANUP_FREE char *real = facts->edge.is_elsewhere ? NULL : realpath(output, NULL);
	const char *names = buf_text(&facts->upstreams.names);

	if (lacks_survey(facts, finding) || lacks_upstreams(facts, finding))
		return;
	for (size_t i = 0; i < survey->upstream_count; i++) {
		const struct survey_upstream *upstream = &survey->upstreams[i];
		bool is_ours = strcmp(upstream->file, output) == 0 ||
			       (real && strcmp(upstream->file, real) == 0);

		if (is_ours || !names_upstream(upstream->name, names))
			continue;
		found(finding, FINDING_BAD,
			"'upstream %s' is also at %s: with the rendered file nginx would refuse "
			"its configuration",
			upstream->name, upstream->place);
		advise(finding, "take that one out when the first rollout begins, or rename one");
		return;
	}
	found(finding, FINDING_GOOD, "only '%s' defines %s", output, names);
}

void examine_pool_used(const struct doctor_facts *facts, struct finding *finding)
{
	const struct survey *survey = &facts->survey;
	const char *names = buf_text(&facts->upstreams.names);

	if (lacks_survey(facts, finding) || lacks_upstreams(facts, finding))
		return;
	for (size_t i = 0; i < survey->pass_count; i++) {
		/* A variable may hold anything: the shipped nginx.canary.conf chooses so. */
		if (strchr(survey->passes[i], '$') || names_upstream(survey->passes[i], names)) {
			found(finding, FINDING_GOOD, "requests are passed to '%s'",
				survey->passes[i]);
			return;
		}
	}
	found(finding, FINDING_BAD, "no request is passed to the template's upstreams (%s)", names);
	advise(finding, "proxy_pass to one of them in the site, instead of to a server by name");
}

/* ---- the upstreams ---- */

static int workers_of(const struct doctor_facts *facts)
{
	int running = facts->look.processes.accepting;

	if (running)
		return running;
	/* Not to be seen, or `auto`: more than one is the usual case. */
	return facts->has_survey && facts->survey.worker_processes ? facts->survey.worker_processes
								   : 2;
}

void examine_zone(const struct doctor_facts *facts, struct finding *finding)
{
	const char *names = buf_text(&facts->upstreams.without_zone);

	if (lacks_upstreams(facts, finding))
		return;
	if (!*names || workers_of(facts) == 1) {
		found(finding, FINDING_GOOD, "the workers share one rotation");
		return;
	}
	found(finding, FINDING_BAD,
		"upstream %s has no zone: each of %d workers counts for itself and starts anew "
		"with "
		"each reload, so that 1 %% may be nothing for long",
		names, workers_of(facts));
	advise(finding, "add 'zone NAME 64k;' to the upstream in the template");
}

void examine_max_fails(const struct doctor_facts *facts, struct finding *finding)
{
	const char *names = buf_text(&facts->upstreams.without_max_fails);

	if (lacks_upstreams(facts, finding))
		return;
	if (!*names) {
		found(finding, FINDING_GOOD, "no failure takes a server out");
		return;
	}
	found(finding, FINDING_BAD,
		"a server of upstream %s has no max_fails=0: one refused connection takes the "
		"canary out for 10 s, unseen, or gives it nearly everything when it is production "
		"that hiccups",
		names);
	advise(finding, "write max_fails=0 on each server line of the template");
}

void examine_balancing(const struct doctor_facts *facts, struct finding *finding)
{
	const char *names = buf_text(&facts->upstreams.unweighted);

	if (lacks_upstreams(facts, finding))
		return;
	if (!*names) {
		found(finding, FINDING_GOOD, "weights alone decide");
		return;
	}
	found(finding, FINDING_BAD, "not the weights alone decide who gets a request: upstream %s",
		names);
	advise(finding,
		"take it out, use nginx/conf.d/split.conf.template where users must stay on "
		"one side, or watch the real share with traffic.share");
}

void examine_keepalive(const struct doctor_facts *facts, struct finding *finding)
{
	const char *names = buf_text(&facts->upstreams.late_method);

	if (lacks_upstreams(facts, finding))
		return;
	if (!*names) {
		found(finding, FINDING_GOOD, "nothing is overridden");
		return;
	}
	found(finding, FINDING_BAD,
		"upstream %s has its balancing method behind keepalive, which switches keepalive "
		"off",
		names);
	advise(finding, "write keepalive behind the balancing method");
}

/* ---- errors that nobody sees ---- */

/*
 * In one upstream, production answers for a canary that fails: clients see 200, and so would
 * whoever only looks at NGINX's status. What still tells is the canary's own count, and its share.
 */
void examine_retries(const struct doctor_facts *facts, struct finding *finding)
{
	const struct survey *survey = &facts->survey;
	const char *pools = buf_text(&facts->upstreams.shared);
	bool watches_share = facts->config->share.requests != NULL;

	if (lacks_survey(facts, finding) || lacks_upstreams(facts, finding))
		return;
	if (!*pools || (survey->no_retries && !survey->retries)) {
		found(finding, FINDING_GOOD, "no other version answers for one that fails");
	} else if (survey->retries_http) {
		found(finding, watches_share ? FINDING_MILD : FINDING_BAD,
			"%s lists http_5xx: a canary's 500 is answered by production, and clients "
			"see 200",
			survey->retries_http);
		advise(finding, "list 'error timeout' alone: an answer with 5xx must stay visible");
	} else if (!watches_share) {
		found(finding, FINDING_MILD,
			"upstream %s hides a dead canary: production answers for it, and clients "
			"see 200",
			pools);
		advise(finding,
			"set traffic.share, so that a canary that receives nothing is seen, "
			"and judge errors by the canary's own metrics");
	} else {
		found(finding, FINDING_GOOD,
			"production answers for a dead canary; traffic.share sees it");
	}
}

void examine_error_pages(const struct doctor_facts *facts, struct finding *finding)
{
	const struct survey *survey = &facts->survey;
	const char *place = survey->error_page_200;

	if (lacks_survey(facts, finding))
		return;
	if (!place && survey->intercept)
		place = survey->error_page_5xx;
	if (!place) {
		found(finding, FINDING_GOOD, "a 5xx reaches the client as it is");
		return;
	}
	found(finding, FINDING_BAD,
		"error_page at %s answers for a canary's 5xx%s: nginx's own status then tells "
		"nothing of it",
		place, survey->error_page_200 ? " with 200" : " (proxy_intercept_errors is on)");
	advise(finding,
		"take it out of the canary's locations, and judge errors by the canary's own "
		"metrics or $upstream_status");
}
