/* The command line: what is taken, and the exact words for what is not. */
#include "refapp/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ARGUMENTS_MAX 24

/* Splits `line` at spaces, in place. */
static int parse(char *line, struct options *ret_options, struct error *err)
{
	static char name[] = "refapp";
	char *argv[ARGUMENTS_MAX + 1] = { name };
	char *rest = NULL;
	int argc = 1;

	for (char *word = strtok_r(line, " ", &rest); word && argc < ARGUMENTS_MAX;
		word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	return options_parse(ret_options, argc, argv, err);
}

static void test_all(void **state)
{
	char line[] = "--role canary --port=8001 --version v0.2.1 --seed 9 --log x.log "
		      "--fault error_rate=8% --fault unhealthy=1 --address 127.0.0.2 "
		      "--config configs/app --training-step 12000";
	const struct fault_facts facts = { 0 };
	struct options options;
	struct error err = { 0 };

	(void)state;
	assert_int_equal(parse(line, &options, &err), 0);
	assert_string_equal(options.role, "canary");
	assert_int_equal(options.port, 8001);
	assert_string_equal(options.version, "v0.2.1");
	assert_int_equal(options.seed, 9);
	assert_string_equal(options.log, "x.log");
	assert_string_equal(options.address, "127.0.0.2");
	assert_string_equal(options.config, "configs/app");
	assert_int_equal(options.training_step, 12000);
	assert_true(fault_active(&options.faults, FAULT_ERROR_RATE, &facts));
	assert_true(fault_active(&options.faults, FAULT_UNHEALTHY, &facts));
}

static void test_help_needs_nothing_else(void **state)
{
	char line[] = "--help";
	struct options options;

	(void)state;
	assert_int_equal(parse(line, &options, NULL), 0);
	assert_true(options.help);
}

static void test_messages(void **state)
{
	static const struct {
		const char *line;
		const char *message;
	} cases[] = {
		{ "", "'--role' is missing" },
		{ "--role canary", "'--port' is missing" },
		{ "--role canary --port 0", "'--version' is missing" },
		{ "--role both", "'--role' is production or canary, not 'both'" },
		{ "--port 65536", "'--port' wants a whole number from 0 to 65535, not '65536'" },
		{ "--port -1", "'--port' wants a whole number from 0 to 65535, not '-1'" },
		{ "--port=", "'--port' wants a whole number from 0 to 65535, not ''" },
		{ "--version 1.2",
			"'--version' wants a semantic version such as v0.2.0, not '1.2'" },
		{ "--address ::1", "'--address' wants an IPv4 address, not '::1'" },
		{ "--seed", "'--seed' wants a value: N" },
		{ "--log=", "'--log' wants a file name, not ''" },
		{ "--config=", "'--config' wants a folder, not ''" },
		{ "--training-step x",
			"'--training-step' wants a whole number from 0 to 1000000, not 'x'" },
		{ "--fault x", "fault 'x' is not NAME=VALUE" },
		{ "--help=1", "'--help' takes no value" },
		{ "--rolex canary", "unknown option '--rolex'" },
		{ "--=1", "unknown option '--'" },
		{ "canary", "unexpected argument 'canary'" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char line[128];
		struct options options;
		struct error err = { 0 };

		strncpy(line, cases[i].line, sizeof(line) - 1);
		line[sizeof(line) - 1] = '\0';
		assert_int_equal(parse(line, &options, &err), -1);
		assert_int_equal(err.kind, ERROR_USAGE);
		assert_string_equal(err.message, cases[i].message);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),
		cmocka_unit_test(test_help_needs_nothing_else),
		cmocka_unit_test(test_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
