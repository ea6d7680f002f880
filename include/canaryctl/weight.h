/*
 * Canary weights: percent of traffic in hundredths (0.01 %), so that 0.5 % is 50 and 100 % is
 * 10000; split_clients knows no finer step. Pure.
 */
#ifndef CANARYCTL_WEIGHT_H
#define CANARYCTL_WEIGHT_H

#include <stdbool.h>

typedef int weight_t; /* 0 .. WEIGHT_FULL */
#define WEIGHT_FULL      10000
#define WEIGHT_UNKNOWN   (-1)
#define WEIGHT_TEXT_SIZE 16

/* "5", "0.5", "12.25", with an optional trailing %. False when out of range or finer than 0.01. */
bool weight_parse(const char *text, weight_t *ret_weight);

/* "5", "0.5", "12.25" without a percent sign. Returns text (WEIGHT_TEXT_SIZE bytes). */
char *weight_format(weight_t weight, char *text);

/*
 * The integers for NGINX's `weight=`: the smallest pair in this ratio whose sum is a multiple of
 * 100, so that whole percents stay as people write them (5 % is 5 and 95, 0.5 % is 1 and 199).
 */
void weight_to_integers(weight_t canary, int *ret_canary, int *ret_production);

double weight_share(weight_t weight); /* 0 .. 1 */

#endif
