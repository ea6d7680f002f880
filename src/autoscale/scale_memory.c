/* When each service was last scaled: see scale_memory.h. */
#include "autoscale/scale_memory.h"

#include "canaryctl/clock.h"
#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EVENT_BEGAN   "began"
#define EVENT_INTENT  "scale_intent"
#define EVENT_OUTCOME "scale_outcome"

static void say(struct autoscaler *autoscaler, const char *what, const struct error *err)
{
	free(autoscaler->note);
	autoscaler->note = mem_format("%s: %s", what, err->message);
}

/* With the time in their names, so that a person can look at them. */
static int move_away(const char *folder, struct error *err)
{
	static const char *const names[] = { "journal.db", "journal.db-wal", "journal.db-shm" };
	char time[CLOCK_TEXT_SIZE];

	clock_format_compact(clock_wall_ms(), time);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		CLEANUP_FREE char *from = mem_format("%s/%s", folder, names[i]);
		CLEANUP_FREE char *to = mem_format("%s/damaged-%s-%s", folder, time, names[i]);

		if (rename(from, to) < 0 && errno != ENOENT)
			return error_set(err, ERROR_IO, errno, "cannot move '%s' away", from);
	}
	return 0;
}

static void visit_nothing(const struct journal_record *record, void *context)
{
	(void)record;
	(void)context;
}

/* SQLite says that a file is damaged only when it is read. */
static struct journal *open_sound(const char *folder, bool writes, struct error *err)
{
	struct journal *journal =
		writes ? journal_open(folder, err) : journal_open_for_reading(folder, err);

	if (journal && journal_read(journal, NULL, visit_nothing, NULL, err) < 0) {
		journal_close(journal);
		return NULL;
	}
	return journal;
}

/* Without --apply: nothing is created, nothing is mended. */
static void open_to_look(struct autoscaler *autoscaler, const char *folder)
{
	CLEANUP_FREE char *path = mem_format("%s/journal.db", folder);
	struct error err = { 0 };

	if (access(path, F_OK) < 0)
		return;
	autoscaler->journal = open_sound(folder, false, &err);
	autoscaler->memory_lost = !autoscaler->journal;
	if (autoscaler->memory_lost)
		say(autoscaler, "when it last scaled cannot be read", &err);
}

/* After a memory was lost: what was scaled before now is not known, of no service. */
static int begin_anew(struct autoscaler *autoscaler, struct error *err)
{
	const struct autoscaling_config *autoscaling = &autoscaler->config->autoscaling;

	for (size_t i = 0; i < autoscaling->rule_count; i++) {
		if (journal_append(autoscaler->journal, autoscaling->rules[i].service, EVENT_BEGAN,
			    "{}", err) < 0)
			return -1;
	}
	return 0;
}

static int open_to_apply(struct autoscaler *autoscaler, const char *folder, struct error *err)
{
	if (fileio_make_folders(folder, 0700, err) < 0 || state_folder_check(folder, err) < 0)
		return -1;
	if (lock_take(folder, "autoscale", &autoscaler->lock, err) < 0) {
		if (err->kind == ERROR_LOCKED)
			error_hint(err, "one autoscaler applies at a time; without --apply any "
					"number may look");
		return -1;
	}
	autoscaler->journal = open_sound(folder, true, err);
	if (autoscaler->journal)
		return 0;
	say(autoscaler, "when it last scaled could not be read, so a new memory begins", err);
	if (move_away(folder, err) < 0)
		return -1;
	error_clear(err);
	autoscaler->journal = journal_open(folder, err);
	return autoscaler->journal ? begin_anew(autoscaler, err) : -1;
}

int scale_memory_open(struct autoscaler *autoscaler, struct error *err)
{
	CLEANUP_FREE char *state = state_folder(autoscaler->config, autoscaler->applies, err);
	CLEANUP_FREE char *folder = state ? mem_format("%s/autoscale", state) : NULL;

	autoscaler->lock = (struct lock)LOCK_INIT;
	if (!state)
		return -1;
	if (autoscaler->applies)
		return open_to_apply(autoscaler, folder, err);
	open_to_look(autoscaler, folder);
	return 0;
}

void scale_memory_close(struct autoscaler *autoscaler)
{
	journal_close(autoscaler->journal);
	autoscaler->journal = NULL;
	lock_release(&autoscaler->lock);
	free(autoscaler->note);
	autoscaler->note = NULL;
}

/* ---- events ---- */

void scale_memory_take(struct scale_memory *memory, const struct journal_record *record)
{
	cJSON *data = cJSON_Parse(record->data);
	const char *action = cJSON_GetStringValue(cJSON_GetObjectItem(data, "action"));

	/* A command that was killed may have done its work: its intent counts. */
	if (strcmp(record->type, EVENT_INTENT) == 0 || strcmp(record->type, EVENT_OUTCOME) == 0) {
		memory->state = SCALE_REMEMBERED;
		memory->at_ms = record->time;
		memory->action = action && strcmp(action, scale_action_name(SCALE_DOWN)) == 0
					 ? SCALE_DOWN
					 : SCALE_UP;
		memory->has_failed = !cJSON_IsTrue(cJSON_GetObjectItem(data, "succeeded"));
	} else if (strcmp(record->type, EVENT_BEGAN) == 0) {
		memory->state = SCALE_SINCE;
		memory->at_ms = record->time;
	}
	cJSON_Delete(data);
}

static void visit(const struct journal_record *record, void *context)
{
	scale_memory_take(context, record);
}

void scale_memory_read(
	struct autoscaler *autoscaler, const char *service, struct scale_memory *ret_memory)
{
	struct error err = { 0 };

	*ret_memory = (struct scale_memory){ 0 };
	if (!autoscaler->journal) {
		ret_memory->state = autoscaler->memory_lost ? SCALE_LOST : SCALE_NEVER;
		return;
	}
	if (journal_read(autoscaler->journal, service, visit, ret_memory, &err) < 0) {
		ret_memory->state = SCALE_LOST;
		say(autoscaler, "when it last scaled cannot be read", &err);
	}
}

static int append(struct autoscaler *autoscaler, const struct scale_report *report,
	const char *type, bool has_ended, struct error *err)
{
	const struct scale_decision *decision = &report->decision;
	cJSON *data = cJSON_CreateObject();
	char *text;
	int result;

	cJSON_AddStringToObject(data, "action", scale_action_name(decision->action));
	cJSON_AddNumberToObject(data, "from", (double)report->replicas);
	cJSON_AddNumberToObject(data, "to", (double)decision->to);
	cJSON_AddStringToObject(data, "reason", decision->reason);
	if (has_ended) {
		cJSON_AddBoolToObject(data, "succeeded", report->was_applied);
		cJSON_AddStringToObject(data, "error", report->error.message);
	}
	text = cJSON_PrintUnformatted(data);
	if (!text)
		BUG("out of memory for JSON");
	result = journal_append(autoscaler->journal, report->rule->service, type, text, err);
	cJSON_free(text);
	cJSON_Delete(data);
	return result;
}

int scale_memory_intend(
	struct autoscaler *autoscaler, const struct scale_report *report, struct error *err)
{
	return append(autoscaler, report, EVENT_INTENT, false, err);
}

int scale_memory_conclude(
	struct autoscaler *autoscaler, const struct scale_report *report, struct error *err)
{
	return append(autoscaler, report, EVENT_OUTCOME, true, err);
}
