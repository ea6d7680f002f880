/* When to save and when to go back: see checkpoint.h. */
#include "refapp/checkpoint.h"

void checkpoints_init(struct checkpoints *checkpoints, uint64_t step)
{
	*checkpoints = (struct checkpoints){ .saved_step = step };
}

bool checkpoints_baseline(
	const struct checkpoints *checkpoints, double *ret_loss, double *ret_reward)
{
	double loss = 0, reward = 0;

	if (checkpoints->count < CHECKPOINT_MINIMUM)
		return false;
	for (int i = 0; i < checkpoints->count; i++) {
		loss += checkpoints->recent[i].loss;
		reward += checkpoints->recent[i].reward;
	}
	*ret_loss = loss / checkpoints->count;
	*ret_reward = reward / checkpoints->count;
	return true;
}

static enum checkpoint_action judge(const struct checkpoints *checkpoints,
	const struct checkpoint_settings *settings, const struct training_result *result)
{
	double loss, reward;

	if (!settings->rollback_enabled || !checkpoints_baseline(checkpoints, &loss, &reward))
		return CHECKPOINT_NOTHING;
	if (result->loss >= settings->loss_spike * loss)
		return CHECKPOINT_ROLLBACK_LOSS;
	if (reward - result->reward >= settings->reward_drop)
		return CHECKPOINT_ROLLBACK_REWARD;
	return CHECKPOINT_NOTHING;
}

enum checkpoint_action checkpoints_note(struct checkpoints *checkpoints,
	const struct checkpoint_settings *settings, const struct training_result *result)
{
	enum checkpoint_action action = judge(checkpoints, settings, result);

	if (action != CHECKPOINT_NOTHING) {
		checkpoints->rollbacks++;
		return action;
	}
	checkpoints->recent[checkpoints->next] = *result;
	checkpoints->next = (checkpoints->next + 1) % CHECKPOINT_RECENT;
	if (checkpoints->count < CHECKPOINT_RECENT)
		checkpoints->count++;
	if (result->step % (uint64_t)settings->save_frequency != 0)
		return CHECKPOINT_NOTHING;
	checkpoints->saved_step = result->step;
	checkpoints->saves++;
	return CHECKPOINT_SAVE;
}

const char *checkpoint_action_name(enum checkpoint_action action)
{
	static const char *const names[] = { "none", "save", "loss_spike", "reward_drop" };

	return names[action];
}
