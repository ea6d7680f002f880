/*
 * The training as the application runs it: an update of the simulated policy, its entropy by the
 * schedule, its reward normalised, and a checkpoint or a rollback after it.
 */
#ifndef REFAPP_TRAINER_H
#define REFAPP_TRAINER_H

#include "refapp/app.h"

/* As if `steps` updates had been made before the start; faults and log are left out. */
void trainer_begin(struct app *app, uint64_t steps);

void trainer_update(struct app *app, int64_t now_ms);

double trainer_entropy_coef(struct app *app, int64_t now_ms);
double trainer_loss(struct app *app, int64_t now_ms); /* of the last update, with its faults */
double trainer_reward(struct app *app, int64_t now_ms);

#endif
