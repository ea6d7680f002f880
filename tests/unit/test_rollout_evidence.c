/* What the judges have counted, through the journal and back. */
#include "test.h"

#include "canaryctl/check_memory.h"

#include "rollout/rollout_private.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct check_kind counting = { .name = "compare", .keeps_evidence = true };
static const struct check_kind other = { .name = "ratio" };

/* A rollout of two stages with three checks, two of which keep evidence. */
struct fixture {
	struct check_config checks[3];
	const struct check_config *asked[3];
	struct check_memory memories[3];
	struct stage_report stages[2];
	struct rollout_request request;
	struct rollout rollout;
};

static int setup(void **state)
{
	static struct fixture f;
	static char names[3][8] = { "ratio", "first", "second" };

	memset(&f, 0, sizeof(f));
	for (int i = 0; i < 3; i++) {
		f.checks[i] =
			(struct check_config){ .name = names[i], .kind = i ? &counting : &other };
		f.asked[i] = &f.checks[i];
	}
	f.stages[0].index = 1;
	f.stages[1].index = 2;
	f.rollout = (struct rollout){ .request = &f.request,
		.report = { .stages = f.stages, .stage_count = 2 },
		.stage = 1,
		.asked = f.asked,
		.asked_count = 3,
		.memories = f.memories };
	f.request.start_stage = 1;
	*state = &f;
	return 0;
}

static void count_something(struct check_memory *memory, int blocks)
{
	evidence_init(&memory->evidence, &(struct evidence_limits){ 1.5, 0.002, 0.005, 0.01 / 12 });
	for (int i = 0; i < blocks; i++)
		evidence_take(&memory->evidence,
			&(struct evidence_block){ 1000 + i, i % 3, 7 * (i % 2), i % 5 == 1 });
	evidence_take(&memory->evidence, &(struct evidence_block){ 17, 1, 0, 0 });
	memory->counted_until = 1795211216.268;
	memory->counted_s = 15.0 * blocks;
	memory->is_begun = true;
}

/* Takes what is kept into the journal, and begins the stage anew in another process. */
static char *through_the_journal(struct fixture *f)
{
	cJSON *object = rollout_evidence_object(&f->rollout);
	char *text = cJSON_PrintUnformatted(object);

	assert_non_null(text);
	cJSON_Delete(object);
	memset(f->memories, 0xff, sizeof(f->memories));
	f->request.evidence = text;
	rollout_evidence_begin(&f->rollout);
	return text;
}

static void assert_near(double a, double b)
{
	assert_true(fabs(a - b) <= 1e-14 * fabs(b)); /* JSON's last digit */
}

static void assert_same_mixture(
	const struct evidence_mixture *a, const struct evidence_mixture *b, int count)
{
	for (int j = 0; j < count; j++)
		assert_near(a->ln_parts[j], b->ln_parts[j]);
	assert_near(a->ln_reserve, b->ln_reserve);
	assert_near(a->ln_now, b->ln_now);
	assert_near(a->ln_best, b->ln_best);
}

static void assert_same(const struct check_memory *a, const struct check_memory *b)
{
	const struct evidence *x = &a->evidence, *y = &b->evidence;

	assert_true(x->limits.ratio == y->limits.ratio && x->limits.floor == y->limits.floor &&
		    x->limits.limit == y->limits.limit);
	assert_same_mixture(&x->rel, &y->rel, EVIDENCE_RATIOS);
	assert_same_mixture(&x->abs, &y->abs, EVIDENCE_RATES);
	assert_memory_equal(&x->total, &y->total, sizeof(x->total));
	assert_memory_equal(&x->pool, &y->pool, sizeof(x->pool));
	assert_true(x->blocks == y->blocks);
	/* A millisecond would count a scrape twice, or not at all. */
	assert_true(a->counted_until == b->counted_until && a->counted_s == b->counted_s);
}

static void all_of_it_comes_back(void **state)
{
	struct fixture *f = *state;
	struct check_memory first, second;
	char *text;

	count_something(&f->memories[1], 1000);
	count_something(&f->memories[2], 31);
	first = f->memories[1];
	second = f->memories[2];
	text = through_the_journal(f);
	assert_same(&f->memories[1], &first);
	assert_same(&f->memories[2], &second);
	/* The next evaluation looks where this process may count from. */
	assert_false(f->memories[1].is_begun);
	assert_true(f->memories[0].counted_until == 0);
	free(text);
}

static void nothing_is_taken_where_it_does_not_belong(void **state)
{
	struct fixture *f = *state;
	char *text;

	count_something(&f->memories[1], 10);
	text = through_the_journal(f);
	assert_true(f->memories[1].evidence.blocks > 0);
	/* another stage of the same rollout */
	f->rollout.stage = 0;
	rollout_evidence_begin(&f->rollout);
	assert_true(f->memories[1].evidence.blocks == 0);
	/* the stage that it began at, but evidence of another */
	f->request.start_stage = 0;
	rollout_evidence_begin(&f->rollout);
	assert_true(f->memories[1].evidence.blocks == 0);
	/* a rollout that resumes nothing */
	f->rollout.stage = f->request.start_stage = 1;
	f->request.evidence = NULL;
	rollout_evidence_begin(&f->rollout);
	assert_true(f->memories[1].evidence.blocks == 0);
	assert_null(rollout_evidence_object(&f->rollout));
	free(text);
}

static void damage_is_not_believed(void **state)
{
	static const char *const broken[] = { "", "{", "[]", "7", "{\"stage\":2}",
		"{\"stage\":2,\"checks\":7}", "{\"stage\":2,\"checks\":[7,{},{\"name\":7}]}",
		"{\"stage\":2,\"checks\":[{\"name\":\"first\"}]}" };
	static const struct {
		const char *from, *to;
	} changes[] = {
		{ "\"ln_now\":", "\"ln_new\":" },
		{ "\"ln_parts\":[", "\"ln_parts\":[0," },
		{ "\"ln_parts\":[", "\"ln_parts\":[null," },
		{ "\"ln_parts\":[", "\"ln_parts\":{},\"x\":[" },
		{ "\"blocks\":", "\"blocks\":-" },
		{ "\"total\":{\"nb\":", "\"total\":{\"nb\":-" },
		{ "\"ratio\":", "\"ratio\":1e999,\"x\":" },
		{ "\"kc\":", "\"kc\":1e9,\"x\":" },
	};
	struct fixture *f = *state;
	cJSON *object;
	char *good;

	for (size_t i = 0; i < ARRAY_SIZE(broken); i++) {
		f->request.evidence = broken[i];
		rollout_evidence_begin(&f->rollout);
		assert_true(f->memories[1].evidence.blocks == 0);
	}
	count_something(&f->memories[1], 10);
	object = rollout_evidence_object(&f->rollout);
	good = cJSON_PrintUnformatted(object);
	cJSON_Delete(object);
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		char *at = strstr(good, changes[i].from);
		CLEANUP_FREE char *bad = NULL;

		assert_non_null(at);
		bad = mem_format("%.*s%s%s", (int)(at - good), good, changes[i].to,
			at + strlen(changes[i].from));
		f->request.evidence = bad;
		rollout_evidence_begin(&f->rollout);
		if (f->memories[1].evidence.blocks || f->memories[1].counted_until != 0)
			fail_msg("believed: %s", bad);
	}
	free(good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(all_of_it_comes_back, setup),
		cmocka_unit_test_setup(nothing_is_taken_where_it_does_not_belong, setup),
		cmocka_unit_test_setup(damage_is_not_believed, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
