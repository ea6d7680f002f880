/* Series selectors: what is written again means the same, also with a hostile value added. */
#include "fuzz.h"

#include "canaryctl/selector.h"
#include "config/query.h"

static void check_same(const struct selector *a, const struct selector *b)
{
	REQUIRE(strcmp(a->metric, b->metric) == 0 && a->matcher_count == b->matcher_count);
	for (size_t i = 0; i < a->matcher_count; i++) {
		REQUIRE(strcmp(a->matchers[i].name, b->matchers[i].name) == 0);
		REQUIRE(strcmp(a->matchers[i].value, b->matchers[i].value) == 0);
		REQUIRE(a->matchers[i].op == b->matchers[i].op);
	}
}

static void check_rewritten(const struct selector *selector, struct arena *arena)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct selector again;
	struct error err = { 0 };

	selector_write(selector, &text);
	REQUIRE(selector_parse(buf_text(&text), arena, &again, &err) == 0);
	check_same(selector, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	CLEANUP_BUF struct buf scratch = BUF_INIT(0);
	struct arena arena = { 0 };
	struct selector selector, more;
	struct error err = { 0 };

	if (selector_parse(text, &arena, &selector, &err) == 0) {
		check_rewritten(&selector, &arena);
		/* The text itself, as a value: no quote in it may end the string. */
		more = selector_with(&arena, &selector, "zone", MATCH_EQUAL, text);
		REQUIRE(more.matcher_count == selector.matcher_count + 1);
		check_rewritten(&more, &arena);
		selector_write_up(&selector, &scratch);
		selector_write_diagnosis(&selector, &scratch);
	} else {
		REQUIRE(err.kind != ERROR_NONE && err.message[0]);
	}
	if (selector_find(text, &arena, &selector))
		check_rewritten(&selector, &arena);
	selector_add_literal(&scratch, text);
	selector_valid(text);
	matchers_valid(text);
	arena_release(&arena);
	return 0;
}
