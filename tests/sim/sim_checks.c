/*
 * What the checks see: the canary's health and Prometheus' clock as HTTP answers, and a kind of
 * check whose values the plan decides. Evaluation, retries, parsing and judging are the
 * product's own.
 */
#include "sim.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGET_HEALTH, TARGET_PROMETHEUS };

int sim_http_target(const char *url)
{
	bool is_health = strncmp(url, "http://canary/", 14) == 0;

	if (is_health)
		oracle_evaluation_began();
	return is_health ? TARGET_HEALTH : TARGET_PROMETHEUS;
}

static int mood_of(int target)
{
	return target == TARGET_HEALTH ? plan_mood(sim.plan.spans[0], SIM_SPANS)
				       : plan_mood(&sim.plan.outage, 1);
}

/* Mostly some milliseconds; late ones take longer than an interval. */
static int64_t latency_ms(void)
{
	return chance_percent(sim.plan.late_percent) ? chance_between(100, 20000)
						     : chance_between(1, 80);
}

int64_t sim_http_delay_ms(int target, int64_t timeout_ms)
{
	int64_t delay_ms = mood_of(target) == MOOD_SILENT ? timeout_ms : latency_ms();

	return delay_ms < timeout_ms ? delay_ms : timeout_ms;
}

static void time_out(struct http_op *http)
{
	http->timed_out = true;
	error_set(&http->error, ERROR_NET, 0, "timed out");
}

static void answer(struct http_op *http, long status, const char *body)
{
	http->status = status;
	snprintf(http->content_type, sizeof(http->content_type), "application/json");
	buf_add_text(&http->body, body);
}

static void refuse(struct http_op *http)
{
	http->could_not_connect = true;
	error_set(&http->error, ERROR_NET, 0, "connection refused");
}

static void answer_health(struct http_op *http)
{
	int mood = mood_of(TARGET_HEALTH);
	bool is_good = mood == MOOD_GOOD || mood == MOOD_WARN;

	if (mood == MOOD_SILENT)
		time_out(http);
	else if (mood == MOOD_ERROR)
		refuse(http);
	else if (mood == MOOD_CRITICAL)
		answer(http, 200, "{\"status\":\"healthy\",\"version\":\"v9.9.9\"}");
	else if (mood == MOOD_NO_DATA)
		answer(http, 200, "no JSON");
	else if (mood == MOOD_BAD)
		answer(http, 503, "{\"status\":\"unhealthy\",\"version\":\"v1.0.0\"}");
	else
		answer(http, 200, "{\"status\":\"healthy\",\"version\":\"v1.0.0\"}");
	oracle_measured(0, is_good ? TRUTH_PASS : TRUTH_FAIL);
}

static void answer_prometheus(struct http_op *http)
{
	char body[160];
	int mood = mood_of(TARGET_PROMETHEUS);

	snprintf(body, sizeof(body),
		"{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[%lld.%03d,"
		"\"%lld\"]}}",
		(long long)sim.world.now_ms / 1000, (int)(sim.world.now_ms % 1000),
		(long long)sim.world.now_ms / 1000);
	if (mood == MOOD_SILENT)
		time_out(http);
	else if (mood == MOOD_ERROR)
		refuse(http);
	else if (mood == MOOD_BAD)
		answer(http, 503, "<html>starting</html>");
	else
		answer(http, 200, body);
}

void sim_http_answer(struct http_op *http, int target)
{
	/* What takes as long as it may is a time-out, also when it would have come then. */
	if (target == TARGET_HEALTH)
		answer_health(http);
	else
		answer_prometheus(http);
}

/* ---- the kind ---- */
struct sim_check {
	struct sleep_op pause;
};

static int index_of(const struct check_run *run)
{
	return ((const struct sim_check_params *)run->check->params)->index;
}

static enum task_next sim_check_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	struct sim_check *check = run->state;
	bool is_silent = plan_mood(sim.plan.spans[index_of(run)], SIM_SPANS) == MOOD_SILENT;

	sleep_start(&check->pause, task, is_silent ? 5000 : latency_ms());
	return TASK_WAIT;
}

static void fill_value(struct check_run *run, double value)
{
	struct measurement *m = &run->measurement;

	m->measured = MEASURED_VALUE;
	m->has_value = true;
	m->value = value;
	measurement_apply_conditions(m, run->check);
}

static enum truth fill(struct check_run *run, int mood)
{
	static const enum truth without_data[] = { [NO_DATA_INCONCLUSIVE] = TRUTH_UNKNOWN,
		[NO_DATA_FAIL] = TRUTH_FAIL,
		[NO_DATA_ZERO] = TRUTH_PASS,
		[NO_DATA_PASS] = TRUTH_PASS };
	struct measurement *m = &run->measurement;

	switch (mood) {
	case MOOD_GOOD:
		fill_value(run, 0.1);
		return TRUTH_PASS;
	case MOOD_WARN:
		fill_value(run, 0.7);
		return TRUTH_PASS;
	case MOOD_BAD:
		fill_value(run, 1.5);
		return TRUTH_FAIL;
	case MOOD_CRITICAL:
		fill_value(run, 3);
		return run->check->critical.text ? TRUTH_CRITICAL : TRUTH_FAIL;
	case MOOD_NO_DATA:
		m->measured = MEASURED_NO_DATA;
		m->reason = NO_DATA_NO_REQUESTS;
		return without_data[run->check->no_data];
	default:
		m->measured = MEASURED_ERROR;
		error_set(&m->error, ERROR_NET, 0, "no answer");
		return TRUTH_UNKNOWN;
	}
}

static enum task_next sim_check_answered(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	int index = index_of(run);
	enum truth truth = TRUTH_UNKNOWN;

	if (task->is_canceled) {
		run->measurement.measured = MEASURED_ERROR;
		error_set(&run->measurement.error, ERROR_CANCELED, 0, "canceled");
	} else {
		truth = fill(run, plan_mood(sim.plan.spans[index], SIM_SPANS));
	}
	oracle_measured(index, truth);
	return TASK_DONE;
}

static const struct task_step steps[] = {
	{ "ask", sim_check_ask },
	{ "answered", sim_check_answered },
	{ 0 },
};

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct sim_check));
	task_start_child(&run->task, parent, "simulated check", steps);
}

static void release(struct check_run *run)
{
	free(run->state);
	run->state = NULL;
}

const struct check_kind sim_check_kind = {
	.name = "simulated",
	.help = "a value that the plan decides",
	.needs_prometheus = true,
	.params_size = sizeof(struct sim_check_params),
	.start = start,
	.release = release,
};
