/* `config show`, the reference, and queries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config/query.h"
#include "config_fixture.h"

static const char everything[] = FIXTURE_MINIMAL
	"    container: web\n"
	"    proof: {listen: '127.0.0.1:9', url: 'http://me:hunter2@127.0.0.1:9099/'}\n"
	"    brake: /run/x.off\n"
	"  share: {requests: r_total, canary: 'v=\"c\"', production: 'v=\"p\"'}\n"
	"state_dir: 'a folder'\n"
	"prometheus:\n"
	"  authorization: {credentials: hunter2}\n"
	"  headers: {X-Scope-OrgID: team-a, X-Token: hunter2}\n"
	"rollout:\n"
	"  stages: [0.5, {weight: 25, observe: 1h30m, approval: required}, 100]\n"
	"  settle: 2m\n"
	"  extend_limit: 1h\n"
	"  preflight: [gate]\n"
	"checks:\n"
	"- name: \"odd \\\"name\\\" \\\\ é # x\"\n"
	"  ratio: {of: 'e{status=~\"5..\"}', over: t}\n"
	"  require: '< 0.5%'\n"
	"  critical: '> 1%'\n"
	"  min_samples: 12.5\n"
	"  observe_only: true\n"
	"  hint: 'two\n\n    lines'\n"
	"- name: other\n"
	"  prometheus: {query: 'max(q[${window}])', baseline: b}\n"
	"  require: '< 2 * baseline'\n"
	"  min_samples: {query: s, at_least: 3}\n"
	"- name: slow\n"
	"  latency: {histogram: h, quantile: 99.9%}\n"
	"suites:\n"
	"  gate:\n"
	"  - name: api\n"
	"    http: {url: 'http://x/', headers: {Authorization: hunter2, Accept: json},\n"
	"      argv: [/bin/echo, '', 'a b', 'true', '5']}\n"
	"  empty: {timeout: 5s, checks: []}\n"
	"hooks: {promote: [/bin/true, 'x: y']}\n"
	"promotion: {approvals: [lead, on-call]}\n"
	"notify: [{webhook: 'https://hooks.example/hunter2', on: [held]}]\n";

static struct config *load_good(const char *text)
{
	struct buf diagnostics = { 0 };
	struct error err = { 0 };
	struct config *config = fixture_load(text, false, &diagnostics, &err);

	if (!config)
		print_error("%s: %s\n", err.message, buf_text(&diagnostics));
	assert_non_null(config);
	buf_release(&diagnostics);
	return config;
}

/* What is shown can be loaded, and then shows the same. */
static void test_round_trip(void **state)
{
	struct config *config = load_good(everything);
	struct buf shown = { 0 }, again = { 0 };

	(void)state;
	config_show(config, &shown);
	config_free(config);
	assert_null(strstr(buf_text(&shown), "hunter2"));
	config = load_good(buf_text(&shown));
	config_show(config, &again);
	assert_string_equal(buf_text(&again), buf_text(&shown));
	assert_string_equal(config->checks[0].name, "odd \"name\" \\ é # x");
	assert_string_equal(config->checks[0].hint, "two\nlines");
	assert_int_equal(config->rollout.settle_ms, 120000);
	assert_string_equal(config->nginx.install.items[0], "docker");
	config_free(config);
	buf_release(&shown);
	buf_release(&again);
}

static void test_show_minimal(void **state)
{
	struct config *config;
	struct buf shown = { 0 };
	CLEANUP_FREE char *expected = mem_format("service: shop\n"
						 "state_dir: /var/lib/shop\n"
						 "production:\n"
						 "  server: \"app:8000\"\n"
						 "  health: \"http://localhost:8000/health\"\n"
						 "canary:\n"
						 "  server: \"app:8001\"\n"
						 "  health: \"http://localhost:8001/health\"\n"
						 "prometheus:\n"
						 "  url: \"http://localhost:9090\"\n"
						 "  timeout: 5s\n"
						 "  scrape_interval: 15s\n"
						 "  outage_limit: 1m\n"
						 "  tls_config:\n"
						 "    insecure_skip_verify: false\n"
						 "traffic:\n"
						 "  nginx:\n"
						 "    template: %s/template\n"
						 "    output: %s/out/upstream.conf\n"
						 "    output_in_place: false\n"
						 "    test: [nginx, \"-t\"]\n"
						 "    reload: [nginx, \"-s\", reload]\n"
						 "    proof:\n"
						 "      listen: \"127.0.0.1:8099\"\n"
						 "      url: \"http://127.0.0.1:8099/\"\n"
						 "    settle_timeout: 10s\n"
						 "rollout:\n"
						 "  stages:\n"
						 "    - weight: 5\n"
						 "      approval: none\n"
						 "      undecided: inconclusive\n"
						 "  observe: 15m\n"
						 "  interval: 15s\n"
						 "  settle: 1m\n"
						 "  consecutive_failures: 3\n"
						 "  on_inconclusive: extend\n"
						 "  extend_limit: 30m\n"
						 "  on_interrupt: rollback\n"
						 "  on_crash: rollback\n"
						 "  guardian_grace: 30s\n"
						 "hooks:\n"
						 "  timeout: 5m\n"
						 "promotion:\n"
						 "  soak: 30m\n"
						 "approval:\n"
						 "  deadline: 2h\n"
						 "  on_deadline: rollback\n",
		fixture_folder, fixture_folder);

	(void)state;
	config = load_good(FIXTURE_MINIMAL "state_dir: /var/lib/shop\nrollout: {stages: [5]}\n");
	config_show(config, &shown);
	assert_string_equal(buf_text(&shown), expected);
	config_free(config);
	buf_release(&shown);
}

static void test_reference(void **state)
{
	static const char *const parts[] = {
		"| `service` | text | required | name of what is rolled out",
		"| `timeout` | duration | `5s` | for one query, with its retries; from 100ms to "
		"10m "
		"|\n",
		"| `basic_auth.password` | secret |  | password; better in a file or as "
		"`${env:NAME}` |\n",
		"| `nginx.proof.listen` | text | `127.0.0.1:8099` |",
		"| `on_crash` | `rollback`, `resume` | `rollback` |",
		"| `stages` | list of stages | `[1, 5, 25, 100]` |",
		"| `share.canary` | text | required in `share` |",
		"### `ratio`\n\nShare of bad events.\n",
		"| `quantile` | number | `95%` | which; from 0.01 to 0.9999 |\n",
		"**Conditions** are",
	};
	struct buf text = { 0 };

	(void)state;
	config_write_reference(&text);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strstr(buf_text(&text), parts[i]))
			fail_msg("not in the reference: %s", parts[i]);
	}
	buf_release(&text);
}

static void test_expand_query(void **state)
{
	struct config config = { .service = (char[]){ "shop" } };
	struct check_context context = {
		.config = &config,
		.version = "v1.0\"\\'",
		.stage_weight = 50,
		.window_ms = 90000,
	};
	CLEANUP_FREE char *query = config_expand_query(
		"$x ${window} ${version} ${stage_weight} ${service} ${other} ${", &context);

	(void)state;
	assert_string_equal(query, "$x 1m30s v1.0\\x22\\x5c\\x27 0.5 shop ${other} ${");
}

static void test_selectors(void **state)
{
	static const char *const good[] = { "a", "a:b_c9", "a{}", "a{b=\"c\"}", "{b=\"c\"}",
		"a{b=~\"5..\", c!='x}', d!~`y`,}", " a { b = \"\\\"}\" } ", "a{v=\"${version}\"}",
		"${service}_total" };
	static const char *const bad[] = { "", " ", "9a", "a b", "rate(a[5m])", "a[5m]", "a + b",
		"a{b}", "a{b=c}", "a{b=\"c\"", "a{b=\"c}", "a{b=\"c\"}x", "a{=\"c\"}", "sum(a)",
		"a offset 5m", "a{b==\"c\"}", "a-b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		if (!selector_valid(good[i]))
			fail_msg("'%s' was refused", good[i]);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (selector_valid(bad[i]))
			fail_msg("'%s' was taken", bad[i]);
	}
	assert_true(matchers_valid("version=\"canary\", x!=\"y\""));
	assert_false(matchers_valid("{version=\"canary\"}"));
	assert_false(matchers_valid("version=canary"));
	assert_false(matchers_valid(""));
}

static void test_find(void **state)
{
	struct error err = { 0 };
	char *path;

	(void)state;
	unsetenv("CANARYCTL_CONFIG");
	path = config_find("/named.yaml", &err);
	assert_string_equal(path, "/named.yaml");
	free(path);
	setenv("CANARYCTL_CONFIG", "/environment.yaml", 1);
	path = config_find(NULL, &err);
	assert_string_equal(path, "/environment.yaml");
	free(path);
	unsetenv("CANARYCTL_CONFIG");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_show_minimal),
		cmocka_unit_test(test_reference),
		cmocka_unit_test(test_expand_query),
		cmocka_unit_test(test_selectors),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
