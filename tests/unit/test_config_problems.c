/* Loading what is wrong: every mistake is told, with its position and a hint. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "config_fixture.h"

/* Loads FIXTURE_MINIMAL and `more`, and compares all of the diagnostics. */
static void expect_problems(const char *more, const char *expected)
{
	CLEANUP_FREE char *text = mem_format("%s%s", FIXTURE_MINIMAL, more);
	struct buf diagnostics = { 0 };
	struct error err = { 0 };
	struct config *config = fixture_load(text, false, &diagnostics, &err);

	assert_string_equal(buf_text(&diagnostics), expected);
	assert_null(config);
	assert_int_equal(err.kind, ERROR_CONFIG);
	buf_release(&diagnostics);
}

static void test_problems(void **state)
{
	static const struct {
		const char *more;
		const char *expected;
	} cases[] = {
		{ "rollout:\n  interval: soon\n",
			"c.yaml:10:13: rollout.interval: 'soon' is not a duration\n"
			"   10 |   interval: soon\n"
			"      |             ^\n"
			"  hint: durations look like 90s, 15m, 1h30m; a bare number is seconds\n" },
		{ "checks:\n- {name: x, require: > 1%}\n",
			"c.yaml:10:22: found character that cannot start any token\n"
			"   10 | - {name: x, require: > 1%}\n"
			"      |                      ^\n"
			"  hint: a value that begins with '>' must be in quotes: \"> 1%\"\n" },
		{ "rollout:\n  obsreve: 15m\n", "c.yaml:10:3: rollout: unknown key 'obsreve'\n"
						"   10 |   obsreve: 15m\n"
						"      |   ^\n"
						"  hint: did you mean 'observe'?\n" },
		{ "approval:\n  zzzz: 1\n", "c.yaml:10:3: approval: unknown key 'zzzz'\n"
					    "   10 |   zzzz: 1\n"
					    "      |   ^\n"
					    "  hint: known here: deadline, on_deadline\n" },
		{ "rollout: {on_crash: resum}\n",
			"c.yaml:9:21: rollout.on_crash: 'resum' is not allowed here\n"
			"    9 | rollout: {on_crash: resum}\n"
			"      |                     ^\n"
			"  hint: did you mean 'resume'? allowed: rollback, resume\n" },
		{ "rollout: {consecutive_failures: 0}\n",
			"c.yaml:9:33: rollout.consecutive_failures: '0' is not from 1 to 1000\n"
			"    9 | rollout: {consecutive_failures: 0}\n"
			"      |                                 ^\n" },
		{ "rollout: {interval: 1ms}\n",
			"c.yaml:9:21: rollout.interval: '1ms' is not from 100ms to 1d\n"
			"    9 | rollout: {interval: 1ms}\n"
			"      |                     ^\n" },
		{ "rollout: {consecutive_failures: 3x}\n",
			"c.yaml:9:33: rollout.consecutive_failures: '3x' is not a whole number\n"
			"    9 | rollout: {consecutive_failures: 3x}\n"
			"      |                                 ^\n" },
		{ "rollout: {interval: }\n", "c.yaml:9:21: rollout.interval: has no value\n"
					     "    9 | rollout: {interval: }\n"
					     "      |                     ^\n"
					     "  hint: remove the key to get its default\n" },
		{ "rollout: [1]\n", "c.yaml:9:10: rollout: must be a map, not a list\n"
				    "    9 | rollout: [1]\n"
				    "      |          ^\n" },
		{ "rollout: {stages: [10, 5, 0, 101]}\n",
			"c.yaml:9:24: rollout.stages[1]: 5 is not above 10\n"
			"    9 | rollout: {stages: [10, 5, 0, 101]}\n"
			"      |                        ^\n"
			"  hint: stages go up: 0 < weight <= 100\n"
			"c.yaml:9:27: rollout.stages[2]: 0 is not above 5\n"
			"    9 | rollout: {stages: [10, 5, 0, 101]}\n"
			"      |                           ^\n"
			"  hint: stages go up: 0 < weight <= 100\n"
			"c.yaml:9:30: rollout.stages[3]: '101' is not a weight\n"
			"    9 | rollout: {stages: [10, 5, 0, 101]}\n"
			"      |                              ^\n"
			"  hint: weights are percent, from 0.01 to 100, in steps of 0.01\n" },
		{ "rollout: {stages: []}\n", "c.yaml:9:19: rollout.stages: has no stage\n"
					     "    9 | rollout: {stages: []}\n"
					     "      |                   ^\n" },
		{ "rollout: {observe: 30s}\n",
			"c.yaml:9:20: rollout.observe: 30s leaves no room for a counted "
			"evaluation: "
			"settle is 1m\n"
			"    9 | rollout: {observe: 30s}\n"
			"      |                    ^\n"
			"  hint: evaluations count from 'settle' on, which is never less than 4 x "
			"prometheus.scrape_interval\n" },
		{ "rollout: {stages: [{weight: 5, observe: 10s}]}\n",
			"c.yaml:9:41: rollout.stages[0].observe: 10s leaves no room for a counted "
			"evaluation: settle is 1m\n"
			"    9 | rollout: {stages: [{weight: 5, observe: 10s}]}\n"
			"      |                                         ^\n"
			"  hint: evaluations count from 'settle' on, which is never less than 4 x "
			"prometheus.scrape_interval\n" },
		{ "rollout: {preflight: [gate]}\n",
			"c.yaml:9:23: rollout.preflight[0]: there is no suite 'gate'\n"
			"    9 | rollout: {preflight: [gate]}\n"
			"      |                       ^\n"
			"  hint: define it under 'suites', or include the file that does\n" },
		{ "service: twice\n", "c.yaml:9:1: service: duplicate key\n"
				      "    9 | service: twice\n"
				      "      | ^\n"
				      "  hint: the first one is in line 1\n" },
		{ "hooks: {on_success: echo done}\n",
			"c.yaml:9:21: hooks.on_success: must be a list, not text\n"
			"    9 | hooks: {on_success: echo done}\n"
			"      |                     ^\n"
			"  hint: programs are not run through a shell: write [program, argument, "
			"...]\n" },
		{ "prometheus: {url: 'localhost:9090'}\n",
			"c.yaml:9:19: prometheus.url: 'localhost:9090' is not an http or https "
			"URL\n"
			"    9 | prometheus: {url: 'localhost:9090'}\n"
			"      |                   ^\n" },
		{ "prometheus:\n  url: http://${env:TEST_NOWHERE}/\n",
			"c.yaml:10:8: prometheus.url: environment variable 'TEST_NOWHERE' is not "
			"set\n"
			"   10 |   url: http://${env:TEST_NOWHERE}/\n"
			"      |        ^\n"
			"  hint: set it, or give a default: ${env:TEST_NOWHERE:-value}\n" },
		/* A kind's own rules are not asked about a check that is broken already. */
		{ "checks:\n- name: a\n  ratio: {of: '${env:TEST_NOWHERE}', over: b}\n",
			"c.yaml:11:15: checks[0].ratio.of: environment variable 'TEST_NOWHERE' is "
			"not set\n"
			"   11 |   ratio: {of: '${env:TEST_NOWHERE}', over: b}\n"
			"      |               ^\n"
			"  hint: set it, or give a default: ${env:TEST_NOWHERE:-value}\n" },
		{ "include: [nowhere.yaml]\n",
			"c.yaml:9:11: include[0]: cannot open 'nowhere.yaml': No such file or "
			"directory\n"
			"    9 | include: [nowhere.yaml]\n"
			"      |           ^\n" },
	};

	(void)state;
	unsetenv("TEST_NOWHERE");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_problems(cases[i].more, cases[i].expected);
}

static void test_check_problems(void **state)
{
	static const struct {
		const char *more;
		const char *expected;
	} cases[] = {
		{ "checks:\n- name: a\n  require: '< 1'\n",
			"c.yaml:10:3: checks[0]: says not what is to be checked\n"
			"   10 | - name: a\n"
			"      |   ^\n"
			"  hint: give it one of: ratio, latency, prometheus, http\n" },
		{ "checks:\n- {name: a, ratio: {of: a, over: b}, http: {url: 'http://x'}, require: "
		  "'< "
		  "1'}\n",
			"c.yaml:10:38: checks[0]: 'http' is a second kind beside 'ratio'\n"
			"   10 | - {name: a, ratio: {of: a, over: b}, http: {url: 'http://x'}, "
			"require: "
			"'< 1'}\n"
			"      |                                      ^\n"
			"  hint: write two checks\n" },
		{ "checks:\n- ratoi: {of: a, over: b}\n",
			"c.yaml:10:3: checks[0]: unknown key 'ratoi'\n"
			"   10 | - ratoi: {of: a, over: b}\n"
			"      |   ^\n"
			"  hint: did you mean 'ratio'?\n"
			"c.yaml:10:3: checks[0].name: is required and missing\n"
			"   10 | - ratoi: {of: a, over: b}\n"
			"      |   ^\n"
			"  hint: unique in its list; named in every verdict\n" },
		{ "checks:\n- name: a\n  ratio: {of: a}\n  require: '< 1'\n",
			"c.yaml:11:10: checks[0].ratio.over: is required and missing\n"
			"   11 |   ratio: {of: a}\n"
			"      |          ^\n"
			"  hint: all\n" },
		{ "checks:\n- name: a\n  ratio: {of: 'rate(a[5m])', over: b}\n  require: '< 1'\n",
			"c.yaml:11:15: checks[0].ratio.of: 'rate(a[5m])' is not a series selector\n"
			"   11 |   ratio: {of: 'rate(a[5m])', over: b}\n"
			"      |               ^\n"
			"  hint: name the counter itself, such as "
			"http_requests_total{version=\"canary\"}: no function and no [range]\n" },
		{ "checks:\n- name: a\n  prometheus: {query: 'a[${windw}]'}\n",
			"c.yaml:11:23: checks[0].prometheus.query: '${windw}' is not a variable\n"
			"   11 |   prometheus: {query: 'a[${windw}]'}\n"
			"      |                       ^\n"
			"  hint: did you mean '${window}'?\n" },
		{ "checks:\n- name: a\n  http: {url: 'http://x'}\n  min_samples: {query: '${zzz}', "
		  "at_least: 1}\n",
			"c.yaml:12:24: checks[0].min_samples.query: '${zzz}' is not a variable\n"
			"   12 |   min_samples: {query: '${zzz}', at_least: 1}\n"
			"      |                        ^\n"
			"  hint: there are ${window}, ${version}, ${stage_weight}, ${service}, "
			"${target}, ${target_url}, ${prometheus_url}\n" },
		{ "checks:\n- name: a\n  ratio: {of: a, over: b}\n  require: 0.5%\n",
			"c.yaml:12:12: checks[0].require: '0.5%' is not a condition: one of < <= > "
			">= == "
			"!= expected at character 1\n"
			"   12 |   require: 0.5%\n"
			"      |            ^\n"
			"  hint: write an operator and a number, such as \"< 0.5%\" or \"<= "
			"2.5s\", or "
			"compare with the baseline: \"< 2 * baseline + 0.1\"\n" },
		{ "checks:\n- name: a\n  ratio: {of: a, over: b}\n",
			"c.yaml:10:3: checks[0]: check 'a' has no condition\n"
			"   10 | - name: a\n"
			"      |   ^\n"
			"  hint: give it a 'require'\n" },
		{ "checks:\n- name: a\n  ratio: {of: a, over: b}\n  require: '< 2 * baseline'\n",
			"c.yaml:10:3: checks[0]: 'ratio' has no baseline\n"
			"   10 | - name: a\n"
			"      |   ^\n" },
		{ "checks:\n- {name: a, http: {url: 'http://x'}}\n- {name: a, http: {url: "
		  "'http://y'}}\n",
			"c.yaml:11:10: checks[1].name: 'a' is also the name of the check at "
			"c.yaml:10:3\n"
			"   11 | - {name: a, http: {url: 'http://y'}}\n"
			"      |          ^\n" },
		{ "checks:\n- just text\n", "c.yaml:10:3: checks[0]: must be a map, not text\n"
					    "   10 | - just text\n"
					    "      |   ^\n" },
		{ "suites: {gate: {timeout: 5s}}\n",
			"c.yaml:9:16: suites.gate.checks: is required and missing\n"
			"    9 | suites: {gate: {timeout: 5s}}\n"
			"      |                ^\n"
			"  hint: list of checks\n" },
		{ "checks:\n- name: a\n  http: {url: 'http://x', argv: [/bin/x, {}]}\n",
			"c.yaml:11:42: checks[0].http.argv[1]: must be text, not a map\n"
			"   11 |   http: {url: 'http://x', argv: [/bin/x, {}]}\n"
			"      |                                          ^\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		expect_problems(cases[i].more, cases[i].expected);
}

static void test_traffic_problems(void **state)
{
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "service: Shop!\nproduction: {server: 'a;b', health: 'http://x'}\n"
		  "canary: {server: b, health: x}\ntraffic: {nginx: {template: template, output: "
		  "o}}\n",
			"c.yaml:1:10: service: 'Shop!' is not a service name\n"
			"    1 | service: Shop!\n"
			"      |          ^\n"
			"  hint: use a-z, 0-9 and '-', at most 63 of them\n"
			"c.yaml:2:22: production.server: has a character at place 2 that NGINX's "
			"configuration cannot hold\n"
			"    2 | production: {server: 'a;b', health: 'http://x'}\n"
			"      |                      ^\n"
			"c.yaml:3:29: canary.health: 'x' is not an http or https URL\n"
			"    3 | canary: {server: b, health: x}\n"
			"      |                             ^\n" },
		{ "rollout: {}\n",
			"c.yaml:1:1: service: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: name of what is rolled out, `[a-z0-9-]`; state is kept per "
			"service\n"
			"c.yaml:1:1: production.server: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: address of the production version, as NGINX's `server` takes it\n"
			"c.yaml:1:1: production.health: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: URL of its health page\n"
			"c.yaml:1:1: canary.server: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: address of the canary, as NGINX's `server` takes it\n"
			"c.yaml:1:1: canary.health: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: URL of its health page: asked at every evaluation\n"
			"c.yaml:1:1: traffic.nginx.template: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: NGINX text with `${CANARY_WEIGHT}` and its like\n"
			"c.yaml:1:1: traffic.nginx.output: is required and missing\n"
			"    1 | rollout: {}\n"
			"      | ^\n"
			"  hint: the file that NGINX includes; replaced at every shift\n" },
		{ "service: a\nproduction: {server: a, health: 'http://x'}\n"
		  "canary: {server: b, health: 'http://x'}\ntraffic:\n  nginx:\n"
		  "    template: template\n    output: o\n    proof: {listen: '0.0.0.0:80'}\n",
			"c.yaml:8:21: traffic.nginx.proof.listen: '0.0.0.0:80' is not a loopback "
			"address\n"
			"    8 |     proof: {listen: '0.0.0.0:80'}\n"
			"      |                     ^\n"
			"  hint: listen on 127.0.0.1: nobody else has to see the weights\n" },
		{ "service: a\nproduction: {server: a, health: 'http://x'}\n"
		  "canary: {server: b, health: 'http://x'}\ntraffic:\n  nginx:\n"
		  "    template: template\n    output: o\n    proof: {listen: 8099}\n",
			"c.yaml:8:21: traffic.nginx.proof.listen: '8099' is not HOST:PORT\n"
			"    8 |     proof: {listen: 8099}\n"
			"      |                     ^\n"
			"  hint: write it as 127.0.0.1:8099\n" },
		{ "- a\n", "c.yaml:1:1: must be a map, not a list\n"
			   "    1 | - a\n"
			   "      | ^\n" },
		{ "", "c.yaml: the file is empty\n" },
		{ "service: [a\nx: }\n", "c.yaml:2:2: did not find expected ',' or ']'\n"
					 "    2 | x: }\n"
					 "      |  ^\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf diagnostics = { 0 };
		struct error err = { 0 };

		assert_null(fixture_load(cases[i].text, false, &diagnostics, &err));
		assert_string_equal(buf_text(&diagnostics), cases[i].expected);
		buf_release(&diagnostics);
	}
}

static void test_missing_template(void **state)
{
	struct buf diagnostics = { 0 };
	struct error err = { 0 };
	CLEANUP_FREE char *expected = mem_format(
		"c.yaml:4:29: traffic.nginx.template: cannot read '%s/nowhere': No such file or "
		"directory\n"
		"    4 | traffic: {nginx: {template: nowhere, output: o}}\n"
		"      |                             ^\n",
		fixture_folder);
	const char *text = "service: a\nproduction: {server: a, health: 'http://x'}\n"
			   "canary: {server: b, health: 'http://x'}\n"
			   "traffic: {nginx: {template: nowhere, output: o}}\n";
	struct config *config;

	(void)state;
	assert_null(fixture_load(text, false, &diagnostics, &err));
	assert_string_equal(buf_text(&diagnostics), expected);
	buf_release(&diagnostics);
	/* The brake can hold the traffic without it. */
	config = fixture_load(text, true, &diagnostics, &err);
	assert_non_null(config);
	config_free(config);
}

static void test_summary_counts(void **state)
{
	struct buf diagnostics = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_null(fixture_load(
		FIXTURE_MINIMAL "rollout: {interval: x, observe: y}\n", false, &diagnostics, &err));
	assert_string_equal(err.message, "'c.yaml' has 2 errors");
	assert_null(config_load("/nowhere.yaml", NULL, &diagnostics, &err));
	assert_int_equal(err.kind, ERROR_CONFIG);
	assert_string_equal(err.message, "cannot open '/nowhere.yaml': No such file or directory");
	buf_release(&diagnostics);
}

static void test_auth_rules(void **state)
{
	(void)state;
	expect_problems("prometheus:\n"
			"  basic_auth: {username: me, password_file: p}\n"
			"  authorization: {type: Basic}\n"
			"  tls_config: {cert_file: c.pem}\n",
		"c.yaml:11:18: prometheus.authorization: cannot be combined with 'basic_auth'\n"
		"   11 |   authorization: ***\n"
		"      |                  ^\n"
		"  hint: keep one of the two\n"
		"c.yaml:11:25: prometheus.authorization.type: 'Basic' is not possible here\n"
		"   11 |   authorization: ***\n"
		"      |                  ^\n"
		"  hint: use 'basic_auth' with 'username' and 'password_file'\n"
		"c.yaml:12:15: prometheus.tls_config: 'cert_file' and 'key_file' belong together\n"
		"   12 |   tls_config: {cert_file: c.pem}\n"
		"      |               ^\n");
}

static void test_include_problems(void **state)
{
	(void)state;
	fixture_write("more.yaml", "include: [again.yaml]\n"
				   "rollout: {}\n"
				   "checks: [{name: own, http: {url: nowhere}}]\n"
				   "suites: {gate: []}\n");
	fixture_write("again.yaml", "include: [c.yaml, broken.yaml]\n");
	fixture_write("broken.yaml", "checks: [\n");
	expect_problems("include: [more.yaml]\n"
			"checks: [{name: own, http: {url: 'http://o'}}]\n"
			"suites: {gate: []}\n",
		"more.yaml:2:1: unknown key 'rollout'\n"
		"    2 | rollout: {}\n"
		"      | ^\n"
		"  hint: known here: include, checks, suites, autoscaling\n"
		"more.yaml:3:17: checks[0].name: 'own' is also the name of the check at "
		"c.yaml:10:10\n"
		"    3 | checks: [{name: own, http: {url: nowhere}}]\n"
		"      |                 ^\n"
		"more.yaml:3:34: checks[0].http.url: 'nowhere' is not an http or https URL\n"
		"    3 | checks: [{name: own, http: {url: nowhere}}]\n"
		"      |                                  ^\n"
		"more.yaml:4:10: suites.gate: another file has a suite of this name\n"
		"    4 | suites: {gate: []}\n"
		"      |          ^\n"
		"again.yaml:1:11: include[0]: 'c.yaml' has been read already\n"
		"    1 | include: [c.yaml, broken.yaml]\n"
		"      |           ^\n"
		"broken.yaml:2:1: did not find expected node content\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_problems),
		cmocka_unit_test(test_check_problems),
		cmocka_unit_test(test_traffic_problems),
		cmocka_unit_test(test_missing_template),
		cmocka_unit_test(test_summary_counts),
		cmocka_unit_test(test_auth_rules),
		cmocka_unit_test(test_include_problems),
	};

	return cmocka_run_group_tests(tests, fixture_setup, fixture_teardown);
}
