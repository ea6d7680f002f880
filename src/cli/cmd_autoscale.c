/*
 * canaryctl autoscale: how many instances of each service should run, and why; with --apply it is
 * done. Printers and exit status only; the work is in src/autoscale.
 */
#include "cli/cli_private.h"

#include "canaryctl/autoscale.h"
#include "canaryctl/clock.h"
#include "canaryctl/mem.h"
#include "report/report_private.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 48 };

/* What was printed last about a service. */
struct shown {
	enum scale_action action;
	int64_t to;
	bool needs_person;
	bool is_blocked;
};

struct printing {
	const struct cli *cli;
	struct autoscaler *autoscaler;
	struct shown *shown; /* per service */
	bool was_shown;      /* the first pass was */
	bool is_unreachable; /* and that was said */
	int status;          /* of the last pass */
};

/* ---- cells ---- */

static const char *say_number(bool is_known, int64_t number, char *text)
{
	if (!is_known)
		return "?";
	snprintf(text, NUMBER_SIZE, "%" PRId64, number);
	return text;
}

static const char *say_decision(const struct scale_report *report, char *text)
{
	const struct scale_decision *decision = &report->decision;

	if (decision->action == SCALE_HOLD)
		return decision->is_blocked ? "blocked" : "hold";
	snprintf(text, NUMBER_SIZE, "%s to %" PRId64, scale_action_name(decision->action),
		decision->to);
	return text;
}

static const char *say_value(const struct scale_report *report)
{
	return report->has_value ? report->value_text : "-";
}

static void say_outcome(
	const struct printing *printing, const struct scale_report *report, struct buf *text)
{
	if (report->decision.action == SCALE_HOLD || !printing->autoscaler->applies)
		return;
	if (report->was_applied)
		buf_add_text(text, "; done");
	else
		buf_add_text(text, report->error.kind ? "; not done, see below" : "; not done");
}

/* ---- text ---- */

struct columns {
	int service, now, decision, value;
};

static int wider(int column, const char *text)
{
	int width = (int)strlen(text);

	return width > column ? width : column;
}

/* The names are ASCII: the configuration sees to that. */
static struct columns measure_columns(const struct scale_pass *pass)
{
	struct columns columns = { 7, 3, 8, 6 };
	char text[NUMBER_SIZE];

	for (size_t i = 0; i < pass->count; i++) {
		const struct scale_report *report = &pass->reports[i];

		columns.service = wider(columns.service, report->rule->service);
		columns.now = wider(
			columns.now, say_number(report->replicas_known, report->replicas, text));
		columns.decision = wider(columns.decision, say_decision(report, text));
		columns.value = wider(columns.value, say_value(report));
	}
	return columns;
}

static void add_line(const struct printing *printing, const struct scale_report *report,
	const struct columns *columns, struct buf *text)
{
	char now[NUMBER_SIZE], decision[NUMBER_SIZE];

	buf_add_format(text, "%-*s  %*s  %-*s  %*s  %s", columns->service, report->rule->service,
		columns->now, say_number(report->replicas_known, report->replicas, now),
		columns->decision, say_decision(report, decision), columns->value,
		say_value(report), report->decision.reason);
	say_outcome(printing, report, text);
	buf_add_text(text, "\n");
}

static bool has_changed(
	const struct printing *printing, const struct scale_report *report, size_t i)
{
	const struct scale_decision *decision = &report->decision;
	const struct shown *shown = &printing->shown[i];

	return !printing->was_shown || shown->action != decision->action ||
	       shown->to != decision->to || shown->needs_person != decision->needs_person ||
	       shown->is_blocked != decision->is_blocked ||
	       (printing->autoscaler->applies && decision->action != SCALE_HOLD);
}

static bool any_has_changed(const struct printing *printing, const struct scale_pass *pass)
{
	for (size_t i = 0; i < pass->count; i++) {
		if (has_changed(printing, &pass->reports[i], i))
			return true;
	}
	return false;
}

static void print_text(const struct printing *printing, const struct scale_pass *pass)
{
	struct columns columns = measure_columns(pass);
	bool is_once = printing->autoscaler->is_once;
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	char time[CLOCK_TEXT_SIZE];

	if (is_once)
		buf_add_format(&text, "%-*s  %*s  %-*s  %*s  %s\n", columns.service, "service",
			columns.now, "now", columns.decision, "decision", columns.value, "metric",
			"reason");
	for (size_t i = 0; i < pass->count; i++) {
		if (!has_changed(printing, &pass->reports[i], i))
			continue;
		if (!is_once)
			buf_add_format(&text, "%s  ", clock_format_local(pass->time, time));
		add_line(printing, &pass->reports[i], &columns, &text);
	}
	cli_print_lines(buf_text(&text), stdout);
}

/* ---- JSON ---- */

static void add_count(cJSON *object, const char *name, bool is_known, int64_t count)
{
	if (is_known)
		cJSON_AddNumberToObject(object, name, (double)count);
	else
		cJSON_AddNullToObject(object, name);
}

static cJSON *report_json(const struct printing *printing, const struct scale_report *report)
{
	const struct scale_decision *decision = &report->decision;
	cJSON *object = cJSON_CreateObject();
	cJSON *blocked_by;

	cJSON_AddStringToObject(object, "service", report->rule->service);
	add_count(object, "replicas", report->replicas_known, report->replicas);
	cJSON_AddStringToObject(object, "decision", scale_action_name(decision->action));
	add_count(object, "to", decision->to >= 0, decision->to);
	report_json_add_text(object, "reason", decision->reason);
	cJSON_AddBoolToObject(object, "needs_person", decision->needs_person);
	if (report->has_value && isfinite(report->value))
		cJSON_AddNumberToObject(object, "metric", report->value);
	else
		cJSON_AddNullToObject(object, "metric");
	blocked_by = cJSON_AddArrayToObject(object, "blocked_by");
	for (size_t i = 0; report->blocked_by && report->blocked_by[i]; i++)
		cJSON_AddItemToArray(blocked_by, cJSON_CreateString(report->blocked_by[i]));
	if (printing->autoscaler->applies && decision->action != SCALE_HOLD)
		cJSON_AddBoolToObject(object, "applied", report->was_applied);
	else
		cJSON_AddNullToObject(object, "applied");
	report_json_add_text(object, "error", report->error.kind ? report->error.message : NULL);
	return object;
}

static void print_json(const struct printing *printing, const struct scale_pass *pass)
{
	cJSON *object = cJSON_CreateObject();
	char time[CLOCK_TEXT_SIZE];
	cJSON *services;

	cJSON_AddStringToObject(object, "time", clock_format_utc(pass->time, time));
	services = cJSON_AddArrayToObject(object, "services");
	for (size_t i = 0; i < pass->count; i++)
		cJSON_AddItemToArray(services, report_json(printing, &pass->reports[i]));
	cli_print_json(object);
	cJSON_Delete(object);
}

/* ---- a pass ---- */

static int status_of(const struct printing *printing, const struct scale_pass *pass)
{
	int status = printing->autoscaler->note ? EXIT_WARNING : EXIT_GO;

	for (size_t i = 0; i < pass->count; i++) {
		if (pass->reports[i].error.kind)
			return EXIT_NO_GO;
		if (pass->reports[i].decision.needs_person)
			status = EXIT_WARNING;
	}
	return status;
}

static void remember(struct printing *printing, const struct scale_pass *pass)
{
	for (size_t i = 0; i < pass->count; i++) {
		const struct scale_decision *decision = &pass->reports[i].decision;

		printing->shown[i] = (struct shown){ decision->action, decision->to,
			decision->needs_person, decision->is_blocked };
	}
	printing->was_shown = true;
}

static void say_note(struct autoscaler *autoscaler)
{
	CLEANUP_FREE char *line = NULL;

	if (!autoscaler->note)
		return;
	line = mem_format("note: %s\n", autoscaler->note);
	cli_print_lines(line, stderr);
}

static void on_pass(const struct scale_pass *pass, void *context)
{
	struct printing *printing = context;

	if (pass->error.kind) {
		/* Without --once it is said when it begins, not every time. */
		if (!printing->is_unreachable)
			printing->status = cli_fail(&pass->error);
		printing->is_unreachable = true;
		printing->was_shown = false;
		return;
	}
	printing->is_unreachable = false;
	printing->status = status_of(printing, pass);
	if (any_has_changed(printing, pass)) {
		if (printing->cli->format == FORMAT_JSON)
			print_json(printing, pass);
		else
			print_text(printing, pass);
		fflush(stdout);
	}
	for (size_t i = 0; i < pass->count; i++) {
		if (pass->reports[i].error.kind)
			cli_fail(&pass->reports[i].error);
	}
	remember(printing, pass);
}

/* ---- the command ---- */

static int start(struct printing *printing, struct error *err)
{
	struct autoscaler *autoscaler = printing->autoscaler;

	if (!autoscaler->config->autoscaling.rule_count) {
		error_set(err, ERROR_CONFIG, 0, "'%s' has no autoscaling rules",
			autoscaler->config->path);
		return error_hint(err, "include the file that has them, such as autoscaling.yaml");
	}
	printing->shown =
		mem_array(autoscaler->config->autoscaling.rule_count, sizeof(*printing->shown));
	return autoscaler_prepare(autoscaler, err);
}

static int run(struct cli *cli)
{
	struct autoscaler autoscaler = { .is_once = cli_has(cli, "once"),
		.applies = cli_has(cli, "apply"),
		.on_pass = on_pass,
		.lock = LOCK_INIT };
	struct printing printing = { .cli = cli, .autoscaler = &autoscaler };
	struct error err = { 0 };
	struct config *config = cli_load_config(cli, NULL, &printing.status);

	if (!config)
		return printing.status;
	autoscaler.config = config;
	autoscaler.context = &printing;
	if (start(&printing, &err) < 0) {
		printing.status = cli_fail(&err);
	} else {
		say_note(&autoscaler);
		autoscaler_run(&autoscaler);
	}
	if (autoscaler.signal_number)
		printing.status = autoscaler.signal_number == SIGINT ? EXIT_SIGINT : EXIT_SIGTERM;
	autoscaler_release(&autoscaler);
	free(printing.shown);
	config_free(config);
	return printing.status;
}

static const struct cli_option options[] = {
	{ "once", NULL, "decide once and end; without it, again at each `autoscaling.interval`" },
	{ "apply", NULL, "run the `scale` commands; without it nothing is changed" },
	{ 0 },
};

const struct cli_command cmd_autoscale = {
	.name = "autoscale",
	.synopsis = "[--once] [--apply]",
	.summary = "how many instances of each service should run, and why",
	.details =
		"Reads the rules of 'autoscaling'. What is not measured for certain never scales. "
		"Without --once it goes on until ^C and prints what changes. Exits 1 when a person "
		"should look (blocked, not measured, or at its limit), 2 when a scale command "
		"failed.",
	.examples = "canaryctl autoscale --once\n"
		    "canaryctl autoscale --once --format json | jq '.services[] | .decision'\n"
		    "canaryctl autoscale --once --apply    # from cron, once a minute\n"
		    "canaryctl autoscale --apply           # as a service",
	.options = options,
	.run = run,
};
