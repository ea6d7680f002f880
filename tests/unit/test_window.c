/* Exact counts, each case worked out by hand. Time 300 is "now", scrapes come every 15 s. */
#include "canaryctl/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#define NOW      300
#define INTERVAL 15

/* A matrix under construction: add() takes "name=value,..." sorted by name, and "time:value ...".
 */
struct fixture {
	struct prom_result over, of, up, more_up;
	struct window window;
};

static void add(struct prom_result *result, const char *labels, const char *samples)
{
	struct arena *arena = &result->arena;
	struct prom_series *old = result->series, *series;
	char *text = arena_strdup(arena, labels), *part;

	result->type = PROM_MATRIX;
	result->series = arena_alloc(arena, (result->series_count + 1) * sizeof(*series));
	if (old)
		memcpy(result->series, old, result->series_count * sizeof(*series));
	series = &result->series[result->series_count++];
	series->labels = arena_alloc(arena, 16 * sizeof(*series->labels));
	series->samples = arena_alloc(arena, 64 * sizeof(*series->samples));
	while ((part = strsep(&text, ","))) {
		const char *name = strsep(&part, "=");

		series->labels[series->label_count++] =
			(struct prom_label){ .name = name, .value = part };
	}
	text = arena_strdup(arena, samples);
	while ((part = strsep(&text, " "))) {
		struct prom_sample *sample = &series->samples[series->sample_count++];

		sample->time = strtod(strsep(&part, ":"), NULL);
		sample->value = strtod(part, NULL);
	}
}

static const struct window *count(struct fixture *f)
{
	struct window_input input = {
		.over = &f->over,
		.of = &f->of,
		.up = &f->up,
		.more_up = &f->more_up,
		.time = NOW,
		.scrape_interval = INTERVAL,
	};

	window_count(&input, &f->window);
	return &f->window;
}

static void done(struct fixture *f)
{
	window_release(&f->window);
	prom_result_release(&f->over);
	prom_result_release(&f->of);
	prom_result_release(&f->up);
	prom_result_release(&f->more_up);
}

#define A "instance=a:1,job=app"
#define B "instance=b:1,job=app"

static void one_to_two_is_exactly_one(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, A, "270:1 285:2 300:2");
	add(&f.up, A, "270:1 285:1 300:1");
	w = count(&f);
	assert_int_equal(w->state, WINDOW_COUNTED);
	assert_true(w->over == 1);
	assert_int_equal(w->target_count, 1);
	assert_int_equal(w->scraped_count, 1);
	assert_true(w->first_time == 270 && w->last_time == 300);
	done(&f);
}

static void reset_counts_from_zero(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	/* +10, restart (+3), +4 */
	add(&f.over, A, "240:100 255:110 270:3 285:7 300:7");
	add(&f.up, A, "240:1 255:1 270:1 285:1 300:1");
	w = count(&f);
	assert_true(w->over == 17);
	assert_int_equal(w->restarted_count, 1);
	done(&f);
}

static void buckets_of_one_histogram_are_reset_together(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	/* le=0.5 does not fall at the restart: 2 before, 5 after; all 5 are new. */
	add(&f.over, "instance=a:1,job=app,le=0.5", "270:2 285:5 300:5");
	add(&f.over, "instance=a:1,job=app,le=+Inf", "270:90 285:8 300:8");
	add(&f.up, A, "270:1 285:1 300:1");
	w = count(&f);
	assert_true(w->over_increases[0] == 5);
	assert_true(w->over_increases[1] == 8);
	done(&f);
}

static void resets_of_other_label_sets_stay_their_own(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, "instance=a:1,job=app,path=/", "270:1000 285:1001 300:1002");
	add(&f.over, "instance=a:1,job=app,path=/x", "270:9 285:1 300:1");
	w = count(&f);
	assert_true(w->over == 3);
	done(&f);
}

static void born_after_a_scrape_counts_from_zero(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, "instance=a:1,job=app,status=200", "255:10 270:20 285:30 300:40");
	add(&f.of, "instance=a:1,job=app,status=500", "285:3 300:4");
	add(&f.up, A, "255:1 270:1 285:1 300:1");
	w = count(&f);
	assert_true(w->over == 30);
	assert_true(w->of == 4);
	done(&f);
}

static void born_by_other_series_where_nobody_says_up(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, "instance=a:1,job=app,status=200", "255:10 270:20 285:30 300:40");
	add(&f.of, "instance=a:1,job=app,status=500", "285:3 300:4");
	/* another target's history is none of its own */
	add(&f.of, "instance=b:1,job=app,status=500", "285:7 300:8");
	add(&f.over, "instance=b:1,job=app,status=200", "285:10 300:12");
	w = count(&f);
	assert_true(w->over == 32);
	assert_true(w->of == 5);
	done(&f);
}

static void first_scrape_of_a_target_is_only_a_base(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, A, "270:500 285:501 300:502");
	/* down before: nobody knows how long its counter has been running */
	add(&f.up, A, "240:0 255:0 270:1 285:1 300:1");
	w = count(&f);
	assert_true(w->over == 2);
	done(&f);
}

static void relabelled_target_is_not_born(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	/* The scrape configuration got release=2 in the middle: the counter goes on at 1000. */
	add(&f.over, "instance=a:1,job=app,release=2", "285:1000 300:1001");
	add(&f.up, "instance=a:1,job=app,release=1", "255:1 270:1");
	add(&f.up, "instance=a:1,job=app,release=2", "285:1 300:1");
	w = count(&f);
	assert_int_equal(w->state, WINDOW_COUNTED);
	assert_true(w->over == 1);
	done(&f);
}

static void overridden_labels_still_find_their_up(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	/* honor_labels: the application's own version label won */
	add(&f.over, "instance=a:1,job=app,version=v2", "285:3 300:4");
	add(&f.more_up, "instance=a:1,job=app,version=canary", "255:1 270:1 285:1 300:1");
	w = count(&f);
	assert_true(w->over == 4);
	done(&f);
}

static void own_timestamps_are_not_births(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	/* The exporter stamps its samples 5 s after the scrape's own time. */
	add(&f.over, A, "260:1000 275:1001 290:1002");
	add(&f.up, A, "255:1 270:1 285:1 300:1");
	w = count(&f);
	assert_true(w->over == 2);
	done(&f);
}

static void missing_errors_are_zero_only_with_requests(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, A, "270:1 285:5 300:9");
	add(&f.up, A, "270:1 285:1 300:1");
	w = count(&f);
	assert_int_equal(w->state, WINDOW_COUNTED);
	assert_true(w->of == 0 && w->over == 8);
	done(&f);

	memset(&f, 0, sizeof(f));
	add(&f.of, A, "270:1 285:5 300:9");
	w = count(&f);
	assert_int_equal(w->state, WINDOW_NO_SERIES);
	done(&f);
}

static void errors_of_another_target_count(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, A, "270:1 285:5 300:9");
	add(&f.of, "instance=log:9,job=mtail", "270:1 285:2 300:4");
	w = count(&f);
	assert_int_equal(w->state, WINDOW_COUNTED);
	assert_true(w->of == 3);
	done(&f);
}

static void nothing_at_all(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	assert_int_equal(count(&f)->state, WINDOW_NO_SERIES);
	assert_int_equal(f.window.target_count, 0);
	done(&f);
}

static void down_target_is_named(void **state)
{
	struct fixture f = { 0 };
	const struct window *w;

	(void)state;
	add(&f.over, A, "270:1 285:5 300:9");
	add(&f.over, B, "240:1 255:5 270:9 285:10");
	add(&f.up, A, "270:1 285:1 300:1");
	add(&f.up, B, "270:1 285:1 300:0");
	w = count(&f);
	assert_int_equal(w->state, WINDOW_DOWN);
	assert_string_equal(w->problem, "target 'b:1' of job 'app' is down (its scrape fails)");
	done(&f);
}

static void target_that_never_had_series_counts_as_down(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	add(&f.over, A, "270:1 285:5 300:9");
	add(&f.up, A, "270:1 285:1 300:1");
	add(&f.up, B, "270:0 285:0 300:0");
	assert_int_equal(count(&f)->state, WINDOW_DOWN);
	assert_non_null(strstr(f.window.problem, "'b:1'"));
	done(&f);
}

static void exporter_of_another_job_is_not_of_the_arm(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	add(&f.over, A, "270:1 285:5 300:9");
	add(&f.up, A, "270:1 285:1 300:1");
	add(&f.up, "instance=a:9100,job=node", "270:0 285:0 300:0");
	assert_int_equal(count(&f)->state, WINDOW_COUNTED);
	assert_int_equal(f.window.target_count, 1);
	done(&f);

	/* but with nothing counted it is all there is to say */
	memset(&f, 0, sizeof(f));
	add(&f.up, A, "270:0 285:0 300:0");
	assert_int_equal(count(&f)->state, WINDOW_DOWN);
	done(&f);
}

static void up_and_without_series_is_an_idle_target(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	add(&f.over, A, "270:1 285:5 300:9");
	add(&f.up, A, "270:1 285:1 300:1");
	add(&f.up, B, "270:1 285:1 300:1");
	assert_int_equal(count(&f)->state, WINDOW_COUNTED);
	assert_true(f.window.over == 8);
	assert_int_equal(f.window.scraped_count, 2);
	done(&f);
}

static void vanished_target_is_down(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	/* Out of service discovery: `up` ended too, with its last value 1. */
	add(&f.over, A, "210:1 225:5 240:9");
	add(&f.up, A, "210:1 225:1 240:1");
	assert_int_equal(count(&f)->state, WINDOW_DOWN);
	assert_non_null(strstr(f.window.problem, "is gone: last scraped 60s ago"));
	done(&f);
}

static void freshness_decides_where_nobody_says_up(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	add(&f.over, A, "240:1 255:5 270:9"); /* 30 s = 2 intervals: still fresh */
	assert_int_equal(count(&f)->state, WINDOW_COUNTED);
	done(&f);

	memset(&f, 0, sizeof(f));
	add(&f.over, A, "240:1 255:5 267:9"); /* 33 s */
	assert_int_equal(count(&f)->state, WINDOW_DOWN);
	assert_non_null(strstr(f.window.problem, "is stale: its series ended 33s ago"));
	done(&f);
}

static void pushed_series_without_target_labels(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	add(&f.over, "status=200", "270:1 285:5 300:9");
	add(&f.of, "status=500", "270:1 285:1 300:2");
	assert_int_equal(count(&f)->state, WINDOW_COUNTED);
	assert_true(f.window.over == 8 && f.window.of == 1);
	done(&f);
}

static void scrape_between_the_queries_counts_on_no_side(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	/* `of` was asked before the scrape at 300 was stored */
	add(&f.over, A, "270:10 285:20 300:30");
	add(&f.of, A, "270:1 285:2");
	count(&f);
	assert_true(f.window.over == 10 && f.window.of == 1);
	assert_true(f.window.last_time == 285);
	done(&f);

	/* the other way round */
	memset(&f, 0, sizeof(f));
	add(&f.over, A, "270:10 285:20");
	add(&f.of, A, "270:1 285:2 300:5");
	count(&f);
	assert_true(f.window.over == 10 && f.window.of == 1);
	done(&f);
}

static void errors_of_a_dead_process_do_not_stop_the_count(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	/* restarted after 240: no 5xx series since */
	add(&f.over, A, "225:100 240:110 255:2 270:4 285:6 300:8");
	add(&f.of, A, "225:5 240:7");
	add(&f.up, A, "225:1 240:1 255:1 270:1 285:1 300:1");
	count(&f);
	assert_int_equal(f.window.state, WINDOW_COUNTED);
	assert_true(f.window.over == 18 && f.window.of == 2);
	done(&f);
}

static void what_is_no_count_is_skipped(void **state)
{
	struct fixture f = { 0 };

	(void)state;
	add(&f.over, A, "255:1 270:nan 285:inf 300:4");
	count(&f);
	assert_true(f.window.over == 3);
	done(&f);
}

static void asks_up_only_of_targets_that_lack_it(void **state)
{
	struct fixture f = { 0 };
	struct buf query = { 0 };
	struct window_input input = {
		.over = &f.over, .of = &f.of, .up = &f.up, .time = NOW, .scrape_interval = INTERVAL
	};

	(void)state;
	add(&f.over, A, "285:1 300:2");
	add(&f.over, "instance=a:1,job=app,path=/", "285:1 300:2");
	add(&f.over, "instance=[::1]:80,job=app", "285:1 300:2");
	add(&f.of, "instance=x\"y,job=other", "285:1 300:2");
	add(&f.up, A, "285:1 300:1");
	assert_true(window_write_missing_up(&input, &query));
	assert_string_equal(
		buf_text(&query), "up{job=~\"app|other\",instance=~\"\\\\[::1\\\\]:80|x\\\"y\"}");
	buf_release(&query);
	done(&f);

	memset(&f, 0, sizeof(f));
	add(&f.over, "status=200", "285:1 300:2");
	assert_false(window_write_missing_up(&input, &query));
	done(&f);
}

/* Blocks that follow each other count everything once: also resets and births on their edges. */
static void blocks_add_up(void **state)
{
	struct fixture f = { 0 };
	struct window_input input = {
		.over = &f.over, .of = &f.of, .up = &f.up, .time = NOW, .scrape_interval = INTERVAL
	};
	double over = 0, of = 0;

	(void)state;
	add(&f.over, A, "225:10 240:12 255:3 270:9 285:9 300:20");
	add(&f.of, A, "270:4 285:5 300:5");
	add(&f.over, B, "220:100 235:110 250:120 265:130 280:140 295:150");
	add(&f.up, A, "225:1 240:1 255:1 270:1 285:1 300:1");
	add(&f.up, B, "220:1 235:1 250:1 265:1 280:1 295:1");
	count(&f);
	assert_true(f.window.over == 72 && f.window.of == 5);
	assert_true(f.window.common_time == 295);
	window_release(&f.window);
	for (double from = 225; from < 300; from += INTERVAL) {
		input.after = from;
		input.until = from + INTERVAL;
		window_count(&input, &f.window);
		assert_true(f.window.common_time == 295);
		over += f.window.over;
		of += f.window.of;
		if (from == 240)
			assert_true(f.window.over == 3 + 10);
		window_release(&f.window);
	}
	assert_true(over == 72 && of == 5);
	done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_to_two_is_exactly_one),
		cmocka_unit_test(reset_counts_from_zero),
		cmocka_unit_test(buckets_of_one_histogram_are_reset_together),
		cmocka_unit_test(resets_of_other_label_sets_stay_their_own),
		cmocka_unit_test(born_after_a_scrape_counts_from_zero),
		cmocka_unit_test(born_by_other_series_where_nobody_says_up),
		cmocka_unit_test(first_scrape_of_a_target_is_only_a_base),
		cmocka_unit_test(relabelled_target_is_not_born),
		cmocka_unit_test(overridden_labels_still_find_their_up),
		cmocka_unit_test(own_timestamps_are_not_births),
		cmocka_unit_test(missing_errors_are_zero_only_with_requests),
		cmocka_unit_test(errors_of_another_target_count),
		cmocka_unit_test(nothing_at_all),
		cmocka_unit_test(down_target_is_named),
		cmocka_unit_test(target_that_never_had_series_counts_as_down),
		cmocka_unit_test(exporter_of_another_job_is_not_of_the_arm),
		cmocka_unit_test(up_and_without_series_is_an_idle_target),
		cmocka_unit_test(vanished_target_is_down),
		cmocka_unit_test(freshness_decides_where_nobody_says_up),
		cmocka_unit_test(pushed_series_without_target_labels),
		cmocka_unit_test(scrape_between_the_queries_counts_on_no_side),
		cmocka_unit_test(errors_of_a_dead_process_do_not_stop_the_count),
		cmocka_unit_test(what_is_no_count_is_skipped),
		cmocka_unit_test(asks_up_only_of_targets_that_lack_it),
		cmocka_unit_test(blocks_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
