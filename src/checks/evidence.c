/*
 * The sequential judge: see canaryctl/evidence.h. Three test martingales on exact counts, all in
 * logarithms, so that no run is too long for a double.
 *
 *	REL      Bernoulli trials of "whose is this bad request", as in the safe tests for 2x2
 *	         tables of Turner, Ly and Gruenwald, "Generic E-variables for exact sequential
 *	         k-sample tests that allow for optional stopping" (2024)
 *	ABS      Wald's likelihood ratio, "Sequential tests of statistical hypotheses" (1945), mixed
 *	         over alternatives as Lindon and Malek do for multinomial counts, "Anytime-valid
 *	         inference for multinomial count data" (2022)
 *	PROMOTE  the same ratio, the other way round: alternatives below the limit
 */
#include "canaryctl/evidence.h"

#include <float.h>
#include <math.h>
#include <stddef.h>

/* A fault that begins in the middle of a stage finds evidence that has not sunk yet: 1/2 is kept
 * back, and handed out over about 960 blocks (4 hours of scrapes every 15 s). */
#define ONSET_BLOCKS 960.0
/* No one block decides alone: errors come in bursts. */
#define MOST_GROWTH     10.0
#define HIGHEST_RATE    0.99
#define MISSED_PROBLEMS 0.05 /* beta: of what PROMOTE lets pass although it is at the limit */

static const double promote_parts[] = { 0, .05, .1, .2, .35, .5 }; /* of the limit */
enum { PROMOTE_PARTS = sizeof(promote_parts) / sizeof(promote_parts[0]) };

static const char *const verdict_names[] = {
	[EVIDENCE_HOLD] = "HOLD",
	[EVIDENCE_ROLLBACK] = "ROLLBACK",
	[EVIDENCE_PROMOTE] = "PROMOTE",
};

const char *evidence_verdict_name(enum evidence_verdict verdict)
{
	return verdict_names[verdict];
}

/* ---- sums of exponentials ---- */

#define LN_NOTHING -40.0 /* beside 1, e^-40 changes no bit */

static double ln_sum(const double *ln_terms, int count, double ln_more)
{
	double highest = ln_more, sum = 0;

	for (int i = 0; i < count; i++)
		highest = fmax(highest, ln_terms[i]);
	if (isinf(highest))
		return highest;
	for (int i = 0; i < count; i++)
		sum += ln_terms[i] - highest < LN_NOTHING ? 0 : exp(ln_terms[i] - highest);
	return highest + log(sum + exp(ln_more - highest));
}

static double ln_add(double a, double b)
{
	double high = fmax(a, b), low = fmin(a, b);

	return low - high < LN_NOTHING ? high : high + log1p(exp(low - high));
}

/* n x ln(x), where nothing of what cannot be is nothing. */
static double times_ln(double n, double x)
{
	return n > 0 ? n * log(x) : 0;
}

/* ---- the mixture with late onsets ---- */

/* Every alternative 1/(2J), and as much as all of them in reserve: E begins at 1. */
static void mixture_init(struct evidence_mixture *mixture, int count)
{
	*mixture = (struct evidence_mixture){ .ln_reserve = log(0.5) };
	for (int j = 0; j < count; j++)
		mixture->ln_parts[j] = -log(2.0 * count);
}

static void mixture_take(struct evidence_mixture *mixture, int count, const double *ln_e)
{
	double before = mixture->ln_now, excess, ln_share;

	for (int j = 0; j < count; j++)
		mixture->ln_parts[j] += ln_e[j];
	mixture->ln_now = ln_sum(mixture->ln_parts, count, mixture->ln_reserve);
	excess = mixture->ln_now - before - log(MOST_GROWTH);
	if (excess > 0) {
		for (int j = 0; j < count; j++)
			mixture->ln_parts[j] -= excess;
		mixture->ln_reserve -= excess;
		mixture->ln_now -= excess;
	}
	mixture->ln_best = fmax(mixture->ln_best, mixture->ln_now);
	ln_share = mixture->ln_reserve - log(ONSET_BLOCKS * count);
	for (int j = 0; j < count; j++)
		mixture->ln_parts[j] = ln_add(mixture->ln_parts[j], ln_share);
	mixture->ln_reserve += log1p(-1 / ONSET_BLOCKS);
}

/*
 * A bad request is the canary's with probability w when it is `ratio` times as bad, and q when it
 * is r times as bad as that. At a stage of 100 % there is nothing to compare with: w = q = 1.
 */
static void rel_take(struct evidence *evidence, const struct evidence_block *block)
{
	double weighted = evidence->limits.ratio * block->nc;
	double w = weighted / (block->nb + weighted);
	double ln_e[EVIDENCE_RATIOS] = { 0 };

	for (int j = 0; j < EVIDENCE_RATIOS && (block->kc > 0 || block->kb > 0); j++) {
		double r = ldexp(1, j + 1);
		double share = 1 - w + w * r;

		/* q = w r / share, so q / w = r / share and (1 - q) / (1 - w) = 1 / share */
		ln_e[j] = times_ln(block->kc, r / share) + times_ln(block->kb, 1 / share);
	}
	mixture_take(&evidence->rel, EVIDENCE_RATIOS, ln_e);
}

static double ln_bernoulli(const struct evidence_block *block, double p, double p0)
{
	double good = block->nc - block->kc;

	return times_ln(block->kc, p / p0) + (good > 0 ? good * (log1p(-p) - log1p(-p0)) : 0);
}

static void abs_take(struct evidence *evidence, const struct evidence_block *block)
{
	double p0 = evidence->limits.floor;
	double ln_e[EVIDENCE_RATES];

	for (int j = 0; j < EVIDENCE_RATES; j++)
		ln_e[j] = ln_bernoulli(block, fmin(ldexp(p0, j + 1), HIGHEST_RATE), p0);
	mixture_take(&evidence->abs, EVIDENCE_RATES, ln_e);
}

/* ---- taking blocks ---- */

const char *evidence_limits_problem(const struct evidence_limits *limits)
{
	/* Negated, so that NaN is none of them. */
	if (!(limits->ratio >= 1 && limits->ratio <= 1000))
		return "ratio must be 1 to 1000: how many times as bad as production is no harm";
	if (!(limits->floor >= 1e-6 && limits->floor <= 0.5))
		return "floor must be 0.0001% to 50%: a share of errors that is no harm";
	if (!(limits->limit >= 1e-6 && limits->limit <= 0.5))
		return "limit must be 0.0001% to 50%: the share of errors to stay below";
	if (!(limits->false_alarm >= 1e-9 && limits->false_alarm <= 0.5))
		return "false_alarm must be above 0 and at most 50%";
	return NULL;
}

void evidence_init(struct evidence *evidence, const struct evidence_limits *limits)
{
	*evidence = (struct evidence){ .limits = *limits };
	mixture_init(&evidence->rel, EVIDENCE_RATIOS);
	mixture_init(&evidence->abs, EVIDENCE_RATES);
}

static void add_block(struct evidence_block *sum, const struct evidence_block *block)
{
	sum->nb += block->nb;
	sum->kb += block->kb;
	sum->nc += block->nc;
	sum->kc += block->kc;
}

void evidence_take(struct evidence *evidence, const struct evidence_block *block)
{
	struct evidence_block *pool = &evidence->pool;
	struct evidence_block all;

	add_block(pool, block);
	if (!(pool->nc > 0))
		return;
	all = *pool;
	all.kb = fmin(all.kb, all.nb);
	all.kc = fmin(all.kc, all.nc);
	*pool = (struct evidence_block){ .kb = pool->kb - all.kb, .kc = pool->kc - all.kc };
	rel_take(evidence, &all);
	abs_take(evidence, &all);
	add_block(&evidence->total, &all);
	evidence->blocks++;
}

/* ---- what it says ---- */

static double from_ln(double ln)
{
	return fmin(exp(ln), DBL_MAX);
}

/* Without late onsets it depends on the totals alone: the mean over the alternatives. */
static double ln_promote(const struct evidence *evidence)
{
	double limit = evidence->limits.limit;
	double ln_e[PROMOTE_PARTS];

	for (int j = 0; j < PROMOTE_PARTS; j++)
		ln_e[j] = ln_bernoulli(&evidence->total, promote_parts[j] * limit, limit);
	return ln_sum(ln_e, PROMOTE_PARTS, -INFINITY) - log(PROMOTE_PARTS);
}

struct evidence_block evidence_counted(const struct evidence *evidence)
{
	const struct evidence_block *total = &evidence->total, *pool = &evidence->pool;

	return (struct evidence_block){ .nb = total->nb + pool->nb,
		.kb = total->kb + pool->kb,
		.nc = total->nc + pool->nc,
		.kc = total->kc + pool->kc };
}

double evidence_rel(const struct evidence *evidence)
{
	return from_ln(evidence->rel.ln_now);
}

double evidence_abs(const struct evidence *evidence)
{
	return from_ln(evidence->abs.ln_now);
}

double evidence_promote(const struct evidence *evidence)
{
	return from_ln(ln_promote(evidence));
}

double evidence_needed_to_fail(const struct evidence *evidence)
{
	return 1 / evidence->limits.false_alarm;
}

double evidence_needed_to_pass(void)
{
	return 1 / MISSED_PROBLEMS;
}

enum evidence_verdict evidence_verdict(const struct evidence *evidence)
{
	double needed = -log(evidence->limits.false_alarm);

	if (evidence->rel.ln_best >= needed && evidence->abs.ln_best >= needed)
		return EVIDENCE_ROLLBACK;
	return ln_promote(evidence) >= -log(MISSED_PROBLEMS) ? EVIDENCE_PROMOTE : EVIDENCE_HOLD;
}

/* ---- forecast ---- */

/* Whole numbers that add up to what is due; the first bad request comes when it is likelier than
 * not to have come: after 0.7 / share requests (ln 2). */
static double whole_part(double *due, double more)
{
	double whole;

	*due += more;
	whole = floor(*due);
	*due -= whole;
	return whole;
}

enum evidence_verdict evidence_forecast(const struct evidence *from,
	const struct evidence_traffic *traffic, int64_t most_blocks, int64_t *ret_blocks)
{
	struct evidence evidence = *from;
	struct evidence_block due = { .kb = 0.3, .kc = 0.3 };
	enum evidence_verdict verdict = EVIDENCE_HOLD;

	for (*ret_blocks = 0; *ret_blocks < most_blocks; ++*ret_blocks) {
		struct evidence_block block;

		verdict = evidence_verdict(&evidence);
		if (verdict != EVIDENCE_HOLD)
			break;
		block.nb = whole_part(&due.nb, traffic->baseline_per_block);
		block.nc = whole_part(&due.nc, traffic->canary_per_block);
		block.kb = fmin(whole_part(&due.kb, block.nb * traffic->baseline_share), block.nb);
		block.kc = fmin(whole_part(&due.kc, block.nc * traffic->canary_share), block.nc);
		evidence_take(&evidence, &block);
	}
	return verdict;
}
