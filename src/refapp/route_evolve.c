/*
 * POST /evolve/options {"dna_id":...,"mode":...}: an experiment with three options from PPO, with a
 * brief in that mode (creative unless said otherwise). POST /evolve/feedback
 * {"experiment_id":...,"option_id":...,"rating":1..5}: what somebody thought of one; trains.
 */
#include "refapp/brief_service.h"
#include "refapp/modes.h"
#include "refapp/routes.h"
#include "refapp/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define RATING_MAX 5

static void add_options(struct app *app, cJSON *answer)
{
	cJSON *options = cJSON_AddArrayToObject(answer, "options");

	for (int i = 1; i <= EVOLUTION_OPTIONS; i++) {
		cJSON *option = cJSON_CreateObject();
		char id[EVOLUTION_ID_SIZE];

		snprintf(id, sizeof(id), "opt_%03d", i);
		cJSON_AddStringToObject(option, "id", id);
		cJSON_AddNumberToObject(
			option, "score", round(1000 * random_unit(&app->evolution.random)) / 1000);
		cJSON_AddItemToArray(options, option);
	}
}

static void answer_options(struct app *app, const struct request *request, const char *dna_id,
	enum mode mode, struct reply *reply)
{
	const struct brief_order order = { .mode = mode };
	struct fault_facts facts = app_facts(app, request->now_ms);
	struct brief_answer brief;
	cJSON *answer;

	reply->mode = mode_name(mode);
	if (brief_serve(app, request, &order, &brief, reply) < 0)
		return;
	answer = cJSON_CreateObject();
	cJSON_AddStringToObject(
		answer, "experiment_id", evolution_create_experiment(&app->evolution, dna_id)->id);
	cJSON_AddStringToObject(answer, "dna_id", dna_id);
	cJSON_AddStringToObject(answer, "algorithm", "PPO");
	cJSON_AddStringToObject(answer, "mode", mode_name(brief.served));
	if (fault_active(&app->faults, FAULT_OPTIONS_MISSING, &facts))
		cJSON_AddArrayToObject(answer, "options");
	else
		add_options(app, answer);
	cJSON_AddItemToObject(answer, "brief", brief.brief);
	reply_json(reply, answer);
}

void route_evolve_options(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const char *dna_id = object_text(body, "dna_id");
	const char *mode_text = object_text(body, "mode");
	enum mode mode;

	if (!body)
		return;
	if (!dna_id)
		reply_error(reply, 400, "'dna_id' is missing");
	else if (!evolution_has_dna(&app->evolution, dna_id))
		reply_error(reply, 404, "there is no DNA '%s'", dna_id);
	else if (mode_wanted(
			 app, mode_text ? mode_text : "creative", request->now_ms, &mode, reply))
		answer_options(app, request, dna_id, mode, reply);
	cJSON_Delete(body);
}

static void answer_feedback(struct app *app, const struct request *request,
	struct experiment *experiment, struct reply *reply)
{
	struct fault_facts facts = app_facts(app, request->now_ms);
	bool trains = !fault_active(&app->faults, FAULT_FEEDBACK_IGNORED, &facts);
	cJSON *answer = cJSON_CreateObject();

	experiment->feedbacks++;
	if (trains)
		trainer_update(app, request->now_ms);
	cJSON_AddStringToObject(answer, "status", "accepted");
	cJSON_AddStringToObject(answer, "experiment_id", experiment->id);
	cJSON_AddNumberToObject(answer, "feedbacks", experiment->feedbacks);
	cJSON_AddBoolToObject(answer, "training_triggered", trains);
	cJSON_AddNumberToObject(answer, "training_step", (double)app->training.updates);
	reply_json(reply, answer);
}

void route_evolve_feedback(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const char *id = object_text(body, "experiment_id");
	const char *option = object_text(body, "option_id");
	const cJSON *rating = cJSON_GetObjectItemCaseSensitive(body, "rating");
	struct experiment *experiment = id ? evolution_find_experiment(&app->evolution, id) : NULL;

	if (!body)
		return;
	if (!option)
		option = object_text(body, "chosen_id");
	if (!id || !option)
		reply_error(reply, 400, "'experiment_id' or 'option_id' is missing");
	else if (!experiment)
		reply_error(reply, 404, "there is no experiment '%s'", id);
	else if (!evolution_is_option(option))
		reply_error(reply, 404, "experiment '%s' has no option '%s'", id, option);
	else if (rating && !(cJSON_IsNumber(rating) && rating->valuedouble >= 1 &&
				   rating->valuedouble <= RATING_MAX))
		reply_error(reply, 400, "'rating' is a number from 1 to %d", RATING_MAX);
	else
		answer_feedback(app, request, experiment, reply);
	cJSON_Delete(body);
}
