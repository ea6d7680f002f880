/* An app without HTTP, and asking it as a client would. Time stands still until a test moves it. */
#ifndef CANARYCTL_TESTS_REFAPP_FIXTURE_H
#define CANARYCTL_TESTS_REFAPP_FIXTURE_H

#include "test.h"

#include "canaryctl/mem.h"
#include "refapp/app.h"

#include <string.h>

static struct options options;
static struct app app;
static int64_t now_ms;

static int app_setup(void **state)
{
	(void)state;
	options = (struct options){ .role = "canary", .version = "v0.2.0", .seed = 1 };
	now_ms = 1000000;
	return app_open(&app, &options, NULL);
}

static int app_teardown(void **state)
{
	(void)state;
	app_close(&app);
	return 0;
}

/* `path` may have one "?name=value". Returns the status; the body is to be freed. */
static unsigned int ask(const char *method, const char *path, const char *body, char **ret_body)
{
	CLEANUP_FREE char *bare = mem_strndup(path, strcspn(path, "?"));
	const char *query = path[strlen(bare)] ? path + strlen(bare) + 1 : "";
	CLEANUP_FREE char *name = mem_strndup(query, strcspn(query, "="));
	struct request request = { .method = method,
		.path = bare,
		.params = { { name, query[strlen(name)] ? query + strlen(name) + 1 : "" } },
		.param_count = *query ? 1 : 0,
		.body = body,
		.now_ms = now_ms };
	struct reply reply;

	app_begin(&app, &request);
	app_answer(&app, &request, &reply);
	*ret_body = buf_take(&reply.body);
	return reply.status;
}

static unsigned int get_status(const char *path)
{
	CLEANUP_FREE char *body = NULL;

	return ask("GET", path, "", &body);
}

static unsigned int post_status(const char *path, const char *body)
{
	CLEANUP_FREE char *answer = NULL;

	return ask("POST", path, body, &answer);
}

/* The answer, which is to be of `status`, as JSON; to be deleted. */
static cJSON *ask_json(const char *method, const char *path, const char *body, unsigned int status)
{
	CLEANUP_FREE char *answer = NULL;
	unsigned int got = ask(method, path, body, &answer);
	cJSON *json = cJSON_Parse(answer);

	if (got != status)
		fail_msg("%s %s answered %u: %s", method, path, got, answer);
	assert_non_null(json);
	return json;
}

static bool answer_has(const char *method, const char *path, const char *body, const char *part)
{
	CLEANUP_FREE char *answer = NULL;

	ask(method, path, body, &answer);
	return strstr(answer, part) != NULL;
}

static void set_fault(const char *name, const char *value)
{
	CLEANUP_FREE char *body = mem_format("{\"name\":\"%s\",\"value\":\"%s\"}", name, value);

	assert_int_equal(post_status("/admin/fault", body), 200);
}

static bool metrics_have(const char *line)
{
	return answer_has("GET", "/metrics", "", line);
}

static void generate(const char *mode, int times)
{
	CLEANUP_FREE char *path = mem_format("/api/generate?mode=%s", mode);

	for (int i = 0; i < times; i++)
		assert_int_equal(get_status(path), 200);
}

#endif
