/*
 * Folders and files that somebody else has prepared: links, devices, sockets and folders that
 * others may write to. Nothing of theirs is written to, replaced or believed.
 */
#include "test.h"

#include "canaryctl/config.h"
#include "canaryctl/fileio.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char treasure[] = "not yours";
static char folder[64], victim[128], path[128];

static int make_folder(void **state)
{
	struct error err;

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/canaryctl-hostile-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(victim, sizeof(victim), "%s/victim", folder);
	return fileio_replace(victim, treasure, strlen(treasure), 0644, &err);
}

static int remove_entry(const char *name, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(name);
}

static int remove_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void link_to_victim(const char *name)
{
	assert_int_equal(symlink(victim, in_folder(name)), 0);
}

static void assert_victim_untouched(void)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct stat info;
	struct error err;

	assert_int_equal(fileio_read(victim, 100, &text, &err), 0);
	assert_string_equal(buf_text(&text), treasure);
	assert_int_equal(stat(victim, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0644);
}

static void replacing_a_link_leaves_what_it_names(void **state)
{
	struct error err;
	struct stat info;

	(void)state;
	link_to_victim("output");
	assert_int_equal(fileio_replace(in_folder("output"), "new", 3, 0600, &err), 0);
	assert_int_equal(lstat(in_folder("output"), &info), 0);
	assert_true(S_ISREG(info.st_mode));
	assert_victim_untouched();
}

static void writing_in_place_refuses_a_link(void **state)
{
	struct error err = { 0 };

	(void)state;
	link_to_victim("output");
	assert_int_equal(fileio_overwrite(in_folder("output"), "new", 3, &err), -1);
	assert_int_equal(err.kind, ERROR_IO);
	assert_victim_untouched();
}

/* As root, `--output /dev/null` would otherwise end /dev/null for the whole machine. */
static void what_is_no_file_is_not_replaced(void **state)
{
	struct error err = { 0 };
	struct stat info;

	(void)state;
	assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
	assert_int_equal(fileio_replace(in_folder("pipe"), "new", 3, 0644, &err), -1);
	assert_non_null(strstr(err.message, "is not replaced"));
	assert_int_equal(lstat(in_folder("pipe"), &info), 0);
	assert_true(S_ISFIFO(info.st_mode));
	/* Nor through a link, as /dev/stdout is one. */
	assert_int_equal(symlink("/dev/null", in_folder("null")), 0);
	assert_int_equal(fileio_replace(in_folder("null"), "new", 3, 0644, &err), -1);
	assert_int_equal(fileio_replace(folder, "new", 3, 0644, &err), -1);
}

static void lock_and_journal_follow_no_link(void **state)
{
	struct lock lock = LOCK_INIT;
	struct lock_holder holder;
	struct error err = { 0 };

	(void)state;
	link_to_victim("lock");
	assert_int_equal(lock_take(folder, "x", &lock, &err), -1);
	assert_int_equal(err.kind, ERROR_IO);
	assert_false(lock_is_held(folder, &holder));
	link_to_victim("journal.db");
	assert_null(journal_open(folder, &err));
	assert_int_equal(err.kind, ERROR_IO);
	assert_victim_untouched();
}

/* ---- the state folder ---- */
static char *make_state_folder(struct error *err)
{
	static char service[] = "shop";
	struct config config = { .state_dir = folder, .service = service };

	return state_folder(&config, true, err);
}

static void the_state_folder_is_for_its_owner_alone(void **state)
{
	struct error err = { 0 };
	CLEANUP_FREE char *made = NULL;
	struct stat info;

	(void)state;
	umask(0);
	made = make_state_folder(&err);
	umask(022);
	assert_non_null(made);
	assert_int_equal(stat(made, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0700);
}

static void assert_refused(const char *why)
{
	struct error err = { 0 };

	assert_null(make_state_folder(&err));
	assert_int_equal(err.kind, ERROR_IO);
	if (!strstr(err.message, why))
		fail_msg("no '%s' in '%s'", why, err.message);
}

static void a_state_folder_of_others_is_refused(void **state)
{
	(void)state;
	assert_int_equal(mkdir(in_folder("shop"), 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_refused("writable by others");
	assert_int_equal(chmod(path, 0770), 0);
	assert_refused("writable by others");
	assert_int_equal(chmod(path, 0700), 0);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_refused("belongs to another user");
	}
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkdir(in_folder("elsewhere"), 0700), 0);
	assert_int_equal(symlink("elsewhere", in_folder("shop")), 0);
	assert_refused("is not a folder");
}

static void a_state_dir_that_everybody_may_write_to_is_refused(void **state)
{
	struct error err = { 0 };
	CLEANUP_FREE char *made = NULL;

	(void)state;
	assert_int_equal(chmod(folder, 0777), 0);
	assert_refused("writable by everybody");
	/* Like /tmp: nobody can take away what is ours. */
	assert_int_equal(chmod(folder, 01777), 0);
	made = make_state_folder(&err);
	assert_non_null(made);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		IN_A_FOLDER(replacing_a_link_leaves_what_it_names),
		IN_A_FOLDER(writing_in_place_refuses_a_link),
		IN_A_FOLDER(what_is_no_file_is_not_replaced),
		IN_A_FOLDER(lock_and_journal_follow_no_link),
		IN_A_FOLDER(the_state_folder_is_for_its_owner_alone),
		IN_A_FOLDER(a_state_folder_of_others_is_refused),
		IN_A_FOLDER(a_state_dir_that_everybody_may_write_to_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
