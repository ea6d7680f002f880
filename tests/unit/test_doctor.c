/*
 * The doctor's pure parts: the survey of a configuration, listening sockets, scrape targets,
 * ranges, and what is found of given facts. The traps themselves are built in
 * tests/e2e/test_doctor.sh.
 */
#include "test.h"

#include "canaryctl/doctor.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"
#include "doctor/facts.h"
#include "doctor/ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the survey ---- */

static const char dump[] = "# configuration file /etc/nginx/nginx.conf:\n"
			   "worker_processes 4;\n"
			   "worker_shutdown_timeout 5m;\n"
			   "http {\n"
			   "  include conf.d/*.conf;\n"
			   "  open_file_cache max=9;\n"
			   "  open_file_cache_errors on;\n"
			   "  server {\n"
			   "    listen 80 reuseport;\n"
			   "    listen [::1]:443;\n"
			   "    listen unix:/run/x; listen 53 udp;\n"
			   "    proxy_next_upstream error http_503;\n"
			   "    error_page 404 /no; error_page 500 =200 /ok;\n"
			   "    grpc_intercept_errors on;\n"
			   "    location / { proxy_pass http://app_backend/x; }\n"
			   "  }\n"
			   "}\n"
			   "# configuration file /etc/nginx/conf.d/up.conf:\n"
			   "upstream app_backend { server a; }\n";

static void a_configuration_is_surveyed(void **state)
{
	struct survey *survey = mem_alloc(sizeof(*survey));

	(void)state;
	survey_make(dump, survey);
	assert_int_equal(survey->worker_processes, 4);
	assert_string_equal(survey->shutdown_timeout, "/etc/nginx/nginx.conf:2");
	assert_string_equal(survey->file_cache, "/etc/nginx/nginx.conf:5");
	assert_string_equal(survey->file_cache_errors, "/etc/nginx/nginx.conf:6");
	assert_string_equal(survey->reuseport, "/etc/nginx/nginx.conf:8");
	assert_string_equal(survey->unix_listen, "/etc/nginx/nginx.conf:10");
	assert_string_equal(survey->retries_http, "/etc/nginx/nginx.conf:11");
	assert_string_equal(survey->error_page_200, "/etc/nginx/nginx.conf:12");
	assert_string_equal(survey->intercept, "/etc/nginx/nginx.conf:13");
	assert_int_equal(survey->listen_count, 4);
	assert_int_equal(survey->listens[3].address.port, 0);
	assert_int_equal(survey->listens[1].address.port, 443);
	assert_int_equal(survey->listens[2].address.port, 0);
	assert_int_equal(survey->pass_count, 1);
	assert_string_equal(survey->passes[0], "http://app_backend/x");
	survey_release(survey);
	free(survey);
}

static void nothing_is_found_in_a_quiet_configuration(void **state)
{
	struct survey *survey = mem_alloc(sizeof(*survey));

	(void)state;
	survey_make("# configuration file /n:\n"
		    "worker_processes auto;\n"
		    "http { open_file_cache off; open_file_cache_errors off; listen 80;\n"
		    "  error_page 404 =200 /x; proxy_intercept_errors off; proxy_next_upstream "
		    "off; }\n",
		survey);
	assert_int_equal(survey->worker_processes, 0);
	assert_null(survey->file_cache);
	assert_null(survey->file_cache_errors);
	assert_null(survey->error_page_5xx);
	assert_null(survey->intercept);
	assert_null(survey->retries);
	assert_non_null(survey->no_retries);
	assert_int_equal(survey->listen_count, 0); /* outside of a server: not NGINX's listen */
	survey_release(survey);
	free(survey);
}

static void the_output_is_looked_for_among_the_includes(void **state)
{
	struct survey *survey = mem_alloc(sizeof(*survey));
	bool would;

	(void)state;
	survey_make(dump, survey);
	assert_int_equal(survey_reads(survey, "/etc/nginx/conf.d/up.conf", NULL, &would), 1);
	assert_true(would);
	assert_int_equal(survey_reads(survey, "/etc/nginx/conf.d/new.conf", NULL, &would), 0);
	assert_true(would);
	assert_int_equal(survey_reads(survey, "/etc/nginx/other/up.conf",
				 "/etc/nginx/conf.d/up.conf", &would),
		1);
	assert_false(would);
	survey_release(survey);
	free(survey);
}

/* ---- sockets ---- */

static void listen_addresses_are_read(void **state)
{
	static const struct {
		const char *text;
		int port;
		bool is_v6, is_any;
	} cases[] = {
		{ "80", 80, false, true },
		{ "*:80", 80, false, true },
		{ "0.0.0.0:80", 80, false, true },
		{ "127.0.0.1:8099", 8099, false, false },
		{ "127.0.0.1", 80, false, false },
		{ "localhost:81", 81, false, false },
		{ "[::]:80", 80, true, true },
		{ "[::1]:80", 80, true, false },
		{ "[::1]", 80, true, false },
		{ "somewhere:80", 0, false, false },
		{ "[::1", 0, false, false },
		{ "1:2:3", 0, false, false },
		{ "127.0.0.1:99999", 0, false, false },
		{ "127.0.0.1:", 0, false, false },
		{ "", 0, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener listener;

		listener_of_listen(cases[i].text, &listener);
		if (listener.port != cases[i].port || listener.is_v6 != cases[i].is_v6 ||
			(listener.port && listener.is_any != cases[i].is_any))
			fail_msg("'%s': port %d, v6 %d, any %d", cases[i].text, listener.port,
				listener.is_v6, listener.is_any);
	}
}

static const char tcp_table[] = "  sl  local_address rem_address   st tx_queue rx_queue tr "
				"tm->when retrnsmt   uid  timeout "
				"inode\n"
				"   0: 0100007F:1FA3 00000000:0000 0A 00000000:00000000 "
				"00:00000000 00000000     0        0 "
				"4711 1 0000000000000000 100 0 0 10 0\n"
				"   1: 00000000:0050 00000000:0000 0A 00000000:00000000 "
				"00:00000000 00000000     0        0 "
				"4712 1 0000000000000000 100 0 0 10 0\n"
				"   2: 0100007F:9C40 0100007F:1FA3 01 00000000:00000000 "
				"00:00000000 00000000     0        0 "
				"4713 1\n"
				"  bad line\n";

static void the_kernels_table_is_read(void **state)
{
	struct listener listeners[8];

	(void)state;
	assert_int_equal(listeners_parse(tcp_table, false, listeners, 8), 2);
	assert_int_equal(listeners[0].port, 8099);
	assert_int_equal(listeners[0].inode, 4711);
	assert_int_equal(listeners[0].address[0], 127);
	assert_false(listeners[0].is_any);
	assert_int_equal(listeners[1].port, 80);
	assert_true(listeners[1].is_any);
	assert_int_equal(listeners_parse(tcp_table, false, listeners, 1), 1);
	assert_int_equal(
		listeners_parse(
			"0: 00000000000000000000000001000000:1F90 0:0 0A 0:0 0:0 0 0 0 7 1\n", true,
			listeners, 8),
		1);
	assert_true(listeners[0].is_v6);
	assert_int_equal(listeners[0].address[15], 1);
}

static void what_is_in_the_way_is_known(void **state)
{
	static const struct {
		const char *held, *wanted;
		bool is_in_the_way;
	} cases[] = {
		{ "80", "127.0.0.1:80", true },
		{ "127.0.0.1:80", "80", true },
		{ "127.0.0.1:80", "127.0.0.1:80", true },
		{ "127.0.0.1:80", "127.0.0.2:80", false },
		{ "80", "81", false },
		{ "[::]:80", "80", true },
		{ "[::]:80", "127.0.0.1:80", true },
		{ "80", "[::]:80", false },
		{ "[::1]:80", "80", false },
		{ "[::]:80", "[::1]:80", true },
		{ "somewhere:80", "somewhere:80", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct listener held, wanted;

		listener_of_listen(cases[i].held, &held);
		listener_of_listen(cases[i].wanted, &wanted);
		if (listener_is_in_the_way(&held, &wanted) != cases[i].is_in_the_way)
			fail_msg("'%s' and '%s'", cases[i].held, cases[i].wanted);
	}
}

/* ---- Prometheus ---- */

static const char target_list[] =
	"{\"status\":\"success\",\"data\":{\"activeTargets\":["
	"{\"labels\":{\"job\":\"app\",\"version\":\"canary\"},\"scrapeUrl\":\"http://h:1/metrics\","
	"\"lastError\":\"\",\"health\":\"up\",\"scrapeInterval\":\"15s\"},"
	"{\"labels\":{\"n\":1},\"scrapeUrl\":\"http://p:8000/metrics\",\"health\":\"down\"},"
	"7]}}";

static void targets_are_read(void **state)
{
	struct targets targets = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(targets_parse(target_list, strlen(target_list), &targets, &err), 0);
	assert_int_equal(targets.count, 2);
	assert_true(targets.targets[0].is_up);
	assert_int_equal(targets.targets[0].interval_ms, 15000);
	assert_false(targets.targets[1].is_up);
	assert_int_equal(targets.targets[1].interval_ms, 0);
	assert_true(target_is_of(&targets.targets[0], "version=\"canary\"", "http://x/health"));
	assert_true(target_is_of(
		&targets.targets[0], "version=\"canary\",job=\"app\"", "http://x/health"));
	assert_false(target_is_of(&targets.targets[0], "version=\"other\"", "http://x/health"));
	assert_false(target_is_of(&targets.targets[0], "version=~\"canary\"", "http://x/health"));
	assert_true(target_is_of(&targets.targets[1], NULL, "http://p:8000/health"));
	assert_true(target_is_of(&targets.targets[1], "a=\"b\"", "https://p:8000"));
	assert_false(target_is_of(&targets.targets[1], NULL, "http://p:800/health"));
	targets_release(&targets);
}

static void a_list_that_is_none_is_refused(void **state)
{
	static const char *const texts[] = { "", "<html>", "[]", "{\"data\":{}}",
		"{\"data\":{\"activeTargets\":{}}}" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct targets targets = { 0 };
		struct error err = { 0 };

		assert_int_equal(targets_parse(texts[i], strlen(texts[i]), &targets, &err), -1);
		assert_int_equal(err.kind, ERROR_METRICS);
		targets_release(&targets);
	}
}

static void the_shortest_range_is_found(void **state)
{
	static const struct {
		const char *expression;
		int64_t ms;
	} cases[] = {
		{ "up", -1 },
		{ "rate(x[5m])", 300000 },
		{ "rate(x[5m]) / rate(y[30s] offset 1m)", 30000 },
		{ "max_over_time(rate(x[1m])[1h:5m])", 60000 },
		{ "x{a=\"[1s]\"}", -1 },
		{ "x{a='\\'[1s]'} + rate(x[ 2m ])", 120000 },
		{ "rate(x[${window}])", -1 },
		{ "rate(x[", -1 },
		{ "x{a=\"[1s]", -1 },
		{ "x{a=`\\`} + rate(x[1s])", 1000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (ranges_shortest(cases[i].expression) != cases[i].ms)
			fail_msg("'%s': %lld", cases[i].expression,
				(long long)ranges_shortest(cases[i].expression));
}

/* ---- findings ---- */

static struct finding finding_of(doctor_examine_fn *examine, const struct doctor_facts *facts)
{
	struct finding finding = { 0 };

	examine(facts, &finding);
	assert_true(finding.message[0]);
	assert_true(finding.kind == FINDING_GOOD || finding.hint[0]);
	return finding;
}

static void clocks_may_differ_by_two_seconds(void **state)
{
	static const struct {
		double server, own, error;
		enum finding_kind kind;
	} cases[] = {
		{ 1000, 1000, 0, FINDING_GOOD }, { 1002, 1000, 0, FINDING_GOOD },
		{ 1002.1, 1000, 0, FINDING_BAD }, { 997.9, 1000, 0, FINDING_BAD },
		{ 1004, 1000, 2.5, FINDING_GOOD }, /* a slow answer: it cannot be said */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor_facts *facts = mem_alloc(sizeof(*facts));

		facts->server_time = cases[i].server;
		facts->own_time = cases[i].own;
		facts->time_error = cases[i].error;
		assert_int_equal(finding_of(examine_clock, facts).kind, cases[i].kind);
		free(facts);
	}
}

static struct doctor_facts *facts_of(
	const struct config *config, const char *dump_text, const char *rendered)
{
	struct doctor_facts *facts = mem_alloc(sizeof(*facts));
	struct error err = { 0 };

	facts->config = config;
	facts->edge.is_elsewhere = true; /* nothing of this machine is looked at */
	survey_make(dump_text, &facts->survey);
	facts->has_survey = facts->survey.dump.count > 0;
	facts->has_upstreams = upstreams_examine("t", rendered, "p", &facts->upstreams, &err) == 0;
	return facts;
}

static void forget(struct doctor_facts *facts)
{
	survey_release(&facts->survey);
	upstreams_report_release(&facts->upstreams);
	free(facts);
}

static void an_output_that_is_included_twice_is_found(void **state)
{
	char output[] = "/c/up.conf";
	struct config config = { .nginx.output = output };
	struct doctor_facts *facts = facts_of(&config,
		"# configuration file /n.conf:\nhttp { include /c/*.conf; include /c/up.conf; }\n"
		"# configuration file /c/up.conf:\nmap a b { }\n",
		"");

	(void)state;
	struct finding finding = finding_of(examine_output_included, facts);
	assert_int_equal(finding.kind, FINDING_BAD);
	assert_string_equal(finding.message, "nginx includes '/c/up.conf' 2 times");
	forget(facts);
}

static void test_and_reload_are_compared_with_the_master(void **state)
{
	static const struct {
		const char *title;
		const char *test[6], *reload[6];
		enum finding_kind kind;
	} cases[] = {
		{ "/usr/sbin/nginx -g daemon on; master_process on;", { "nginx", "-t" },
			{ "nginx", "-s", "reload" }, FINDING_GOOD },
		{ "nginx -c /etc/nginx/nginx.conf", { "nginx", "-t" }, { "nginx", "-s", "reload" },
			FINDING_GOOD },
		{ "nginx -c /a.conf", { "nginx", "-t" }, { "nginx", "-s", "reload" }, FINDING_BAD },
		{ "nginx -c /a.conf", { "nginx", "-t", "-c", "/a.conf" },
			{ "nginx", "-s", "reload" }, FINDING_BAD },
		{ "nginx -c /a.conf", { "nginx", "-t", "-c", "/a.conf" },
			{ "systemctl", "reload", "nginx" }, FINDING_GOOD },
		{ "nginx", { "sudo", "-n", "/usr/sbin/nginx", "-t", "-c", "/a.conf" },
			{ "nginx", "-s", "reload" }, FINDING_BAD },
		{ "nginx -p /x/ -g pid /run/y.pid; daemon off;", { "nginx", "-t", "-p", "/x" },
			{ "systemctl", "reload", "nginx" }, FINDING_MILD },
		{ "nginx -p /x/", { "nginx", "-t" }, { "nginx", "-s", "reload" }, FINDING_BAD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct doctor_facts *facts = mem_alloc(sizeof(*facts));
		char *test[7] = { NULL }, *reload[7] = { NULL };

		for (int j = 0; j < 6; j++) {
			test[j] = (char *)cases[i].test[j];
			reload[j] = (char *)cases[i].reload[j];
		}
		facts->master = 1;
		facts->edge.test = test;
		facts->edge.reload = reload;
		snprintf(facts->title, sizeof(facts->title), "nginx: master process %s",
			cases[i].title);
		if (finding_of(examine_nginx_config, facts).kind != cases[i].kind)
			fail_msg("%s: %s", cases[i].title,
				finding_of(examine_nginx_config, facts).message);
		free(facts);
	}
}

static void retries_are_judged_by_who_else_watches(void **state)
{
	static const char both[] = "upstream a { server p; server c; }";
	static const char alone[] = "upstream a { server p; } upstream b { server c; }";
	static const struct {
		const char *directive;
		const char *rendered;
		bool watches_share;
		enum finding_kind kind;
	} cases[] = {
		{ "", both, true, FINDING_GOOD },
		{ "", both, false, FINDING_MILD },
		{ "proxy_next_upstream off;", both, false, FINDING_GOOD },
		{ "proxy_next_upstream error http_500;", both, true, FINDING_MILD },
		{ "proxy_next_upstream error http_500;", both, false, FINDING_BAD },
		{ "proxy_next_upstream error http_500;", alone, false, FINDING_GOOD },
		{ "proxy_next_upstream error http_404;", both, true, FINDING_GOOD },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char requests[] = "r";
		struct config config = { .share.requests =
						 cases[i].watches_share ? requests : NULL };
		CLEANUP_FREE char *text = mem_format(
			"# configuration file /n.conf:\nhttp { %s }\n", cases[i].directive);
		struct doctor_facts *facts = facts_of(&config, text, cases[i].rendered);

		assert_int_equal(finding_of(examine_retries, facts).kind, cases[i].kind);
		forget(facts);
	}
}

static void a_zone_is_for_more_than_one_worker(void **state)
{
	static const char rendered[] = "upstream a { server p; server c; }";
	struct config config = { 0 };
	struct doctor_facts *facts =
		facts_of(&config, "# configuration file /n:\nworker_processes 1;\n", rendered);

	(void)state;
	assert_int_equal(finding_of(examine_zone, facts).kind, FINDING_GOOD);
	facts->look.processes.accepting = 4;
	assert_int_equal(finding_of(examine_zone, facts).kind, FINDING_BAD);
	facts->look.processes.accepting = 0;
	facts->survey.worker_processes = 0; /* auto */
	assert_int_equal(finding_of(examine_zone, facts).kind, FINDING_BAD);
	facts->has_upstreams = false;
	assert_int_equal(finding_of(examine_zone, facts).kind, FINDING_UNSEEN);
	forget(facts);
}

static void each_reason_for_no_data_is_named(void **state)
{
	static const struct {
		enum no_data_reason reason;
		const char *expected;
	} cases[] = {
		{ NO_DATA_NO_REQUESTS, "(no requests)" },
		{ NO_DATA_NO_SERIES, "(no series)" },
		{ NO_DATA_SCRAPE_DOWN, "(a scrape is down)" },
		{ NO_DATA_TOO_FEW, "(too few samples)" },
		{ NO_DATA_PARTIAL, "(a partial answer)" },
		{ NO_DATA_NAN, "(not a number)" },
	};
	struct check_config check = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct verdict verdict = { .check = &check,
			.result = CHECK_NO_DATA,
			.measurement = {
				.measured = MEASURED_NO_DATA, .reason = cases[i].reason } };
		struct finding finding = { 0 };

		examine_check(&verdict, &finding);
		assert_int_equal(finding.kind, FINDING_MILD);
		assert_non_null(strstr(finding.message, cases[i].expected));
		assert_true(finding.hint[0]);
	}
}

/* ---- the suite, and its documentation ---- */

static void what_is_found_can_be_shown(void **state)
{
	struct finding finding = { 0 };

	(void)state;
	found(&finding, FINDING_BAD, "'%s'", "\033[2J");
	assert_string_equal(finding.message, "'\\x1b[2J'");
}

static void without_a_look_there_is_a_list(void **state)
{
	struct config config = { 0 };
	struct doctor *doctor = doctor_new(&config);
	const struct suite_config *suite = doctor_suite(doctor);
	const struct doctor_row *row = doctor_rows();

	(void)state;
	assert_string_equal(suite->name, "doctor");
	for (size_t i = 0; i < suite->check_count; i++, row++) {
		assert_string_equal(suite->checks[i].name, row->name);
		assert_int_equal(suite->checks[i].severity, (int)row->severity);
	}
	assert_null(row->name);
	doctor_free(doctor);
}

static void every_examination_is_documented(void **state)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct error err = { 0 };

	(void)state;
	assert_int_equal(fileio_read(SOURCE_DIR "/docs/operations.md", 1 << 20, &text, &err), 0);
	for (const struct doctor_row *row = doctor_rows(); row->name; row++) {
		CLEANUP_FREE char *line = mem_format("| `%s` | %s | %s |\n", row->name,
			row->looks_for, row->severity == SEVERITY_WARNING ? "WARNING" : "NO-GO");

		if (!strstr(buf_text(&text), line))
			fail_msg("docs/operations.md lacks this line:\n%s", line);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_configuration_is_surveyed),
		cmocka_unit_test(nothing_is_found_in_a_quiet_configuration),
		cmocka_unit_test(the_output_is_looked_for_among_the_includes),
		cmocka_unit_test(listen_addresses_are_read),
		cmocka_unit_test(the_kernels_table_is_read),
		cmocka_unit_test(what_is_in_the_way_is_known),
		cmocka_unit_test(targets_are_read),
		cmocka_unit_test(a_list_that_is_none_is_refused),
		cmocka_unit_test(the_shortest_range_is_found),
		cmocka_unit_test(clocks_may_differ_by_two_seconds),
		cmocka_unit_test(an_output_that_is_included_twice_is_found),
		cmocka_unit_test(test_and_reload_are_compared_with_the_master),
		cmocka_unit_test(retries_are_judged_by_who_else_watches),
		cmocka_unit_test(a_zone_is_for_more_than_one_worker),
		cmocka_unit_test(each_reason_for_no_data_is_named),
		cmocka_unit_test(what_is_found_can_be_shown),
		cmocka_unit_test(without_a_look_there_is_a_list),
		cmocka_unit_test(every_examination_is_documented),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
