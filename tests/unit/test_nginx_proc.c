/* What /proc shows of a real NGINX, and what its error log tells. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "nginx_fixture.h"

#include "traffic/nginx_log.h"
#include "traffic/nginx_proc.h"

static void a_master_is_found_by_worker_and_by_configuration(void **state)
{
	struct fixture *f = fixture_of(state);
	struct nginx_processes processes = { 0 };

	/* Master and workers take their titles a moment after they were forked. */
	while (!nginx_proc_read(f->edge_pid, &processes) ||
		processes.accepting < (int)sysconf(_SC_NPROCESSORS_ONLN))
		continue;
	assert_int_equal(processes.draining, 0);
	assert_int_equal(nginx_proc_find_master(path_in(f, "nginx.conf")), f->edge_pid);
	assert_int_equal(nginx_proc_find_master(path_in(f, "other.conf")), 0);
	assert_true(nginx_proc_shows_any());
	for (int i = 0; i < processes.count; i++)
		assert_int_equal(nginx_proc_master_of(processes.workers[i].pid), f->edge_pid);
	assert_int_equal(nginx_proc_master_of(f->edge_pid), 0);
	assert_int_equal(nginx_proc_master_of((int)getpid()), 0);
	assert_int_equal(nginx_proc_master_of(-1), 0);
	assert_false(nginx_proc_read((int)getpid(), &processes));
	assert_false(nginx_proc_read(0, &processes));
}

static void the_expected_number_of_workers_comes_from_the_configuration(void **state)
{
	static const struct {
		const char *text;
		int number;
		bool is_guess;
	} cases[] = {
		{ "worker_processes 7;\nevents { }\n", 7, false },
		{ "# worker_processes 9;\nevents { }\n", 1, false },
		{ "events { }\nworker_processes\n3 ;", 3, false },
		{ "events { worker_processes 4; }\n", 1, false },
		{ "include more.conf;\nevents { }\n", 0, false },
		{ "worker_processes 'x", 0, false },
	};
	struct fixture *f = fixture_of(state);
	bool is_guess;

	assert_int_equal(nginx_proc_expected_workers(f->edge_pid, &is_guess),
		(int)sysconf(_SC_NPROCESSORS_ONLN));
	assert_true(is_guess);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		write_file(path_in(f, "nginx.conf"), cases[i].text);
		assert_int_equal(
			nginx_proc_expected_workers(f->edge_pid, &is_guess), cases[i].number);
		assert_int_equal(is_guess, cases[i].is_guess);
	}
}

static void new_workers_are_told_from_old_ones(void **state)
{
	struct fixture *f = fixture_of(state);
	struct nginx_processes before = { 0 }, now = { 0 };
	int workers = (int)sysconf(_SC_NPROCESSORS_ONLN);
	int64_t ticks;

	while (!nginx_proc_read(f->edge_pid, &before) || before.accepting < workers)
		continue;
	assert_true(nginx_workers_are_same(&before, &before));
	ticks = nginx_proc_ticks(clock_boot_ms());
	assert_false(nginx_workers_are_younger(&before, 0, &before));
	run_command(f->reload);
	do
		assert_true(nginx_proc_read(f->edge_pid, &now));
	while (!nginx_workers_are_younger(&now, ticks, &before) || now.accepting < workers);
	assert_false(nginx_workers_are_same(&now, &before));
	assert_false(nginx_workers_are_younger(&now, ticks + 1000000, &before));
}

static void only_the_masters_complaints_count(void **state)
{
	struct fixture *f = fixture_of(state);
	struct nginx_log log = NGINX_LOG_INIT;
	char *path = path_in(f, "error.log");
	char line[256];
	struct nginx_processes started = { 0 };
	FILE *file;

	/* Only with its workers up has the master turned its stderr to the log. */
	while (!nginx_proc_read(f->edge_pid, &started) || !started.accepting)
		continue;
	nginx_log_note(&log, f->edge_pid);
	assert_true(log.fd >= 0);
	assert_false(nginx_log_find_complaint(&log, line, sizeof(line)));
	file = fopen(path, "ae");
	assert_non_null(file);
	fprintf(file,
		"2026/11/20 18:40:00 [emerg] 1#1: of another\n"
		"2026/11/20 18:40:00 [error] %d#%d: only an error\n"
		"2026/11/20 18:40:00 [emerg] %d#%d: bind() to 127.0.0.1:80",
		f->edge_pid, f->edge_pid, f->edge_pid, f->edge_pid);
	fflush(file);
	assert_false(nginx_log_find_complaint(&log, line, sizeof(line)));
	fprintf(file, " failed\nmore\n");
	fclose(file);
	assert_true(nginx_log_find_complaint(&log, line, sizeof(line)));
	assert_string_equal(line, "bind() to 127.0.0.1:80 failed");
	nginx_log_release(&log);
	assert_false(nginx_log_find_complaint(&log, line, sizeof(line)));
}

#define NGINX_TEST(function) cmocka_unit_test_setup_teardown(function, fixture_start, fixture_stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		NGINX_TEST(a_master_is_found_by_worker_and_by_configuration),
		NGINX_TEST(the_expected_number_of_workers_comes_from_the_configuration),
		NGINX_TEST(new_workers_are_told_from_old_ones),
		NGINX_TEST(only_the_masters_complaints_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
