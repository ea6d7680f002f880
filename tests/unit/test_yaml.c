/* YAML to nodes: positions, and every bound. */
#include "canaryctl/buf.h"
#include "config/node.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct source source = { .path = "x.yaml", .folder = "/" };
static struct yaml_problem problem;

static struct node *parse(const char *text)
{
	source.text = text;
	source.length = strlen(text);
	return yaml_parse(&arena, &source, &problem);
}

static int teardown(void **state)
{
	(void)state;
	arena_release(&arena);
	return 0;
}

static void test_positions(void **state)
{
	struct node *root = parse("# comment\na: 1\nb:\n  - x\n  - {c: 'é', d: \"e\"}\n");
	struct node *list, *map;

	(void)state;
	assert_non_null(root);
	assert_int_equal(root->kind, NODE_MAP);
	assert_int_equal(root->count, 2);
	assert_int_equal(root->line, 2);
	assert_int_equal(root->keys[1]->line, 3);
	assert_string_equal(node_get(root, "a")->text, "1");
	assert_int_equal(node_get(root, "a")->column, 4);
	list = node_get(root, "b");
	assert_int_equal(list->kind, NODE_LIST);
	map = list->items[1];
	assert_int_equal(map->line, 5);
	assert_int_equal(map->column, 5);
	assert_int_equal(node_get(map, "d")->column, 17); /* characters, not bytes */
	assert_true(node_get(map, "d")->is_quoted);
	assert_null(node_get(map, "nothing"));
	assert_null(node_get(list, "c"));
	assert_ptr_equal(map->source, &source);
}

static void test_null(void **state)
{
	struct node *root = parse("[~, null, '', \"null\", x,]");

	(void)state;
	assert_true(node_is_null(root->items[0]));
	assert_true(node_is_null(root->items[1]));
	assert_false(node_is_null(root->items[2]));
	assert_false(node_is_null(root->items[3]));
	assert_false(node_is_null(root->items[4]));
}

static void test_duplicates_are_kept(void **state)
{
	struct node *root = parse("a: 1\na: 2\n");

	(void)state;
	assert_int_equal(root->count, 2);
	assert_string_equal(node_get(root, "a")->text, "1");
}

static void test_aliases(void **state)
{
	struct node *root = parse("a: &x [1, 2]\nb: *x\n");

	(void)state;
	assert_ptr_equal(node_get(root, "a"), node_get(root, "b"));
}

static void test_many_items(void **state)
{
	struct buf text = { 0 };
	struct node *root;

	(void)state;
	for (int i = 0; i < 1000; i++)
		buf_add_format(&text, "key%d: %d\n", i, i);
	root = parse(buf_text(&text));
	assert_int_equal(root->count, 1000);
	assert_string_equal(node_get(root, "key999")->text, "999");
	assert_string_equal(node_get(root, "key8")->text, "8");
	buf_release(&text);
}

static void test_refused(void **state)
{
	static const struct {
		const char *text;
		int line;
		int column;
		const char *message;
	} cases[] = {
		{ "", 0, 0, "the file is empty" },
		{ "# nothing\n", 0, 0, "the file is empty" },
		{ "a: 1\n---\nb: 2\n", 2, 1, "a second document in one file" },
		{ "a: [1\n", 2, 1, "did not find expected ',' or ']'" },
		{ "a: *x\n", 1, 4, "this alias has no anchor before it" },
		{ "a: &x [1, *x]\n", 1, 11, "this alias has no anchor before it" },
		{ "? [a]\n: b\n", 1, 3, "a key must be text, not a list" },
		{ "a: \"\\0\"\n", 1, 4, "a NUL character in text" },
		{ "a: \xff\n", 1, 4, "not text in UTF-8, or with control characters" },
		{ "a: 1\nbé: \x01\n", 2, 5, "not text in UTF-8, or with control characters" },
		{ "a:\n\tb: 1\n", 2, 1, "found character that cannot start any token" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_null(parse(cases[i].text));
		assert_string_equal(problem.message, cases[i].message);
		assert_int_equal(problem.line, cases[i].line);
		assert_int_equal(problem.column, cases[i].column);
	}
}

static void test_depth_is_bounded(void **state)
{
	char text[2 * NODE_MAX_DEPTH + 3];

	(void)state;
	memset(text, '[', NODE_MAX_DEPTH);
	memset(text + NODE_MAX_DEPTH, ']', NODE_MAX_DEPTH);
	text[2 * NODE_MAX_DEPTH] = '\0';
	assert_non_null(parse(text));
	memset(text, '[', NODE_MAX_DEPTH + 1);
	memset(text + NODE_MAX_DEPTH + 1, ']', NODE_MAX_DEPTH + 1);
	text[2 * NODE_MAX_DEPTH + 2] = '\0';
	assert_null(parse(text));
	assert_string_equal(problem.message, "nested too deeply");
	assert_int_equal(problem.column, NODE_MAX_DEPTH + 1);
}

static void test_billion_laughs(void **state)
{
	struct buf text = { 0 };

	(void)state;
	buf_add_text(&text, "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
	for (int i = 1; i < 10; i++) {
		buf_add_format(&text, "a%d: &a%d [", i, i);
		for (int j = 0; j < 10; j++)
			buf_add_format(&text, "%s*a%d", j ? "," : "", i - 1);
		buf_add_text(&text, "]\n");
	}
	assert_null(parse(buf_text(&text)));
	assert_string_equal(problem.message, "aliases stand for too many values");
	buf_release(&text);
}

static void test_count_is_bounded(void **state)
{
	struct buf text = { 0 };

	(void)state;
	for (int i = 0; i <= NODE_MAX_COUNT; i++)
		buf_add_text(&text, "- x\n");
	assert_null(parse(buf_text(&text)));
	assert_string_equal(problem.message, "too many values in one file");
	buf_release(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_positions, teardown),
		cmocka_unit_test_teardown(test_null, teardown),
		cmocka_unit_test_teardown(test_duplicates_are_kept, teardown),
		cmocka_unit_test_teardown(test_aliases, teardown),
		cmocka_unit_test_teardown(test_many_items, teardown),
		cmocka_unit_test_teardown(test_refused, teardown),
		cmocka_unit_test_teardown(test_depth_is_bounded, teardown),
		cmocka_unit_test_teardown(test_billion_laughs, teardown),
		cmocka_unit_test_teardown(test_count_is_bounded, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
