/* One update from the model's loss to the log line: see trainer.h. */
#include "refapp/trainer.h"

static void note_reward(struct app *app, double reward)
{
	struct reward_statistics statistics;

	reward_normalizer_add(&app->normalizer, reward);
	if (!app->settings.normalizer.enabled) {
		app->normalized_reward = reward;
		return;
	}
	statistics = reward_normalizer_statistics(&app->normalizer);
	app->normalized_reward = reward_normalize(&statistics, reward);
}

void trainer_begin(struct app *app, uint64_t steps)
{
	for (uint64_t i = 0; i < steps; i++) {
		training_update(&app->training);
		/* Only the last ones are still in the window. */
		if (steps - i <= app->normalizer.window)
			reward_normalizer_add(&app->normalizer, app->training.reward);
	}
	app->training.updates = steps;
	checkpoints_init(&app->checkpoints, steps);
	note_reward(app, app->training.reward);
	/* What may stay at 0 for days is there from the start, as with client libraries. */
	metrics_add(&app->metrics, METRIC_CHECKPOINT_SAVES,
		LABELS(LABEL("version", app->options->role)), 0);
	metrics_add(&app->metrics, METRIC_CHECKPOINT_ROLLBACKS,
		LABELS(LABEL("version", app->options->role)), 0);
}

double trainer_entropy_coef(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	if (fault_active(&app->faults, FAULT_ENTROPY_STUCK, &facts))
		return app->settings.schedule.initial;
	return ppo_entropy_coef(&app->settings.schedule, app->training.updates);
}

double trainer_loss(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	return app->training.loss * fault_value(&app->faults, FAULT_LOSS_SPIKE, &facts, 1);
}

double trainer_reward(struct app *app, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	return app->training.reward - fault_value(&app->faults, FAULT_REWARD_DROP, &facts, 0);
}

static void log_update(struct app *app, const struct training_result *result, int64_t now_ms)
{
	struct fault_facts facts = app_facts(app, now_ms);

	if (fault_active(&app->faults, FAULT_LOG_QUIET, &facts))
		return;
	event_log_write(&app->log,
		"rl_update{algo=ppo,loss=%.4f,reward=%.4f,entropy=%.5f,clip_frac=%.4f,step=%llu,"
		"entropy_coef=%.5f,reward_normalized=%.3f}",
		result->loss, result->reward, app->training.entropy, app->training.clip_frac,
		(unsigned long long)result->step, trainer_entropy_coef(app, now_ms),
		app->normalized_reward);
}

static void roll_back(
	struct app *app, enum checkpoint_action why, const struct training_result *result)
{
	app->training.updates = app->checkpoints.saved_step;
	metrics_add(&app->metrics, METRIC_CHECKPOINT_ROLLBACKS,
		LABELS(LABEL("version", app->options->role)), 1);
	event_log_error(&app->log,
		"checkpoint rollback{reason=%s,step=%llu,to_step=%llu,loss=%.4f,reward=%.4f}",
		checkpoint_action_name(why), (unsigned long long)result->step,
		(unsigned long long)app->checkpoints.saved_step, result->loss, result->reward);
}

void trainer_update(struct app *app, int64_t now_ms)
{
	struct training_result result;
	enum checkpoint_action action;
	training_update(&app->training);
	result = (struct training_result){ .step = app->training.updates,
		.loss = trainer_loss(app, now_ms),
		.reward = trainer_reward(app, now_ms) };
	note_reward(app, result.reward);
	metrics_add(&app->metrics, METRIC_RL_UPDATES,
		LABELS(LABEL("version", app->options->role) LABEL("algo", "ppo")), 1);
	log_update(app, &result, now_ms);
	action = checkpoints_note(&app->checkpoints, &app->settings.checkpoint, &result);
	if (action == CHECKPOINT_SAVE) {
		metrics_add(&app->metrics, METRIC_CHECKPOINT_SAVES,
			LABELS(LABEL("version", app->options->role)), 1);
		event_log_write(
			&app->log, "checkpoint saved{step=%llu}", (unsigned long long)result.step);
	} else if (action != CHECKPOINT_NOTHING) {
		roll_back(app, action, &result);
	}
}
