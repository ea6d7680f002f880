/*
 * git {repository, tag, at_head, clean}: is the release tagged, does the tag mean what is checked
 * out, is everything committed. Asks git itself; all questions at the same time.
 */
#include "canaryctl/config.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"
#include "checks/check_kinds.h"
#include "checks/measure.h"
#include "checks/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_MS = 10000, HASH_SHOWN = 10 };

struct git_params {
	char *repository;
	char *tag;
	bool at_head;
	bool clean;
};

static const struct schema_row rows[] = {
	{ .name = "repository",
		.type = SCHEMA_PATH,
		.offset = offsetof(struct git_params, repository),
		.help = "its folder, or one in it; default: that of the configuration" },
	{ .name = "tag",
		.type = SCHEMA_STRING,
		.offset = offsetof(struct git_params, tag),
		.help = "a tag that must be there, such as `${version}`" },
	{ .name = "at_head",
		.type = SCHEMA_BOOL,
		.offset = offsetof(struct git_params, at_head),
		.default_text = "false",
		.help = "the tag must be of the commit that is checked out" },
	{ .name = "clean",
		.type = SCHEMA_BOOL,
		.offset = offsetof(struct git_params, clean),
		.default_text = "false",
		.help = "nothing may be changed or untracked" },
	{ 0 },
};

enum question { QUESTION_TAG, QUESTION_HEAD, QUESTION_STATUS, QUESTION_COUNT };

struct git_state {
	char *tag;
	struct proc_op answers[QUESTION_COUNT];
	bool was_asked[QUESTION_COUNT];
};

static void ask(struct check_run *run, enum question question, char *const *words)
{
	const struct git_params *params = run->check->params;
	struct git_state *state = run->state;
	const char *folder = params->repository ? params->repository : run->context->config->folder;
	char *argv[8] = { (char[]){ "git" }, (char[]){ "-C" }, (char *)(uintptr_t)folder };
	struct proc_options options = { .argv = argv, .timeout_ms = TIMEOUT_MS };

	for (size_t i = 0; words[i]; i++)
		argv[3 + i] = words[i];
	state->was_asked[question] = true;
	proc_start(&state->answers[question], &run->task, &options);
}

static enum task_next git_ask(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct git_params *params = run->check->params;
	struct git_state *state = run->state;
	struct error err = { 0 };
	char verify[] = "--verify", quiet[] = "--quiet", rev_parse[] = "rev-parse", head[] = "HEAD";
	char status[] = "status", porcelain[] = "--porcelain";

	if (params->tag) {
		CLEANUP_FREE char *name = NULL;

		state->tag = check_expand(run->context, params->tag, &err);
		if (!state->tag)
			return measure_unasked(run, &err);
		/* With the prefix no name can be taken for an option or another ref. */
		name = mem_format("refs/tags/%s^{commit}", state->tag);
		ask(run, QUESTION_TAG, (char *[]){ rev_parse, verify, quiet, name, NULL });
	}
	if (params->at_head || !params->tag)
		ask(run, QUESTION_HEAD, (char *[]){ rev_parse, verify, head, NULL });
	if (params->clean)
		ask(run, QUESTION_STATUS, (char *[]){ status, porcelain, NULL });
	return TASK_WAIT;
}

static void check_tag(
	const struct git_params *params, const struct git_state *state, struct buf *problem)
{
	const struct proc_op *tag = &state->answers[QUESTION_TAG];
	const struct proc_op *head = &state->answers[QUESTION_HEAD];

	if (tag->exit_status != 0)
		buf_add_format(problem, "there is no tag '%s'", state->tag);
	else if (params->at_head && strcmp(buf_text(&tag->output), buf_text(&head->output)) != 0)
		buf_add_format(problem, "tag '%s' is of commit %.*s, but %.*s is checked out",
			state->tag, HASH_SHOWN, buf_text(&tag->output), HASH_SHOWN,
			buf_text(&head->output));
}

static void check_clean(const struct proc_op *status, struct buf *problem)
{
	CLEANUP_FREE char *first = NULL;
	const char *text = buf_text(&status->output);

	if (!status->output.length)
		return;
	first = mem_strndup(text, strcspn(text, "\n"));
	buf_add_format(problem, "%snot everything is committed: ", problem->length ? "; " : "");
	buf_add_printable(problem, first);
}

/* A missing tag is an answer; git that cannot run, or a folder that is no repository, is none. */
static bool could_not_ask(const struct git_state *state, struct error *err)
{
	for (int i = 0; i < QUESTION_COUNT; i++) {
		const struct proc_op *answer = &state->answers[i];

		if (!state->was_asked[i])
			continue;
		if (i == QUESTION_TAG && answer->exit_status == 1)
			continue;
		if (!proc_succeeded(answer, "git", err))
			return true;
	}
	return false;
}

static enum task_next git_answered(struct task *task)
{
	struct check_run *run = container_of(task, struct check_run, task);
	const struct git_params *params = run->check->params;
	struct git_state *state = run->state;
	struct measurement *m = &run->measurement;
	CLEANUP_BUF struct buf problem = BUF_INIT(sizeof(m->message) - 1);
	struct error err = { 0 };

	if (could_not_ask(state, &err))
		return measure_error(run, &err);
	m->measured = MEASURED_VALUE;
	if (params->tag)
		check_tag(params, state, &problem);
	if (params->clean)
		check_clean(&state->answers[QUESTION_STATUS], &problem);
	m->fails = problem.length > 0;
	if (!m->fails)
		buf_add_format(&problem, "%s%s%s%s", params->tag ? "tag '" : "commit ",
			params->tag ? state->tag : "", params->tag ? "' is there" : "is there",
			params->clean ? ", everything is committed" : "");
	snprintf(m->message, sizeof(m->message), "%s", buf_text(&problem));
	return measure_end(run);
}

static const struct task_step steps[] = {
	{ "ask", git_ask },
	{ "answered", git_answered },
	{ 0 },
};

static int validate(const struct check_config *check, struct error *err)
{
	const struct git_params *params = check->params;

	if (check_validate_no_condition(check, err) < 0)
		return -1;
	if (params->at_head && !params->tag)
		return error_set(err, ERROR_CONFIG, 0,
			"check '%s' wants a tag at HEAD and names none", check->name);
	if (params->tag || params->clean)
		return 0;
	return error_set(err, ERROR_CONFIG, 0,
		"check '%s' asks git for nothing: give it a tag, or clean: true", check->name);
}

static void start(struct check_run *run, struct task *parent)
{
	run->state = mem_alloc(sizeof(struct git_state));
	task_start_child(&run->task, parent, "git", steps);
}

static void release(struct check_run *run)
{
	struct git_state *state = run->state;

	for (int i = 0; i < QUESTION_COUNT; i++)
		proc_release(&state->answers[i]);
	free(state->tag);
	free(state);
	run->state = NULL;
}

const struct check_kind check_kind_git = {
	.name = "git",
	.help = "a git repository: a tag, at the commit that is checked out, nothing uncommitted",
	.unit = UNIT_PLAIN,
	.rows = rows,
	.params_size = sizeof(struct git_params),
	.validate = validate,
	.start = start,
	.release = release,
};
