/* JUnit, Markdown and GitHub Actions. */
#include "test.h"

#include "report/report_private.h"
#include "report_fixture.h"

#include <ctype.h>
#include <unistd.h>

/* Checks what a parser would: one root, tags that nest, quoted attributes, no raw & or <. */
static void assert_well_formed(const char *xml)
{
	char open[16][32];
	int depth = 0, roots = 0;
	const char *p = strstr(xml, "?>");

	assert_int_equal(strncmp(xml, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", 39), 0);
	for (p += 2; *p; p++) {
		if (*p == '&') {
			size_t length = strcspn(p, ";");

			assert_in_range(length, 2, 6);
			p += length;
		} else if (*p == '<' && p[1] == '/') {
			size_t length = strcspn(p + 2, ">");

			assert_true(depth > 0);
			depth--;
			assert_int_equal(strlen(open[depth]), length);
			assert_memory_equal(open[depth], p + 2, length);
			p += 2 + length;
		} else if (*p == '<') {
			size_t length = strcspn(++p, " />");

			assert_in_range(length, 1, sizeof(open[0]) - 1);
			roots += depth == 0;
			snprintf(open[depth++], sizeof(open[0]), "%.*s", (int)length, p);
			for (p += length; *p == ' ';) {
				p += strcspn(p, "=") + 1;
				assert_int_equal(*p, '"');
				p++;
				assert_true(strcspn(p, "\"") <= strcspn(p, "<"));
				p += strcspn(p, "\"") + 1;
			}
			if (*p == '/') {
				depth--;
				p++;
			}
			assert_int_equal(*p, '>');
		} else {
			assert_true(depth > 0 || isspace((unsigned char)*p));
		}
	}
	assert_int_equal(depth, 0);
	assert_int_equal(roots, 1);
}

static void junit_reads_like_this(void **state)
{
	struct fixture f;
	CLEANUP_BUF struct buf xml = BUF_INIT(0);

	(void)state;
	use_locale("C.UTF-8");
	fixture_init(&f);
	fixture_roll_back(&f);
	report_to_junit(&f.report, &xml);
	assert_well_formed(buf_text(&xml));
	assert_string_equal(buf_text(&xml),
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuites name=\"canaryctl deploy fragrance-ai v0.2.1\" tests=\"7\" "
		"failures=\"2\" errors=\"1\" skipped=\"1\">\n"
		"  <testsuite name=\"rollout\" tests=\"1\" failures=\"1\" errors=\"0\" "
		"skipped=\"0\""
		" timestamp=\"2026-11-20T17:03:13Z\" time=\"1002.000\">\n"
		"    <testcase classname=\"fragrance-ai\" name=\"outcome\">\n"
		"      <failure type=\"rolled_back\" message=\"v0.2.1 gets no traffic any more\">"
		"stage 2 of 2 (5%) at 17:19:53: error-rate FAIL, 3.1%, limit &lt; 0.5%, "
		"812 samples&#10;25 of 812 requests failed&#10;"
		"traffic: 0% canary, 100% production, proven in force</failure>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"  <testsuite name=\"stage 1 (0.5%)\" tests=\"3\" failures=\"0\" errors=\"0\" "
		"skipped=\"1\" timestamp=\"2026-11-20T17:03:15Z\" time=\"900.000\">\n"
		"    <testcase classname=\"fragrance-ai\" name=\"error-rate\">\n"
		"      <system-out>PASS: 0.08%, limit &lt; 0.5%, 812 samples</system-out>\n"
		"    </testcase>\n"
		"    <testcase classname=\"fragrance-ai\" name=\"p95-fast\">\n"
		"      <system-out>PASS: 1.8s, limit &lt;= 2.5s, 812 samples</system-out>\n"
		"    </testcase>\n"
		"    <testcase classname=\"fragrance-ai\" name=\"rl-loss\">\n"
		"      <skipped message=\"not reached\"/>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"  <testsuite name=\"stage 2 (5%)\" tests=\"3\" failures=\"1\" errors=\"1\" "
		"skipped=\"0\" timestamp=\"2026-11-20T17:18:16Z\" time=\"97.000\">\n"
		"    <testcase classname=\"fragrance-ai\" name=\"error-rate\">\n"
		"      <failure type=\"FAIL\" message=\"3.1%, limit &lt; 0.5%, 812 samples\">"
		"</failure>\n"
		"    </testcase>\n"
		"    <testcase classname=\"fragrance-ai\" name=\"p95-fast\">\n"
		"      <error type=\"NO_DATA\" message=\"-, limit &lt;= 2.5s\"></error>\n"
		"    </testcase>\n"
		"    <testcase classname=\"fragrance-ai\" name=\"rl-loss\">\n"
		"      <system-out>WARN: 0.45, limit &lt; 2 * baseline, 812 samples; "
		"baseline 0.42</system-out>\n"
		"    </testcase>\n"
		"  </testsuite>\n"
		"</testsuites>\n");
}

static void fill_with_hostile_text(struct fixture *f)
{
	f->report.service = f->report.version = f->report.deployment = HOSTILE;
	f->configs[0].name = (char *)HOSTILE;
	f->configs[0].require.text = HOSTILE;
	strcpy(f->report.reason.message, HOSTILE);
	strcpy(f->report.reason.hint, HOSTILE);
	strcpy(f->checks[1][0].last.message, HOSTILE);
	strcpy(f->checks[1][0].last.measurement.series, HOSTILE);
	strcpy(f->checks[1][1].last.measurement.message, HOSTILE);
}

static void hostile_text_stays_text(void **state)
{
	struct fixture f;
	CLEANUP_BUF struct buf xml = BUF_INIT(0), markdown = BUF_INIT(0);

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	fill_with_hostile_text(&f);
	report_to_junit(&f.report, &xml);
	assert_well_formed(buf_text(&xml));
	assert_harmless(buf_text(&xml), "\n");
	report_to_markdown(&f.report, &markdown);
	assert_harmless(buf_text(&markdown), "\n");
	assert_null(strstr(buf_text(&markdown), "\n::"));
	/* Every row of the table has its nine bars: none came from outside. */
	for (const char *row = strstr(buf_text(&markdown), "\n|"); row; row = strstr(row, "\n|")) {
		int bars = 0;

		for (row++; *row && *row != '\n'; row++)
			bars += *row == '|' && row[-1] != '\\';
		assert_int_equal(bars, 9);
	}
}

static void empty_reports_are_valid(void **state)
{
	(void)state;
	for (int outcome = 0; outcome < OUTCOME_COUNT; outcome++) {
		struct rollout_report report = { .outcome = (enum rollout_outcome)outcome };
		struct stage_report stage = { .index = 1, .weight = 100 };
		CLEANUP_BUF struct buf xml = BUF_INIT(0), markdown = BUF_INIT(0);

		report_to_junit(&report, &xml);
		assert_well_formed(buf_text(&xml));
		report_to_markdown(&report, &markdown);
		report.stages = &stage;
		report.stage_count = 1;
		buf_clear(&xml);
		report_to_junit(&report, &xml);
		assert_well_formed(buf_text(&xml));
		assert_non_null(strstr(buf_text(&xml), "<skipped message=\"not reached\"/>"));
		report_to_markdown(&report, &markdown);
	}
}

static void only_observed_checks_are_no_failures(void **state)
{
	struct fixture f;
	CLEANUP_BUF struct buf xml = BUF_INIT(0);

	(void)state;
	fixture_init(&f);
	fixture_judge(&f, 1, 0, CHECK_FAIL, 1);
	f.configs[0].observe_only = true;
	f.report.outcome = OUTCOME_SUCCEEDED;
	report_to_junit(&f.report, &xml);
	assert_non_null(strstr(buf_text(&xml), "failures=\"0\" errors=\"0\" skipped=\"6\">"));
}

static void markdown_says_it_all(void **state)
{
	struct fixture f;
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	use_locale("C.UTF-8");
	fixture_init(&f);
	fixture_roll_back(&f);
	report_to_markdown(&f.report, &text);
	assert_string_equal(buf_text(&text),
		"## ✗ Canary deployment of fragrance-ai v0.2.1: rolled\\_back\n"
		"\n"
		"v0.2.1 gets no traffic any more\n"
		"\n"
		"- **Why:** stage 2 of 2 \\(5%\\) at 17:19:53: error-rate FAIL, 3.1%, "
		"limit &lt; 0.5%, 812 samples 25 of 812 requests failed\n"
		"- **Traffic:** 0% canary, 100% production, proven in force\n"
		"- **Next:** look at the canary's log\n"
		"- **Deployment:** 20261120T170313Z-v0.2.1\n"
		"- **Started:** 2026-11-20T17:03:13Z\n"
		"- **Took:** 16m42s\n"
		"\n"
		"| stage | state | check | result | value | limit | samples | |\n"
		"| --- | --- | --- | --- | --- | --- | --- | --- |\n"
		"| 1 (0.5%) | passed | error-rate | PASS | 0.08% | &lt; 0.5% | 812 samples |  |\n"
		"| 1 (0.5%) | passed | p95-fast | PASS | 1.8s | &lt;= 2.5s | 812 samples |  |\n"
		"| 2 (5%) | failed | error-rate | FAIL | 3.1% | &lt; 0.5% | 812 samples |  |\n"
		"| 2 (5%) | failed | p95-fast | NO\\_DATA | - | &lt;= 2.5s |  |  |\n"
		"| 2 (5%) | failed | rl-loss | WARN | 0.45 | &lt; 2 \\* baseline | 812 samples | "
		"baseline 0.42 |\n");
}

/* Runs report_to_github() with files of its own; what each holds comes back. */
static void run_github(const struct rollout_report *report, struct buf *ret_summary,
	struct buf *ret_outputs, struct buf *ret_errors)
{
	char names[3][32] = { "/tmp/summaryXXXXXX", "/tmp/outputXXXXXX", "/tmp/errorsXXXXXX" };
	struct buf *const texts[] = { ret_summary, ret_outputs, ret_errors };
	int files[3], old_stderr = dup(STDERR_FILENO);
	char bytes[8192];

	for (int i = 0; i < 3; i++)
		files[i] = mkstemp(names[i]);
	setenv("GITHUB_STEP_SUMMARY", names[0], 1);
	setenv("GITHUB_OUTPUT", names[1], 1);
	assert_int_equal(write(files[1], "before=1\n", 9), 9);
	dup2(files[2], STDERR_FILENO);
	report_to_github(report);
	dup2(old_stderr, STDERR_FILENO);
	close(old_stderr);
	unsetenv("GITHUB_STEP_SUMMARY");
	unsetenv("GITHUB_OUTPUT");
	for (int i = 0; i < 3; i++) {
		ssize_t length = pread(files[i], bytes, sizeof(bytes), 0);

		assert_true(length >= 0);
		buf_add(texts[i], bytes, (size_t)length);
		close(files[i]);
		unlink(names[i]);
	}
}

static void github_gets_summary_outputs_and_one_error_line(void **state)
{
	struct fixture f;
	CLEANUP_BUF struct buf summary = BUF_INIT(0), outputs = BUF_INIT(0), errors = BUF_INIT(0);

	(void)state;
	use_locale("C.UTF-8");
	fixture_init(&f);
	fixture_roll_back(&f);
	run_github(&f.report, &summary, &outputs, &errors);
	assert_non_null(strstr(buf_text(&summary), "## ✗ Canary deployment"));
	assert_string_equal(buf_text(&outputs),
		"before=1\n"
		"outcome=rolled_back\n"
		"deployment=20261120T170313Z-v0.2.1\n"
		"canary-weight=0\n"
		"reason=stage 2 of 2 (5%) at 17:19:53: error-rate FAIL, 3.1%, limit < 0.5%, "
		"812 samples 25 of 812 requests failed\n");
	assert_string_equal(buf_text(&errors),
		"::error title=canary deployment rolled_back::v0.2.1 gets no traffic any more%0A"
		"stage 2 of 2 (5%25) at 17:19:53: error-rate FAIL, 3.1%25, limit < 0.5%25, "
		"812 samples%0A25 of 812 requests failed\n");

	fill_with_hostile_text(&f);
	buf_clear(&outputs);
	buf_clear(&errors);
	run_github(&f.report, &summary, &outputs, &errors);
	assert_harmless(buf_text(&outputs), "\n");
	assert_harmless(buf_text(&errors), "\n");
	assert_ptr_equal(strchr(buf_text(&errors), '\n'), errors.data + errors.length - 1);
}

static void elsewhere_nothing_is_said(void **state)
{
	struct rollout_report report = { .outcome = OUTCOME_SUCCEEDED };
	CLEANUP_BUF struct buf summary = BUF_INIT(0), outputs = BUF_INIT(0), errors = BUF_INIT(0);

	(void)state;
	report_to_github(&report); /* no variables set: touches nothing */
	run_github(&report, &summary, &outputs, &errors);
	assert_string_equal(buf_text(&errors), ""); /* it succeeded */
	setenv("GITHUB_OUTPUT", "/nonexistent/folder/file", 1);
	report_to_github(&report); /* a warning in the log, no more */
	unsetenv("GITHUB_OUTPUT");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(junit_reads_like_this),
		cmocka_unit_test(hostile_text_stays_text),
		cmocka_unit_test(empty_reports_are_valid),
		cmocka_unit_test(only_observed_checks_are_no_failures),
		cmocka_unit_test(markdown_says_it_all),
		cmocka_unit_test(github_gets_summary_outputs_and_one_error_line),
		cmocka_unit_test(elsewhere_nothing_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
