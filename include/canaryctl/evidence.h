/*
 * The sequential judge: is the canary worse than production, or proven good enough? Evidence that
 * stays valid however often one looks (e-processes): whoever looks after each scrape and stops at
 * 1/alpha is wrong with probability alpha at most. docs/judge.md explains it. Pure.
 *
 *	evidence_init(), then evidence_take() per block, evidence_verdict() whenever one likes
 */
#ifndef CANARYCTL_EVIDENCE_H
#define CANARYCTL_EVIDENCE_H

#include <stdbool.h>
#include <stdint.h>

/* What is judged against. Shares are 0..1. */
struct evidence_limits {
	double ratio;       /* rho: up to so many times production's errors is no harm */
	double floor;       /* p0: nor is a share of errors up to this */
	double limit;       /* PROMOTE proves that the canary's share is below this */
	double false_alarm; /* alpha: of this one judge, for as long as it looks */
};
#define EVIDENCE_LIMITS_DEFAULT                                                                    \
	{                                                                                          \
		.ratio = 1.5, .floor = 0.002, .limit = 0.005, .false_alarm = 0.01                  \
	}

/* Exact counts of one scrape: requests and bad ones, of production (the baseline) and canary. */
struct evidence_block {
	double nb, kb;
	double nc, kc;
};

enum { EVIDENCE_RATIOS = 10, EVIDENCE_RATES = 7 };

/* A mixture over alternatives, in logarithms: it may grow or fall without end. */
struct evidence_mixture {
	double ln_parts[EVIDENCE_RATIOS]; /* A_j: as many as it has alternatives */
	double ln_reserve;                /* R: not yet given to any, for what begins late */
	double ln_now;                    /* E = sum of A_j, and R */
	double ln_best;                   /* the highest E that there ever was */
};

struct evidence {
	struct evidence_limits limits;
	struct evidence_mixture rel; /* against "at most `ratio` times as bad" */
	struct evidence_mixture abs; /* against "at most `floor`" */
	struct evidence_block total; /* all that was taken into blocks */
	struct evidence_block pool;  /* waits for the canary's next request */
	int64_t blocks;
};

enum evidence_verdict { EVIDENCE_HOLD, EVIDENCE_ROLLBACK, EVIDENCE_PROMOTE };

/* NULL when they can be judged against, else why not. */
const char *evidence_limits_problem(const struct evidence_limits *limits);

void evidence_init(struct evidence *evidence, const struct evidence_limits *limits);

/*
 * Takes one look's counts. Without a request of the canary they are pooled until the next one. Bad
 * requests beyond all requests (two counters, read between their increments) wait as well.
 */
void evidence_take(struct evidence *evidence, const struct evidence_block *block);

/* All that was ever taken: in blocks, and in the pool that still waits. */
struct evidence_block evidence_counted(const struct evidence *evidence);

/* Evidence as it stands now; at most the largest double. */
double evidence_rel(const struct evidence *evidence);
double evidence_abs(const struct evidence *evidence);
double evidence_promote(const struct evidence *evidence);

/* What has to be reached: 1/alpha, and 1/beta with beta = 5 %. */
double evidence_needed_to_fail(const struct evidence *evidence);
double evidence_needed_to_pass(void);

/*
 * ROLLBACK when REL and ABS have both ever reached 1/alpha: that stays. PROMOTE while its evidence
 * is at 1/beta. Otherwise HOLD: not enough to say either.
 */
enum evidence_verdict evidence_verdict(const struct evidence *evidence);
const char *evidence_verdict_name(enum evidence_verdict verdict); /* "HOLD" */

/* Traffic as it is expected to go on. */
struct evidence_traffic {
	double baseline_per_block; /* requests */
	double canary_per_block;
	double baseline_share; /* bad ones among them, 0..1 */
	double canary_share;
};

/*
 * After how many more blocks of such traffic which verdict is to be expected: the errors come
 * evenly. HOLD: not within `most_blocks`.
 */
enum evidence_verdict evidence_forecast(const struct evidence *from,
	const struct evidence_traffic *traffic, int64_t most_blocks, int64_t *ret_blocks);

#endif
