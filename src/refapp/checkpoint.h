/*
 * Checkpoints of the training: one every `save_frequency` steps, and back to the last one when an
 * update's loss is at least `loss_spike` times the recent mean, or its reward at least
 * `reward_drop` below the recent mean. What was rolled back does not count as recent. Pure.
 */
#ifndef REFAPP_CHECKPOINT_H
#define REFAPP_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#define CHECKPOINT_RECENT  100 /* updates that are the baseline */
#define CHECKPOINT_MINIMUM 10  /* fewer are no baseline */

struct checkpoint_settings {
	int save_frequency; /* steps */
	bool rollback_enabled;
	double loss_spike;  /* factor */
	double reward_drop; /* absolute */
};

/* One update, as it came out. */
struct training_result {
	uint64_t step;
	double loss;
	double reward;
};

enum checkpoint_action {
	CHECKPOINT_NOTHING,
	CHECKPOINT_SAVE,
	CHECKPOINT_ROLLBACK_LOSS,
	CHECKPOINT_ROLLBACK_REWARD
};

struct checkpoints {
	uint64_t saved_step; /* what a rollback goes back to */
	uint64_t saves;
	uint64_t rollbacks;
	struct training_result recent[CHECKPOINT_RECENT]; /* ring */
	int next;
	int count;
};

void checkpoints_init(struct checkpoints *checkpoints, uint64_t step);

/* After a rollback the training is to go on from `saved_step`. */
enum checkpoint_action checkpoints_note(struct checkpoints *checkpoints,
	const struct checkpoint_settings *settings, const struct training_result *result);

/* Means of the recent updates; false when there are too few. */
bool checkpoints_baseline(
	const struct checkpoints *checkpoints, double *ret_loss, double *ret_reward);

const char *checkpoint_action_name(enum checkpoint_action action);

#endif
