/* canaryctl judge, as a whole: what it reads, refuses and prints. */
#include "test.h"

#include "cli_capture.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static char path[] = "/tmp/test-judge-XXXXXX";

static const char reference[] = "nb,kb,nc,kc\n"
				"990,1,10,1\n"
				"985,0,12,0\n"
				"# a comment, then an empty line\n"
				"\n"
				"1001, 2, 9, 1\r\n"
				"995,1,11,1";

static void judge(const char *input, const char *const *more, struct cli_outcome *ret_outcome)
{
	const char *words[WORDS_MAX] = { "judge", "--input", path };
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fputs(input, file) >= 0, 1);
	fclose(file);
	for (int i = 0; more && more[i]; i++)
		words[3 + i] = more[i];
	cli_capture(words, ret_outcome);
}

static void the_reference_as_text(void **state)
{
	struct cli_outcome outcome;

	(void)state;
	judge(reference, NULL, &outcome);
	assert_int_equal(outcome.status, 0);
	assert_string_equal(buf_text(&outcome.out),
		"  look          REL          ABS      PROMOTE  verdict\n"
		"     1       5.0951      5.57284     0.205922  HOLD\n"
		"     2       5.0951      2.79745     0.214107  HOLD\n"
		"     3      32.6762      27.9745    0.0771209  HOLD\n"
		"     4      326.762      279.745    0.0328733  ROLLBACK\n"
		"\n"
		"ROLLBACK: REL and ABS have both reached what is needed to fail\n"
		"canary 3 bad of 42, production 4 bad of 3971; needed: 100 to fail, 20 to pass\n");
	cli_outcome_release(&outcome);
}

static void the_reference_as_json(void **state)
{
	static const char *const json[] = { "--format", "json", NULL };
	struct cli_outcome outcome;
	char *rest, *line;
	int looks = 0;

	(void)state;
	judge(reference, json, &outcome);
	assert_int_equal(outcome.status, 0);
	rest = outcome.out.data;
	while ((line = strsep(&rest, "\n")) && *line) {
		cJSON *object = cJSON_Parse(line);

		assert_int_equal(cJSON_GetArraySize(object), 5);
		assert_int_equal(cJSON_GetObjectItem(object, "look")->valueint, ++looks);
		if (looks == 4) {
			double rel = cJSON_GetObjectItem(object, "rel")->valuedouble;
			double abs = cJSON_GetObjectItem(object, "abs")->valuedouble;

			assert_true(fabs(rel - 326.7620763294) < 1e-9);
			assert_true(fabs(abs - 279.7449595385) < 1e-9);
			assert_string_equal(
				cJSON_GetObjectItem(object, "verdict")->valuestring, "ROLLBACK");
		}
		cJSON_Delete(object);
	}
	assert_int_equal(looks, 4);
	cli_outcome_release(&outcome);
}

/* Evidence beyond every double is still a number in JSON. */
static void more_evidence_than_a_double_holds(void **state)
{
	static const char *const json[] = { "--format", "json", NULL };
	CLEANUP_BUF struct buf input = { 0 };
	struct cli_outcome outcome;

	(void)state;
	for (int i = 0; i < 400; i++)
		buf_add_text(&input, "1000,0,100,100\n");
	judge(buf_text(&input), json, &outcome);
	assert_int_equal(outcome.status, 0);
	assert_null(strstr(buf_text(&outcome.out), "null"));
	assert_non_null(strstr(buf_text(&outcome.out), "e+308"));
	cli_outcome_release(&outcome);
}

static void options_change_the_verdict(void **state)
{
	static const struct {
		const char *words[5];
		const char *verdict;
	} cases[] = {
		{ { "--false-alarm", "0.1%" }, "\nHOLD:" },
		{ { "--false-alarm", "0.01" }, "\nROLLBACK:" },
		{ { "--floor", "5%" }, "\nHOLD:" },
		{ { "--ratio", "100" }, "\nHOLD:" },
	};
	struct cli_outcome outcome;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		judge(reference, cases[i].words, &outcome);
		assert_int_equal(outcome.status, 0);
		assert_non_null(strstr(buf_text(&outcome.out), cases[i].verdict));
		cli_outcome_release(&outcome);
	}
	judge("10000,10,3000,0\n", NULL, &outcome);
	assert_non_null(strstr(buf_text(&outcome.out), "\nPROMOTE:"));
	cli_outcome_release(&outcome);
}

static void a_spreadsheets_export_is_read(void **state)
{
	struct cli_outcome outcome;

	(void)state;
	judge("\xef\xbb\xbfnb,kb,nc,kc\r\n990,1,10,1\r\n", NULL, &outcome);
	assert_int_equal(outcome.status, 0);
	assert_non_null(strstr(buf_text(&outcome.out), "     1       5.0951"));
	cli_outcome_release(&outcome);
}

static void what_is_refused(void **state)
{
	static const struct {
		const char *input;
		const char *message;
	} cases[] = {
		{ "", "has no look" },
		{ "nb,kb,nc,kc\n# nothing\n", "has no look" },
		{ "990,1,10,1\n985,0,12\n", ":2: expected four numbers" },
		{ "990,1,10,1,5\n", ":1: something follows" },
		{ "990,1,10\n", ":1: expected four numbers" },
		{ "990;1;10;1\n", ":1: expected four numbers" },
		{ "990,1,-10,0\n", ":1: a count cannot be negative" },
		{ "990,1,10,0.5\n", ":1: a count must be a whole number" },
		{ "1e3,1,10,0\n", ":1: a count must be a whole number" },
		{ "990,,10,0\n", ":1: expected a whole number" },
		{ "\n\n990,991,10,0\n", ":3: kb is above nb" },
		{ "990,1,10,11\n", ":1: kc is above nc" },
		{ "99999999999999999999,1,10,1\n", ":1: a count is beyond" },
		{ "requests,errors,requests,errors\n1,1,1,1\n", ":1: expected a whole number" },
		{ "990,1,10,1\nnb,kb,nc,kc\n", ":2: expected a whole number" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cli_outcome outcome;

		judge(cases[i].input, NULL, &outcome);
		assert_int_equal(outcome.status, 64);
		if (!strstr(buf_text(&outcome.err), cases[i].message))
			fail_msg("no '%s' in '%s'", cases[i].message, buf_text(&outcome.err));
		cli_outcome_release(&outcome);
	}
}

static void options_that_are_refused(void **state)
{
	static const char *const cases[][3] = {
		{ "--limit", "lots", "--limit: 'lots' is not a number" },
		{ "--limit", "90%", "limit must be" },
		{ "--ratio", "0.5", "ratio must be" },
		{ "--floor", "0", "floor must be" },
		{ "--false-alarm", "0", "false_alarm must be" },
		{ "--input", "/nowhere/counts.csv", "cannot read '/nowhere/counts.csv'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *words[WORDS_MAX] = { "judge", cases[i][0], cases[i][1] };
		struct cli_outcome outcome;

		cli_capture(words, &outcome);
		assert_int_equal(outcome.status, 64);
		if (!strstr(buf_text(&outcome.err), cases[i][2]))
			fail_msg("no '%s' in '%s'", cases[i][2], buf_text(&outcome.err));
		cli_outcome_release(&outcome);
	}
}

static int make_file(void **state)
{
	int file = mkstemp(path);

	(void)state;
	return file < 0 ? -1 : close(file);
}

static int remove_file(void **state)
{
	(void)state;
	return unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_reference_as_text),
		cmocka_unit_test(the_reference_as_json),
		cmocka_unit_test(more_evidence_than_a_double_holds),
		cmocka_unit_test(options_change_the_verdict),
		cmocka_unit_test(a_spreadsheets_export_is_read),
		cmocka_unit_test(what_is_refused),
		cmocka_unit_test(options_that_are_refused),
	};

	return cmocka_run_group_tests(tests, make_file, remove_file);
}
