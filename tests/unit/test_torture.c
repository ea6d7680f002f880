/*
 * curl's torture idea: each allocation of a procedure fails once, in a process of its own. It may
 * end with the message for that, refuse, or do without; it may not crash, and what it calls done
 * must be what it is without a failure. AddressSanitizer has an allocator of its own: skipped
 * there.
 */
#include "test.h"

#include "canaryctl/buf.h"
#include "canaryctl/config.h"
#include "canaryctl/journal.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"
#include "canaryctl/report.h"
#include "report_fixture.h"
#include "rollout/rollout_private.h"
#include "traffic/proof_block.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__SANITIZE_ADDRESS__)

/* ---- allocation that can be told to fail, also for the libraries ---- */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *pointer, size_t size);

static long failing = -1; /* this many allocations from now; negative: never */
static bool has_failed;

static bool fails(void)
{
	if (failing < 0 || failing-- > 0)
		return false;
	has_failed = true;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *pointer, size_t size)
{
	return fails() ? NULL : __libc_realloc(pointer, size);
}

void *reallocarray(void *pointer, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	return fails() ? NULL : __libc_realloc(pointer, bytes);
}

/* ---- procedures; each writes what it came to, and returns -1 when it refuses ---- */
typedef int procedure_fn(struct buf *ret_text);

static int parse_an_answer(struct buf *ret_text)
{
	static const char answer[] =
		"{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":["
		"{\"metric\":{\"job\":\"app\",\"instance\":\"a:1\"},"
		"\"values\":[[270,\"1\"],[285,\"2\"]]},"
		"{\"metric\":{\"job\":\"app\",\"instance\":\"b:1\"},\"values\":[[270,\"3\"]]}]},"
		"\"warnings\":[\"partial\"]}";
	struct prom_result result;
	struct error err = { 0 };

	if (prom_parse(answer, strlen(answer), 200, "application/json", &result, &err) < 0)
		return -1;
	for (size_t i = 0; i < result.series_count; i++)
		buf_add_format(ret_text, "%s %zu\n",
			prom_series_label(&result.series[i], "instance"),
			result.series[i].sample_count);
	buf_add_text(ret_text, result.warnings ? result.warnings : "");
	prom_result_release(&result);
	return 0;
}

static int print_reports(struct buf *ret_text)
{
	struct fixture f;

	fixture_init(&f);
	fixture_roll_back(&f);
	report_to_json(&f.report, ret_text);
	report_to_junit(&f.report, ret_text);
	report_to_markdown(&f.report, ret_text);
	return 0;
}

static int fold_a_journal(struct buf *ret_text)
{
	static const struct journal_record records[] = {
		{ .type = "started", .data = "{\"version\":\"v0.2.0\",\"stage_count\":4}" },
		{ .type = "state", .data = "{\"to\":\"shifting\",\"why\":\"ready\"}" },
		{ .type = "shift_intent", .data = "{\"weight\":500,\"stage\":2}" },
		{ .type = "shift_outcome", .data = "{\"proven_weight\":500}" },
		{ .type = "evaluation", .data = "{\"checks\":[]}" },
		{ .type = "finished", .data = "{\"outcome\":\"succeeded\"}" },
	};
	struct rollout_view view = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(records); i++) {
		struct journal_record record = records[i];

		record.deployment = "d";
		rollout_view_take(&view, &record);
	}
	buf_add_format(ret_text, "%s %s %s %d %d %s %s", view.version,
		rollout_state_name(view.state), view.why, view.intent, view.proven, view.evaluation,
		view.report);
	rollout_view_release(&view);
	return 0;
}

static int answer_a_command(struct buf *ret_text)
{
	static struct rollout rollout;

	memset(&rollout, 0, sizeof(rollout));
	rollout.state = ROLLOUT_OBSERVING;
	rollout_on_line("{\"command\":\"rollback\",\"reason\":\"torture\"}", ret_text, &rollout);
	buf_add_format(ret_text, " %d %s", rollout.requests.abort, rollout.requests.reason);
	return 0;
}

static int read_a_proof(struct buf *ret_text)
{
	static const char body[] = "{\"generation\":\"r/1\",\"production\":95,\"canary\":5,"
				   "\"pid\":7,\"braked\":false}";
	struct proof_answer answer;

	if (!proof_answer_parse(body, strlen(body), &answer))
		return -1;
	buf_add_format(ret_text, "%s %d %d", answer.generation, answer.canary, answer.pid);
	return 0;
}

static int load_a_configuration(struct buf *ret_text)
{
	struct config_options options = { 0 };
	CLEANUP_BUF struct buf diagnostics = BUF_INIT(0);
	struct error err = { 0 };
	struct config *config =
		config_load(TESTS_DIR "/fuzz/corpus/config/full", &options, &diagnostics, &err);

	if (!config)
		return -1;
	config_show(config, ret_text);
	config_free(config);
	return 0;
}

/* ---- one failure, in a process of its own ---- */
enum { DIFFERS = 10, REFUSED, DID_WITHOUT, NOT_REACHED };

_Noreturn static void run_failing(procedure_fn *procedure, long at, const char *expected)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	int result;

	failing = at;
	result = procedure(&text);
	failing = -1;
	if (!has_failed)
		_exit(NOT_REACHED);
	if (result < 0)
		_exit(REFUSED);
	_exit(strcmp(buf_text(&text), expected) == 0 ? DID_WITHOUT : DIFFERS);
}

/* How it ended; what it said goes to *said. */
static int fork_failing(procedure_fn *procedure, long at, const char *expected, struct buf *said)
{
	char chunk[512];
	ssize_t length;
	int ends[2], status;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		/* cmocka catches signals; here they are the result. */
		signal(SIGABRT, SIG_DFL);
		signal(SIGSEGV, SIG_DFL);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		run_failing(procedure, at, expected);
	}
	close(ends[1]);
	while ((length = read(ends[0], chunk, sizeof(chunk))) > 0)
		buf_add(said, chunk, (size_t)length);
	close(ends[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void torture(const char *name, procedure_fn *procedure, bool may_differ)
{
	CLEANUP_BUF struct buf expected = BUF_INIT(0);
	long at = 0;

	assert_int_equal(procedure(&expected), 0);
	for (;; at++) {
		CLEANUP_BUF struct buf said = BUF_INIT(4096);
		int status = fork_failing(procedure, at, buf_text(&expected), &said);

		if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_REACHED)
			break;
		if (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT &&
			strstr(buf_text(&said), "out of memory"))
			continue;
		if (WIFEXITED(status) &&
			(WEXITSTATUS(status) == REFUSED || WEXITSTATUS(status) == DID_WITHOUT))
			continue;
		if (may_differ && WIFEXITED(status) && WEXITSTATUS(status) == DIFFERS)
			continue;
		fail_msg("%s, allocation %ld: %s %d: %s", name, at,
			WIFSIGNALED(status) ? "signal" : "exit status",
			WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status),
			buf_text(&said));
	}
	print_message("%s: %ld allocations\n", name, at);
	assert_true(at > 3);
}

static const struct {
	const char *name;
	procedure_fn *run;
} procedures[] = {
	{ "an answer of Prometheus", parse_an_answer },
	{ "the reports", print_reports },
	{ "the fold of a journal", fold_a_journal },
	{ "a command on the control socket", answer_a_command },
	{ "an answer of the proof address", read_a_proof },
	{ "a configuration", load_a_configuration },
};

/* As the program runs, with the hooks that main() sets. */
static void no_failure_passes_for_a_result(void **state)
{
	cJSON_Hooks hooks = { .malloc_fn = mem_alloc, .free_fn = free };

	(void)state;
	cJSON_InitHooks(&hooks);
	for (size_t i = 0; i < ARRAY_SIZE(procedures); i++)
		torture(procedures[i].name, procedures[i].run, false);
	cJSON_InitHooks(NULL);
}

/* The library's own allocator can fail: no NULL of it is followed. */
static void no_null_of_the_library_is_followed(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(procedures); i++)
		torture(procedures[i].name, procedures[i].run, true);
}

#endif

int main(void)
{
#if defined(__SANITIZE_ADDRESS__)
	return 0;
#else
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_failure_passes_for_a_result),
		cmocka_unit_test(no_null_of_the_library_is_followed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
