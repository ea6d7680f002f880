/*
 * The live examination of a host, before anybody trusts it. First it looks (asks NGINX,
 * Prometheus and the applications, all at the same time; changes nothing), then each examination
 * makes a finding of what was seen. The findings are the checks of a suite, so that they are
 * judged, printed and reported like all others.
 *
 * Calling order: doctor_new(), doctor_look(), doctor_suite() into a suite_run, doctor_free().
 */
#ifndef CANARYCTL_DOCTOR_H
#define CANARYCTL_DOCTOR_H

#include "canaryctl/check.h"
#include "canaryctl/config.h"

struct doctor;

struct doctor *doctor_new(const struct config *config);
/* Returns the signal that stopped it; 0: none did. */
int doctor_look(struct doctor *doctor);
/* Its checks live as long as the doctor; before doctor_look() they are only to be listed. */
const struct suite_config *doctor_suite(struct doctor *doctor);
void doctor_free(struct doctor *doctor);

/* What is examined whatever the configuration says, ended by a NULL name; for documentation. */
struct doctor_row {
	const char *name;
	const char *looks_for;
	enum severity severity; /* of the worst that it can find */
};
const struct doctor_row *doctor_rows(void);

#endif
