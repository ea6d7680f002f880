/* Line differences. */
#include "test.h"

#include "canaryctl/diff.h"

static void expect(const char *old_text, const char *new_text, const char *wanted)
{
	CLEANUP_BUF struct buf diff = BUF_INIT(4096);

	diff_lines(old_text, new_text, &diff);
	assert_string_equal(buf_text(&diff), wanted);
}

static void only_what_differs_is_shown(void **state)
{
	(void)state;
	expect("a\nb\nc\n", "a\nb\nc\n", "");
	expect("", "a\n", "+ a\n");
	expect("a\n", "", "- a\n");
	expect("a\nb\nc\n", "a\nx\nc\nd\n", "- b\n+ x\n+ d\n");
	expect("a\nb", "b\na", "- a\n+ a\n");
}

static void text_cannot_steer_the_terminal(void **state)
{
	(void)state;
	expect("", "\033[31m\n", "+ \\x1b[31m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_differs_is_shown),
		cmocka_unit_test(text_cannot_steer_the_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
