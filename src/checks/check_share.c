/*
 * The actual share, built in and asked at every evaluation where traffic.share is set: NGINX
 * silently sends nothing to a server that it has marked failed, and a canary without requests
 * would look perfect. Exact counts of both arms; what they mean is decided in share.c.
 */
#include "canaryctl/config.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"
#include "checks/share.h"

#include <stdio.h>
#include <stdlib.h>

struct arms {
	struct count_query canary;
	struct count_query production;
};

static enum task_next share_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct check_context *context = run->context;
	const struct share_config *config = &context->config->share;
	struct arms *arms = run->state;
	CLEANUP_BUF struct buf canary = { 0 };
	CLEANUP_BUF struct buf production = { 0 };
	struct count_request request = {
		.config = &context->config->prometheus,
		.time = context->server_time,
		.window_ms = context->window_ms,
	};
	struct error error = { 0 };

	if (measure_write_arm(config->requests, config->canary, &canary, &error) ||
		measure_write_arm(config->requests, config->production, &production, &error)) {
		error_wrap(&error, "traffic.share");
		return measure_error(run, &error);
	}
	request.over = buf_text(&canary);
	count_query_start(&arms->canary, task, &request);
	request.over = buf_text(&production);
	count_query_start(&arms->production, task, &request);
	return TASK_WAIT;
}

static struct share_arm arm_of(const struct count_query *arm)
{
	return (struct share_arm){
		.requests = arm->window.over,
		.span_s = arm->window.last_time - arm->window.first_time,
	};
}

static const char *likely_cause(enum share_verdict verdict)
{
	return verdict == SHARE_TOO_LOW
		       ? "NGINX has marked the canary failed (max_fails is not 0), the upstream "
			 "has no zone, or long connections stay with production"
		       : "NGINX has marked production failed (max_fails is not 0), or requests "
			 "reach the canary past this NGINX";
}

static void describe(
	struct measurement *m, const struct share_input *input, const struct share_result *result)
{
	char share[CHECK_VALUE_TEXT_SIZE], expected[CHECK_VALUE_TEXT_SIZE];

	check_format_value(UNIT_SHARE, result->share, share);
	check_format_value(UNIT_SHARE, input->expected, expected);
	if (result->verdict == SHARE_UNDECIDED && !(result->total > 0)) {
		measure_no_data(m, NO_DATA_NO_REQUESTS, "no requests yet, on neither arm");
	} else if (result->verdict == SHARE_UNDECIDED) {
		measure_no_data(m, NO_DATA_TOO_FEW, "");
		snprintf(m->message, sizeof(m->message),
			"the canary has received nothing yet, of about %.1f requests that %s "
			"should bring",
			result->expected, expected);
	} else if (result->verdict == SHARE_RIGHT) {
		snprintf(m->message, sizeof(m->message), "the stage says %s", expected);
	} else {
		m->fails = true;
		snprintf(m->message, sizeof(m->message),
			"the canary receives %s of the requests (%.0f of %.0f), the stage says "
			"%s: likely %s",
			share, input->canary.requests,
			input->canary.requests + input->production.requests, expected,
			likely_cause(result->verdict));
	}
}

static enum task_next share_counted(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct check_context *context = run->context;
	const struct arms *arms = run->state;
	struct measurement *m = &run->measurement;
	struct share_input input = {
		.canary = arm_of(&arms->canary),
		.production = arm_of(&arms->production),
		.expected = weight_share(context->stage_weight),
		.scrape_interval_s = (double)context->config->prometheus.scrape_interval_ms / 1000,
	};
	struct share_result result;

	if (!measure_arm(m, &arms->canary, "canary") ||
		!measure_arm(m, &arms->production, "production"))
		return measure_end(run);
	share_decide(&input, &result);
	m->measured = MEASURED_VALUE;
	m->has_value = result.total > 0;
	m->value = result.share;
	m->has_samples = true;
	m->samples = input.canary.requests + input.production.requests;
	describe(m, &input, &result);
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", share_ask },
	{ "counted", share_counted },
	{ 0 },
};

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct arms));
	task_start_child(&run->task, parent, "traffic share", steps);
}

static void release(struct check_run *run)
{
	struct arms *arms = run->state;

	count_query_release(&arms->canary);
	count_query_release(&arms->production);
	free(arms);
	run->state = NULL;
}

const struct check_kind check_kind_share = {
	.name = "share",
	.help = "the canary receives the share of requests that the stage says",
	.needs_prometheus = true,
	.unit = UNIT_SHARE,
	.start = start,
	.release = release,
};

struct check_config *check_build_share(struct arena *arena, const struct config *config)
{
	struct check_config *check;

	if (!config->share.requests)
		return NULL;
	check = arena_alloc(arena, sizeof(*check));
	check->name = arena_strdup(arena, CHECK_NAME_SHARE);
	check->kind = &check_kind_share;
	check->no_data = NO_DATA_INCONCLUSIVE;
	check->on_fail = ON_FAIL_ROLLBACK;
	check->hint = arena_strdup(arena,
		"compare NGINX's error log ('temporarily disabled') and the upstream block with "
		"the shipped template");
	return check;
}
