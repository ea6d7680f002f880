/*
 * What one stage's evaluations amount to: go on observing, passed, failed, or not decidable. Pure;
 * the caller owns the records and the clock.
 */
#ifndef CANARYCTL_STAGE_H
#define CANARYCTL_STAGE_H

#include "canaryctl/check.h"
#include "canaryctl/report.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum stage_decision {
	STAGE_GO_ON,
	STAGE_HAS_PASSED,
	STAGE_HAS_FAILED,  /* `deciding` says which check */
	STAGE_IS_UNDECIDED /* observed to the end; `deciding` is a check that lacks evidence */
};

/* The rules of one stage; times in ms since the stage's shift was proven. */
struct stage_rules {
	int64_t settle_ms;
	int64_t observe_ms; /* extensions included */
	int consecutive_failures;
	bool undecided_passes; /* at the end, what has counted and cannot say either is no obstacle
				*/
	bool never_ends;       /* paused, or waiting for approval: only failures decide */
};

/* Is this check asked at this weight? */
bool stage_asks(const struct check_config *check, weight_t weight);

/*
 * Takes one evaluation's verdicts (verdicts[i] belongs to records[i]) at `elapsed_ms` after the
 * shift, and decides. Records are updated: evaluations, failures in a row, last verdict, recent
 * values. *ret_deciding is NULL unless a check decided.
 *
 *   - a `critical` that holds fails the stage at once, also before settle
 *   - consecutive_failures FAILs in a row fail it; before settle only canary health counts
 *   - evidence that fails for good fails it at once; evidence that may end the stage passes it as
 *     soon as all checks pass
 *   - at the end any FAIL fails it, any NO_DATA or ERROR leaves it undecided
 *   - a check that is observe_only decides nothing
 */
enum stage_decision stage_take(const struct stage_rules *rules, int64_t elapsed_ms,
	const struct verdict *verdicts, struct check_report *const *records, size_t count,
	const struct check_report **ret_deciding);

#endif
