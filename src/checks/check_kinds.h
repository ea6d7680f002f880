/* The kinds, for the table in check_kinds.c, and rules that several share. Only for checks/. */
#ifndef CHECKS_CHECK_KINDS_H
#define CHECKS_CHECK_KINDS_H

#include "canaryctl/check.h"

extern const struct check_kind check_kind_ratio;
extern const struct check_kind check_kind_latency;
extern const struct check_kind check_kind_compare;
extern const struct check_kind check_kind_prometheus;
extern const struct check_kind check_kind_http;
extern const struct check_kind check_kind_log;
extern const struct check_kind check_kind_command;
extern const struct check_kind check_kind_file;
extern const struct check_kind check_kind_env_file;
extern const struct check_kind check_kind_yaml;
extern const struct check_kind check_kind_git;
extern const struct check_kind check_kind_gpu;

/* Built in, not to be named in a configuration. */
extern const struct check_kind check_kind_health;
extern const struct check_kind check_kind_share;

/* A kind that counts requests itself: a condition, no baseline, no query for min_samples. */
int check_validate_counting(const struct check_config *check, struct error *err);
/* At least one condition. */
int check_validate_judged(const struct check_config *check, struct error *err);
/* No condition compares with a baseline. */
int check_validate_no_baseline(const struct check_config *check, struct error *err);
/* Looks once: no baseline, no min_samples. */
int check_validate_once(const struct check_config *check, struct error *err);
/* Besides, there is no number that a condition could be about. */
int check_validate_no_condition(const struct check_config *check, struct error *err);

#endif
