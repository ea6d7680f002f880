/* Defaults that depend on other values, and rules between values. */
#ifndef CANARYCTL_CONFIG_RULES_H
#define CANARYCTL_CONFIG_RULES_H

#include "canaryctl/config.h"

/* Told of each broken rule. `key` is "rollout.stages[2].observe"; `hint` may be NULL. */
struct rule_report {
	void (*problem)(void *context, const char *key, const char *hint, const char *message);
	void *context;
};

void config_complete(struct config *config, const struct rule_report *report);

/* The part that config_override() needs again. */
void config_complete_rollout(struct config *config, const struct rule_report *report);

#endif
