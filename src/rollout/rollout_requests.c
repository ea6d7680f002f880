/*
 * What somebody outside asks of a running rollout: signals, and commands over the control socket.
 * Callbacks only note it and end the current wait; the steps take it up where it is safe, which
 * is never in the middle of a shift or of a rollback.
 */
#include "rollout/rollout_private.h"

#include <cjson/cJSON.h>

#include <signal.h>
#include <string.h>

/* Ends a pause or an evaluation early; a change of traffic is never cut short. */
static void wake(struct rollout *rollout)
{
	/* The end does not wait for a hook, whatever it does; its last one is stopped as well. */
	if (rollout->requests.abort || rollout->requests.signal_number)
		hook_stop(rollout);
	/* The last look takes no requests: cut short, the traffic would not be proven. */
	if (rollout->report.outcome != OUTCOME_RUNNING)
		return;
	if (op_is_running(&rollout->pause.op))
		rollout->pause.op.cancel(&rollout->pause.op);
	if (op_is_running(&rollout->evaluation.task.as_child))
		task_cancel(&rollout->evaluation.task);
	if (op_is_running(&rollout->change.task.as_child) && rollout->change.goal == TRAFFIC_READ)
		task_cancel(&rollout->change.task);
	if (op_is_running(&rollout->preflight.task.as_child))
		task_cancel(&rollout->preflight.task);
}

static void on_signal(int signal_number, void *context)
{
	struct rollout *rollout = context;

	/* The first one decides; more of them do not make it less safe. */
	if (!rollout->requests.signal_number)
		rollout->requests.signal_number = signal_number;
	wake(rollout);
}

static const char *text_of(const cJSON *object, const char *key)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, key));

	return text ? text : "";
}

static void note_reason(struct requests *requests, const char *what, const char *reason)
{
	CLEANUP_BUF struct buf text = BUF_INIT(sizeof(requests->reason) - 1);

	buf_add_text(&text, what);
	if (*reason) {
		buf_add_text(&text, ": ");
		buf_add_printable(&text, reason);
	}
	memcpy(requests->reason, buf_text(&text), text.length + 1);
}

/* Notes the command; returns what to answer, or NULL when it cannot be done now. */
static const char *note_command(struct rollout *rollout, const char *command, const char *reason)
{
	struct requests *requests = &rollout->requests;

	if (strcmp(command, "stop_hook") == 0 && op_is_running(&rollout->hook.op)) {
		hook_stop(rollout);
		return "the hook is stopped";
	}
	/* A last hook or look may still run; nothing that is asked now would be done. */
	if (rollout_state_is_final(rollout->state) || rollout->report.outcome != OUTCOME_RUNNING)
		return NULL;
	if (strcmp(command, "rollback") == 0 || strcmp(command, "abort") == 0) {
		if (rollout->state == ROLLOUT_ROLLING_BACK)
			return "already rolling back";
		requests->abort = true;
		note_reason(requests,
			strcmp(command, "abort") == 0 ? "'canaryctl abort' was called"
						      : "'canaryctl rollback' was called",
			reason);
		return rollout->state == ROLLOUT_PREPARING ? "ending before the first stage"
							   : "rolling back";
	}
	if (strcmp(command, "pause") == 0 && rollout->state == ROLLOUT_OBSERVING) {
		requests->pause = true;
		return "paused: the checks go on, the stage does not end";
	}
	if (strcmp(command, "resume") == 0 && rollout->state == ROLLOUT_PAUSED) {
		requests->resume = true;
		return "resumed";
	}
	if (strcmp(command, "approve") == 0 && rollout->state == ROLLOUT_AWAITING_APPROVAL) {
		requests->approve = true;
		return "approved";
	}
	return NULL;
}

void rollout_on_line(const char *line, struct buf *ret_reply, void *context)
{
	struct rollout *rollout = context;
	cJSON *request = cJSON_Parse(line);
	const char *answer =
		note_command(rollout, text_of(request, "command"), text_of(request, "reason"));
	cJSON *reply = cJSON_CreateObject();
	char *text;

	cJSON_AddBoolToObject(reply, "accepted", answer != NULL);
	if (answer) {
		/* Who asked, as which role, and why: for the history. */
		rollout_journal(rollout, "command", line);
		cJSON_AddStringToObject(reply, "message", answer);
	} else {
		CLEANUP_FREE char *refusal = mem_format(
			"not possible while the rollout is %s", rollout_state_name(rollout->state));

		cJSON_AddStringToObject(reply, "message", refusal);
	}
	text = cJSON_PrintUnformatted(reply);
	buf_add_text(ret_reply, text ? text : "{}");
	cJSON_free(text);
	cJSON_Delete(reply);
	cJSON_Delete(request);
	/* What is refused must not cost an evaluation. */
	if (answer)
		wake(rollout);
}

int rollout_watch_requests(struct rollout *rollout, struct error *err)
{
	signal(SIGPIPE, SIG_IGN);
	loop_watch_signal(rollout->loop, SIGINT, on_signal, rollout);
	loop_watch_signal(rollout->loop, SIGTERM, on_signal, rollout);
	loop_watch_signal(rollout->loop, SIGHUP, on_signal, rollout);
	rollout->control =
		line_server_start(rollout->loop, rollout->folder, rollout_on_line, rollout, err);
	return rollout->control ? 0 : -1;
}

static const char hint_of_person[] = "no check failed: somebody ended it; deploy again when ready";

static enum task_next take_signal(struct rollout *rollout)
{
	int number = rollout->requests.signal_number;
	struct error why = { 0 };

	rollout->requests.signal_number = 0;
	rollout->signal_number = number;
	rollout->facts.interrupt_holds = rollout->config->rollout.on_interrupt == ON_INTERRUPT_HOLD;
	error_set(&why, ERROR_CANCELED, 0, "stopped by SIG%s", sigabbrev_np(number));
	error_hint(&why, "%s", hint_of_person);
	rollout_reason_of_error(rollout, &why);
	return rollout_deliver(rollout, ROLLOUT_INTERRUPT);
}

static enum task_next take_abort(struct rollout *rollout)
{
	struct error why = { 0 };

	rollout->requests.abort = false;
	error_set(&why, ERROR_CANCELED, 0, "%s", rollout->requests.reason);
	error_hint(&why, "%s", hint_of_person);
	rollout_reason_of_error(rollout, &why);
	return rollout_deliver(rollout, ROLLOUT_ABORT);
}

bool rollout_take_requests(struct rollout *rollout, enum task_next *ret_next)
{
	struct requests *requests = &rollout->requests;

	if (requests->abort) {
		*ret_next = take_abort(rollout);
	} else if (requests->signal_number) {
		*ret_next = take_signal(rollout);
	} else if (requests->pause && rollout->state == ROLLOUT_OBSERVING) {
		requests->pause = false;
		rollout->wait_began_ms = loop_now_ms(rollout->loop);
		*ret_next = rollout_deliver(rollout, ROLLOUT_PAUSE);
	} else if (requests->resume && rollout->state == ROLLOUT_PAUSED) {
		requests->resume = false;
		*ret_next = rollout_deliver(rollout, ROLLOUT_RESUME);
	} else if (requests->approve && rollout->state == ROLLOUT_AWAITING_APPROVAL) {
		requests->approve = false;
		rollout->wait_began_ms = 0;
		if (rollout_stage(rollout)->state == STAGE_PASSED)
			rollout->stage++;
		*ret_next = rollout_deliver(rollout, ROLLOUT_APPROVED);
	} else {
		return false;
	}
	return true;
}
