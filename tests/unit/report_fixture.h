/* A rollout of two stages with three checks, for the tests of the printers. */
#ifndef CANARYCTL_TESTS_REPORT_FIXTURE_H
#define CANARYCTL_TESTS_REPORT_FIXTURE_H

#include "canaryctl/report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define T0 INT64_C(1795194193000) /* 2026-11-20T17:03:13Z */

enum { FIXTURE_STAGES = 2, FIXTURE_CHECKS = 3 };

struct fixture {
	struct check_kind ratio, latency, query;
	struct check_config configs[FIXTURE_CHECKS];
	struct check_report checks[FIXTURE_STAGES][FIXTURE_CHECKS];
	struct stage_report stages[FIXTURE_STAGES];
	struct rollout_report report;
};

static inline void fixture_init(struct fixture *f)
{
	*f = (struct fixture){ .ratio = { .name = "ratio", .unit = UNIT_SHARE },
		.latency = { .name = "latency", .unit = UNIT_SECONDS },
		.query.name = "prometheus" };
	f->configs[0] = (struct check_config){ .name = (char *)"error-rate",
		.kind = &f->ratio,
		.require = { .text = "< 0.5%", .op = CONDITION_LESS, .number = 0.005 } };
	f->configs[1] = (struct check_config){ .name = (char *)"p95-fast",
		.kind = &f->latency,
		.require = { .text = "<= 2.5s", .op = CONDITION_AT_MOST, .number = 2.5 } };
	f->configs[2] = (struct check_config){ .name = (char *)"rl-loss",
		.kind = &f->query,
		.from_stage = 500,
		.require = { .text = "< 2 * baseline", .uses_baseline = true, .factor = 2 } };
	for (int i = 0; i < FIXTURE_STAGES; i++) {
		for (int j = 0; j < FIXTURE_CHECKS; j++)
			f->checks[i][j].check = &f->configs[j];
		f->stages[i] = (struct stage_report){ .index = i + 1,
			.weight = i ? 500 : 50,
			.observe_ms = 900000,
			.checks = f->checks[i],
			.check_count = FIXTURE_CHECKS };
	}
	f->report = (struct rollout_report){ .deployment = "20261120T170313Z-v0.2.1",
		.service = "fragrance-ai",
		.version = "v0.2.1",
		.started_at = T0,
		.stages = f->stages,
		.stage_count = FIXTURE_STAGES };
}

/* A counted verdict. value NaN: none. */
static inline struct check_report *fixture_judge(
	struct fixture *f, int stage, int check, enum check_result result, double value)
{
	struct check_report *report = &f->checks[stage - 1][check];

	report->was_asked = true;
	report->evaluations++;
	report->failures_in_row = result == CHECK_FAIL ? report->failures_in_row + 1 : 0;
	report->last = (struct verdict){ .check = report->check, .result = result };
	report->last.measurement.has_value = !isnan(value);
	report->last.measurement.value = value;
	report->last.measurement.has_samples = true;
	report->last.measurement.samples = 812;
	if (report->recent_count < SPARKLINE_POINTS)
		report->recent[report->recent_count++] = value;
	return report;
}

static inline void fixture_prove(struct fixture *f, weight_t canary)
{
	f->report.traffic = (struct traffic_state){ .is_reachable = true,
		.is_proven = true,
		.canary = canary,
		.generation = "20261120T170313Z-v0.2.1/7" };
}

/* Stage 1 passed, stage 2 failed on error-rate, and the canary is back at 0 %. */
static inline void fixture_roll_back(struct fixture *f)
{
	fixture_judge(f, 1, 0, CHECK_PASS, 0.0008);
	fixture_judge(f, 1, 1, CHECK_PASS, 1.8);
	f->stages[0].state = STAGE_PASSED;
	f->stages[0].shifted_at = T0 + 2000;
	f->stages[0].ended_at = T0 + 902000;
	fixture_judge(f, 2, 0, CHECK_FAIL, 0.031);
	fixture_judge(f, 2, 1, CHECK_NO_DATA, NAN)->last.measurement.has_samples = false;
	fixture_judge(f, 2, 2, CHECK_WARN, 0.45)->last.measurement.has_baseline = true;
	f->checks[1][2].last.measurement.baseline = 0.42;
	f->stages[1].state = STAGE_FAILED;
	f->stages[1].shifted_at = T0 + 903000;
	f->stages[1].ended_at = T0 + 1000000;
	fixture_prove(f, 0);
	f->report.outcome = OUTCOME_ROLLED_BACK;
	f->report.ended_at = T0 + 1002000;
	f->report.has_reason = true;
	f->report.reason = (struct rollout_reason){ .stage = 2,
		.weight = 500,
		.check = "error-rate",
		.result = CHECK_FAIL,
		.has_value = true,
		.value = 0.031,
		.limit = "< 0.5%",
		.has_samples = true,
		.samples = 812,
		.message = "25 of 812 requests failed",
		.hint = "look at the canary's log" };
}

/* Text, as an attacker would put it into a label: escapes, C1, bidi, broken UTF-8, markup. */
#define HOSTILE                                                                                    \
	"a\x1b[2Jb\x07\xc2\x9b"                                                                    \
	"31mc\xe2\x80\xae"                                                                         \
	"d\xff<&\"'>|`\n::error::e\r\x7f]]>"

/* No byte that steers a terminal, and valid UTF-8. */
static inline void assert_harmless(const char *text, const char *allowed)
{
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		assert_false((*p < 0x20 || *p == 0x7f) && !strchr(allowed, *p));
		assert_false(p[0] == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f);
		assert_int_not_equal(*p, 0xff);
	}
	assert_null(strstr(text, "\xe2\x80\xae"));
}

/* Sets the locale that the printers look at; TZ for times of day. */
static inline void use_locale(const char *name)
{
	unsetenv("LC_ALL");
	unsetenv("LC_CTYPE");
	setenv("LANG", name, 1);
	setenv("TZ", "UTC", 1);
}

#endif
