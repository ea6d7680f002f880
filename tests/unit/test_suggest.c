/* Which name a mistyped word is taken for. */
#include "test.h"

#include "canaryctl/mem.h"
#include "canaryctl/suggest.h"

#include <string.h>

static const char *const names[] = { "deploy", "rollback", "status", "weights", "gate", NULL };

static void test_suggestions(void **state)
{
	static const struct {
		const char *word;
		const char *meant; /* NULL: nothing is near */
	} cases[] = {
		{ "deplyo", "deploy" },
		{ "deplo", "deploy" },
		{ "dep", "deploy" },
		{ "de", NULL },
		{ "roll", "rollback" },
		{ "rolback", "rollback" },
		{ "stauts", "status" },
		{ "weight", "weights" },
		{ "gaet", "gate" },
		{ "kubectl", NULL },
		{ "", NULL },
		{ "x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *got = suggest_name(cases[i].word, names);

		if (cases[i].meant)
			assert_string_equal(got ? got : "(none)", cases[i].meant);
		else
			assert_null(got);
	}
}

static void test_long_words_are_no_names(void **state)
{
	char word[4096];

	(void)state;
	memset(word, 'd', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	assert_null(suggest_name(word, names));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suggestions),
		cmocka_unit_test(test_long_words_are_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
