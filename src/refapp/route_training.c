/*
 * GET /admin/training/stats: step, entropy, rewards and checkpoints. POST /admin/training/run
 * {"steps":100}: that many updates now, so that nobody has to wait for them.
 */
#include "refapp/routes.h"
#include "refapp/trainer.h"

#include <math.h>

#define STEPS_MAX 2000

void route_training_stats(struct app *app, const struct request *request, struct reply *reply)
{
	struct reward_statistics rewards = reward_normalizer_statistics(&app->normalizer);
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "step", (double)app->training.updates);
	cJSON_AddNumberToObject(json, "loss", trainer_loss(app, request->now_ms));
	cJSON_AddNumberToObject(json, "reward", trainer_reward(app, request->now_ms));
	cJSON_AddNumberToObject(json, "entropy_coef", trainer_entropy_coef(app, request->now_ms));
	cJSON_AddNumberToObject(json, "reward_mean", rewards.mean);
	cJSON_AddNumberToObject(json, "reward_std", rewards.std);
	cJSON_AddNumberToObject(json, "reward_normalized", app->normalized_reward);
	cJSON_AddNumberToObject(json, "checkpoint_step", (double)app->checkpoints.saved_step);
	cJSON_AddNumberToObject(json, "checkpoint_saves", (double)app->checkpoints.saves);
	cJSON_AddNumberToObject(json, "checkpoint_rollbacks", (double)app->checkpoints.rollbacks);
	reply_json(reply, json);
}

void route_training_run(struct app *app, const struct request *request, struct reply *reply)
{
	cJSON *body = request_object(request, reply);
	const cJSON *steps = cJSON_GetObjectItemCaseSensitive(body, "steps");
	double count = cJSON_IsNumber(steps) ? steps->valuedouble : 0;

	if (!body)
		return;
	if (count < 1 || count > STEPS_MAX || count != floor(count)) {
		reply_error(reply, 400, "'steps' is a whole number from 1 to %d", STEPS_MAX);
	} else {
		for (int i = 0; i < (int)count; i++)
			trainer_update(app, request->now_ms);
		route_training_stats(app, request, reply);
	}
	cJSON_Delete(body);
}
