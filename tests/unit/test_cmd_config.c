/* canaryctl config and debug: what they print and how they end. */
#include "test.h"

#include "cli_capture.h"

#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static char folder[] = "/tmp/canaryctl-test-XXXXXX";

static const char good[] =
	"service: shop\n"
	"production: { server: \"app:8000\", health: \"http://localhost:8000/health\" }\n"
	"canary: { server: \"app-canary:8001\", health: \"http://localhost:8001/health\" }\n"
	"prometheus: { url: \"http://localhost:9090\", basic_auth: { username: u, password: geheim "
	"} }\n"
	"traffic:\n"
	"  nginx:\n"
	"    template: upstream.template\n"
	"    output: upstream.conf\n"
	"    proof: { listen: \"127.0.0.1:8099\" }\n"
	"rollout: { stages: [0.5, 25, 100] }\n";

static const char template[] = "upstream shop {\n"
			       "\tserver ${PRODUCTION_SERVER} weight=${PRODUCTION_WEIGHT};\n"
			       "\tserver ${CANARY_SERVER} weight=${CANARY_WEIGHT};\n"
			       "}\n";

/* The path of a file with this text; malloc'ed. */
static char *write_file(const char *name, const char *text)
{
	char *path = mem_format("%s/%s", folder, name);
	struct error err = { 0 };

	if (fileio_replace(path, text, strlen(text), 0644, &err) != 0)
		fail_msg("%s", err.message);
	return path;
}

static void ask(const char *path, const char *subcommand, const char *format,
	struct cli_outcome *ret_outcome)
{
	const char *words[] = { "--config", path, "config", subcommand, "--format", format, NULL };

	cli_capture(words, ret_outcome);
}

static void test_validate_a_good_file(void **state)
{
	CLEANUP_FREE char *path = write_file("good.yaml", good);
	CLEANUP_FREE char *expected = mem_format("%s: ok\n"
						 "  service 'shop', 3 stages (0.5, 25, 100 %%), "
						 "0 checks, 0 suites\n",
		path);
	struct cli_outcome outcome;

	(void)state;
	ask(path, "validate", "text", &outcome);
	assert_string_equal(buf_text(&outcome.err), "");
	assert_string_equal(buf_text(&outcome.out), expected);
	assert_int_equal(outcome.status, EXIT_GO);
	cli_outcome_release(&outcome);
}

static void test_validate_a_bad_file(void **state)
{
	CLEANUP_FREE char *text = mem_format("servcie: shop\n%s", good);
	CLEANUP_FREE char *path = write_file("bad.yaml", text);
	CLEANUP_FREE char *expected = mem_format("%s:1:1: unknown key 'servcie'\n"
						 "    1 | servcie: shop\n"
						 "      | ^\n"
						 "  hint: did you mean 'service'?\n"
						 "canaryctl: '%s' has 1 error\n",
		path, path);
	struct cli_outcome outcome;

	(void)state;
	ask(path, "validate", "text", &outcome);
	assert_int_equal(outcome.status, EXIT_BAD_CONFIG);
	assert_string_equal(buf_text(&outcome.out), "");
	assert_string_equal(buf_text(&outcome.err), expected);
	cli_outcome_release(&outcome);
	/* Every command that needs the configuration says the same. */
	ask(path, "show", "text", &outcome);
	assert_int_equal(outcome.status, EXIT_BAD_CONFIG);
	assert_string_equal(buf_text(&outcome.out), "");
	assert_string_equal(buf_text(&outcome.err), expected);
	cli_outcome_release(&outcome);
}

static void test_validate_as_json(void **state)
{
	CLEANUP_FREE char *text = mem_format("servcie: shop\n%stypo: 1\n", good);
	CLEANUP_FREE char *bad = write_file("bad.yaml", text);
	CLEANUP_FREE char *path = write_file("good.yaml", good);
	CLEANUP_FREE char *first = mem_format("%s:1:1: unknown key 'servcie'", bad);
	CLEANUP_FREE char *second = mem_format("%s:12:1: unknown key 'typo'", bad);
	CLEANUP_FREE char *expected =
		mem_format("{\"valid\":true,\"file\":\"%s\",\"errors\":[]}\n", path);
	struct cli_outcome outcome;
	cJSON *answer, *errors;

	(void)state;
	ask(path, "validate", "json", &outcome);
	assert_int_equal(outcome.status, EXIT_GO);
	assert_string_equal(buf_text(&outcome.out), expected);
	cli_outcome_release(&outcome);

	ask(bad, "validate", "json", &outcome);
	assert_int_equal(outcome.status, EXIT_BAD_CONFIG);
	assert_string_equal(buf_text(&outcome.err), "");
	answer = cJSON_Parse(buf_text(&outcome.out));
	errors = cJSON_GetObjectItem(answer, "errors");
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(answer, "valid")));
	assert_int_equal(cJSON_GetArraySize(errors), 2);
	assert_string_equal(cJSON_GetArrayItem(errors, 0)->valuestring, first);
	assert_string_equal(cJSON_GetArrayItem(errors, 1)->valuestring, second);
	cJSON_Delete(answer);
	cli_outcome_release(&outcome);
}

static void test_a_file_that_is_not_there(void **state)
{
	struct cli_outcome outcome;

	(void)state;
	ask("/nonexistent/canaryctl.yaml", "validate", "text", &outcome);
	assert_int_equal(outcome.status, EXIT_BAD_CONFIG);
	assert_string_equal(buf_text(&outcome.out), "");
	assert_string_equal(buf_text(&outcome.err), "canaryctl: cannot open "
						    "'/nonexistent/canaryctl.yaml': No such file "
						    "or directory\n");
	cli_outcome_release(&outcome);
	ask("/nonexistent/canaryctl.yaml", "validate", "json", &outcome);
	assert_int_equal(outcome.status, EXIT_BAD_CONFIG);
	assert_string_equal(buf_text(&outcome.out),
		"{\"valid\":false,\"errors\":[\"cannot open "
		"'/nonexistent/canaryctl.yaml': No such file or directory\"]}\n");
	cli_outcome_release(&outcome);
}

static void test_show_hides_secrets(void **state)
{
	CLEANUP_FREE char *path = write_file("good.yaml", good);
	struct cli_outcome outcome;

	(void)state;
	ask(path, "show", "text", &outcome);
	assert_int_equal(outcome.status, EXIT_GO);
	assert_non_null(strstr(buf_text(&outcome.out), "service: shop\n"));
	assert_null(strstr(buf_text(&outcome.out), "geheim"));
	cli_outcome_release(&outcome);
	ask(path, "show", "json", &outcome);
	assert_int_equal(outcome.status, EXIT_USAGE);
	assert_string_equal(buf_text(&outcome.out), "");
	assert_string_equal(buf_text(&outcome.err),
		"canaryctl: 'config show' prints YAML, not JSON\n"
		"  hint: leave out '--format json'\n");
	cli_outcome_release(&outcome);
}

static void test_debug(void **state)
{
	static const struct {
		const char *words[4];
		int status;
		const char *start;
		const char *err;
	} cases[] = {
		{ { "debug", "fsm", "--dot" }, 0, "// Generated", "" },
		{ { "debug", "fsm", "--table" }, 0, "", "" },
		{ { "debug", "config-reference" }, 0, "", "" },
		{ { "debug", "fsm" }, 64, "",
			"canaryctl: 'debug fsm' needs one of '--dot' and '--table'\n" },
		{ { "debug", "fsm", "--dot", "--table" }, 64, "",
			"canaryctl: 'debug fsm' needs one of '--dot' and '--table'\n" },
		{ { "debug", "config-reference", "--dot" }, 64, "",
			"canaryctl: 'debug config-reference' takes no options\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli_outcome outcome;
		const char *words[5] = { NULL };

		memcpy(words, cases[i].words, sizeof(cases[i].words));
		cli_capture(words, &outcome);
		assert_int_equal(outcome.status, cases[i].status);
		assert_string_equal(buf_text(&outcome.err), cases[i].err);
		assert_int_equal(outcome.out.length > 0, outcome.status == 0);
		assert_memory_equal(buf_text(&outcome.out), cases[i].start, strlen(cases[i].start));
		cli_outcome_release(&outcome);
	}
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return -1;
	free(write_file("upstream.template", template));
	return 0;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "good.yaml", "bad.yaml", "upstream.template" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *path = mem_format("%s/%s", folder, names[i]);

		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_validate_a_good_file),
		cmocka_unit_test(test_validate_a_bad_file),
		cmocka_unit_test(test_validate_as_json),
		cmocka_unit_test(test_a_file_that_is_not_there),
		cmocka_unit_test(test_show_hides_secrets),
		cmocka_unit_test(test_debug),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
