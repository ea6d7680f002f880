/* The journal, its fold, the lock and the control socket, each on a real folder. */
#include "test.h"

#include "canaryctl/control.h"
#include "canaryctl/fileio.h"
#include "canaryctl/journal.h"
#include "canaryctl/lock.h"
#include "canaryctl/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/canaryctl-test-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	static const char *const names[] = { "journal.db", "journal.db-wal", "journal.db-shm",
		"lock", "control" };
	char path[128];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

static void append(struct journal *journal, const char *type, const char *data)
{
	struct error err = { 0 };

	if (journal_append(journal, "20261120T170313Z-v0.2.0", type, data, &err) < 0)
		fail_msg("%s", err.message);
}

static void the_fold_says_what_a_rollout_does(void **state)
{
	struct error err = { 0 };
	struct rollout_view view = { 0 };
	struct journal *journal = journal_open(folder, &err);

	(void)state;
	assert_non_null(journal);
	append(journal, "started", "{\"version\":\"v0.2.0\",\"stage_count\":4}");
	append(journal, "state", "{\"to\":\"shifting\",\"why\":\"ready\"}");
	append(journal, "shift_intent", "{\"weight\":500,\"stage\":2}");
	assert_int_equal(journal_fold_newest(journal, &view, &err), 0);
	assert_string_equal(view.version, "v0.2.0");
	assert_int_equal(view.state, ROLLOUT_SHIFTING);
	assert_int_equal(view.intent, 500);
	assert_int_equal(view.proven, WEIGHT_UNKNOWN);
	append(journal, "shift_outcome", "{\"outcome\":\"proven\",\"proven_weight\":500}");
	append(journal, "state",
		"{\"to\":\"observing\",\"why\":\"in force\",\"observe_ms\":900000}");
	append(journal, "evaluation", "{\"checks\":[]}");
	assert_int_equal(journal_fold_newest(journal, &view, &err), 0);
	assert_int_equal(view.state, ROLLOUT_OBSERVING);
	assert_int_equal(view.proven, 500);
	assert_int_equal(view.stage, 2);
	assert_int_equal(view.stage_ends_at - view.stage_started_at, 900000);
	assert_string_equal(view.evaluation, "{\"checks\":[]}");
	assert_null(view.report);
	append(journal, "finished", "{\"outcome\":\"succeeded\"}");
	assert_int_equal(journal_fold_newest(journal, &view, &err), 0);
	assert_non_null(view.report);
	rollout_view_release(&view);
	journal_close(journal);
}

/* Else whoever is to put right what was interrupted would find nothing to do. */
static void one_that_was_refused_does_not_hide_one_that_was_interrupted(void **state)
{
	static const char refused[] = "20261120T170413Z-v0.2.0",
			  later[] = "20261120T170513Z-v0.2.0";
	struct error err = { 0 };
	struct rollout_view view = { 0 };
	struct journal *journal = journal_open(folder, &err);

	(void)state;
	assert_non_null(journal);
	append(journal, "started", "{}");
	append(journal, "shift_intent", "{\"weight\":500,\"stage\":1}");
	assert_int_equal(journal_append(journal, refused, "started", "{}", &err), 0);
	assert_int_equal(journal_fold_newest(journal, &view, &err), 0);
	assert_string_equal(view.deployment, refused);
	assert_int_equal(journal_append(journal, refused, "finished", "{}", &err), 0);
	assert_int_equal(journal_fold_newest(journal, &view, &err), 0);
	assert_string_equal(view.deployment, "20261120T170313Z-v0.2.0");
	assert_null(view.report);
	append(journal, "finished", "{}");
	assert_int_equal(journal_append(journal, later, "started", "{}", &err), 0);
	assert_int_equal(journal_append(journal, later, "shift_intent", "{\"weight\":0}", &err), 0);
	assert_int_equal(journal_append(journal, later, "finished", "{}", &err), 0);
	assert_int_equal(journal_fold_newest(journal, &view, &err), 0);
	assert_string_equal(view.deployment, later);
	assert_non_null(view.report);
	rollout_view_release(&view);
	journal_close(journal);
}

static void records_that_make_no_sense_change_nothing(void **state)
{
	static const char *const broken[] = { "", "{", "null", "[]", "{\"to\":7}", "{\"to\":\"x\"}",
		"{\"weight\":\"x\"}" };
	static const char *const types[] = { "started", "state", "shift_intent", "shift_outcome",
		"evaluation", "extended", "finished", "nonsense" };
	struct rollout_view view = { .state = ROLLOUT_OBSERVING };

	(void)state;
	for (size_t t = 0; t < ARRAY_SIZE(types); t++) {
		for (size_t b = 0; b < ARRAY_SIZE(broken); b++) {
			struct journal_record record = {
				.deployment = "d", .type = types[t], .data = broken[b]
			};

			rollout_view_take(&view, &record);
			assert_true((unsigned)view.state < ROLLOUT_STATE_COUNT);
		}
	}
	rollout_view_release(&view);
}

/* Found by fuzz_journal: numbers that no int can hold. */
static void numbers_are_believed_within_bounds(void **state)
{
	static const struct journal_record records[] = {
		{ .type = "started", .data = "{\"stage_count\":1e300}" },
		{ .type = "shift_intent", .data = "{\"weight\":1e300,\"stage\":-1e99}" },
		{ .type = "shift_outcome", .data = "{\"proven_weight\":10001}" },
		{ .type = "state", .data = "{\"to\":\"observing\",\"observe_ms\":-1e30}" },
	};
	const struct journal_record extended = {
		.type = "extended", .data = "{\"until_ms\":1e30}", .deployment = "d"
	};
	struct rollout_view view = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		struct journal_record record = records[i];

		record.deployment = "d";
		record.time = 1000;
		rollout_view_take(&view, &record);
	}
	assert_int_equal(view.stage_count, 0);
	assert_int_equal(view.stage, 0);
	assert_int_equal(view.intent, WEIGHT_UNKNOWN);
	assert_int_equal(view.proven, WEIGHT_UNKNOWN);
	assert_int_equal(view.stage_ends_at, 1000);
	rollout_view_take(&view, &extended);
	assert_int_equal(view.stage_ends_at, 0);
	rollout_view_release(&view);
}

/* What the judges had counted: the newest record of it, and what a resumed rollout began with. */
static void evidence_is_kept(void **state)
{
	static const struct journal_record records[] = {
		{ .type = "started", .data = "{\"evidence\":{\"stage\":2}}" },
		{ .type = "evaluation", .data = "{\"checks\":[]}" },
		{ .type = "evaluation", .data = "{\"evidence\":{\"stage\":3}}" },
		{ .type = "started", .data = "{}" },
	};
	static const char *const kept[] = { "{\"stage\":2}", "{\"stage\":2}", "{\"stage\":3}",
		NULL };
	struct rollout_view view = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		struct journal_record record = records[i];

		record.deployment = "d";
		rollout_view_take(&view, &record);
		if (kept[i])
			assert_string_equal(view.evidence, kept[i]);
		else
			assert_null(view.evidence);
	}
	rollout_view_release(&view);
}

static void another_reader_sees_what_was_committed(void **state)
{
	struct error err = { 0 };
	struct rollout_view view = { 0 };
	struct journal *writer = journal_open(folder, &err);
	struct journal *reader;

	(void)state;
	append(writer, "started", "{\"version\":\"v1.0.0\"}");
	reader = journal_open_for_reading(folder, &err);
	assert_non_null(reader);
	assert_int_equal(journal_fold_newest(reader, &view, &err), 0);
	assert_string_equal(view.version, "v1.0.0");
	rollout_view_release(&view);
	journal_close(reader);
	journal_close(writer);
}

static void a_damaged_journal_is_said_and_not_used(void **state)
{
	static const char garbage[] =
		"this is no database, but longer than a header of one hundred "
		"bytes so that SQLite looks at it and finds that it is none";
	struct error err = { 0 };
	char path[128];

	(void)state;
	snprintf(path, sizeof(path), "%s/journal.db", folder);
	assert_int_equal(fileio_replace(path, garbage, sizeof(garbage), 0600, &err), 0);
	assert_null(journal_open(folder, &err));
	assert_int_equal(err.kind, ERROR_IO);
	assert_non_null(strstr(err.message, path));
	assert_non_null(strstr(err.hint, "canaryctl rollback"));
}

static void the_journal_is_for_its_owner_alone(void **state)
{
	struct error err = { 0 };
	struct stat info;
	char path[128];

	(void)state;
	journal_close(journal_open(folder, &err));
	snprintf(path, sizeof(path), "%s/journal.db", folder);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
}

static void the_lock_dies_with_its_process(void **state)
{
	struct lock lock = LOCK_INIT;
	struct lock_holder holder;
	struct error err = { 0 };
	int ready[2];
	char byte;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	child = fork();
	if (child == 0) {
		int result = lock_take(folder, "the-child", &lock, &err);

		(void)!write(ready[1], result == 0 ? "y" : "n", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_true(lock_is_held(folder, &holder));
	assert_int_equal(holder.pid, child);
	assert_string_equal(holder.deployment, "the-child");
	assert_int_equal(lock_take(folder, "me", &lock, &err), -1);
	assert_int_equal(err.kind, ERROR_LOCKED);
	assert_non_null(strstr(err.message, "the-child"));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	assert_false(lock_is_held(folder, &holder));
	assert_int_equal(lock_take(folder, "me", &lock, &err), 0);
	lock_release(&lock);
	close(ready[0]);
	close(ready[1]);
}

/* ---- the control socket: the server's loop runs here, the client in a thread ---- */
struct waiting {
	struct task task;
	struct sleep_op pause;
	char heard[64];
};

static void on_line(const char *line, struct buf *ret_reply, void *context)
{
	struct waiting *waiting = context;

	snprintf(waiting->heard, sizeof(waiting->heard), "%s", line);
	buf_add_text(ret_reply, "{\"accepted\":true}");
	waiting->pause.op.cancel(&waiting->pause.op);
}

static enum task_next wait_long(struct task *task)
{
	sleep_start(&container_of(task, struct waiting, task)->pause, task, 20000);
	return TASK_WAIT;
}

static enum task_next drain(struct task *task)
{
	/* Time for the reply to be written. */
	sleep_start(&container_of(task, struct waiting, task)->pause, task, 50);
	return TASK_WAIT;
}

static const struct task_step waiting_steps[] = { { "wait", wait_long }, { "drain", drain },
	{ 0 } };

static char answer[64];

static void *ask(void *context)
{
	CLEANUP_BUF struct buf reply = BUF_INIT(256);
	struct error err = { 0 };

	(void)context;
	if (control_send(folder, "{\"command\":\"pause\"}", 5000, &reply, &err) == 0)
		snprintf(answer, sizeof(answer), "%s", buf_text(&reply));
	return NULL;
}

static void commands_reach_a_running_rollout(void **state)
{
	struct loop *loop = loop_new();
	struct waiting waiting = { 0 };
	struct error err = { 0 };
	struct line_server *server = line_server_start(loop, folder, on_line, &waiting, &err);
	CLEANUP_BUF struct buf reply = BUF_INIT(256);
	pthread_t client;

	(void)state;
	assert_non_null(server);
	task_start(&waiting.task, loop, "waiting", waiting_steps);
	pthread_create(&client, NULL, ask, NULL);
	loop_run(loop, &waiting.task);
	pthread_join(client, NULL);
	assert_string_equal(waiting.heard, "{\"command\":\"pause\"}");
	assert_string_equal(answer, "{\"accepted\":true}");
	line_server_stop(server);
	loop_free(loop);
	assert_int_equal(control_send(folder, "{}", 100, &reply, &err), -1);
	assert_int_equal(err.kind, ERROR_NET);
}

static int connect_silently(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", folder);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void *connect_many_and_ask(void *silent)
{
	for (int i = 0; i < 28; i++)
		((int *)silent)[i] = connect_silently();
	return ask(NULL);
}

/* More than the server keeps: they neither keep others out, nor the loop from ending. */
static void silent_clients_harm_nobody(void **state)
{
	struct loop *loop = loop_new();
	struct waiting waiting = { 0 };
	struct error err = { 0 };
	struct line_server *server = line_server_start(loop, folder, on_line, &waiting, &err);
	int silent[40];
	pthread_t client;

	(void)state;
	answer[0] = '\0';
	assert_non_null(server);
	task_start(&waiting.task, loop, "waiting", waiting_steps);
	/* Some wait in the listening socket's queue until the loop runs; the last ones ask. */
	for (size_t i = 0; i < 12; i++)
		silent[i] = connect_silently();
	pthread_create(&client, NULL, connect_many_and_ask, &silent[12]);
	loop_run(loop, &waiting.task);
	pthread_join(client, NULL);
	assert_string_equal(answer, "{\"accepted\":true}");
	line_server_stop(server);
	loop_free(loop);
	for (size_t i = 0; i < ARRAY_SIZE(silent); i++)
		close(silent[i]);
}

int main(void)
{
#define ON_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
	const struct CMUnitTest tests[] = {
		ON_A_FOLDER(the_fold_says_what_a_rollout_does),
		ON_A_FOLDER(one_that_was_refused_does_not_hide_one_that_was_interrupted),
		ON_A_FOLDER(records_that_make_no_sense_change_nothing),
		ON_A_FOLDER(numbers_are_believed_within_bounds),
		ON_A_FOLDER(evidence_is_kept),
		ON_A_FOLDER(another_reader_sees_what_was_committed),
		ON_A_FOLDER(a_damaged_journal_is_said_and_not_used),
		ON_A_FOLDER(the_journal_is_for_its_owner_alone),
		ON_A_FOLDER(the_lock_dies_with_its_process),
		ON_A_FOLDER(commands_reach_a_running_rollout),
		ON_A_FOLDER(silent_clients_harm_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
