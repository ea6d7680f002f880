/* Rendering: every shipped template and the seeds' one, from 0 to 100 %, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "canaryctl/fileio.h"
#include "canaryctl/mem.h"

#include "traffic/proof_block.h"
#include "traffic/template.h"
#include "traffic/upstreams.h"

#include <string.h>

static const char seeds_template[] =
	"upstream app_backend {\n"
	"    # Production version (stable)\n"
	"    server app:8000 weight=${PRODUCTION_WEIGHT};  # 99, 95, 75, 0\n"
	"\n"
	"    # Canary version (new release)\n"
	"    server app-canary:8001 weight=${CANARY_WEIGHT};  # 1, 5, 25, 100\n"
	"\n"
	"    keepalive 32;\n"
	"}\n";

static struct template_input input_of(const char *text, weight_t canary)
{
	return (struct template_input){ .name = "t",
		.text = text,
		.service = "fragrance-ai",
		.production_server = "app:8000",
		.canary_server = "app-canary:8001",
		.generation = "r-1/0123abcd",
		.proof_listen = "127.0.0.1:8099",
		.canary = canary };
}

struct rendered {
	struct buf text;
	struct buf notes;
	struct error error;
	int result;
};

static struct rendered render(const char *text, weight_t canary)
{
	struct rendered r = { .result = 0 };
	struct template_input input = input_of(text, canary);

	r.result = template_render(&input, &r.text, &r.notes, &r.error);
	return r;
}

static void release(struct rendered *r)
{
	buf_release(&r->text);
	buf_release(&r->notes);
}

static void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in:\n%s", part, text);
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in:\n%s", part, text);
}

static const struct {
	weight_t canary;
	const char *production_word, *canary_word, *answer, *split_line;
} weights[] = {
	{ 0, "weight=100", "down", "\"production\":100,\"canary\":0,", NULL },
	{ 1, "weight=9999", "weight=1", "\"production\":99.99,\"canary\":0.01,",
		"0.01% app_canary" },
	{ 50, "weight=199", "weight=1", "\"production\":99.5,\"canary\":0.5,", "0.5% app_canary" },
	{ 100, "weight=99", "weight=1", "\"production\":99,\"canary\":1,", "1% app_canary" },
	{ 500, "weight=95", "weight=5", "\"production\":95,\"canary\":5,", "5% app_canary" },
	{ 5000, "weight=50", "weight=50", "\"production\":50,\"canary\":50,", "50% app_canary" },
	{ 9950, "weight=1", "weight=199", "\"production\":0.5,\"canary\":99.5,",
		"99.5% app_canary" },
	{ 10000, "down", "weight=100", "\"production\":0,\"canary\":100,", "100% app_canary" },
};

static void seeds_template_works_unchanged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		CLEANUP_FREE char *production =
			mem_format("server app:8000 %s;  # 99", weights[i].production_word);
		CLEANUP_FREE char *canary =
			mem_format("server app-canary:8001 %s;  # 1", weights[i].canary_word);
		struct rendered r = render(seeds_template, weights[i].canary);

		assert_int_equal(r.result, 0);
		assert_contains(buf_text(&r.text), production);
		assert_contains(buf_text(&r.text), canary);
		assert_contains(buf_text(&r.text), weights[i].answer);
		assert_contains(buf_text(&r.notes), "'app_backend' has no 'zone'");
		assert_contains(buf_text(&r.notes), "max_fails=0");
		release(&r);
	}
}

static char *shipped(const char *name)
{
	CLEANUP_FREE char *path = mem_format("%s/nginx/conf.d/%s", SOURCE_DIR, name);
	struct buf text = { 0 };
	struct error err = { 0 };

	assert_int_equal(fileio_read(path, 1 << 20, &text, &err), 0);
	return buf_take(&text);
}

static void shipped_templates_give_nothing_to_warn_of(void **state)
{
	CLEANUP_FREE char *weighted = shipped("upstream.conf.template");
	CLEANUP_FREE char *split = shipped("split.conf.template");

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(weights); i++) {
		struct rendered w = render(weighted, weights[i].canary);
		struct rendered s = render(split, weights[i].canary);

		assert_int_equal(w.result, 0);
		assert_int_equal(s.result, 0);
		assert_string_equal(buf_text(&w.notes), "");
		assert_string_equal(buf_text(&s.notes), "");
		assert_contains(buf_text(&s.text), "* app_production;");
		if (weights[i].split_line)
			assert_contains(buf_text(&s.text), weights[i].split_line);
		else
			assert_lacks(buf_text(&s.text), "% app_canary;");
		assert_contains(buf_text(&s.text), "map $cookie_session $canaryctl_user");
		release(&w);
		release(&s);
	}
}

static void only_our_words_are_replaced(void **state)
{
	struct rendered r = render("map $a ${b} { x ${CANARY}; y \"${GENERATION}\"; z $c; }\n"
				   "split_clients $d $e { ${CANARY_WEIGHT}% k; * p; }\n",
		500);

	(void)state;
	assert_int_equal(r.result, 0);
	assert_contains(buf_text(&r.text),
		"map $a ${b} { x ${CANARY}; y \"r-1/0123abcd\"; z $c; }\n"
		"split_clients $d $e { 5% k; * p; }\n");
	release(&r);
}

static void a_share_of_zero_leaves_only_its_statement_out(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "split_clients $d $e { ${CANARY_WEIGHT}% k; * p; }\n",
			"split_clients $d $e {  * p; }\n" },
		{ "split_clients $d $e {\n  ${CANARY_WEIGHT}% k;  # the canary\n  * p;\n}\n",
			"split_clients $d $e {\n  * p;\n}\n" },
		{ "split_clients $d $e {\n  # ${CANARY_WEIGHT}% to it\n  ${CANARY_WEIGHT}%\n k;\n"
		  "  * p; # it's\n}\n",
			"split_clients $d $e {\n  # 0% to it\n  * p; # it's\n}\n" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rendered r = render(cases[i].text, 0);

		assert_int_equal(r.result, 0);
		assert_memory_equal(buf_text(&r.text), cases[i].wanted, strlen(cases[i].wanted));
		release(&r);
	}
}

static void what_would_serve_nobody_is_refused(void **state)
{
	static const struct {
		const char *text;
		weight_t canary;
		const char *message;
	} cases[] = {
		{ "server { listen 80; }\n", 500, "neither ${CANARY_WEIGHT}" },
		{ "# ${CANARY_WEIGHT}\nserver { }\n", 500, "neither ${CANARY_WEIGHT}" },
		{ "\nupstream a { server c weight=${CANARY_WEIGHT}; }\n"
		  "upstream b { server p weight=${PRODUCTION_WEIGHT}; }\n",
			0, "'t' line 2: no server of upstream 'a'" },
		{ "upstream a { server c weight=${CANARY_WEIGHT}; server p "
		  "weight=${PRODUCTION_WEIGHT} "
		  "down; }\n",
			0, "line 1: no server of upstream 'a'" },
		{ "upstream a { server p; server c weight=${CANARY_WEIGHT}; }\n", 100,
			"line 1: 'weight=' takes only one" },
		{ "split_clients $a $b {\n ${CANARY_WEIGHT}% c;\n}\n", 0,
			"line 1: split_clients has no line" },
		{ "upstream a { server c weight=${CANARY_WEIGHT};\n server p "
		  "weight=${PRODUCTION_WEIGHT};\n",
			100, "not closed" },
		{ "upstream a { server c weight=${CANARY_WEIGHT}; server p "
		  "weight=${PRODUCTION_WEIGHT}; } }\n",
			100, "not closed" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rendered r = render(cases[i].text, cases[i].canary);

		assert_int_equal(r.result, -1);
		assert_int_equal(r.error.kind, ERROR_CONFIG);
		assert_contains(r.error.message, cases[i].message);
		release(&r);
	}
}

static void nothing_breaks_out_of_its_place(void **state)
{
	static const char *const bad[] = { "app:8000; } server { listen 81", "a b", "", "$host",
		"a\nb", "a;", "a{", "a'" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		for (int where = 0; where < 5; where++) {
			struct template_input input = input_of(seeds_template, 500);
			struct buf out = { 0 }, notes = { 0 };
			struct error err = { 0 };
			CLEANUP_FREE char *brake = mem_format("/run/%s", bad[i]);

			if (where == 0)
				input.production_server = bad[i];
			else if (where == 1)
				input.canary_server = bad[i];
			else if (where == 2)
				input.generation = bad[i];
			else if (where == 3)
				input.proof_listen = bad[i];
			else
				input.brake = *bad[i] ? brake : "relative";
			assert_int_equal(template_render(&input, &out, &notes, &err), -1);
			assert_int_equal(err.kind, ERROR_CONFIG);
			buf_release(&out);
			buf_release(&notes);
		}
	}
}

static void a_unix_socket_is_refused(void **state)
{
	struct template_input input = input_of(seeds_template, 500);
	struct buf out = { 0 }, notes = { 0 };
	struct error err = { 0 };

	(void)state;
	input.proof_listen = "unix:/run/canaryctl.sock";
	assert_int_equal(template_render(&input, &out, &notes, &err), -1);
	buf_release(&out);
}

static void the_brake_gets_a_pool_where_the_template_has_none(void **state)
{
	CLEANUP_FREE char *weighted = shipped("upstream.conf.template");
	const char *texts[] = { seeds_template, weighted };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct template_input input = input_of(texts[i], 500);
		struct buf out = { 0 }, notes = { 0 };
		struct error err = { 0 };

		input.brake = "/run/canaryctl/fragrance-ai.off";
		assert_int_equal(template_render(&input, &out, &notes, &err), 0);
		assert_contains(buf_text(&out), "if (-f /run/canaryctl/fragrance-ai.off)");
		assert_int_equal(
			!strstr(buf_text(&out), "upstream canaryctl-fragrance-ai-production"), i);
		buf_release(&out);
		buf_release(&notes);
	}
}

static void the_file_says_what_it_would_answer(void **state)
{
	struct rendered r = render(seeds_template, 50);
	struct proof_answer answer;

	(void)state;
	assert_true(proof_block_find(buf_text(&r.text), &answer));
	assert_string_equal(answer.generation, "r-1/0123abcd");
	assert_int_equal(answer.canary, 50);
	assert_false(proof_block_find(seeds_template, &answer));
	release(&r);
}

static void answers_are_not_trusted(void **state)
{
	static const char good[] = "{\"generation\":\"r/1\",\"production\":99.5,\"canary\":0.5,"
				   "\"pid\":7,\"braked\":true}\n";
	static const char *const bad[] = {
		"", "{}", "[1]", "<html>", "null",
		"{\"generation\":\"r/1\",\"production\":99,\"canary\":5,\"pid\":7,\"braked\":true}",
		"{\"generation\":\"r/"
		"1\",\"production\":99,\"canary\":1,\"pid\":-7,\"braked\":true}",
		"{\"generation\":\"r/1\",\"production\":99,\"canary\":1,\"pid\":7}",
		"{\"generation\":\"r\\n1\",\"production\":99,\"canary\":1,\"pid\":7,\"braked\":"
		"true}",
		"{\"generation\":3,\"production\":99,\"canary\":1,\"pid\":7,\"braked\":true}",
		"{\"generation\":\"r/1\",\"production\":1e9,\"canary\":1,\"pid\":7,\"braked\":true}"
	};
	struct proof_answer answer;

	(void)state;
	assert_true(proof_answer_parse(good, strlen(good), &answer));
	assert_string_equal(answer.generation, "r/1");
	assert_int_equal(answer.canary, 50);
	assert_int_equal(answer.pid, 7);
	assert_true(answer.is_braked);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(proof_answer_parse(bad[i], strlen(bad[i]), &answer));
}

static void a_generation_names_its_rollout(void **state)
{
	char first[GENERATION_SIZE], second[GENERATION_SIZE];
	struct error err = { 0 };

	(void)state;
	assert_int_equal(generation_make("20261120T170313Z-v0.2.0", first, &err), 0);
	assert_int_equal(generation_make("20261120T170313Z-v0.2.0", second, &err), 0);
	assert_memory_equal(first, "20261120T170313Z-v0.2.0/", 24);
	assert_int_equal(strlen(first), 32);
	assert_string_not_equal(first, second);
	assert_int_equal(generation_make("a/b", first, &err), -1);
	assert_int_equal(generation_make("a\"", first, &err), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(seeds_template_works_unchanged),
		cmocka_unit_test(shipped_templates_give_nothing_to_warn_of),
		cmocka_unit_test(only_our_words_are_replaced),
		cmocka_unit_test(a_share_of_zero_leaves_only_its_statement_out),
		cmocka_unit_test(what_would_serve_nobody_is_refused),
		cmocka_unit_test(nothing_breaks_out_of_its_place),
		cmocka_unit_test(a_unix_socket_is_refused),
		cmocka_unit_test(the_brake_gets_a_pool_where_the_template_has_none),
		cmocka_unit_test(the_file_says_what_it_would_answer),
		cmocka_unit_test(answers_are_not_trusted),
		cmocka_unit_test(a_generation_names_its_rollout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
