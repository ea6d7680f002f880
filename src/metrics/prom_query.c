/*
 * One query as a task: ask, look at the answer, pause and ask again while that may help.
 * All tries together end within prometheus.timeout, so an evaluation has a known length.
 */
#include "canaryctl/buf.h"
#include "canaryctl/duration.h"
#include "canaryctl/prom.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_ATTEMPTS = 5,
	FIRST_PAUSE_MS = 100,     /* doubles each time, and up to half is added by chance */
	SHORT_QUERY_BYTES = 1000, /* longer ones do not go into a URL */
	SHOWN_QUERY_BYTES = 160,
};

static enum task_next query_ask(struct task *task);
static enum task_next query_answered(struct task *task);

static const struct task_step steps[] = {
	{ "ask", query_ask },
	{ "answered", query_answered },
	{ 0 },
};

static void add_encoded(struct buf *form, const char *text)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (isalnum(*p) || strchr("-._~", *p))
			buf_add(form, p, 1);
		else
			buf_add_format(form, "%%%02X", *p);
	}
}

/*
 * The parameters behind `query` are Thanos': its default is to answer with what it could get, and
 * half an answer is worse than none. Others ignore them.
 */
static void write_form(const struct prom_query *query, struct buf *form)
{
	buf_add_text(form, "query=");
	add_encoded(form, query->expression);
	if (query->range.step_s > 0)
		buf_add_format(form, "&start=%.3f&end=%.3f&step=%.3f", query->range.start_s,
			query->range.end_s, query->range.step_s);
	else if (query->time > 0)
		buf_add_format(form, "&time=%.3f", query->time);
	buf_add_text(form, "&dedup=true&partial_response=false&max_source_resolution=0s");
}

void prom_query_start(struct prom_query *query, struct task *parent,
	const struct prometheus_config *config, const char *expression, double time)
{
	memset(query, 0, sizeof(*query));
	query->config = config;
	query->expression = mem_strdup(expression);
	query->time = time;
	query->use_post = strlen(expression) > SHORT_QUERY_BYTES;
	query->deadline_ms = loop_now_ms(parent->loop) + config->timeout_ms;
	task_start_child(&query->task, parent, "prometheus query", steps);
}

void prom_query_range_start(struct prom_query *query, struct task *parent,
	const struct prometheus_config *config, const char *expression, struct prom_range range)
{
	prom_query_start(query, parent, config, expression, 0);
	query->range = range;
}

void prom_query_release(struct prom_query *query)
{
	free(query->expression);
	query->expression = NULL;
	http_release(&query->http);
	prom_result_release(&query->result);
}

static enum task_next query_ask(struct task *task)
{
	struct prom_query *query = container_of(task, struct prom_query, task);
	int64_t left_ms = query->deadline_ms - loop_now_ms(task->loop);
	CLEANUP_BUF struct buf url = { 0 };
	CLEANUP_BUF struct buf form = { 0 };
	struct http_request request = { .auth = &query->config->auth };

	write_form(query, &form);
	buf_add_format(&url, "%s/api/v1/query%s", query->config->url,
		query->range.step_s > 0 ? "_range" : "");
	if (query->use_post) {
		request.body = buf_text(&form);
		request.content_type = "application/x-www-form-urlencoded";
	} else {
		buf_add_format(&url, "?%s", buf_text(&form));
	}
	request.url = buf_text(&url);
	request.timeout_ms = left_ms > 0 ? left_ms : 1;
	query->attempt++;
	http_start(&query->http, task, &request);
	return TASK_WAIT;
}

static void describe_no_answer(struct prom_query *query)
{
	const struct http_op *http = &query->http;
	char limit[DURATION_TEXT_SIZE];

	query->error = http->error;
	if (http->error.kind != ERROR_NET)
		return; /* canceled, or a file of prometheus' configuration */
	if (http->too_large) {
		error_hint(&query->error, "narrow the selector down, so that it matches fewer "
					  "series");
	} else if (http->timed_out) {
		error_set(&query->error, ERROR_NET, 0, "Prometheus did not answer within %s",
			duration_format(query->config->timeout_ms, limit));
	} else {
		error_wrap(&query->error, "Prometheus cannot be reached");
	}
}

static void read_answer(struct prom_query *query)
{
	struct http_op *http = &query->http;
	CLEANUP_BUF struct buf shown = BUF_INIT(SHOWN_QUERY_BYTES);

	/* What the first tries met says more than that the last one ran out of time. */
	if (http->timed_out && query->error.kind != ERROR_NONE)
		return;
	error_clear(&query->error);
	if (http->error.kind) {
		describe_no_answer(query);
		return;
	}
	if (!prom_parse(buf_text(&http->body), http->body.length, http->status, http->content_type,
		    &query->result, &query->error)) {
		query->answered = true;
		return;
	}
	query->answered = query->answered || query->error.kind != ERROR_NET;
	buf_add_printable(&shown, query->expression);
	error_wrap(&query->error, "query '%s%s'", buf_text(&shown), shown.overflowed ? "..." : "");
}

static bool may_help(const struct prom_query *query)
{
	return query->error.kind == ERROR_NET && !query->http.too_large && !query->http.timed_out &&
	       !query->task.is_canceled && query->attempt < MAX_ATTEMPTS;
}

static enum task_next query_answered(struct task *task)
{
	struct prom_query *query = container_of(task, struct prom_query, task);
	int64_t pause_ms = (int64_t)FIRST_PAUSE_MS << (query->attempt - 1);
	bool refused = !query->http.error.kind && query->http.status == 405;

	if (refused && !query->method_refused) { /* a proxy that lets only the other one pass */
		query->method_refused = true;
		query->use_post = !query->use_post;
		return task_goto(task, &steps[0], TASK_MORE);
	}
	read_answer(query);
	if (!may_help(query)) {
		http_release(&query->http);
		return TASK_DONE;
	}
	pause_ms += arc4random_uniform((uint32_t)pause_ms / 2 + 1);
	if (loop_now_ms(task->loop) + pause_ms >= query->deadline_ms)
		return TASK_DONE;
	sleep_start(&query->pause, task, pause_ms);
	return task_goto(task, &steps[0], TASK_WAIT);
}

int prom_query_time(const struct prom_query *query, double *ret_time, struct error *err)
{
	const struct prom_result *result = &query->result;

	*err = query->error;
	if (err->kind)
		return -1;
	if (result->type != PROM_SCALAR || !isfinite(result->series->samples[0].value))
		return error_set(err, ERROR_METRICS, 0,
			"the answer to '" PROM_TIME "' is no time: is this really Prometheus?");
	*ret_time = result->series->samples[0].value;
	return 0;
}
