/* Metrics: series appear when first touched, and the text is what Prometheus expects. */
#include "refapp/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_has(const struct metrics *metrics, const char *line)
{
	CLEANUP_BUF struct buf out = { 0 };

	metrics_render(metrics, &out);
	if (!strstr(buf_text(&out), line))
		fail_msg("no '%s' in:\n%s", line, buf_text(&out));
}

static void test_empty(void **state)
{
	struct metrics metrics = { 0 };
	CLEANUP_BUF struct buf out = { 0 };

	(void)state;
	metrics_render(&metrics, &out);
	assert_string_equal(buf_text(&out), "");
	metrics_release(&metrics);
}

static void test_counter(void **state)
{
	struct metrics metrics = { 0 };
	CLEANUP_BUF struct buf out = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		metrics_add(&metrics, METRIC_REQUESTS,
			LABELS(LABEL("version", "canary") LABEL("status", i ? "200" : "500")), 1);
	metrics_render(&metrics, &out);
	assert_string_equal(buf_text(&out),
		"# HELP http_requests_total Client API requests that were answered, by mode and "
		"status.\n"
		"# TYPE http_requests_total counter\n"
		"http_requests_total{version=\"canary\",status=\"500\"} 1\n"
		"http_requests_total{version=\"canary\",status=\"200\"} 2\n");
	metrics_release(&metrics);
}

static void test_gauge_without_labels(void **state)
{
	struct metrics metrics = { 0 };

	(void)state;
	metrics_set(&metrics, METRIC_START_TIME, LABELS(), 1);
	metrics_set(&metrics, METRIC_START_TIME, LABELS(), 1795199545.717);
	assert_has(&metrics, "\nprocess_start_time_seconds 1795199545.717\n");
	metrics_release(&metrics);
}

static void test_label_values_are_escaped(void **state)
{
	struct metrics metrics = { 0 };

	(void)state;
	metrics_add(&metrics, METRIC_BRIEFS, LABELS(LABEL("mode", "a\"b\\c\nd")), 1);
	assert_has(&metrics, "llm_brief_total{mode=\"a\\\"b\\\\c\\nd\"} 1\n");
	metrics_release(&metrics);
}

static void test_histogram(void **state)
{
	const struct label *labels = LABELS(LABEL("mode", "fast"));
	struct metrics metrics = { 0 };

	(void)state;
	/* A value on a bound is within it. */
	metrics_observe(&metrics, METRIC_DURATION, labels, 2.5);
	metrics_observe(&metrics, METRIC_DURATION, labels, 2.5001);
	metrics_observe(&metrics, METRIC_DURATION, labels, 4.25);
	metrics_observe(&metrics, METRIC_DURATION, labels, 99);
	assert_has(&metrics, "# TYPE http_request_duration_seconds histogram\n");
	assert_has(&metrics, "_bucket{mode=\"fast\",le=\"2.25\"} 0\n");
	assert_has(&metrics, "_bucket{mode=\"fast\",le=\"2.5\"} 1\n");
	assert_has(&metrics, "_bucket{mode=\"fast\",le=\"3.2\"} 2\n");
	assert_has(&metrics, "_bucket{mode=\"fast\",le=\"4.5\"} 3\n");
	assert_has(&metrics, "_bucket{mode=\"fast\",le=\"30\"} 3\n");
	assert_has(&metrics, "_bucket{mode=\"fast\",le=\"+Inf\"} 4\n");
	assert_has(&metrics, "_sum{mode=\"fast\"} 108.2501\n");
	assert_has(&metrics, "_count{mode=\"fast\"} 4\n");
	metrics_release(&metrics);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_counter),
		cmocka_unit_test(test_gauge_without_labels),
		cmocka_unit_test(test_label_values_are_escaped),
		cmocka_unit_test(test_histogram),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
