/*
 * What a rollout leaves behind and tells: its report, the journal's events, and what the
 * observers hear. Building and formatting only; nothing here decides.
 */
#include "canaryctl/check_memory.h"
#include "canaryctl/clock.h"
#include "canaryctl/log.h"

#include "rollout/rollout_private.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the report ---- */
static void add_check(struct rollout *rollout, const struct check_config *check)
{
	if (check)
		rollout->checks[rollout->check_count++] = check;
}

static void collect_checks(struct rollout *rollout)
{
	const struct config *config = rollout->config;
	struct arena *arena = &rollout->report.arena;
	size_t room = config->check_count + 2;

	rollout->checks = mem_array(room, sizeof(*rollout->checks));
	rollout->asked = mem_array(room, sizeof(*rollout->asked));
	rollout->records = mem_array(room, sizeof(*rollout->records));
	rollout->memories = mem_array(room, sizeof(*rollout->memories));
	add_check(rollout, check_build_health(arena, config, rollout->report.version));
	add_check(rollout, check_build_share(arena, config));
	for (size_t i = 0; i < config->check_count; i++)
		add_check(rollout, &config->checks[i]);
}

static void build_stage(struct rollout *rollout, size_t index)
{
	struct stage_report *stage = &rollout->report.stages[index];

	stage->index = (int)index + 1;
	stage->weight = rollout->config->rollout.stages[index].weight;
	stage->observe_ms = config_stage_observe_ms(rollout->config, index);
	stage->check_count = rollout->check_count;
	stage->checks =
		arena_alloc(&rollout->report.arena, rollout->check_count * sizeof(*stage->checks));
	for (size_t i = 0; i < rollout->check_count; i++)
		stage->checks[i].check = rollout->checks[i];
}

void rollout_report_build(struct rollout *rollout)
{
	struct rollout_report *report = &rollout->report;
	char time[CLOCK_TEXT_SIZE];

	report->started_at = clock_wall_ms();
	report->deployment = arena_format(&report->arena, "%s-%s",
		clock_format_compact(report->started_at, time), rollout->request->version);
	report->service = rollout->config->service;
	report->version = rollout->request->version;
	report->traffic.canary = WEIGHT_UNKNOWN;
	collect_checks(rollout);
	report->stage_count = rollout->config->rollout.stage_count;
	report->stages = arena_alloc(&report->arena, report->stage_count * sizeof(*report->stages));
	for (size_t i = 0; i < report->stage_count; i++)
		build_stage(rollout, i);
}

static void note_existence(const struct journal_record *record, void *context)
{
	(void)record;
	*(bool *)context = true;
}

int rollout_make_unique(struct rollout *rollout, struct error *err)
{
	struct rollout_report *report = &rollout->report;
	const char *wanted = report->deployment;

	for (int number = 2;; number++) {
		bool exists = false;

		if (journal_read(
			    rollout->journal, report->deployment, note_existence, &exists, err) < 0)
			return -1;
		if (!exists)
			return 0;
		report->deployment = arena_format(&report->arena, "%s-%d", wanted, number);
	}
}

/* The first reason stays: what comes after it is only its consequence. */
static struct rollout_reason *new_reason(struct rollout *rollout)
{
	struct rollout_reason *reason = &rollout->report.reason;

	if (rollout->report.has_reason)
		return NULL;
	rollout->report.has_reason = true;
	*reason = (struct rollout_reason){ .result = CHECK_ERROR };
	if (rollout->report.stages[rollout->stage].state != STAGE_PENDING ||
		rollout->state == ROLLOUT_SHIFTING) {
		reason->stage = rollout_stage(rollout)->index;
		reason->weight = rollout_stage(rollout)->weight;
	}
	return reason;
}

void rollout_reason_of_error(struct rollout *rollout, const struct error *err)
{
	struct rollout_reason *reason = new_reason(rollout);

	if (!reason)
		return;
	strncpy(reason->message, err->message, sizeof(reason->message) - 1);
	strncpy(reason->hint, err->hint, sizeof(reason->hint) - 1);
}

/* The condition that decided, as written. */
static const char *deciding_limit(const struct check_report *record)
{
	const struct check_config *check = record->check;
	return record->last.is_critical && check->critical.text
		       ? check->critical.text
		       : check_limit(check, &record->last.measurement);
}

void rollout_reason_of_check(struct rollout *rollout, const struct check_report *record)
{
	struct rollout_reason *reason = new_reason(rollout);
	const struct verdict *verdict = &record->last;
	const struct measurement *measurement = &verdict->measurement;

	if (!reason)
		return;
	reason->result = verdict->result;
	reason->has_value = measurement->has_value;
	reason->value = measurement->value;
	reason->has_samples = measurement->has_samples;
	reason->samples = measurement->samples;
	strncpy(reason->check, record->check->name, sizeof(reason->check) - 1);
	strncpy(reason->limit, deciding_limit(record), sizeof(reason->limit) - 1);
	strncpy(reason->message, verdict->message, sizeof(reason->message) - 1);
	if (verdict->result == CHECK_NO_DATA)
		strncpy(reason->hint,
			"too little was measured to decide: mend what is said above, or give the "
			"stage more traffic (--stages) or time (--observation-period)",
			sizeof(reason->hint) - 1);
	else if (record->check->hint)
		strncpy(reason->hint, record->check->hint, sizeof(reason->hint) - 1);
}

/* ---- the observers ---- */
static void tell(struct rollout *rollout, struct rollout_event *event)
{
	const struct rollout_request *request = rollout->request;

	event->time = clock_wall_ms();
	event->report = &rollout->report;
	event->state = rollout_state_name(rollout->state);
	event->stage = rollout_stage(rollout);
	for (size_t i = 0; i < request->observer_count; i++)
		request->observers[i]->on_event(request->observers[i], event);
}

void rollout_tell(struct rollout *rollout, enum rollout_event_kind kind, const char *text)
{
	tell(rollout, &(struct rollout_event){ .kind = kind, .text = text });
}

void rollout_tell_state(struct rollout *rollout, const char *text, bool is_held)
{
	tell(rollout, &(struct rollout_event){
			      .kind = EVENT_STATE_CHANGED, .text = text, .is_held = is_held });
}

void rollout_tell_evaluated(struct rollout *rollout, bool is_counted, int64_t left_ms)
{
	tell(rollout, &(struct rollout_event){ .kind = EVENT_EVALUATED,
			      .is_counted = is_counted,
			      .stage_left_ms = left_ms });
}

/* The driver's warnings, a line each. */
void rollout_tell_notes(struct rollout *rollout)
{
	CLEANUP_FREE char *notes = mem_strdup(buf_text(&rollout->change.notes));
	char *rest = notes;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			rollout_tell(rollout, EVENT_NOTE, line);
	}
}

/* ---- the journal ---- */
bool rollout_journal(struct rollout *rollout, const char *type, const char *data)
{
	struct error err = { 0 };

	if (!rollout->journal)
		return false;
	if (journal_append(rollout->journal, rollout->report.deployment, type, data, &err) == 0)
		return true;
	log_error("%s", err.message);
	log_error("going on without a journal; what happens is no longer recorded");
	journal_close(rollout->journal);
	rollout->journal = NULL;
	return false;
}

/* Takes the object. */
static bool append_object(struct rollout *rollout, const char *type, cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);
	bool result = rollout_journal(rollout, type, text ? text : "{}");

	cJSON_free(text);
	cJSON_Delete(object);
	return result;
}

bool rollout_journal_started(struct rollout *rollout)
{
	cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "version", rollout->report.version);
	cJSON_AddStringToObject(data, "service", rollout->report.service);
	cJSON_AddNumberToObject(data, "pid", (double)getpid());
	cJSON_AddNumberToObject(data, "user", (double)getuid());
	cJSON_AddStringToObject(data, "config", rollout->config->path);
	cJSON_AddStringToObject(data, "config_hash", rollout->config->hash);
	cJSON_AddNumberToObject(data, "stage_count", (double)rollout->report.stage_count);
	if (rollout->request->evidence)
		cJSON_AddRawToObject(data, "evidence", rollout->request->evidence);
	return append_object(rollout, "started", data);
}

static cJSON *traffic_object(const struct traffic_state *traffic)
{
	cJSON *data = cJSON_CreateObject();

	cJSON_AddNumberToObject(data, "weight", traffic->canary);
	cJSON_AddBoolToObject(data, "proven", traffic->is_proven);
	cJSON_AddBoolToObject(data, "braked", traffic->is_braked);
	cJSON_AddStringToObject(data, "generation", traffic->generation);
	return data;
}

bool rollout_journal_world(struct rollout *rollout)
{
	return append_object(rollout, "world", traffic_object(&rollout->report.traffic));
}

bool rollout_journal_state(struct rollout *rollout, const struct rollout_decision *decision)
{
	cJSON *data = cJSON_CreateObject();

	cJSON_AddStringToObject(data, "to", rollout_state_name(decision->to));
	cJSON_AddStringToObject(data, "why", decision->why);
	cJSON_AddNumberToObject(data, "observe_ms", (double)rollout_stage(rollout)->observe_ms);
	return append_object(rollout, "state", data);
}

bool rollout_journal_intent(struct rollout *rollout, weight_t weight)
{
	cJSON *data = cJSON_CreateObject();

	cJSON_AddNumberToObject(data, "weight", weight);
	if (rollout->state == ROLLOUT_SHIFTING)
		cJSON_AddNumberToObject(data, "stage", rollout_stage(rollout)->index);
	return append_object(rollout, "shift_intent", data);
}

bool rollout_journal_outcome(struct rollout *rollout)
{
	static const char *const outcomes[] = { [TRAFFIC_PROVEN] = "proven",
		[TRAFFIC_UNDONE] = "undone",
		[TRAFFIC_BRAKED] = "braked",
		[TRAFFIC_LOST] = "lost" };
	const struct traffic_change *change = &rollout->change;
	cJSON *data = traffic_object(&change->state);
	weight_t proven = change->outcome == TRAFFIC_BRAKED ? 0
			  : change->outcome == TRAFFIC_LOST ? WEIGHT_UNKNOWN
							    : change->state.canary;

	cJSON_AddStringToObject(data, "outcome", outcomes[change->outcome]);
	cJSON_AddNumberToObject(data, "proven_weight", proven);
	if (change->error.kind != ERROR_NONE)
		cJSON_AddStringToObject(data, "error", change->error.message);
	return append_object(rollout, "shift_outcome", data);
}

static cJSON *check_object(const struct check_report *record)
{
	const struct verdict *verdict = &record->last;
	const struct measurement *measurement = &verdict->measurement;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "name", record->check->name);
	cJSON_AddStringToObject(object, "result", check_result_name(verdict->result));
	if (measurement->has_value && isfinite(measurement->value))
		cJSON_AddNumberToObject(object, "value", measurement->value);
	if (measurement->has_samples && isfinite(measurement->samples))
		cJSON_AddNumberToObject(object, "samples", measurement->samples);
	cJSON_AddStringToObject(object, "message", verdict->message);
	return object;
}

bool rollout_journal_evaluation(struct rollout *rollout)
{
	cJSON *data = cJSON_CreateObject();
	cJSON *checks = cJSON_AddArrayToObject(data, "checks");
	cJSON *evidence = rollout_evidence_object(rollout);

	cJSON_AddNumberToObject(data, "stage", rollout_stage(rollout)->index);
	for (size_t i = 0; i < rollout->asked_count; i++)
		cJSON_AddItemToArray(checks, check_object(rollout->records[i]));
	if (evidence)
		cJSON_AddItemToObject(data, "evidence", evidence);
	return append_object(rollout, "evaluation", data);
}

bool rollout_journal_extended(struct rollout *rollout)
{
	const struct stage_report *stage = rollout_stage(rollout);
	cJSON *data = cJSON_CreateObject();

	cJSON_AddNumberToObject(data, "until_ms",
		(double)(stage->shifted_at + stage->observe_ms + stage->extended_ms +
			 rollout->paused_ms));
	return append_object(rollout, "extended", data);
}

bool rollout_owns_journal(struct rollout *rollout)
{
	struct rollout_view view = { 0 };
	struct error err = { 0 };
	bool owns = true;

	/* What cannot be read says nothing; the next write will. */
	if (rollout->journal && journal_fold_newest(rollout->journal, &view, &err) == 0)
		owns = strcmp(view.deployment, rollout->report.deployment) == 0 && !view.report;
	rollout_view_release(&view);
	return owns;
}
