/*
 * The canary's share against the stage's weight. The chance that a right split shows a share p
 * when it should be w is at most exp(-N * KL(p||w)) (Chernoff); 13.8 is one in a million, small
 * enough to be looked at every interval of every rollout. Round robin varies far less than that,
 * and a random split exactly so.
 *
 * Before that, what is no fault is allowed for: two requests of rounding, and one scrape interval
 * by which the arms' counts may be apart.
 */
#include "checks/share.h"

#include <math.h>
#include <string.h>

static const double evidence_needed = 13.8;
static const double rounding_requests = 2;

static double divergence(double p, double w)
{
	double sum = 0;

	if (p > 0)
		sum += p * log(p / w);
	if (p < 1)
		sum += (1 - p) * log((1 - p) / (1 - w));
	return sum;
}

static enum share_verdict judge(const struct share_result *result, double canary, double slack)
{
	/* At 100 % a single request elsewhere (a monitor's) would be infinite evidence. */
	double w = fmin(fmax(result->expected / result->total, 0.0001), 0.999);
	double low = fmin(canary + slack, result->total) / result->total;
	double high = fmax(canary - slack, 0) / result->total;

	if (low < w && result->total * divergence(low, w) > evidence_needed)
		return SHARE_TOO_LOW;
	if (high > w && result->total * divergence(high, w) > evidence_needed)
		return SHARE_TOO_HIGH;
	return canary > 0 ? SHARE_RIGHT : SHARE_UNDECIDED;
}

void share_decide(const struct share_input *input, struct share_result *ret_result)
{
	const struct share_arm *c = &input->canary, *p = &input->production;
	double span, canary, production;

	memset(ret_result, 0, sizeof(*ret_result));
	ret_result->verdict = SHARE_UNDECIDED;
	/* An arm without requests may have no span of its own. */
	span = fmin(c->span_s > 0 ? c->span_s : (double)INFINITY,
		p->span_s > 0 ? p->span_s : (double)INFINITY);
	if (!isfinite(span))
		return;
	canary = c->span_s > 0 ? c->requests * span / c->span_s : c->requests;
	production = p->span_s > 0 ? p->requests * span / p->span_s : p->requests;
	ret_result->total = canary + production;
	if (!(ret_result->total > 0))
		return;
	ret_result->share = canary / ret_result->total;
	ret_result->expected = input->expected * ret_result->total;
	ret_result->verdict = judge(ret_result, canary,
		rounding_requests + fmax(ret_result->expected, canary) *
					    fmin(1, input->scrape_interval_s / span));
}
