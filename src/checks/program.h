/* argv of a check with its variables replaced, for a child process. Only for checks/. */
#ifndef CHECKS_PROGRAM_H
#define CHECKS_PROGRAM_H

#include "canaryctl/check.h"
#include "canaryctl/loop.h"
#include "canaryctl/strv.h"

/* Starts argv as an operation of the run's task. -1 and *err when a variable has no value. */
int program_start(struct proc_op *proc, struct check_run *run, const struct strv *argv,
	int64_t timeout_ms, struct error *err);

/* "why", with the last line that it wrote to stderr. */
void program_explain(const struct proc_op *proc, const char *why, struct buf *ret_text);

#endif
