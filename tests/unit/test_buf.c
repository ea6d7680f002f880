/* The bounded buffer, and what of foreign text a person may see raw. */
#include "test.h"

#include "canaryctl/buf.h"

#include <string.h>

static void assert_printable(const char *text, const char *expected)
{
	CLEANUP_BUF struct buf buf = BUF_INIT(0);

	assert_true(buf_add_printable(&buf, text));
	assert_string_equal(buf_text(&buf), expected);
}

static void text_of_any_language_stays(void **state)
{
	(void)state;
	assert_printable("", "");
	assert_printable("plain \"text\"\\", "plain \"text\"\\");
	assert_printable(
		"Grüße, 한글, 🙂, \xef\xbf\xbd", "Grüße, 한글, 🙂, \xef\xbf\xbd");
}

static void nothing_steers_a_terminal(void **state)
{
	(void)state;
	assert_printable("a\x1b[2J\x07\n\x7f", "a\\x1b[2J\\x07\\x0a\\x7f");
	/* CSI in one character: U+009B, and as the single byte that 8-bit terminals know. */
	assert_printable("\xc2\x9b"
			 "31m",
		"\\xc2\\x9b31m");
	assert_printable("\x9b"
			 "31m",
		"\\x9b31m");
}

static void nothing_deceives_a_reader(void **state)
{
	(void)state;
	/* Right-to-left override, zero width space, byte order mark. */
	assert_printable("a\xe2\x80\xae"
			 "b\xe2\x80\x8b\xef\xbb\xbf",
		"a\\xe2\\x80\\xaeb\\xe2\\x80\\x8b\\xef\\xbb\\xbf");
}

static void bytes_that_are_no_utf8_are_shown_as_bytes(void **state)
{
	(void)state;
	assert_printable("\xff\xc0\xaf\xe2\x82", "\\xff\\xc0\\xaf\\xe2\\x82");
}

/* Found by fuzz_prom: a warning that was cut in the middle of a character. */
static void what_passes_the_maximum_is_dropped_by_whole_characters(void **state)
{
	CLEANUP_BUF struct buf buf = BUF_INIT(5), more = BUF_INIT(5);

	(void)state;
	assert_false(buf_add_printable(&buf, "ab\x1b"
					     "cd"));
	assert_true(buf.overflowed);
	assert_string_equal(buf_text(&buf), "ab");
	assert_false(buf_add_printable(&more, "한글"));
	assert_string_equal(buf_text(&more), "한");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_of_any_language_stays),
		cmocka_unit_test(nothing_steers_a_terminal),
		cmocka_unit_test(nothing_deceives_a_reader),
		cmocka_unit_test(bytes_that_are_no_utf8_are_shown_as_bytes),
		cmocka_unit_test(what_passes_the_maximum_is_dropped_by_whole_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
