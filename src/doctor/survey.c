/* The survey of a configuration: see survey.h. */
#include "doctor/survey.h"

#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

static bool ends_with(const struct nginx_word *word, const char *end)
{
	size_t length = strlen(end);

	return word->length > length &&
	       memcmp(word->start + word->length - length, end, length) == 0;
}

static void note(struct survey *survey, char **ret_place, const struct nginx_visit *visit)
{
	if (!*ret_place)
		*ret_place = arena_format(
			&survey->dump.arena, "%s:%d", visit->file->path, visit->statement->line);
}

static char *word_text(struct survey *survey, const struct nginx_statement *statement, size_t i)
{
	return arena_strndup(
		&survey->dump.arena, statement->words[i].start, statement->words[i].length);
}

static bool has_word(const struct nginx_statement *statement, const char *word)
{
	for (size_t i = 1; i < statement->count; i++)
		if (nginx_word_is(statement, i, word))
			return true;
	return false;
}

/* proxy_, grpc_, fastcgi_, uwsgi_ and scgi_next_upstream. */
static void take_retries(struct survey *survey, const struct nginx_visit *visit)
{
	const struct nginx_word *http = nginx_find_word(visit->statement, "http_5");

	if (has_word(visit->statement, "off")) {
		note(survey, &survey->no_retries, visit);
		return;
	}
	note(survey, &survey->retries, visit);
	if (http)
		note(survey, &survey->retries_http, visit);
}

/* error_page 500 502 =200 /sorry.html; */
static void take_error_page(struct survey *survey, const struct nginx_visit *visit)
{
	const struct nginx_statement *statement = visit->statement;
	bool is_5xx = false, is_200 = false;

	for (size_t i = 1; i + 1 < statement->count; i++) {
		const char *word = statement->words[i].start;
		size_t length = statement->words[i].length;

		is_5xx |= length == 3 && word[0] == '5';
		is_200 |= length == 4 && word[0] == '=' && word[1] == '2';
	}
	if (is_5xx)
		note(survey, &survey->error_page_5xx, visit);
	if (is_5xx && is_200)
		note(survey, &survey->error_page_200, visit);
}

static void take_listen(struct survey *survey, const struct nginx_visit *visit)
{
	const struct nginx_statement *statement = visit->statement;
	struct survey_listen *listen = &survey->listens[survey->listen_count];

	if (statement->count < 2 || !nginx_visit_is_in(visit, "server"))
		return;
	if (has_word(statement, "reuseport"))
		note(survey, &survey->reuseport, visit);
	if (survey->listen_count == SURVEY_MOST)
		return;
	listen->text = word_text(survey, statement, 1);
	note(survey, &listen->place, visit);
	if (strncmp(listen->text, "unix:", 5) == 0)
		note(survey, &survey->unix_listen, visit);
	else if (!has_word(statement, "udp") && !has_word(statement, "quic"))
		listener_of_listen(listen->text, &listen->address);
	survey->listen_count++;
}

static void take_worker_processes(struct survey *survey, const struct nginx_statement *statement)
{
	CLEANUP_FREE char *number = statement->count == 2 ? mem_strndup(statement->words[1].start,
								    statement->words[1].length)
							  : mem_strdup("");

	survey->worker_processes = (int)strtol(number, NULL, 10);
}

static void take_include(struct survey *survey, const struct nginx_statement *statement)
{
	if (statement->count == 2 && survey->include_count < SURVEY_MOST)
		survey->includes[survey->include_count++] =
			nginx_dump_path(&survey->dump, &statement->words[1]);
}

static void take_pass(struct survey *survey, const struct nginx_statement *statement)
{
	if (statement->count == 2 && survey->pass_count < SURVEY_MOST)
		survey->passes[survey->pass_count++] = word_text(survey, statement, 1);
}

static void take_upstream(struct survey *survey, const struct nginx_visit *visit)
{
	struct survey_upstream *upstream = &survey->upstreams[survey->upstream_count];

	if (visit->statement->count != 2 || survey->upstream_count == SURVEY_MOST)
		return;
	upstream->name = word_text(survey, visit->statement, 1);
	upstream->file = visit->file->path;
	note(survey, &upstream->place, visit);
	survey->upstream_count++;
}

static void take(const struct nginx_visit *visit, void *context)
{
	struct survey *survey = context;
	const struct nginx_statement *statement = visit->statement;
	const struct nginx_word *name = &statement->words[0];

	if (!statement->count)
		return;
	if (nginx_word_is(statement, 0, "listen"))
		take_listen(survey, visit);
	else if (nginx_word_is(statement, 0, "upstream"))
		take_upstream(survey, visit);
	else if (nginx_word_is(statement, 0, "include"))
		take_include(survey, statement);
	else if (nginx_word_is(statement, 0, "worker_processes"))
		take_worker_processes(survey, statement);
	else if (nginx_word_is(statement, 0, "worker_shutdown_timeout"))
		note(survey, &survey->shutdown_timeout, visit);
	else if (nginx_word_is(statement, 0, "error_page"))
		take_error_page(survey, visit);
	else if (nginx_word_is(statement, 0, "open_file_cache") && !has_word(statement, "off"))
		note(survey, &survey->file_cache, visit);
	else if (nginx_word_is(statement, 0, "open_file_cache_errors") && has_word(statement, "on"))
		note(survey, &survey->file_cache_errors, visit);
	else if (ends_with(name, "_next_upstream"))
		take_retries(survey, visit);
	else if (ends_with(name, "_intercept_errors") && has_word(statement, "on"))
		note(survey, &survey->intercept, visit);
	else if (ends_with(name, "_pass"))
		take_pass(survey, statement);
}

void survey_make(const char *dump_text, struct survey *ret_survey)
{
	memset(ret_survey, 0, sizeof(*ret_survey));
	nginx_dump_split(dump_text, &ret_survey->dump);
	nginx_dump_walk(&ret_survey->dump, take, ret_survey);
}

void survey_release(struct survey *survey)
{
	nginx_dump_release(&survey->dump);
}

int survey_reads(const struct survey *survey, const char *path, const char *real, bool *ret_would)
{
	int reads = 0;

	*ret_would = false;
	for (size_t i = 0; i < survey->include_count; i++)
		*ret_would |= strcmp(survey->includes[i], path) == 0 ||
			      fnmatch(survey->includes[i], path, FNM_PATHNAME | FNM_PERIOD) == 0;
	for (size_t i = 0; i < survey->dump.count; i++) {
		const struct nginx_file *file = &survey->dump.files[i];

		if (strcmp(file->path, path) == 0 || (real && strcmp(file->path, real) == 0))
			reads += file->reads;
	}
	return reads;
}
