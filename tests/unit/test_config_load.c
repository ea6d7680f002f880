/* Loading: values arrive where they belong. Mistakes are in test_config_problems.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_fixture.h"

static struct config *load_good(const char *text)
{
	struct buf diagnostics = { 0 };
	struct error err = { 0 };
	struct config *config = fixture_load(text, false, &diagnostics, &err);

	if (!config)
		print_error("%s: %s\n", err.message, buf_text(&diagnostics));
	assert_non_null(config);
	assert_string_equal(buf_text(&diagnostics), "");
	buf_release(&diagnostics);
	return config;
}

static void test_minimal_and_defaults(void **state)
{
	struct config *config = load_good(FIXTURE_MINIMAL);
	char expected[128];

	(void)state;
	assert_string_equal(config->service, "shop");
	assert_string_equal(config->path, "c.yaml");
	assert_string_equal(config->folder, fixture_folder);
	assert_string_equal(config->production.server, "app:8000");
	assert_string_equal(config->canary.health, "http://localhost:8001/health");
	assert_string_equal(config->prometheus.url, "http://localhost:9090");
	assert_int_equal(config->prometheus.timeout_ms, 5000);
	assert_int_equal(config->prometheus.scrape_interval_ms, 15000);
	assert_int_equal(config->prometheus.outage_limit_ms, 60000);
	snprintf(expected, sizeof(expected), "%s/template", fixture_folder);
	assert_string_equal(config->nginx.template_path, expected);
	snprintf(expected, sizeof(expected), "%s/out/upstream.conf", fixture_folder);
	assert_string_equal(config->nginx.output, expected);
	assert_int_equal(config->nginx.test.count, 2);
	assert_string_equal(config->nginx.test.items[1], "-t");
	assert_null(config->nginx.test.items[2]);
	assert_string_equal(config->nginx.reload.items[2], "reload");
	assert_int_equal(config->nginx.install.count, 0);
	assert_string_equal(config->nginx.proof_listen, "127.0.0.1:8099");
	assert_string_equal(config->nginx.proof_url, "http://127.0.0.1:8099/");
	assert_null(config->nginx.brake);
	assert_null(config->share.requests);
	assert_int_equal(config->rollout.stage_count, 4);
	assert_int_equal(config->rollout.stages[2].weight, 2500);
	assert_int_equal(config->rollout.observe_ms, 900000);
	assert_int_equal(config_stage_observe_ms(config, 0), 900000);
	assert_int_equal(config->rollout.settle_ms, 60000);
	assert_int_equal(config->rollout.extend_limit_ms, 1800000);
	assert_int_equal(config->rollout.consecutive_failures, 3);
	assert_int_equal(config->rollout.on_inconclusive, ON_INCONCLUSIVE_EXTEND);
	assert_int_equal(config->approval_deadline_ms, 7200000);
	assert_int_equal(config->check_count, 0);
	assert_int_equal(strlen(config->hash), 16);
	config_free(config);
}

static void test_everything(void **state)
{
	struct config *config;
	const struct check_config *check;
	const struct fixture_ratio *ratio;

	(void)state;
	setenv("TEST_PASSWORD", "hunter2", 1);
	unsetenv("TEST_UNSET");
	config = load_good(FIXTURE_MINIMAL
		"state_dir: state\n"
		"prometheus:\n"
		"  url: ${env:TEST_UNSET:-http://localhost:9091}/prom/\n"
		"  scrape_interval: 1s\n"
		"  basic_auth: {username: me, password: '${env:TEST_PASSWORD}'}\n"
		"  tls_config: {ca_file: ca.pem, insecure_skip_verify: true}\n"
		"  headers: {X-Scope-OrgID: team-a}\n"
		"rollout:\n"
		"  stages: [0.5, {weight: 25%, observe: 30m, approval: required}, 100]\n"
		"  settle: 2s\n"
		"  on_crash: resume\n"
		"  preflight: [gate]\n"
		"checks:\n"
		"- name: errors\n"
		"  ratio: {of: 'e{version=\"${version}\"}', over: t}\n"
		"  require: '< 0.5%'\n"
		"  min_samples: 50\n"
		"  from_stage: 5\n"
		"  on_fail: hold\n"
		"- name: queue\n"
		"  prometheus: {query: 'max(q[${window}])'}\n"
		"  min_samples: {query: 'sum(r[${window}])', at_least: 10}\n"
		"  no_data: pass\n"
		"suites:\n"
		"  gate: {timeout: 5s, checks: [{name: api, http: {url: 'http://x/'}}]}\n"
		"  smoke: [{name: api, severity: warning, http: {url: '${target}/x'}}]\n"
		"hooks: {on_rollback: [./page.sh, '', now], timeout: 10}\n"
		"notify: [{webhook: 'https://hooks.example/T/B', format: slack, on: [held]}]\n");
	assert_string_equal(config->prometheus.url, "http://localhost:9091/prom");
	assert_string_equal(config->prometheus.auth.password, "hunter2");
	assert_true(config->prometheus.auth.insecure_skip_verify);
	assert_string_equal(config->prometheus.auth.headers[0], "X-Scope-OrgID: team-a");
	assert_null(config->prometheus.auth.headers[1]);
	assert_int_equal(config->rollout.stage_count, 3);
	assert_int_equal(config->rollout.stages[0].weight, 50);
	assert_true(config->rollout.stages[1].needs_approval);
	assert_int_equal(config_stage_observe_ms(config, 1), 1800000);
	assert_int_equal(config->rollout.settle_ms, 4000);
	assert_int_equal(config->rollout.on_crash, ON_CRASH_RESUME);
	assert_int_equal(config->check_count, 2);
	check = &config->checks[0];
	ratio = check->params;
	assert_ptr_equal(check->kind, &fixture_ratio);
	assert_string_equal(ratio->over, "t");
	assert_int_equal(check->require.op, CONDITION_LESS);
	assert_true(check->min_samples > 49.9 && check->min_samples < 50.1);
	assert_int_equal(check->from_stage, 500);
	assert_int_equal(check->on_fail, ON_FAIL_HOLD);
	assert_string_equal(check->file, "c.yaml");
	assert_int_equal(check->line, 22);
	assert_int_equal(check->column, 3);
	assert_string_equal(config->checks[1].min_samples_query, "sum(r[${window}])");
	assert_int_equal(config->checks[1].no_data, NO_DATA_PASS);
	assert_int_equal(config->suite_count, 2);
	assert_int_equal(config->suites[0].timeout_ms, 5000);
	assert_int_equal(config->suites[1].timeout_ms, 30000);
	assert_int_equal(config->suites[1].checks[0].severity, SEVERITY_WARNING);
	assert_int_equal(config->hooks.on_rollback.count, 3);
	assert_true(config->hooks.on_rollback.items[0][0] == '/');
	assert_string_equal(config->hooks.on_rollback.items[1], "");
	assert_int_equal(config->hooks.timeout_ms, 10000);
	assert_int_equal(config->notify_count, 1);
	assert_string_equal(config->notify[0].on.items[0], "held");
	config_free(config);
}

static void test_container(void **state)
{
	struct config *config = load_good(
		"service: shop\n"
		"production: {server: 'app:8000', health: 'http://localhost:8000/health'}\n"
		"canary: {server: 'app:8001', health: 'http://localhost:8001/health'}\n"
		"traffic:\n"
		"  nginx:\n"
		"    template: template\n"
		"    output: /etc/nginx/conf.d/upstream.conf\n"
		"    container: web\n"
		"    test: [docker, exec, web, openresty, -t]\n"
		"    proof: {listen: '0.0.0.0:8099', url: 'http://127.0.0.1:9099/'}\n");

	(void)state;
	assert_string_equal(config->nginx.test.items[3], "openresty");
	assert_int_equal(config->nginx.reload.count, 6);
	assert_string_equal(config->nginx.reload.items[2], "web");
	assert_string_equal(config->nginx.install.items[1], "cp");
	assert_string_equal(config->nginx.install.items[2], "{file}");
	assert_string_equal(config->nginx.install.items[3], "web:/etc/nginx/conf.d/upstream.conf");
	config_free(config);
}

static void test_secrets_are_never_shown(void **state)
{
	static const char *const cases[] = {
		"prometheus: {basic_auth: {username: me, password: hunter2, tpyo: 1}}\n",
		"prometheus: {basic_auth: {tpyo: 1, password: hunter2}}\n",
		"prometheus: {basic_auth: {username: me, passwrod: hunter2}}\n",
		"prometheus:\n  basic_auth:\n    username: me\n    password: [hunter2]\n",
		"prometheus: {authorization: {credentials: hunter2, type: basic}}\n",
		"prometheus: {headers: {X-Api-Key: hunter2, 'a b': c}}\n",
		"prometheus: {url: 'ftp://me:hunter2@host/'}\n",
		"notify: [{webhook: 'hunter2', on: 5}]\n",
		"prometheus:\n  basic_auth: {username: me, password: \"hunter2\\x\"}\n",
		"prometheus: {basic_auth: {password: \"a\n  hunter2 \\x\"}}\n",
		"checks: [{name: a, http: {url: 'http://x', headers: {Authorization: hunter2}, b: "
		"c}}]\n",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		CLEANUP_FREE char *text = mem_format("%s%s", FIXTURE_MINIMAL, cases[i]);
		struct buf diagnostics = { 0 };
		struct error err = { 0 };

		assert_null(fixture_load(text, false, &diagnostics, &err));
		if (strstr(buf_text(&diagnostics), "hunter2"))
			fail_msg("%s", buf_text(&diagnostics));
		assert_non_null(strstr(buf_text(&diagnostics), "***"));
		buf_release(&diagnostics);
	}
}

static void test_include(void **state)
{
	struct config *config;

	(void)state;
	fixture_write("more.yaml", "include: [again.yaml]\n"
				   "checks:\n- {name: more, http: {url: 'http://m'}}\n"
				   "suites: {gate: [{name: x, http: {url: 'http://x'}}]}\n");
	fixture_write("again.yaml", "checks:\n- {name: again, http: {url: 'http://a'}}\n");
	config = load_good(FIXTURE_MINIMAL "include: [./more.yaml]\n"
					   "rollout: {preflight: [gate]}\n"
					   "checks: [{name: own, http: {url: 'http://o'}}]\n");
	assert_int_equal(config->check_count, 3);
	assert_string_equal(config->checks[0].name, "own");
	assert_string_equal(config->checks[1].name, "more");
	assert_string_equal(config->checks[1].file, "./more.yaml");
	assert_string_equal(config->checks[2].name, "again");
	assert_int_equal(config->suite_count, 1);
	config_free(config);
}

static void test_traffic_only(void **state)
{
	struct buf diagnostics = { 0 };
	struct error err = { 0 };
	struct config *config;

	(void)state;
	unsetenv("TEST_NOWHERE");
	config = fixture_load(FIXTURE_MINIMAL
		"zzz: 1\n"
		"include: [nowhere.yaml]\n"
		"prometheus: {url: '${env:TEST_NOWHERE}', basic_auth: 5, zz: 1, zz: 2}\n"
		"rollout: {stages: [5, 1], interval: soon, preflight: [nowhere], observe: 1s}\n"
		"checks: [{name: x}]\n"
		"checks: broken\n"
		"suites: 7\n"
		"hooks: {on_rollback: [/bin/page], promote: text}\n"
		"notify: {}\n",
		true, &diagnostics, &err);
	assert_string_equal(buf_text(&diagnostics), "");
	assert_non_null(config);
	assert_true(config->is_traffic_only);
	assert_int_equal(config->check_count, 0);
	assert_string_equal(config->hooks.on_rollback.items[0], "/bin/page");
	assert_string_equal(config->nginx.proof_url, "http://127.0.0.1:8099/");
	config_free(config);

	assert_null(fixture_load(FIXTURE_MINIMAL "service: again\n", true, &diagnostics, &err));
	assert_null(fixture_load(FIXTURE_MINIMAL "hooks: [\n", true, &diagnostics, &err));
	buf_release(&diagnostics);
}

static void test_state_dir(void **state)
{
	struct config *config;

	(void)state;
	setenv("XDG_STATE_HOME", "/home/me/state", 1);
	config = load_good(FIXTURE_MINIMAL);
	assert_string_equal(config->state_dir,
		geteuid() == 0 ? "/var/lib/canaryctl" : "/home/me/state/canaryctl");
	config_free(config);
	unsetenv("XDG_STATE_HOME");
	config = load_good(FIXTURE_MINIMAL "state_dir: ../state\n");
	assert_string_equal(config->state_dir, "/tmp/state");
	config_free(config);
}

static void test_override(void **state)
{
	struct config *config = load_good(FIXTURE_MINIMAL
		"rollout: {stages: [1, {weight: 25, observe: 30m, approval: required}, 100]}\n");
	struct error err = { 0 };

	(void)state;
	assert_int_equal(config_override(config, "0.5,25,100", 0, &err), 0);
	assert_int_equal(config->rollout.stage_count, 3);
	assert_int_equal(config->rollout.stages[0].weight, 50);
	assert_true(config->rollout.stages[1].needs_approval);
	assert_int_equal(config_stage_observe_ms(config, 1), 1800000);
	assert_int_equal(config_override(config, NULL, 120000, &err), 0);
	assert_int_equal(config_stage_observe_ms(config, 1), 120000);
	assert_int_equal(config->rollout.extend_limit_ms, 240000);

	assert_int_equal(config_override(config, "10,5", 0, &err), -1);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_string_equal(err.message, "--stages: 5 is not above 10");
	assert_int_equal(config_override(config, "10,,50", 0, &err), -1);
	assert_string_equal(err.message, "--stages: '' is not a weight");
	assert_int_equal(config_override(config, "0,50", 0, &err), -1);
	assert_string_equal(err.message, "--stages: a stage of 0 sends nothing to the canary");
	assert_int_equal(config_override(config, "10,50", 1000, &err), -1);
	assert_string_equal(err.message,
		"--observation-period: 1s leaves no room for a counted evaluation: settle is 1m");
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_minimal_and_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_container),
		cmocka_unit_test(test_secrets_are_never_shown),
		cmocka_unit_test(test_include),
		cmocka_unit_test(test_traffic_only),
		cmocka_unit_test(test_state_dir),
		cmocka_unit_test(test_override),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
