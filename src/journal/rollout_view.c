/* The fold of a rollout's events into what it is doing: see canaryctl/journal.h. Pure. */
#include "canaryctl/duration.h"
#include "canaryctl/journal.h"
#include "canaryctl/mem.h"

#include <cjson/cJSON.h>

#include <stdlib.h>
#include <string.h>

/* What no rollout reaches; a journal can be damaged, and its numbers are only believed within. */
#define MOST_STAGES    10000
#define LATEST_TIME_MS (INT64_C(1) << 52)

static void copy_text(const cJSON *object, const char *key, char *text, size_t size)
{
	const char *value = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	if (!value)
		return;
	strncpy(text, value, size - 1);
	text[size - 1] = '\0';
}

/* A whole number within bounds; whatever else a damaged record holds is `otherwise`. */
static int64_t whole_of(const cJSON *object, const char *key, int64_t highest, int64_t otherwise)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) ||
		!(item->valuedouble >= 0 && item->valuedouble <= (double)highest))
		return otherwise;
	return (int64_t)item->valuedouble;
}

static weight_t weight_of(const cJSON *object, const char *key)
{
	return (weight_t)whole_of(object, key, WEIGHT_FULL, WEIGHT_UNKNOWN);
}

/* A rollout that goes on with what an interrupted one had counted says so at its start. */
static void take_evidence(struct rollout_view *view, const cJSON *data)
{
	const cJSON *evidence = cJSON_GetObjectItemCaseSensitive(data, "evidence");
	char *text = evidence ? cJSON_PrintUnformatted(evidence) : NULL;

	if (!text)
		return;
	free(view->evidence);
	view->evidence = mem_strdup(text);
	cJSON_free(text);
}

static void take_started(
	struct rollout_view *view, const cJSON *data, const struct journal_record *record)
{
	rollout_view_release(view);
	*view = (struct rollout_view){ .proven = WEIGHT_UNKNOWN };
	strncpy(view->deployment, record->deployment, sizeof(view->deployment) - 1);
	copy_text(data, "version", view->version, sizeof(view->version));
	view->stage_count = (int)whole_of(data, "stage_count", MOST_STAGES, 0);
	view->started_at = record->time;
	take_evidence(view, data);
}

static void take_state(
	struct rollout_view *view, const cJSON *data, const struct journal_record *record)
{
	char name[32] = "";

	copy_text(data, "to", name, sizeof(name));
	rollout_state_parse(name, &view->state);
	copy_text(data, "why", view->why, sizeof(view->why));
	if (view->state == ROLLOUT_OBSERVING) {
		view->stage_started_at = record->time;
		view->stage_ends_at =
			record->time + whole_of(data, "observe_ms", DURATION_MAX_MS, 0);
	}
}

void rollout_view_take(struct rollout_view *view, const struct journal_record *record)
{
	cJSON *data = cJSON_Parse(record->data);

	if (strcmp(record->type, "started") == 0) {
		take_started(view, data, record);
	} else if (strcmp(record->type, "state") == 0) {
		take_state(view, data, record);
	} else if (strcmp(record->type, "shift_intent") == 0) {
		view->intent = weight_of(data, "weight");
		view->stage = (int)whole_of(data, "stage", MOST_STAGES, view->stage);
		view->proven = WEIGHT_UNKNOWN;
	} else if (strcmp(record->type, "world") == 0) {
		if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(data, "proven")))
			view->proven = weight_of(data, "weight");
	} else if (strcmp(record->type, "shift_outcome") == 0) {
		view->proven = weight_of(data, "proven_weight");
	} else if (strcmp(record->type, "evaluation") == 0) {
		free(view->evaluation);
		view->evaluation = mem_strdup(record->data);
		take_evidence(view, data);
	} else if (strcmp(record->type, "extended") == 0) {
		view->stage_ends_at = whole_of(data, "until_ms", LATEST_TIME_MS, 0);
	} else if (strcmp(record->type, "finished") == 0) {
		free(view->report);
		view->report = mem_strdup(record->data);
	}
	cJSON_Delete(data);
}

void rollout_view_release(struct rollout_view *view)
{
	free(view->evaluation);
	free(view->evidence);
	free(view->report);
	view->evaluation = view->evidence = view->report = NULL;
}

bool rollout_view_needs_recovery(const struct rollout_view *view)
{
	return view->deployment[0] && (!view->report || view->state == ROLLOUT_ROLLBACK_FAILED);
}

static void take(const struct journal_record *record, void *context)
{
	rollout_view_take(context, record);
}

int journal_fold_newest(struct journal *journal, struct rollout_view *ret_view, struct error *err)
{
	return journal_read(journal, NULL, take, ret_view, err);
}
