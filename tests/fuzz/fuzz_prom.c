/*
 * Prometheus' answers: line 1 is "STATUS CONTENT-TYPE", then the answers for over, of, up and
 * more_up, a line each. What is parsed is counted, and the counts keep within what they can be.
 */
#include "fuzz.h"

#include "canaryctl/buckets.h"
#include "canaryctl/prom.h"
#include "canaryctl/window.h"

#include <math.h>

enum { ANSWERS = 4 };

static void check_result(const struct prom_result *result)
{
	REQUIRE(!result->warnings || fuzz_is_harmless(result->warnings, ""));
	REQUIRE(result->type != PROM_SCALAR || result->series_count == 1);
	for (size_t i = 0; i < result->series_count; i++) {
		const struct prom_series *series = &result->series[i];

		for (size_t j = 1; j < series->label_count; j++)
			REQUIRE(strcmp(series->labels[j - 1].name, series->labels[j].name) < 0);
		for (size_t j = 0; j < series->sample_count; j++) {
			REQUIRE(isfinite(series->samples[j].time));
			REQUIRE(!j || series->samples[j - 1].time < series->samples[j].time);
		}
		REQUIRE(result->type == PROM_MATRIX || result->type == PROM_STRING ||
			series->sample_count == 1);
	}
}

static bool parse(const char *text, size_t length, long status, const char *type,
	struct prom_result *ret_result)
{
	struct error err = { 0 };

	if (prom_parse(text, length, status, type, ret_result, &err) == 0) {
		REQUIRE(status >= 200 && status <= 299 && err.kind == ERROR_NONE);
		check_result(ret_result);
		return true;
	}
	REQUIRE(err.kind == ERROR_CONFIG || err.kind == ERROR_METRICS || err.kind == ERROR_NET);
	REQUIRE(err.message[0]);
	return false;
}

static void check_buckets(const struct prom_result *result, const double *counts)
{
	struct arena arena = { 0 };
	struct buckets buckets;
	struct error err = { 0 };
	double value = 0;
	bool beyond = false;

	if (buckets_build(result, counts, &arena, &buckets, &err) == 0) {
		REQUIRE(buckets.count && isinf(buckets.items[buckets.count - 1].bound));
		for (size_t i = 1; i < buckets.count; i++)
			REQUIRE(buckets.items[i - 1].bound < buckets.items[i].bound);
		if (buckets_quantile(&buckets, 0.95, &value, &beyond))
			REQUIRE(!isinf(value));
	}
	arena_release(&arena);
}

static void check_window(const struct prom_result *results)
{
	struct window_input input = { .over = &results[0],
		.of = &results[1],
		.up = &results[2],
		.more_up = &results[3],
		.time = 300,
		.scrape_interval = 15 };
	struct window window;
	CLEANUP_BUF struct buf query = BUF_INIT(0);

	window_count(&input, &window);
	REQUIRE(window.over >= 0 && window.of >= 0);
	REQUIRE(window.scraped_count <= window.target_count);
	REQUIRE(window.state != WINDOW_DOWN || window.problem[0]);
	REQUIRE(fuzz_is_harmless(window.problem, ""));
	for (size_t i = 0; i < results[0].series_count; i++)
		REQUIRE(window.over_increases[i] >= 0);
	window_write_missing_up(&input, &query);
	check_buckets(&results[0], window.over_increases);
	window_release(&window);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	struct prom_result results[ANSWERS] = { 0 };
	char *rest = text, *first = strsep(&rest, "\n");
	char *type = strchr(first, ' ');
	long status = strtol(first, NULL, 10);
	bool all_matrices = true;

	for (int i = 0; i < ANSWERS; i++) {
		char *line = rest ? strsep(&rest, "\n") : NULL;
		bool is_read = line &&
			       parse(line, strlen(line), status, type ? type + 1 : "", &results[i]);

		if (is_read && i == 0 && results[i].type == PROM_VECTOR)
			check_buckets(&results[i], NULL);
		all_matrices = all_matrices && (!line || is_read) &&
			       (!is_read || results[i].type == PROM_MATRIX);
	}
	if (all_matrices)
		check_window(results);
	for (int i = 0; i < ANSWERS; i++)
		prom_result_release(&results[i]);
	return 0;
}
