/*
 * When each service was last scaled: a journal of its own, <state folder>/autoscale/journal.db,
 * with the intent before each command and the outcome after it. It is read anew at each pass.
 */
#ifndef CANARYCTL_AUTOSCALE_SCALE_MEMORY_H
#define CANARYCTL_AUTOSCALE_SCALE_MEMORY_H

#include "canaryctl/autoscale.h"
#include "canaryctl/journal.h"

/* As autoscaler_prepare(). */
int scale_memory_open(struct autoscaler *autoscaler, struct error *err);
void scale_memory_close(struct autoscaler *autoscaler);

/* Of one service. */
void scale_memory_read(
	struct autoscaler *autoscaler, const char *service, struct scale_memory *ret_memory);

int scale_memory_intend(
	struct autoscaler *autoscaler, const struct scale_report *report, struct error *err);
int scale_memory_conclude(
	struct autoscaler *autoscaler, const struct scale_report *report, struct error *err);

/* Pure: takes one event, in order. Start from `= { 0 }`. */
void scale_memory_take(struct scale_memory *memory, const struct journal_record *record);

#endif
