/* The plain lines: what a CI log shows, to the letter. */
#include "test.h"

#include "report/report_private.h"
#include "report_fixture.h"

struct printed {
	struct fixture f;
	struct rollout_observer *observer;
	FILE *stream;
	char *text;
	size_t length;
	int64_t now;
	const char *state;
	bool is_held;
};

static void printed_init(struct printed *p)
{
	fixture_init(&p->f);
	p->stream = open_memstream(&p->text, &p->length);
	p->observer = report_text_new(&(struct report_options){ .stream = p->stream });
	p->now = T0;
	p->state = "observing";
	p->is_held = false;
}

static void printed_release(struct printed *p)
{
	p->observer->release(p->observer);
	fclose(p->stream);
	free(p->text);
}

static void tell(struct printed *p, enum rollout_event_kind kind, int stage, const char *text)
{
	struct rollout_event event = { .kind = kind,
		.time = p->now,
		.report = &p->f.report,
		.stage = stage ? &p->f.stages[stage - 1] : NULL,
		.text = text,
		.state = p->state,
		.is_counted = true,
		.is_held = p->is_held,
		.stage_left_ms = stage ? p->f.stages[stage - 1].shifted_at + 900000 - p->now : 0 };

	p->observer->on_event(p->observer, &event);
}

static void tell_early(struct printed *p, int stage)
{
	struct rollout_event event = { .kind = EVENT_EVALUATED,
		.time = p->now,
		.report = &p->f.report,
		.stage = &p->f.stages[stage - 1],
		.state = "observing",
		.stage_left_ms = 890000 };

	p->observer->on_event(p->observer, &event);
}

static void start_stage(struct printed *p, int stage)
{
	tell(p, EVENT_STAGE_STARTED, stage, NULL);
	p->now += 1000;
	p->f.stages[stage - 1].shifted_at = p->now;
	p->f.stages[stage - 1].state = STAGE_OBSERVING;
	tell(p, EVENT_SHIFTED, stage, NULL);
}

static void a_rolled_back_rollout_reads_like_this(void **state)
{
	struct printed p;

	(void)state;
	use_locale("C.UTF-8");
	printed_init(&p);
	tell(&p, EVENT_STARTED, 0, NULL);
	p.now += 1000;
	tell(&p, EVENT_PREPARED, 0, NULL);
	start_stage(&p, 1);
	p.now += 60000;
	fixture_judge(&p.f, 1, 0, CHECK_PASS, 0.0009);
	strcpy(fixture_judge(&p.f, 1, 1, CHECK_NO_DATA, NAN)->last.message,
		"too few samples: 12 of 50");
	tell(&p, EVENT_EVALUATED, 1, NULL);
	p.now += 60000;
	fixture_judge(&p.f, 1, 1, CHECK_PASS, 1.8);
	tell(&p, EVENT_EVALUATED, 1, NULL);
	p.now += 60000;
	tell(&p, EVENT_EVALUATED, 1, NULL); /* 20 %: a progress line, and nothing else */
	p.now += 720000;
	p.f.stages[0].state = STAGE_PASSED;
	tell(&p, EVENT_STAGE_ENDED, 1, NULL);
	start_stage(&p, 2);
	fixture_roll_back(&p.f);
	p.f.checks[1][0].last.is_critical = true;
	p.now = T0 + 1000000;
	tell(&p, EVENT_EVALUATED, 2, NULL);
	tell(&p, EVENT_STAGE_ENDED, 2, NULL);
	tell(&p, EVENT_ROLLING_BACK, 0, "error-rate failed");
	p.now += 2000;
	tell(&p, EVENT_ROLLED_BACK, 0, NULL);
	tell(&p, EVENT_FINISHED, 0, NULL);
	assert_string_equal(p.text,
		"CANARY DEPLOYMENT: fragrance-ai v0.2.1\n"
		"  20261120T170313Z-v0.2.1, started 2026-11-20T17:03:13Z\n"
		"  2 stages: 0.5% → 5%, 15m each\n"
		"  17:03:13 · preparing\n"
		"  17:03:14 ✓ prepared; 0% canary: proven in force\n"
		"\n"
		"[STAGE 1/2] 0.5% canary, 99.5% production\n"
		"  17:03:15 ✓ 0.5% canary, 99.5% production: proven in force; observing for 15m\n"
		"  17:04:15 ? p95-fast    -         <= 2.5s         812 samples  NO_DATA: "
		"too few samples: 12 of 50\n"
		"  17:05:15 ✓ p95-fast    1.8s      <= 2.5s         812 samples\n"
		"  17:06:15 · 20% observed, 12m left: all 2 checks pass\n"
		"           ✓ error-rate  0.09%     < 0.5%          812 samples\n"
		"           ✓ p95-fast    1.8s      <= 2.5s         812 samples\n"
		"  17:18:15 ✓ stage 1 passed after 15m\n"
		"\n"
		"[STAGE 2/2] 5% canary, 95% production\n"
		"  17:18:16 ✓ 5% canary, 95% production: proven in force; observing for 15m\n"
		"  17:19:53 ✗ error-rate  3.1%      < 0.5%          812 samples  FAIL: critical\n"
		"  17:19:53 ? p95-fast    -         <= 2.5s                      NO_DATA\n"
		"  17:19:53 ! rl-loss     0.45      < 2 * baseline  812 samples  WARN: "
		"baseline 0.42\n"
		"           ✗ error-rate  3.1%      < 0.5%          812 samples  FAIL: critical\n"
		"           ? p95-fast    -         <= 2.5s                      NO_DATA\n"
		"           ! rl-loss     0.45      < 2 * baseline  812 samples  WARN: "
		"baseline 0.42\n"
		"  17:19:53 ✗ stage 2 failed after 1m37s\n"
		"  17:19:53 ! rolling back: error-rate failed\n"
		"  17:19:55 ✓ 0% canary, 100% production, proven in force\n"
		"\n"
		"✗ CANARY DEPLOYMENT ROLLED BACK: v0.2.1 gets no traffic any more\n"
		"  why      stage 2 of 2 (5%) at 17:19:53: error-rate FAIL, 3.1%, limit < 0.5%, "
		"812 samples\n"
		"         | 25 of 812 requests failed\n"
		"  traffic  0% canary, 100% production, proven in force\n"
		"  took     16m42s\n"
		"  next     look at the canary's log\n");
	printed_release(&p);
}

static void the_last_line_of_an_unproven_end_is_the_command(void **state)
{
	struct fixture f;
	struct report_style style = { 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	f.report.outcome = OUTCOME_ROLLBACK_FAILED;
	f.report.traffic = (struct traffic_state){ 0 };
	report_add_end(&text, &style, &f.report);
	assert_non_null(strstr(buf_text(&text), "CANARY DEPLOYMENT ROLLBACK FAILED: it is NOT "
						"PROVEN that the canary gets no traffic"));
	assert_non_null(strstr(buf_text(&text), "NOT PROVEN: the weights in force could not be"));
	assert_non_null(strstr(buf_text(&text), "  run now"));
	assert_string_equal(
		strstr(buf_text(&text), "  run now"), "  run now  canaryctl rollback\n");

	/* Held, and not proven: the same. */
	buf_clear(&text);
	f.report.outcome = OUTCOME_HELD;
	report_add_end(&text, &style, &f.report);
	assert_non_null(strstr(buf_text(&text), "  run now  canaryctl rollback\n"));
}

static void the_brake_is_said(void **state)
{
	struct fixture f;
	struct report_style style = { 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	f.report.traffic =
		(struct traffic_state){ .is_reachable = true, .is_braked = true, .canary = 500 };
	report_add_end(&text, &style, &f.report);
	assert_non_null(strstr(
		buf_text(&text), "traffic  0% canary, 100% production, held by the brake: NGINX"));
	assert_null(strstr(buf_text(&text), "run now"));
}

static void an_end_before_any_stage_says_that_nothing_changed(void **state)
{
	struct rollout_report report = {
		.version = "v0.2.1", .outcome = OUTCOME_ABORTED, .has_reason = true
	};
	struct report_style style = { 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	strcpy(report.reason.message, "canary 'http://localhost:8001/health' refused");
	report_add_end(&text, &style, &report);
	assert_string_equal(buf_text(&text),
		"\n✗ CANARY DEPLOYMENT ABORTED: v0.2.1 was not rolled out; nothing was changed\n"
		"  why      canary 'http://localhost:8001/health' refused\n"
		"  traffic  as it was: this rollout has not touched it\n");
}

static void a_check_is_said_once_until_it_changes(void **state)
{
	struct printed p;
	size_t before;

	(void)state;
	use_locale("C.UTF-8");
	printed_init(&p);
	start_stage(&p, 1);
	before = p.length;
	fixture_judge(&p.f, 1, 0, CHECK_FAIL, 0.031);
	fixture_judge(&p.f, 1, 1, CHECK_NO_DATA, NAN);
	tell_early(&p, 1); /* a failure is shown, marked; missing data is usual */
	assert_non_null(strstr(p.text + before, "FAIL (settling: not counted yet)"));
	assert_null(strstr(p.text + before, "NO_DATA"));
	before = p.length;
	tell_early(&p, 1);
	assert_int_equal(p.length, before);
	tell(&p, EVENT_EVALUATED, 1, NULL); /* now it counts: said again */
	assert_non_null(strstr(p.text + before, "FAIL\n"));
	before = p.length;
	for (int i = 0; i < 5; i++)
		tell(&p, EVENT_EVALUATED, 1, NULL);
	assert_int_equal(p.length, before);
	fixture_judge(&p.f, 1, 0, CHECK_PASS, 0);
	tell(&p, EVENT_EVALUATED, 1, NULL);
	assert_non_null(strstr(p.text + before, "✓ error-rate  0%"));
	printed_release(&p);
}

static void waiting_names_the_commands(void **state)
{
	struct printed p;

	(void)state;
	use_locale("C.UTF-8");
	printed_init(&p);
	p.state = "awaiting_approval";
	tell(&p, EVENT_STATE_CHANGED, 1, "observing -> awaiting_approval: the next needs it");
	assert_non_null(strstr(p.text, "`canaryctl approve` goes on"));
	p.state = "shifting";
	tell(&p, EVENT_STATE_CHANGED, 1, "awaiting_approval -> shifting: approved by kim");
	assert_non_null(strstr(p.text, "approved by kim"));
	p.state = "observing";
	tell(&p, EVENT_STATE_CHANGED, 1, "shifting -> observing: in force");
	assert_null(strstr(p.text, "in force"));
	printed_release(&p);
}

/* Nobody is left who could be told to resume or to abort. */
static void holding_names_what_works_then(void **state)
{
	struct printed p;
	size_t before;

	(void)state;
	use_locale("C.UTF-8");
	printed_init(&p);
	p.state = "paused";
	tell(&p, EVENT_STATE_CHANGED, 1, "observing -> paused: paused by an operator");
	assert_non_null(strstr(p.text, "`canaryctl resume` goes on"));
	before = p.length;
	p.is_held = true;
	tell(&p, EVENT_STATE_CHANGED, 1, "observing -> paused: on_inconclusive says hold");
	assert_non_null(strstr(p.text + before, "on_inconclusive says hold"));
	assert_null(strstr(p.text + before, "resume"));
	fixture_roll_back(&p.f);
	p.f.report.outcome = OUTCOME_HELD;
	snprintf(p.f.report.reason.hint, sizeof(p.f.report.reason.hint), "mend it");
	before = p.length;
	tell(&p, EVENT_FINISHED, 0, NULL);
	assert_non_null(strstr(p.text + before, "`canaryctl rollback` takes it away"));
	printed_release(&p);
}

static void other_locales_get_ascii(void **state)
{
	struct printed p;

	(void)state;
	use_locale("C");
	printed_init(&p);
	p.f.report.service = "카나리";
	tell(&p, EVENT_STARTED, 0, NULL);
	start_stage(&p, 1);
	fixture_judge(&p.f, 1, 0, CHECK_FAIL, 1);
	tell(&p, EVENT_EVALUATED, 1, NULL);
	fixture_roll_back(&p.f);
	tell(&p, EVENT_FINISHED, 0, NULL);
	for (const char *c = p.text; *c; c++)
		assert_true((unsigned char)*c < 0x80);
	assert_non_null(strstr(p.text, " x error-rate"));
	printed_release(&p);
}

static void hostile_text_and_empty_reports_are_harmless(void **state)
{
	struct printed p;

	(void)state;
	use_locale("C.UTF-8");
	printed_init(&p);
	fixture_roll_back(&p.f);
	p.f.report.service = p.f.report.version = p.f.report.deployment = HOSTILE;
	p.f.configs[0].name = p.f.configs[0].hint = (char *)HOSTILE;
	p.f.configs[0].require.text = HOSTILE;
	strcpy(p.f.report.reason.message, HOSTILE);
	strcpy(p.f.report.reason.check, HOSTILE);
	strcpy(p.f.checks[1][0].last.measurement.series, HOSTILE);
	strcpy(p.f.checks[1][1].last.measurement.message, HOSTILE);
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++)
		tell(&p, (enum rollout_event_kind)kind, 2, HOSTILE);
	assert_harmless(p.text, "\n");
	assert_null(strstr(p.text, "\n::"));
	p.f.report = (struct rollout_report){ 0 };
	p.f.stages[0] = (struct stage_report){ 0 };
	p.state = NULL;
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		tell(&p, (enum rollout_event_kind)kind, 0, NULL);
		tell(&p, (enum rollout_event_kind)kind, 1, NULL);
	}
	printed_release(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rolled_back_rollout_reads_like_this),
		cmocka_unit_test(the_last_line_of_an_unproven_end_is_the_command),
		cmocka_unit_test(the_brake_is_said),
		cmocka_unit_test(an_end_before_any_stage_says_that_nothing_changed),
		cmocka_unit_test(a_check_is_said_once_until_it_changes),
		cmocka_unit_test(waiting_names_the_commands),
		cmocka_unit_test(holding_names_what_works_then),
		cmocka_unit_test(other_locales_get_ascii),
		cmocka_unit_test(hostile_text_and_empty_reports_are_harmless),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
