/* The cache: which entry leaves, and when one is no longer fresh. */
#include "test.h"

#include "refapp/cache.h"

#include <stdio.h>
#include <string.h>

static struct cache cache;

static int setup(void **state)
{
	const struct cache_settings settings = {
		.enabled = true, .max_size = 3, .ttl_seconds = 600
	};

	(void)state;
	cache_init(&cache, &settings);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cache_release(&cache);
	return 0;
}

static void put(const char *key, int64_t now_ms)
{
	cache_put(&cache, MODE_FAST, key, key, now_ms);
}

static bool has(const char *key, int64_t now_ms)
{
	const char *value = cache_get(&cache, MODE_FAST, key, now_ms);

	if (value)
		assert_string_equal(value, key);
	return value != NULL;
}

static void test_least_recently_used_leaves(void **state)
{
	(void)state;
	put("a", 0);
	put("b", 0);
	put("c", 0);
	assert_true(has("a", 1)); /* now b is the oldest */
	put("d", 2);
	assert_int_equal(cache.size, 3);
	assert_int_equal(cache.evicted, 1);
	assert_false(has("b", 3));
	put("e", 4); /* and now c, since nobody asked for it */
	assert_false(has("c", 5));
	assert_true(has("a", 5) && has("d", 5) && has("e", 5));
}

static void test_storing_again_is_using(void **state)
{
	(void)state;
	put("a", 0);
	put("b", 0);
	put("c", 0);
	put("a", 1);
	put("d", 2);
	assert_int_equal(cache.size, 3);
	assert_true(has("a", 3));
	assert_false(has("b", 3));
}

static void test_fresh_until_the_time_to_live(void **state)
{
	(void)state;
	put("a", 1000);
	assert_true(has("a", 600999));
	/* Being asked for does not make it younger. */
	assert_false(has("a", 601000));
	assert_int_equal(cache.expired, 1);
	assert_int_equal(cache.size, 0);
}

static void test_time_to_live_is_per_mode_and_at_once(void **state)
{
	(void)state;
	cache_put(&cache, MODE_FAST, "a", "fast", 0);
	cache_put(&cache, MODE_CREATIVE, "a", "creative", 0);
	cache.ttl_ms[MODE_FAST] = 100;
	assert_null(cache_get(&cache, MODE_FAST, "a", 100));
	assert_string_equal(cache_get(&cache, MODE_CREATIVE, "a", 100), "creative");
}

static void test_sweep(void **state)
{
	(void)state;
	put("a", 0);
	put("b", 5000);
	put("c", 10000);
	cache_sweep(&cache, 605000);
	assert_int_equal(cache.size, 1);
	assert_int_equal(cache.expired, 2);
	assert_true(has("c", 605001));
	cache_clear(&cache);
	assert_int_equal(cache.size, 0);
	assert_false(has("c", 605002));
}

static void test_hit_rate_is_of_the_recent(void **state)
{
	(void)state;
	assert_true(cache_hit_rate(&cache, MODE_FAST) == 0);
	put("a", 0);
	for (int i = 0; i < 25; i++)
		cache_miss(&cache, MODE_FAST);
	for (int i = 0; i < 75; i++)
		has("a", 1);
	assert_true(cache_hit_rate(&cache, MODE_FAST) == 0.75);
	for (int i = 0; i < 50; i++)
		cache_miss(&cache, MODE_FAST);
	assert_true(cache_hit_rate(&cache, MODE_FAST) == 0.5);
	assert_int_equal(cache.counts[MODE_FAST].hits, 75);
	assert_int_equal(cache.counts[MODE_FAST].misses, 75);
	assert_int_equal(cache.counts[MODE_CREATIVE].misses, 0);
}

/* Against a plain list, over many random uses: chains, order and counts stay right. */
static void test_against_a_list(void **state)
{
	const struct cache_settings settings = {
		.enabled = true, .max_size = 50, .ttl_seconds = 1000000
	};
	struct random random;
	int order[50], used = 0; /* newest first */

	(void)state;
	cache_release(&cache);
	cache_init(&cache, &settings);
	random_init(&random, 1, 0);
	for (int i = 0; i < 20000; i++) {
		int number = (int)(random_next(&random) % 80);
		int position = 0;
		char key[16];

		snprintf(key, sizeof(key), "key %d", number);
		while (position < used && order[position] != number)
			position++;
		assert_int_equal(has(key, i), position < used);
		if (position == used) {
			put(key, i);
			used += used < 50;
			position = used - 1;
		}
		memmove(&order[1], &order[0], (size_t)position * sizeof(order[0]));
		order[0] = number;
		assert_int_equal(cache.size, used);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_least_recently_used_leaves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_storing_again_is_using, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fresh_until_the_time_to_live, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_time_to_live_is_per_mode_and_at_once, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sweep, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hit_rate_is_of_the_recent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_against_a_list, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
