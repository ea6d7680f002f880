/*
 * Notifications: a webhook per `notify` entry, for the events that it asks for. They run beside the
 * rollout and never hold it up; at its end the last ones get a few seconds.
 */
#include "canaryctl/clock.h"
#include "canaryctl/log.h"

#include "rollout/rollout_private.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

enum { NOTIFY_TIMEOUT_MS = 5000 };
enum notify_format { NOTIFY_SLACK, NOTIFY_JSON, NOTIFY_CLOUDEVENTS };

struct notification {
	struct task task;
	struct http_op http;
	const struct notify_config *config;
	const char *event;
	char *body;
	struct notification *next;
};

static enum task_next post(struct task *task)
{
	struct notification *notification = container_of(task, struct notification, task);
	bool is_cloudevent = notification->config->format == NOTIFY_CLOUDEVENTS;
	struct http_request request = { .url = notification->config->webhook,
		.body = notification->body,
		.content_type = is_cloudevent ? "application/cloudevents+json" : "application/json",
		.timeout_ms = NOTIFY_TIMEOUT_MS,
		.maximum_bytes = 64 << 10 };

	http_start(&notification->http, task, &request);
	return TASK_WAIT;
}

/* The path of a webhook is its secret: only scheme and host are said. */
static enum task_next posted(struct task *task)
{
	struct notification *notification = container_of(task, struct notification, task);
	const struct http_op *http = &notification->http;
	const char *url = notification->config->webhook;
	const char *host = strstr(url, "://");
	size_t length = host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#") : 0;

	if (http->error.kind != ERROR_NONE)
		log_warn("nobody was told of '%s' at %.*s: %s", notification->event, (int)length,
			url, http->error.message);
	else if (http->status < 200 || http->status > 299)
		log_warn("nobody was told of '%s' at %.*s: it answered %ld", notification->event,
			(int)length, url, http->status);
	return TASK_DONE;
}

static const struct task_step steps[] = { { "post", post }, { "posted", posted }, { 0 } };

/* ---- what it says ---- */
static char *sentence(const struct rollout *rollout, const char *event)
{
	const struct rollout_report *report = &rollout->report;
	char weight[WEIGHT_TEXT_SIZE] = "?";

	if (report->traffic.canary != WEIGHT_UNKNOWN)
		weight_format(report->traffic.canary, weight);
	return mem_format("%s %s: %s%s%s (canary at %s %%, %s)", report->service, report->version,
		event, report->has_reason ? ": " : "",
		report->has_reason ? report->reason.message : "", weight,
		report->traffic.is_proven ? "proven" : "not proven");
}

static cJSON *describe(const struct rollout *rollout, const char *event)
{
	const struct rollout_report *report = &rollout->report;
	cJSON *data = cJSON_CreateObject();
	char time[CLOCK_TEXT_SIZE];
	char *text = sentence(rollout, event);

	cJSON_AddStringToObject(data, "event", event);
	cJSON_AddStringToObject(data, "time", clock_format_utc(clock_wall_ms(), time));
	cJSON_AddStringToObject(data, "service", report->service);
	cJSON_AddStringToObject(data, "version", report->version);
	cJSON_AddStringToObject(data, "deployment", report->deployment);
	cJSON_AddNumberToObject(data, "stage", report->stages[rollout->stage].index);
	if (report->traffic.canary != WEIGHT_UNKNOWN)
		cJSON_AddNumberToObject(data, "canary_weight", report->traffic.canary / 100.0);
	cJSON_AddBoolToObject(data, "proven", report->traffic.is_proven);
	cJSON_AddStringToObject(data, "message", text);
	free(text);
	return data;
}

static cJSON *wrap_cloudevent(const struct rollout *rollout, const char *event, cJSON *data)
{
	cJSON *envelope = cJSON_CreateObject();
	CLEANUP_FREE char *type = mem_format("io.canaryctl.rollout.%s", event);
	CLEANUP_FREE char *source = mem_format("/canaryctl/%s", rollout->report.service);
	CLEANUP_FREE char *id = mem_format("%s/%s", rollout->report.deployment, event);

	cJSON_AddStringToObject(envelope, "specversion", "1.0");
	cJSON_AddStringToObject(envelope, "type", type);
	cJSON_AddStringToObject(envelope, "source", source);
	cJSON_AddStringToObject(envelope, "id", id);
	cJSON_AddStringToObject(envelope, "datacontenttype", "application/json");
	cJSON_AddItemToObject(envelope, "data", data);
	return envelope;
}

static char *body_of(
	const struct rollout *rollout, const struct notify_config *config, const char *event)
{
	cJSON *data = describe(rollout, event);
	cJSON *slack;
	char *printed, *body;

	if (config->format == NOTIFY_CLOUDEVENTS) {
		data = wrap_cloudevent(rollout, event, data);
	} else if (config->format == NOTIFY_SLACK) {
		slack = cJSON_CreateObject();
		cJSON_AddItemToObject(slack, "text", cJSON_DetachItemFromObject(data, "message"));
		cJSON_Delete(data);
		data = slack;
	}
	printed = cJSON_PrintUnformatted(data);
	body = mem_strdup(printed ? printed : "{}");
	cJSON_free(printed);
	cJSON_Delete(data);
	return body;
}

static bool is_wanted(const struct notify_config *config, const char *event)
{
	for (size_t i = 0; i < config->on.count; i++) {
		if (strcmp(config->on.items[i], event) == 0)
			return true;
	}
	return config->on.count == 0;
}

void notify_send(struct rollout *rollout, const char *event)
{
	for (size_t i = 0; i < rollout->config->notify_count; i++) {
		const struct notify_config *config = &rollout->config->notify[i];
		struct notification *notification;

		if (!is_wanted(config, event))
			continue;
		notification = mem_alloc(sizeof(*notification));
		notification->config = config;
		notification->event = event;
		notification->body = body_of(rollout, config, event);
		notification->next = rollout->notifications;
		rollout->notifications = notification;
		task_start(&notification->task, rollout->loop, "notify", steps);
	}
}

void notify_wait(struct rollout *rollout)
{
	while (rollout->notifications) {
		struct notification *notification = rollout->notifications;

		rollout->notifications = notification->next;
		loop_run(rollout->loop, &notification->task);
		http_release(&notification->http);
		free(notification->body);
		free(notification);
	}
}
