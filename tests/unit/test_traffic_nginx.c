/* Shifts on a real NGINX: what is proven, what is undone, what the brake holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nginx_fixture.h"

#include "traffic/nginx_proc.h"

#include <pthread.h>

static void weights_are_in_force_when_proven(void **state)
{
	static const struct {
		weight_t weight;
		int requests, least, most;
	} cases[] = {
		{ 0, 100, 0, 0 },
		{ 50, 400, 1, 3 },
		{ 100, 400, 3, 5 },
		{ 500, 200, 9, 11 },
		{ 5000, 100, 49, 51 },
		{ 9950, 400, 397, 399 },
		{ 10000, 100, 100, 100 },
		{ 0, 100, 0, 0 },
	};
	struct fixture *f = fixture_of(state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int canary;

		expect(f, TRAFFIC_SET, cases[i].weight, TRAFFIC_PROVEN);
		canary = count_canary(f, cases[i].requests);
		if (canary < cases[i].least || canary > cases[i].most)
			fail_msg("weight %d: %d of %d", cases[i].weight, canary, cases[i].requests);
	}
}

static void split_template_moves_nobody_back(void **state)
{
	enum { USERS = 400 };
	static const weight_t weights[] = { 0, 50, 500, 2500, 5000, 9950, 10000 };
	struct fixture *f = fixture_of(state);
	bool was_canary[USERS] = { false };
	char header[64], letter;

	f->config.nginx.template_path =
		arena_strdup(&f->arena, SOURCE_DIR "/nginx/conf.d/split.conf.template");
	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		int count = 0, share = weights[i] * USERS / WEIGHT_FULL;

		expect(f, TRAFFIC_SET, weights[i], TRAFFIC_PROVEN);
		for (int user = 0; user < USERS; user++) {
			snprintf(header, sizeof(header), "X-User-ID: user%d\r\n", user);
			assert_int_equal(get(f->port, header, &letter), 200);
			assert_false(was_canary[user] && letter != 'c');
			was_canary[user] = letter == 'c';
			count += letter == 'c';
		}
		/* Five standard deviations of a share of 400. */
		assert_in_range(count, share > 50 ? share - 50 : 0, share + 50);
		assert_int_equal(get(f->port, "X-Canary: always\r\n", &letter), 200);
		assert_int_equal(letter, weights[i] ? 'c' : 'p');
		assert_int_equal(get(f->port, "Cookie: canary=never\r\n", &letter), 200);
		assert_int_equal(letter, 'p');
	}
}

static void seeds_template_and_brake_work_with_the_shipped_configuration(void **state)
{
	struct fixture *f = fixture_of(state);
	CLEANUP_FREE char *text =
		mem_format("upstream app_backend {\n"
			   "    server 127.0.0.1:%d weight=${PRODUCTION_WEIGHT};  # 99, 0\n"
			   "    server 127.0.0.1:%d weight=${CANARY_WEIGHT};  # 1, 100\n"
			   "    keepalive 32;\n}\n",
			f->production_port, f->canary_port);

	f->config.nginx.template_path = path_in(f, "seeds.template");
	write_file(f->config.nginx.template_path, text);
	expect(f, TRAFFIC_SET, 0, TRAFFIC_PROVEN);
	assert_int_equal(count_canary(f, 50), 0);
	expect(f, TRAFFIC_SET, 10000, TRAFFIC_PROVEN);
	assert_int_equal(count_canary(f, 50), 50);
	write_file(path_in(f, "conf.d/upstream-other.conf"), "no such directive;\n");
	expect(f, TRAFFIC_ROLLBACK, 0, TRAFFIC_BRAKED);
	assert_int_equal(count_canary(f, 50), 0);
}

struct load {
	int port;
	volatile bool stop;
	int requests, failures;
};

static void *send_requests(void *context)
{
	struct load *load = context;
	char letter;

	while (!load->stop) {
		load->failures += get(load->port, "", &letter) != 200;
		load->requests++;
	}
	return NULL;
}

static void no_request_fails_because_of_a_shift(void **state)
{
	struct fixture *f = fixture_of(state);
	struct load load = { .port = f->port };
	pthread_t thread;

	expect(f, TRAFFIC_SET, 0, TRAFFIC_PROVEN);
	assert_int_equal(pthread_create(&thread, NULL, send_requests, &load), 0);
	for (weight_t weight = 100; weight <= 10000; weight *= 10)
		expect(f, TRAFFIC_SET, weight, TRAFFIC_PROVEN);
	expect(f, TRAFFIC_ROLLBACK, 0, TRAFFIC_PROVEN);
	load.stop = true;
	pthread_join(thread, NULL);
	assert_true(load.requests > 100);
	assert_int_equal(load.failures, 0);
}

/* The shift to 50 % must fail with `message`, and everything be as at 5 % again. */
static void expect_undone(struct fixture *f, const char *message)
{
	CLEANUP_FREE char *before = read_file(f->config.nginx.output);
	struct traffic_change *change = change_traffic(f, TRAFFIC_SET, 5000);
	CLEANUP_FREE char *after = read_file(f->config.nginx.output);
	CLEANUP_FREE char *left = read_file(path_in(f, "conf.d/.upstream.conf.canaryctl-old"));

	if (change->outcome != TRAFFIC_UNDONE || !strstr(change->error.message, message))
		fail_msg("outcome %d: %s (%s)\n%s", (int)change->outcome, change->error.message,
			change->error.hint, buf_text(&change->notes));
	assert_string_equal(before, after);
	assert_null(left);
	change_release(change);
	assert_in_range(count_canary(f, 100), 4, 6);
}

static void a_reload_that_does_nothing_is_undone(void **state)
{
	struct fixture *f = fixture_of(state);

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	f->config.nginx.settle_timeout_ms = 700;
	f->reload[0] = arena_strdup(&f->arena, "true");
	expect_undone(f, "not all new");
}

static void a_reload_that_fails_is_undone(void **state)
{
	struct fixture *f = fixture_of(state);

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	f->reload[0] = arena_strdup(&f->arena, "false");
	expect_undone(f, "nginx cannot be told to reload");
}

static void somebody_elses_broken_include_is_named(void **state)
{
	struct fixture *f = fixture_of(state);

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	write_file(path_in(f, "conf.d/upstream-other.conf"), "no such directive;\n");
	expect_undone(f, "upstream-other.conf:1");
}

/* nginx -t and the reload both exit 0; only the error log and the workers tell. */
/* The file of a host that never saw canaryctl: made by hand, without a proof. */
static void the_first_shift_of_a_host_works_and_is_undone(void **state)
{
	struct fixture *f = fixture_of(state);
	CLEANUP_FREE char *by_hand = mem_format("upstream app_backend { server 127.0.0.1:%d "
						"weight=95; server 127.0.0.1:%d weight=5; }\n",
		f->production_port, f->canary_port);
	char letter;

	write_file(f->config.nginx.output, by_hand);
	run_command(f->reload);
	while (get(f->port, "", &letter) != 200)
		continue;
	f->reload[0] = arena_strdup(&f->arena, "true");
	f->config.nginx.settle_timeout_ms = 700;
	expect_undone(f, "not all new");
	f->reload[0] = arena_strdup(&f->arena, "nginx");
	f->config.nginx.settle_timeout_ms = 5000;
	write_file(path_in(f, "conf.d/upstream-other.conf"), "no such directive;\n");
	expect_undone(f, "upstream-other.conf:1");
	assert_int_equal(unlink(path_in(f, "conf.d/upstream-other.conf")), 0);
	expect(f, TRAFFIC_SET, 5000, TRAFFIC_PROVEN);
	assert_int_equal(count_canary(f, 100), 50);
}

static void a_folder_that_cannot_be_written_changes_nothing(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;

	f->config.nginx.output = path_in(f, "nowhere/upstream.conf");
	change = change_traffic(f, TRAFFIC_SET, 500);
	assert_int_equal(change->outcome, TRAFFIC_UNDONE);
	assert_non_null(strstr(change->error.message, "cannot create"));
	assert_string_equal(change->error.hint, "");
	change_release(change);
}

static void a_port_that_is_taken_is_undone(void **state)
{
	struct fixture *f = fixture_of(state);
	CLEANUP_FREE char *other =
		mem_format("server { listen 127.0.0.1:%d; access_log off; return 200 other; }\n",
			f->production_port);

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	write_file(path_in(f, "conf.d/upstream-other.conf"), other);
	expect_undone(f, "Address already in use");
}

static void a_template_that_nginx_refuses_changes_nothing(void **state)
{
	static const struct {
		const char *line, *message;
	} cases[] = {
		{ "no_such_directive 1;\n", "unknown directive \"no_such_directive\"" },
		{ "upstream late { keepalive 2; least_conn; server 127.0.0.1:1; }\n",
			"load balancing method redefined" },
		{ "upstream dead { server 127.0.0.1:1 down; }\n", "no server of upstream 'dead'" },
		{ "upstream open {\n", "not closed" },
	};
	struct fixture *f = fixture_of(state);
	CLEANUP_FREE char *shipped = read_file(f->config.nginx.template_path);

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	f->config.nginx.template_path = path_in(f, "bad.template");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		CLEANUP_FREE char *text = mem_format("%s%s", shipped, cases[i].line);

		write_file(f->config.nginx.template_path, text);
		expect_undone(f, cases[i].message);
		expect(f, TRAFFIC_REHEARSE, 5000, TRAFFIC_UNDONE);
	}
}

static void a_variable_of_the_surroundings_is_no_reason_to_refuse(void **state)
{
	struct fixture *f = fixture_of(state);
	CLEANUP_FREE char *shipped = read_file(f->config.nginx.template_path);
	CLEANUP_FREE char *text = mem_format(
		"%smap $canaryctl_request_class $its_class { default $canaryctl_target; }\n"
		"map $canaryctl_target $canaryctl_request_class { default a; }\n",
		shipped);
	struct traffic_change *change;

	f->config.nginx.template_path = path_in(f, "outer.template");
	write_file(f->config.nginx.template_path, text);
	change = change_traffic(f, TRAFFIC_REHEARSE, 500);
	assert_int_equal(change->outcome, TRAFFIC_PROVEN);
	assert_non_null(strstr(buf_text(&change->notes), "cannot be tested alone"));
	change_release(change);
	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
}

static void a_proof_port_of_somebody_else_is_found_before(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;

	f->config.nginx.proof_listen = f->config.production.server;
	f->config.nginx.proof_url =
		arena_format(&f->arena, "http://127.0.0.1:%d/", f->production_port);
	change = change_traffic(f, TRAFFIC_SET, 500);
	assert_int_equal(change->outcome, TRAFFIC_UNDONE);
	assert_int_equal(change->error.kind, ERROR_UNAVAILABLE);
	assert_non_null(strstr(change->error.message, "is held by something"));
	assert_int_equal(access(f->config.nginx.output, F_OK), -1);
	change_release(change);
}

static void a_stopped_nginx_is_unavailable(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;

	stop_process(f->edge_pid);
	f->edge_pid = 0;
	change = change_traffic(f, TRAFFIC_SET, 500);
	assert_int_equal(change->outcome, TRAFFIC_UNDONE);
	assert_int_equal(change->error.kind, ERROR_UNAVAILABLE);
	assert_int_equal(access(f->config.nginx.output, F_OK), -1);
	change_release(change);
	change = change_traffic(f, TRAFFIC_READ, 0);
	assert_int_equal(change->outcome, TRAFFIC_LOST);
	assert_false(change->state.is_reachable);
	change_release(change);
	f->test[0] = arena_strdup(&f->arena, "/nonexistent/nginx");
	change = change_traffic(f, TRAFFIC_REHEARSE, 500);
	assert_int_equal(change->error.kind, ERROR_UNAVAILABLE);
	change_release(change);
}

static void the_brake_holds_when_no_reload_is_possible(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;

	expect(f, TRAFFIC_SET, 5000, TRAFFIC_PROVEN);
	write_file(path_in(f, "conf.d/upstream-other.conf"), "no such directive;\n");
	change = change_traffic(f, TRAFFIC_ROLLBACK, 0);
	assert_int_equal(change->outcome, TRAFFIC_BRAKED);
	assert_true(change->state.is_braked);
	assert_non_null(strstr(change->error.message, "upstream-other.conf:1"));
	assert_non_null(strstr(change->error.hint, "canaryctl rollback"));
	change_release(change);
	assert_int_equal(count_canary(f, 100), 0);

	/* Not to be released while 50 % would be in force without it. */
	expect(f, TRAFFIC_RELEASE, 0, TRAFFIC_UNDONE);
	assert_int_equal(count_canary(f, 100), 0);
	assert_int_equal(unlink(path_in(f, "conf.d/upstream-other.conf")), 0);
	expect(f, TRAFFIC_ROLLBACK, 0, TRAFFIC_PROVEN);
	expect(f, TRAFFIC_SET, 5000, TRAFFIC_UNDONE);
	expect(f, TRAFFIC_RELEASE, 0, TRAFFIC_PROVEN);
	assert_int_equal(access(f->config.nginx.brake, F_OK), -1);
	expect(f, TRAFFIC_SET, 5000, TRAFFIC_PROVEN);
	assert_int_equal(count_canary(f, 100), 50);
}

static void without_a_brake_a_failed_rollback_is_lost(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;

	f->config.nginx.brake = NULL;
	expect(f, TRAFFIC_SET, 5000, TRAFFIC_PROVEN);
	write_file(path_in(f, "conf.d/upstream-other.conf"), "no such directive;\n");
	change = change_traffic(f, TRAFFIC_ROLLBACK, 0);
	assert_int_equal(change->outcome, TRAFFIC_LOST);
	assert_non_null(strstr(change->error.hint, "canaryctl rollback"));
	change_release(change);
}

static void a_rollback_at_0_changes_nothing(void **state)
{
	struct fixture *f = fixture_of(state);
	CLEANUP_FREE char *before = NULL;
	CLEANUP_FREE char *after = NULL;

	expect(f, TRAFFIC_SET, 0, TRAFFIC_PROVEN);
	before = read_file(f->config.nginx.output);
	f->config.nginx.template_path = path_in(f, "gone.template");
	expect(f, TRAFFIC_ROLLBACK, 0, TRAFFIC_PROVEN);
	after = read_file(f->config.nginx.output);
	assert_string_equal(before, after);
}

static void reading_tells_what_is_in_force(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;
	char *text;

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	change = change_traffic(f, TRAFFIC_READ, 0);
	assert_int_equal(change->outcome, TRAFFIC_PROVEN);
	assert_true(change->state.is_proven);
	assert_int_equal(change->state.canary, 500);
	assert_true(change->state.workers > 0);
	assert_memory_equal(change->state.generation, "20261120T170313Z-v0.2.0/", 24);
	change_release(change);

	/* A file that was changed by hand is in force only after a reload. */
	text = replaced(read_file(f->config.nginx.output), "v0.2.0/", "v0.2.0/0");
	write_file(f->config.nginx.output, text);
	free(text);
	change = change_traffic(f, TRAFFIC_READ, 0);
	assert_false(change->state.is_proven);
	assert_int_equal(change->state.canary, 500);
	assert_non_null(strstr(buf_text(&change->notes), "not what is in force"));
	change_release(change);
}

/* A shift that was cut off left 50 % in the file and 5 % in force: undoing is back to 5 %. */
static void an_undo_goes_back_to_what_was_in_force(void **state)
{
	struct fixture *f = fixture_of(state);
	char *cut_off;
	struct traffic_change *change;

	expect(f, TRAFFIC_SET, 5000, TRAFFIC_PROVEN);
	cut_off = read_file(f->config.nginx.output);
	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	write_file(f->config.nginx.output, cut_off);
	free(cut_off);
	f->config.nginx.settle_timeout_ms = 700;
	f->reload[0] = arena_strdup(&f->arena, "true");
	change = change_traffic(f, TRAFFIC_SET, 10000);
	assert_int_equal(change->outcome, TRAFFIC_UNDONE);
	change_release(change);
	change = change_traffic(f, TRAFFIC_READ, 0);
	assert_true(change->state.is_proven);
	assert_int_equal(change->state.canary, 500);
	change_release(change);
}

static void a_rehearsal_leaves_every_file_as_it_was(void **state)
{
	struct fixture *f = fixture_of(state);
	struct stat before, after, folder_before, folder_after;
	CLEANUP_FREE char *conf_d = mem_format("%s/conf.d", f->folder);
	struct traffic_change *change;

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	assert_int_equal(stat(f->config.nginx.output, &before), 0);
	assert_int_equal(stat(conf_d, &folder_before), 0);
	change = change_traffic(f, TRAFFIC_REHEARSE, 2500);
	assert_int_equal(change->outcome, TRAFFIC_PROVEN);
	assert_non_null(strstr(buf_text(&change->rendered), "weight=25 max_fails=0"));
	assert_string_equal(buf_text(&change->notes), "");
	change_release(change);
	assert_int_equal(stat(f->config.nginx.output, &after), 0);
	assert_int_equal(stat(conf_d, &folder_after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_int_equal(folder_before.st_mtim.tv_nsec, folder_after.st_mtim.tv_nsec);
	assert_in_range(count_canary(f, 100), 4, 6);
}

static void a_file_that_nginx_does_not_read_is_named(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;

	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	f->config.nginx.output = path_in(f, "elsewhere.conf");
	change = change_traffic(f, TRAFFIC_SET, 5000);
	assert_int_equal(change->outcome, TRAFFIC_UNDONE);
	assert_non_null(strstr(change->error.message, "has not read the new file"));
	assert_non_null(strstr(change->error.hint, "output_in_place"));
	change_release(change);
	assert_in_range(count_canary(f, 100), 4, 6);
}

/* A stand-in for docker that runs everything on this host. */
static void a_container_is_reached_through_docker(void **state)
{
	struct fixture *f = fixture_of(state);
	const char *path = getenv("PATH");
	CLEANUP_FREE char *old_path = mem_strdup(path ? path : "");
	CLEANUP_FREE char *new_path = mem_format("%s/bin:%s", f->folder, old_path);
	char *docker = path_in(f, "bin/docker");

	assert_int_equal(mkdir(path_in(f, "bin"), 0755), 0);
	write_file(docker, "#!/bin/sh\n"
			   "what=$1; shift\n"
			   "case $what in\n"
			   "exec) shift; exec \"$@\" ;;\n"
			   "cp) exec cp \"${1#edge:}\" \"${2#edge:}\" ;;\n"
			   "esac\nexit 64\n");
	assert_int_equal(chmod(docker, 0755), 0);
	assert_int_equal(setenv("PATH", new_path, 1), 0);
	f->config.nginx.container = arena_strdup(&f->arena, "edge");
	expect(f, TRAFFIC_SET, 500, TRAFFIC_PROVEN);
	assert_in_range(count_canary(f, 100), 4, 6);
	write_file(path_in(f, "conf.d/upstream-other.conf"), "no such directive;\n");
	expect_undone(f, "upstream-other.conf:1");
	setenv("PATH", old_path, 1);
}

/* The edge's NGINX again, in a pid namespace of its own: it tells pids that mean nothing here. */
static int restart_in_namespace(struct fixture *f)
{
	static char unshare[] = "unshare", pid[] = "-p", fork_first[] = "-f",
		    kill_child[] = "--kill-child";
	char *try[] = { unshare, pid, fork_first, arena_strdup(&f->arena, "true"), NULL };
	char *argv[] = { unshare, pid, fork_first, kill_child, arena_strdup(&f->arena, "nginx"),
		arena_strdup(&f->arena, "-c"), path_in(f, "nginx.conf"),
		arena_strdup(&f->arena, "-g"), arena_strdup(&f->arena, "daemon off;"), NULL };
	int status, master = 0;
	char letter;

	f->edge_pid = fork();
	if (f->edge_pid == 0)
		execvp(try[0], try);
	if (waitpid(f->edge_pid, &status, 0) < 0 || status != 0) {
		f->edge_pid = 0;
		skip();
	}
	f->edge_pid = fork();
	if (f->edge_pid == 0)
		execvp(argv[0], argv);
	for (int64_t end = clock_monotonic_ms() + 10000; clock_monotonic_ms() < end;) {
		master = nginx_proc_find_master(path_in(f, "nginx.conf"));
		if (master && get(f->port, "", &letter))
			return master;
	}
	fail_msg("nginx did not start in a namespace of its own");
	return 0;
}

/* Then half a second of nothing but the new answer is the proof. */
static void without_proc_the_answers_are_the_proof(void **state)
{
	struct fixture *f = fixture_of(state);
	struct traffic_change *change;
	int master;

	stop_process(f->edge_pid);
	f->edge_pid = 0;
	master = restart_in_namespace(f);
	f->reload[0] = arena_strdup(&f->arena, "kill");
	f->reload[1] = arena_strdup(&f->arena, "-HUP");
	f->reload[2] = arena_format(&f->arena, "%d", master);
	f->reload[3] = NULL;
	expect(f, TRAFFIC_SET, 100, TRAFFIC_PROVEN);
	change = change_traffic(f, TRAFFIC_SET, 500);
	assert_int_equal(change->outcome, TRAFFIC_PROVEN);
	assert_int_equal(change->state.workers, 0);
	assert_true(change->elapsed_ms >= 500);
	change_release(change);
	f->config.nginx.settle_timeout_ms = 700;
	f->reload[0] = arena_strdup(&f->arena, "true");
	expect_undone(f, "still answers with generation");
}

#define NGINX_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NGINX_TEST(weights_are_in_force_when_proven),
		NGINX_TEST(split_template_moves_nobody_back),
		NGINX_TEST(seeds_template_and_brake_work_with_the_shipped_configuration),
		NGINX_TEST(no_request_fails_because_of_a_shift),
		NGINX_TEST(a_reload_that_does_nothing_is_undone),
		NGINX_TEST(a_reload_that_fails_is_undone),
		NGINX_TEST(somebody_elses_broken_include_is_named),
		NGINX_TEST(the_first_shift_of_a_host_works_and_is_undone),
		NGINX_TEST(a_folder_that_cannot_be_written_changes_nothing),
		NGINX_TEST(a_port_that_is_taken_is_undone),
		NGINX_TEST(a_template_that_nginx_refuses_changes_nothing),
		NGINX_TEST(a_variable_of_the_surroundings_is_no_reason_to_refuse),
		NGINX_TEST(a_proof_port_of_somebody_else_is_found_before),
		NGINX_TEST(a_stopped_nginx_is_unavailable),
		NGINX_TEST(the_brake_holds_when_no_reload_is_possible),
		NGINX_TEST(without_a_brake_a_failed_rollback_is_lost),
		NGINX_TEST(a_rollback_at_0_changes_nothing),
		NGINX_TEST(reading_tells_what_is_in_force),
		NGINX_TEST(an_undo_goes_back_to_what_was_in_force),
		NGINX_TEST(a_rehearsal_leaves_every_file_as_it_was),
		NGINX_TEST(a_file_that_nginx_does_not_read_is_named),
		NGINX_TEST(a_container_is_reached_through_docker),
		NGINX_TEST(without_proc_the_answers_are_the_proof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
