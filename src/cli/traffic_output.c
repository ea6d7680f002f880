/* What commands say of the traffic: see traffic_output.h. */
#include "cli/traffic_output.h"
#include "cli/cli_private.h"

#include "canaryctl/mem.h"
#include "canaryctl/weight.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the canary really gets: the brake goes before the weights. */
static weight_t weight_in_force(const struct traffic_state *traffic)
{
	return traffic->is_braked ? 0 : traffic->canary;
}

void traffic_output_add_json(cJSON *object, const struct traffic_state *traffic)
{
	weight_t canary = weight_in_force(traffic);

	if (canary == WEIGHT_UNKNOWN) {
		cJSON_AddNullToObject(object, "canary_weight");
		cJSON_AddNullToObject(object, "production_weight");
	} else {
		cJSON_AddNumberToObject(object, "canary_weight", canary / 100.0);
		cJSON_AddNumberToObject(
			object, "production_weight", (WEIGHT_FULL - canary) / 100.0);
	}
	cJSON_AddBoolToObject(object, "proven", traffic->is_proven);
	cJSON_AddBoolToObject(object, "braked", traffic->is_braked);
	cJSON_AddStringToObject(object, "generation", traffic->generation);
	cJSON_AddNumberToObject(object, "draining_workers", traffic->draining_workers);
}

void traffic_output_add_text(struct buf *text, const struct traffic_state *traffic)
{
	weight_t weight = weight_in_force(traffic);
	char canary[WEIGHT_TEXT_SIZE], production[WEIGHT_TEXT_SIZE];

	if (weight == WEIGHT_UNKNOWN) {
		buf_add_text(text, "unknown: NGINX does not answer on the proof address, or its "
				   "workers do not agree");
		return;
	}
	buf_add_format(text, "canary %s %%, production %s %%, %s", weight_format(weight, canary),
		weight_format(WEIGHT_FULL - weight, production),
		traffic->is_proven ? "proven" : "NOT proven");
	if (traffic->is_braked && traffic->canary > 0)
		buf_add_format(text,
			"; the brake alone sends everything to production: NGINX's weights say "
			"canary %s %%",
			weight_format(traffic->canary, canary));
	else if (traffic->is_braked)
		buf_add_text(text, "; the brake is on as well, until the next rollout");
	if (traffic->draining_workers)
		buf_add_format(text, "; %d old worker%s still serve%s long connections",
			traffic->draining_workers, traffic->draining_workers == 1 ? "" : "s",
			traffic->draining_workers == 1 ? "s" : "");
}

static void print_json(cJSON *object)
{
	cli_print_json(object);
	cJSON_Delete(object);
}

static void print_state(const struct cli *cli, const struct traffic_state *traffic,
	const char *outcome, const struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	cJSON *object;

	if (cli->format == FORMAT_TEXT) {
		traffic_output_add_text(&text, traffic);
		puts(buf_text(&text));
		return;
	}
	object = cJSON_CreateObject();
	if (outcome)
		cJSON_AddStringToObject(object, "outcome", outcome);
	traffic_output_add_json(object, traffic);
	if (err->kind != ERROR_NONE)
		cJSON_AddStringToObject(object, "error", err->message);
	print_json(object);
}

int traffic_output_reading(const struct cli *cli, const struct traffic_change *change)
{
	struct error err = change->error;

	if (!change->state.is_reachable) {
		if (err.kind == ERROR_NONE)
			error_set(&err, ERROR_UNAVAILABLE, 0, "NGINX does not answer on %s",
				change->config->nginx.proof_url);
		if (err.kind != ERROR_CONFIG)
			err.kind = ERROR_UNAVAILABLE;
		return cli_fail(&err);
	}
	print_state(cli, &change->state, NULL, &err);
	if (change->state.is_proven)
		return EXIT_GO;
	if (err.kind == ERROR_NONE)
		error_set(&err, ERROR_TRAFFIC, 0, "what NGINX does is not what '%s' says",
			change->config->nginx.output);
	if (!err.hint[0])
		error_hint(&err, "put it right: canaryctl weights set N");
	cli_fail(&err);
	return EXIT_UNPROVEN;
}

static void print_notes(const struct buf *notes)
{
	CLEANUP_FREE char *copy = mem_strdup(buf_text(notes));
	char *rest = copy;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (*line)
			fprintf(stderr, "canaryctl: %s\n", line);
	}
}

static int fail_as(const struct error *why, int status)
{
	struct error err = *why;

	if (err.kind == ERROR_NONE)
		error_set(&err, ERROR_TRAFFIC, 0, "the traffic could not be changed");
	cli_fail(&err);
	return status;
}

/* A shift that did not even begin keeps the status of its cause; one that was undone is NO-GO. */
static int status_of_undone(const struct error *err)
{
	switch (err->kind) {
	case ERROR_LOCKED:
	case ERROR_CONFIG:
	case ERROR_UNAVAILABLE:
	case ERROR_USAGE:
		return cli_exit_status(err->kind);
	default:
		return EXIT_NO_GO;
	}
}

int traffic_output_result(
	const struct cli *cli, const struct manual_result *result, bool is_rollback)
{
	static const char *const names[] = { [TRAFFIC_PROVEN] = "proven",
		[TRAFFIC_UNDONE] = "undone",
		[TRAFFIC_BRAKED] = "braked",
		[TRAFFIC_LOST] = "lost" };

	print_notes(&result->notes);
	if (result->error.kind != ERROR_LOCKED &&
		(cli->format == FORMAT_JSON || result->traffic.is_reachable))
		print_state(cli, &result->traffic, names[result->outcome], &result->error);
	switch (result->outcome) {
	case TRAFFIC_PROVEN:
		return EXIT_GO;
	case TRAFFIC_BRAKED:
		return fail_as(&result->error, EXIT_WARNING);
	case TRAFFIC_UNDONE:
		if (!is_rollback)
			return fail_as(&result->error, status_of_undone(&result->error));
		break;
	case TRAFFIC_LOST:
		break;
	}
	fail_as(&result->error, EXIT_UNPROVEN);
	fputs("canaryctl: the traffic is not proven; run: canaryctl rollback\n", stderr);
	return EXIT_UNPROVEN;
}
