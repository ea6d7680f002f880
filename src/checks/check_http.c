/*
 * http {url, method, body, headers, status, json, contains, max_latency, capture}: one request, and
 * what must come back; captured values are for later checks of the suite. The value is the time to
 * the whole answer, in seconds. Who cannot be asked is an ERROR; a wrong answer is a FAIL.
 */
#include "canaryctl/config.h"
#include "canaryctl/duration.h"
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/json_path.h"
#include "checks/measure.h"
#include "config/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

enum { TIMEOUT_MS = 5000, MAX_BYTES = 1 << 20 };

struct http_params {
	char *url;
	char *method;
	char *body;
	struct text_map headers;
	int64_t status;
	struct text_map json;
	struct strv contains;
	int64_t max_latency_ms;
	struct text_map capture;
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
	{ .name = "contains",
		.type = SCHEMA_STRINGS,
		.offset = offsetof(struct http_params, contains),
		.help = "texts that the answer must contain, each" },
	{ .name = "max_latency",
		.type = SCHEMA_DURATION,
		.offset = offsetof(struct http_params, max_latency_ms),
		.help = "time that the whole answer may take" },
	{ .name = "capture",
		.type = SCHEMA_TEXT_MAP,
		.offset = offsetof(struct http_params, capture),
		.help = "values for later checks of the suite, which then run in order: "
			"`{NAME: PATH}`, used as `${NAME}`" },
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
	struct error err = { 0 };
	CLEANUP_FREE char *url = check_expand(run->context, params->url, &err);
	CLEANUP_FREE char *body = NULL;
	struct http_request request = {
		.url = url,
		.method = params->method,
		.timeout_ms = timeout_of(params),
		.maximum_bytes = MAX_BYTES,
		.fresh_connection = true,
	};

	if (url && params->body)
		body = check_expand(run->context, params->body, &err);
	if (err.kind)
		return measure_unasked(run, &err);
	request.body = body;
	if (body && !names_content_type(&params->headers))
		request.content_type = "application/json";
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

static bool check_json(const struct check_run *run, const cJSON *root, struct buf *problem)
{
	const struct http_params *params = run->check->params;

	for (size_t i = 0; i < params->json.count; i++) {
		struct error err = { 0 };
		CLEANUP_FREE char *expected =
			check_expand(run->context, params->json.values[i], &err);

		if (!expected) {
			buf_add_text(problem, err.message);
			return false;
		}
		if (!check_value(root, params->json.keys[i], expected, problem))
			return false;
	}
	return true;
}

/* Without a suite there is nobody to use them. */
static bool capture_values(const struct check_run *run, const cJSON *root, struct buf *problem)
{
	const struct http_params *params = run->check->params;
	struct captures *captures = run->context->captures;

	for (size_t i = 0; captures && i < params->capture.count; i++) {
		const cJSON *value = json_path_find(root, params->capture.values[i]);
		CLEANUP_BUF struct buf text = BUF_INIT(1024);
		struct error err = { 0 };

		if (!cJSON_IsString(value) && !cJSON_IsNumber(value)) {
			buf_add_format(problem, "'%s' is %s", params->capture.values[i],
				value ? "neither text nor a number" : "absent");
			return false;
		}
		if (cJSON_IsString(value))
			buf_add_text(&text, value->valuestring);
		else
			json_value_write(value, &text);
		if (captures_set(captures, params->capture.keys[i], buf_text(&text), &err) < 0) {
			buf_add_text(problem, err.message);
			return false;
		}
	}
	return true;
}

static bool check_document(
	const struct check_run *run, const struct http_op *http, struct buf *problem)
{
	const struct http_params *params = run->check->params;
	cJSON *root = NULL;
	bool ok;

	if (!params->json.count && !params->capture.count)
		return true;
	root = cJSON_ParseWithLength(buf_text(&http->body), http->body.length);
	if (!root) {
		buf_add_text(problem, "the answer is not JSON");
		return false;
	}
	ok = check_json(run, root, problem) && capture_values(run, root, problem);
	cJSON_Delete(root);
	return ok;
}

static bool check_contains(
	const struct check_run *run, const struct http_op *http, struct buf *problem)
{
	const struct http_params *params = run->check->params;

	for (size_t i = 0; i < params->contains.count; i++) {
		struct error err = { 0 };
		CLEANUP_FREE char *text =
			check_expand(run->context, params->contains.items[i], &err);

		if (!text) {
			buf_add_text(problem, err.message);
			return false;
		}
		if (memmem(buf_text(&http->body), http->body.length, text, strlen(text)))
			continue;
		buf_add_format(problem, "the answer does not contain '%s'", text);
		return false;
	}
	return true;
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
		m->fails = !check_status(params, http, &problem) ||
			   !check_document(run, http, &problem) ||
			   !check_contains(run, http, &problem);
	m->fails = m->fails || !check_latency(params, http, &problem);
	snprintf(m->message, sizeof(m->message), "%s", buf_text(&problem));
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", http_ask },
	{ "answered", http_answered },
	{ 0 },
};

static int bad_path(const char *path, struct error *err)
{
	error_set(err, ERROR_CONFIG, 0, "'%s' is not a path into JSON", path);
	return error_hint(err, "paths look like  status  or  models[0].name");
}

/* Names that can be told from the built-in variables, and paths. */
static int validate_capture(const struct text_map *capture, struct error *err)
{
	for (size_t i = 0; i < capture->count; i++) {
		const char *name = capture->keys[i];
		bool is_taken = false;

		for (size_t j = 0; query_variables[j]; j++)
			is_taken = is_taken || strcmp(query_variables[j], name) == 0;
		if (is_taken || !*name || name[strspn(name, NAME_CHARACTERS)])
			return error_set(err, ERROR_CONFIG, 0, "'%s' cannot be captured: %s", name,
				is_taken ? "it is a variable already"
					 : "names have letters, digits and '_'");
		if (!json_path_valid(capture->values[i]))
			return bad_path(capture->values[i], err);
	}
	return 0;
}

static int validate(const struct check_config *check, struct error *err)
{
	const struct http_params *params = check->params;

	if (check_validate_once(check, err) < 0)
		return -1;
	for (size_t i = 0; i < params->json.count; i++) {
		if (!json_path_valid(params->json.keys[i]))
			return bad_path(params->json.keys[i], err);
	}
	return validate_capture(&params->capture, err);
}

static const struct text_map *captures(const struct check_config *check)
{
	const struct http_params *params = check->params;

	return &params->capture;
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
	.help = "one HTTP request: status, values in the JSON answer, texts, time",
	.unit = UNIT_SECONDS,
	.rows = rows,
	.params_size = sizeof(struct http_params),
	.validate = validate,
	.captures = captures,
	.start = start,
	.release = release,
};
