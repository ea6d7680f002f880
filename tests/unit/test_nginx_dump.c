/* The whole configuration as `nginx -T` prints it: files, includes in their place, and what is in
 * which block. */
#include "test.h"

#include "canaryctl/buf.h"
#include "canaryctl/mem.h"
#include "traffic/nginx_dump.h"

#include <string.h>

static void a_dump_is_searched_but_for_our_own_file(void **state)
{
	static const char dump[] = "# configuration file /etc/nginx/nginx.conf:\n"
				   "http { # if (-f /run/x.off)\n"
				   "# configuration file /etc/nginx/conf.d/upstream.conf:\n"
				   "if (-f /run/x.off) { }\n";
	static const char heeded[] = "# configuration file /etc/nginx/conf.d/upstream.conf:\n"
				     "# configuration file /etc/nginx/nginx.conf:\n"
				     "    if (-f /run/x.off) { set $pool production; }\n";

	(void)state;
	assert_false(nginx_dump_has(dump, "/run/x.off", "/etc/nginx/conf.d/upstream.conf"));
	assert_true(nginx_dump_has(dump, "/run/x.off", "/elsewhere"));
	assert_true(nginx_dump_has(heeded, "/run/x.off", "/etc/nginx/conf.d/upstream.conf"));
	assert_false(nginx_dump_has("", "/run/x.off", ""));
}

/* "file:line block/block name", one a line. */
static void write_visit(const struct nginx_visit *visit, void *context)
{
	struct buf *text = context;

	buf_add_format(text, "%s:%d", visit->file->path, visit->statement->line);
	for (const struct nginx_block *b = visit->around; b; b = b->around)
		buf_add_format(
			text, " <%.*s", (int)b->head->words[0].length, b->head->words[0].start);
	buf_add_format(text, " %.*s\n", (int)visit->statement->words[0].length,
		visit->statement->words[0].start);
}

static void assert_walk(const char *dump_text, const char *expected)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct nginx_dump dump;

	nginx_dump_split(dump_text, &dump);
	nginx_dump_walk(&dump, write_visit, &text);
	assert_string_equal(buf_text(&text), expected);
	nginx_dump_release(&dump);
}

static void includes_are_read_in_their_place(void **state)
{
	(void)state;
	assert_walk("# configuration file /e/n.conf:\n"
		    "user a;\n"
		    "http { include c/*.conf; server { include s.conf; } }\n"
		    "# configuration file /e/c/b.conf:\n"
		    "map x y { default 1; }\n"
		    "# configuration file /e/s.conf:\n"
		    "\nlisten 80;\n"
		    "# configuration file /e/c/.hidden.conf:\n"
		    "never read;\n",
		"/e/n.conf:1 user\n"
		"/e/n.conf:2 http\n"
		"/e/n.conf:2 <http include\n"
		"/e/c/b.conf:1 <http map\n"
		"/e/c/b.conf:1 <map <http default\n"
		"/e/n.conf:2 <http server\n"
		"/e/n.conf:2 <server <http include\n"
		"/e/s.conf:2 <server <http listen\n");
}

static void what_is_read_twice_is_counted(void **state)
{
	struct nginx_dump dump;
	struct buf text = BUF_INIT(0);

	(void)state;
	nginx_dump_split("# configuration file /n.conf:\n"
			 "include a; include /b; include /?;\n"
			 "# configuration file /a:\na 1;\n"
			 "# configuration file /b:\nb 1;\n",
		&dump);
	assert_int_equal(dump.count, 3);
	nginx_dump_walk(&dump, write_visit, &text);
	assert_int_equal(dump.files[0].reads, 1);
	assert_int_equal(dump.files[1].reads, 2);
	assert_int_equal(dump.files[2].reads, 2);
	buf_release(&text);
	nginx_dump_release(&dump);
}

/* NGINX would not print it; whatever it is, there is an end. */
static void circles_and_broken_text_end(void **state)
{
	static const char *const texts[] = {
		"",
		"no mark at all;",
		"# configuration file :\n",
		"# configuration file /a:",
		"# configuration file /a:\ninclude /a; include /a;\n",
		"# configuration file /a:\nhttp { { { 'open\n",
		"# configuration file /a:\n} } ; ;\n",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		CLEANUP_BUF struct buf text = BUF_INIT(0);
		struct nginx_dump dump;

		nginx_dump_split(texts[i], &dump);
		nginx_dump_walk(&dump, write_visit, &text);
		nginx_dump_release(&dump);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dump_is_searched_but_for_our_own_file),
		cmocka_unit_test(includes_are_read_in_their_place),
		cmocka_unit_test(what_is_read_twice_is_counted),
		cmocka_unit_test(circles_and_broken_text_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
