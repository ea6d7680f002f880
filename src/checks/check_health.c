/*
 * Canary health, built in and asked at every evaluation: the canary says that it is healthy, and
 * that it is the version being deployed. Not to be reachable is a FAIL here, not an ERROR: a
 * canary that takes traffic and does not answer is the very thing to roll back for.
 */
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/health.h"
#include "checks/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 5000, MAX_BYTES = 1 << 20 };

struct health_params {
	char *url;
	char *version;
};

static enum task_next health_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct health_params *params = run->check->params;
	struct http_request request = {
		.url = params->url,
		.timeout_ms = TIMEOUT_MS,
		.maximum_bytes = MAX_BYTES,
		.fresh_connection = true, /* a kept one may belong to a process that is gone */
	};

	http_start(run->state, task, &request);
	return TASK_WAIT;
}

static void describe_no_answer(
	const struct health_params *params, const struct http_op *http, struct buf *problem)
{
	char limit[DURATION_TEXT_SIZE];

	buf_add_text(problem, "the canary does not answer at '");
	buf_add_printable(problem, params->url);
	buf_add_text(problem, "': ");
	if (http->timed_out)
		buf_add_format(
			problem, "nothing came within %s", duration_format(TIMEOUT_MS, limit));
	else
		buf_add_printable(problem, http->error.message);
}

static enum task_next health_answered(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct health_params *params = run->check->params;
	const struct http_op *http = run->state;
	struct measurement *m = &run->measurement;
	struct health_answer answer = {
		.status = http->status,
		.body = buf_text(&http->body),
		.length = http->body.length,
	};
	CLEANUP_BUF struct buf problem = BUF_INIT(sizeof(m->message) - 1);

	if (http->error.kind && http->error.kind != ERROR_NET) /* canceled: says nothing */
		return measure_error(run, &http->error);
	m->measured = MEASURED_VALUE;
	if (http->error.kind) {
		m->fails = true;
		m->error = http->error; /* so that a start can tell away from unwell */
		describe_no_answer(params, http, &problem);
	} else {
		m->fails = !health_is_good(&answer, params->version, &problem);
	}
	if (!m->fails) {
		m->has_value = true;
		m->value = (double)http->elapsed_ms / 1000;
		snprintf(m->value_text, sizeof(m->value_text), "healthy");
	}
	snprintf(m->message, sizeof(m->message), "%s",
		m->fails ? buf_text(&problem) : params->version);
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", health_ask },
	{ "answered", health_answered },
	{ 0 },
};

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct http_op));
	task_start_child(&run->task, parent, "canary health", steps);
}

static void release(struct check_run *run)
{
	http_release(run->state);
	free(run->state);
	run->state = NULL;
}

const struct check_kind check_kind_health = {
	.name = "health",
	.help = "the canary is healthy, and of the version being deployed",
	.unit = UNIT_SECONDS,
	.params_size = sizeof(struct health_params),
	.start = start,
	.release = release,
};

struct check_config *check_build_health(
	struct arena *arena, const struct config *config, const char *version)
{
	struct check_config *check = arena_alloc(arena, sizeof(*check));
	struct health_params *params = arena_alloc(arena, sizeof(*params));

	params->url = arena_strdup(arena, config->canary.health);
	params->version = arena_strdup(arena, version);
	check->name = arena_strdup(arena, CHECK_NAME_HEALTH);
	check->kind = &check_kind_health;
	check->params = params;
	check->no_data = NO_DATA_FAIL;
	check->on_fail = ON_FAIL_ROLLBACK;
	check->counts_at_once = true;
	check->hint =
		arena_strdup(arena, "ask the canary's health address yourself, and read its log");
	return check;
}
