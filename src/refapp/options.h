/* The command line of refapp. Pure but for options_print_help(). */
#ifndef REFAPP_OPTIONS_H
#define REFAPP_OPTIONS_H

#include "canaryctl/error.h"
#include "refapp/fault.h"

#include <stdbool.h>
#include <stdint.h>

/* Strings belong to argv. */
struct options {
	bool help;
	const char *role; /* "production" or "canary" */
	const char *version;
	const char *address;
	uint16_t port; /* 0: any free one */
	bool port_given;
	uint64_t seed;
	const char *log;        /* NULL: none */
	const char *config;     /* folder with the settings; NULL: the built-in ones */
	uint64_t training_step; /* trained so far, as if from a checkpoint */
	struct fault_set faults;
};

int options_parse(
	struct options *options, int argc, char *const argv[], struct error *err) WARN_UNUSED;
void options_print_help(void);

#endif
