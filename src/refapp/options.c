/* One table drives parsing and --help: see options.h. */
#include "refapp/options.h"
#include "canaryctl/mem.h"
#include "canaryctl/semver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TRAINING_STEP_MAX 1000000

struct option_row {
	const char *name;
	const char *argument; /* NULL: takes none */
	const char *help;
	int (*set)(struct options *options, const char *value, struct error *err);
};

static int parse_unsigned(
	const char *name, const char *text, uint64_t maximum, uint64_t *ret, struct error *err)
{
	char *end;

	errno = 0;
	*ret = strtoull(text, &end, 10);
	if (!*text || text[strspn(text, "0123456789")] || errno || *ret > maximum)
		return error_set(err, ERROR_USAGE, 0,
			"'--%s' wants a whole number from 0 to %llu, not '%s'", name,
			(unsigned long long)maximum, text);
	return 0;
}

static int set_role(struct options *options, const char *value, struct error *err)
{
	if (strcmp(value, "production") != 0 && strcmp(value, "canary") != 0)
		return error_set(
			err, ERROR_USAGE, 0, "'--role' is production or canary, not '%s'", value);
	options->role = value;
	return 0;
}

static int set_version(struct options *options, const char *value, struct error *err)
{
	if (!semver_valid(value))
		return error_set(err, ERROR_USAGE, 0,
			"'--version' wants a semantic version such as v0.2.0, not '%s'", value);
	options->version = value;
	return 0;
}

static int set_port(struct options *options, const char *value, struct error *err)
{
	uint64_t port;

	if (parse_unsigned("port", value, UINT16_MAX, &port, err) < 0)
		return -1;
	options->port = (uint16_t)port;
	options->port_given = true;
	return 0;
}

static int set_address(struct options *options, const char *value, struct error *err)
{
	struct in_addr parsed;

	if (inet_pton(AF_INET, value, &parsed) != 1)
		return error_set(
			err, ERROR_USAGE, 0, "'--address' wants an IPv4 address, not '%s'", value);
	options->address = value;
	return 0;
}

static int set_seed(struct options *options, const char *value, struct error *err)
{
	return parse_unsigned("seed", value, UINT64_MAX, &options->seed, err);
}

static int set_log(struct options *options, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, ERROR_USAGE, 0, "'--log' wants a file name, not ''");
	options->log = value;
	return 0;
}

static int set_config(struct options *options, const char *value, struct error *err)
{
	if (!*value)
		return error_set(err, ERROR_USAGE, 0, "'--config' wants a folder, not ''");
	options->config = value;
	return 0;
}

static int set_training_step(struct options *options, const char *value, struct error *err)
{
	return parse_unsigned(
		"training-step", value, TRAINING_STEP_MAX, &options->training_step, err);
}

static int add_fault(struct options *options, const char *value, struct error *err)
{
	return fault_parse(&options->faults, value, 0, err);
}

static int set_help(struct options *options, const char *value, struct error *err)
{
	(void)value;
	(void)err;
	options->help = true;
	return 0;
}

static const struct option_row rows[] = {
	{ "role", "production|canary", "which side of the rollout this is", set_role },
	{ "port", "N", "port to listen on; 0 takes any free one", set_port },
	{ "version", "V", "semantic version that this instance claims to be", set_version },
	{ "seed", "N", "seed of the simulation (1)", set_seed },
	{ "log", "FILE", "append llm_brief and rl_update lines; - is standard output", set_log },
	{ "fault", "NAME=VALUE", "switch a fault on; may be given more than once", add_fault },
	{ "config", "FOLDER", "settings of guards, modes and training (configs/app)", set_config },
	{ "training-step", "N", "begin as if N training steps had been made (0)",
		set_training_step },
	{ "address", "IP", "address to listen on (127.0.0.1)", set_address },
	{ "help", NULL, "this text", set_help },
};

static const struct option_row *find_row(const char *name, size_t length)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (strlen(rows[i].name) == length && strncmp(rows[i].name, name, length) == 0)
			return &rows[i];
	}
	return NULL;
}

/* Parses argv[index], which may take the next argument along. Returns how many were used, or -1. */
static int parse_one(
	struct options *options, const char *argument, const char *next, struct error *err)
{
	const char *name = argument + 2;
	size_t length = strcspn(argument, "=");
	const char *inline_value = argument[length] ? argument + length + 1 : NULL;
	const char *value = inline_value ? inline_value : next;
	const struct option_row *row;

	if (strncmp(argument, "--", 2) != 0)
		return error_set(err, ERROR_USAGE, 0, "unexpected argument '%s'", argument);
	row = find_row(name, length - 2);
	if (!row)
		return error_set(
			err, ERROR_USAGE, 0, "unknown option '%.*s'", (int)length, argument);
	if (!row->argument && inline_value)
		return error_set(err, ERROR_USAGE, 0, "'--%s' takes no value", row->name);
	if (row->argument && !value)
		return error_set(
			err, ERROR_USAGE, 0, "'--%s' wants a value: %s", row->name, row->argument);
	if (row->set(options, value, err) < 0)
		return -1;
	return row->argument && !inline_value ? 2 : 1;
}

static int check_complete(const struct options *options, struct error *err)
{
	const char *missing = !options->role         ? "role"
			      : !options->port_given ? "port"
			      : !options->version    ? "version"
						     : NULL;

	if (missing && !options->help)
		return error_set(err, ERROR_USAGE, 0, "'--%s' is missing", missing);
	return 0;
}

int options_parse(struct options *options, int argc, char *const argv[], struct error *err)
{
	*options = (struct options){ .address = "127.0.0.1", .seed = 1 };
	for (int i = 1; i < argc && !options->help;) {
		int used = parse_one(options, argv[i], argv[i + 1], err);

		if (used < 0)
			return -1;
		i += used;
	}
	return check_complete(options, err);
}

void options_print_help(void)
{
	printf("usage: refapp --role production|canary --port N --version V [OPTIONS]\n\n"
	       "The reference application: what the demo and the tests roll out.\n\noptions:\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		printf("  --%-13s %-18s %s\n", rows[i].name,
			rows[i].argument ? rows[i].argument : "", rows[i].help);
	printf("\nfaults (also by POST /admin/fault with "
	       "{\"name\":\"error_rate\",\"value\":0.08};\n"
	       "GET /admin/fault lists them; the value 0 or off switches one off, all=off all):\n");
	for (int i = 0; i < FAULT_COUNT; i++)
		printf("  %-18s %s\n", fault_name((enum fault_id)i), fault_help((enum fault_id)i));
	printf("\ntriggers, behind the value (shares are spread evenly, not drawn):\n"
	       "  error_rate=8%%          from now on\n"
	       "  error_rate=8%%@500      once 500 further API requests have been handled\n"
	       "  error_rate=0.3@20rps   while it handles more than 20 API requests per second\n"
	       "                         (over the last 2 s)\n"
	       "\nexamples:\n"
	       "  refapp --role production --port 8000 --version v0.1.0\n"
	       "  refapp --role canary --port 8001 --version v0.2.1 --fault "
	       "error_rate=8%%@20rps\n"
	       "  refapp --role canary --port 8001 --version v0.2.0 --training-step 12000\n");
}
