/* What was found once and must not come back: each bug as a plan of its own. */
#ifndef CANARYCTL_SIM_CASES_H
#define CANARYCTL_SIM_CASES_H

int cases_run(void);                /* all; exit status */
int cases_replay(const char *name); /* one, with its trace */

#endif
