/*
 * http {url, method, body, headers, status, json, max_latency}: one request, and what must come
 * back. The value is the time to the whole answer, in seconds. Who cannot be asked is an ERROR;
 * a wrong answer is a FAIL.
 */
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "checks/check_kinds.h"
#include "checks/json_path.h"
#include "checks/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 5000, MAX_BYTES = 1 << 20 };

struct http_params {
	char *url;
	char *method;
	char *body;
	struct text_map headers;
	int64_t status;
	struct text_map json;
	int64_t max_latency_ms;
};

static const struct schema_row rows[] = {
	{ .name = "url",
		.type = SCHEMA_URL,
		.offset = offsetof(struct http_params, url),
		.is_required = true,
		.help = "what to ask; redirects are not followed" },
	{ .name = "method",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct http_params, method),
		.help = "GET, or POST with a body" },
	{ .name = "body",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct http_params, body),
		.help = "sent as application/json unless a header says otherwise" },
	{ .name = "headers",
		.type = SCHEMA_TEXT_MAP,
		.offset = offsetof(struct http_params, headers),
		.help = "further headers of the request" },
	{ .name = "status",
		.type = SCHEMA_INT,
		.offset = offsetof(struct http_params, status),
		.default_text = "200",
		.minimum = 100,
		.maximum = 599,
		.help = "status that the answer must have" },
	{ .name = "json",
		.type = SCHEMA_TEXT_MAP,
		.offset = offsetof(struct http_params, json),
		.help = "values that the JSON answer must have, by path: models[0].name" },
	{ .name = "max_latency",
		.type = SCHEMA_DURATION,
		.offset = offsetof(struct http_params, max_latency_ms),
		.help = "time that the whole answer may take" },
	{ 0 },
};

static bool names_content_type(const struct text_map *headers)
{
	for (size_t i = 0; i < headers->count; i++) {
		if (!strcasecmp(headers->keys[i], "Content-Type"))
			return true;
	}
	return false;
}

/* "Name: value", NULL-terminated; the strings are the arena's. */
static const char *const *build_headers(struct arena *arena, const struct text_map *headers)
{
	const char **list = arena_alloc(arena, (headers->count + 1) * sizeof(*list));

	for (size_t i = 0; i < headers->count; i++)
		list[i] = arena_format(arena, "%s: %s", headers->keys[i], headers->values[i]);
	return list;
}

/* Long enough to see by how much max_latency is passed. */
static int64_t timeout_of(const struct http_params *params)
{
	return params->max_latency_ms >= TIMEOUT_MS ? params->max_latency_ms + 1000 : TIMEOUT_MS;
}

static enum task_next http_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct http_params *params = run->check->params;
	struct arena arena = { 0 };
	CLEANUP_FREE char *url = config_expand_query(params->url, run->context);
	CLEANUP_FREE char *body = NULL;
	struct http_request request = {
		.url = url,
		.method = params->method,
		.timeout_ms = timeout_of(params),
		.maximum_bytes = MAX_BYTES,
		.fresh_connection = true,
	};

	if (params->body) {
		body = config_expand_query(params->body, run->context);
		request.body = body;
		if (!names_content_type(&params->headers))
			request.content_type = "application/json";
	}
	request.headers = build_headers(&arena, &params->headers);
	http_start(run->state, task, &request);
	arena_release(&arena);
	return TASK_WAIT;
}

/* ---- the answer ---- */

static bool check_status(
	const struct http_params *params, const struct http_op *http, struct buf *problem)
{
	const char *body = buf_text(&http->body);
	CLEANUP_FREE char *first_line = mem_strndup(body, strcspn(body, "\r\n"));
	CLEANUP_BUF struct buf shown = BUF_INIT(100);

	if (http->status == params->status)
		return true;
	buf_add_printable(&shown, first_line);
	buf_add_format(problem, "status %ld came, %lld was expected%s%s", http->status,
		(long long)params->status, shown.length ? ": " : "", buf_text(&shown));
	return false;
}

static bool check_value(
	const cJSON *root, const char *path, const char *expected, struct buf *problem)
{
	const cJSON *value = json_path_find(root, path);
	CLEANUP_BUF struct buf shown = BUF_INIT(100);

	if (value && json_value_equals(value, expected))
		return true;
	if (value)
		json_value_write(value, &shown);
	buf_add_format(problem, "'%s' is %s, '%s' was expected", path,
		value ? buf_text(&shown) : "absent", expected);
	return false;
}

static bool check_json(const struct check_run *run, const struct http_op *http, struct buf *problem)
{
	const struct http_params *params = run->check->params;
	cJSON *root = NULL;
	bool ok = true;

	if (!params->json.count)
		return true;
	root = cJSON_ParseWithLength(buf_text(&http->body), http->body.length);
	if (!root) {
		buf_add_text(problem, "the answer is not JSON");
		return false;
	}
	for (size_t i = 0; ok && i < params->json.count; i++) {
		CLEANUP_FREE char *expected =
			config_expand_query(params->json.values[i], run->context);

		ok = check_value(root, params->json.keys[i], expected, problem);
	}
	cJSON_Delete(root);
	return ok;
}

static bool check_latency(
	const struct http_params *params, const struct http_op *http, struct buf *problem)
{
	char took[DURATION_TEXT_SIZE], limit[DURATION_TEXT_SIZE];

	if (!params->max_latency_ms || http->elapsed_ms <= params->max_latency_ms)
		return true;
	buf_add_format(problem, "%s %s, max_latency is %s",
		http->timed_out ? "no answer within" : "the answer took",
		duration_format(http->elapsed_ms, took),
		duration_format(params->max_latency_ms, limit));
	return false;
}

/* Returns measure_end(). */
static enum task_next no_answer(struct check_run *run)
{
	const struct http_params *params = run->check->params;
	const struct http_op *http = run->state;
	CLEANUP_BUF struct buf shown = BUF_INIT(200);
	struct error error = http->error;

	buf_add_printable(&shown, params->url);
	error_wrap(&error, "'%s'", buf_text(&shown));
	return measure_error(run, &error);
}

static enum task_next http_answered(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct http_params *params = run->check->params;
	const struct http_op *http = run->state;
	struct measurement *m = &run->measurement;
	CLEANUP_BUF struct buf problem = BUF_INIT(sizeof(m->message) - 1);
	bool answered = !http->error.kind;

	if (!answered && !(http->timed_out && params->max_latency_ms))
		return no_answer(run);
	m->measured = MEASURED_VALUE;
	m->has_value = true;
	m->value = (double)http->elapsed_ms / 1000;
	measurement_apply_conditions(m, run->check);
	if (answered)
		m->fails =
			!check_status(params, http, &problem) || !check_json(run, http, &problem);
	m->fails = m->fails || !check_latency(params, http, &problem);
	snprintf(m->message, sizeof(m->message), "%s", buf_text(&problem));
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", http_ask },
	{ "answered", http_answered },
	{ 0 },
};

static int validate(const struct check_config *check, struct error *err)
{
	const struct http_params *params = check->params;

	if (check_validate_no_baseline(check, err))
		return -1;
	if (check->min_samples > 0 || check->min_samples_query)
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' is one request: min_samples has no meaning", check->name);
	for (size_t i = 0; i < params->json.count; i++) {
		if (!json_path_valid(params->json.keys[i])) {
			error_set(err, ERROR_CONFIG, 0, "'%s' is not a path into JSON",
				params->json.keys[i]);
			return error_hint(err, "paths look like  status  or  models[0].name");
		}
	}
	return 0;
}

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct http_op));
	task_start_child(&run->task, parent, "http", steps);
}

static void release(struct check_run *run)
{
	http_release(run->state);
	free(run->state);
	run->state = NULL;
}

const struct check_kind check_kind_http = {
	.name = "http",
	.help = "one HTTP request: status, values in the JSON answer, time",
	.unit = UNIT_SECONDS,
	.rows = rows,
	.params_size = sizeof(struct http_params),
	.validate = validate,
	.start = start,
	.release = release,
};
