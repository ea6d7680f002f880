/*
 * The rehearsal's forecast: how long a stage's `compare` checks would take, at the traffic seen
 * now, to find a canary of so many errors, and to prove that it is below the limit.
 */
#include "canaryctl/check_memory.h"
#include "canaryctl/duration.h"

#include "rollout/rollout_private.h"

#include <math.h>

enum { FORECAST_BLOCKS = 20000 /* 3 days of scrapes every 15 s */ };

/* One check at one stage. */
struct forecast {
	const struct rollout *rollout;
	struct evidence_limits limits;
	struct evidence_traffic traffic;
	double scrape_s;
};

/* Adds "12m", counted from the shift, or what else would come. */
static void add_time(const struct forecast *forecast, double share, enum evidence_verdict wanted,
	struct buf *text)
{
	struct evidence_traffic traffic = forecast->traffic;
	enum evidence_verdict verdict;
	struct evidence evidence;
	char duration[DURATION_TEXT_SIZE];
	int64_t blocks, ms;

	traffic.canary_share = share;
	evidence_init(&evidence, &forecast->limits);
	verdict = evidence_forecast(&evidence, &traffic, FORECAST_BLOCKS, &blocks);
	ms = (int64_t)ceil((double)blocks * forecast->scrape_s) * 1000;
	if (verdict != EVIDENCE_HOLD)
		ms += forecast->rollout->config->rollout.settle_ms;
	duration_format(ms, duration);
	if (verdict == wanted)
		buf_add_format(text, "in %s", duration);
	else if (verdict == EVIDENCE_HOLD)
		buf_add_format(text, "after more than %s", duration);
	else
		buf_add_text(
			text, verdict == EVIDENCE_PROMOTE ? "never (within the limit)" : "never");
}

/* "errors-vs-production: finds 1 % errors in 12m, 5 % in 2m, 50 % in 45s; proves less than 0.5% in
 * 9m" */
static void write_forecast(const struct forecast *forecast, const char *name, struct buf *text)
{
	static const double shares[] = { 0.01, 0.05, 0.5 };
	char limit[CHECK_VALUE_TEXT_SIZE];

	buf_add_format(text, "          %s: ", name);
	if (!(forecast->traffic.baseline_per_block > 0)) {
		buf_add_text(text, "no production left to compare with, so finds no errors");
	} else {
		for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
			buf_add_format(
				text, i ? ", %g %% " : "finds %g %% errors ", shares[i] * 100);
			add_time(forecast, shares[i], EVIDENCE_ROLLBACK, text);
		}
	}
	buf_add_format(text, "; proves less than %s ",
		check_format_value(UNIT_SHARE, forecast->limits.limit, limit));
	add_time(forecast, forecast->traffic.baseline_share, EVIDENCE_PROMOTE, text);
}

void rehearse_forecast(struct rollout *rollout, const struct stage_report *stage)
{
	for (size_t i = 0; i < rollout->asked_count; i++) {
		const struct check_config *check = rollout->asked[i];
		const struct measurement *seen = &rollout->evaluation.verdicts[i].measurement;
		double share = weight_share(stage->weight);
		double scrape_s = (double)rollout->config->prometheus.scrape_interval_ms / 1000;
		double requests = seen->samples + seen->baseline_samples;
		struct forecast forecast = { .rollout = rollout, .scrape_s = scrape_s };
		CLEANUP_BUF struct buf text = BUF_INIT(1024);

		if (!check->kind->keeps_evidence || !stage_asks(check, stage->weight))
			continue;
		check_evidence_limits(rollout->config, check, true, &forecast.limits);
		if (requests > 0 && seen->span_s > 0) {
			double per_block = requests / seen->span_s * scrape_s;

			forecast.traffic = (struct evidence_traffic){
				.canary_per_block = per_block * share,
				.baseline_per_block = per_block * (1 - share),
				.baseline_share = seen->baseline,
			};
			write_forecast(&forecast, check->name, &text);
		} else {
			buf_add_format(&text,
				"          %s: no requests are seen now, so nothing can be "
				"forecast",
				check->name);
		}
		rollout_tell(rollout, EVENT_PLAN, buf_text(&text));
	}
}
