/* What an examination found: a verdict, a sentence, and what to do. */
#ifndef DOCTOR_FINDING_H
#define DOCTOR_FINDING_H

enum finding_kind {
	FINDING_GOOD,
	FINDING_UNSEEN, /* could not be looked at: WARNING */
	FINDING_MILD,   /* WARNING, whatever the examination's severity */
	FINDING_BAD     /* as severe as the examination's row says */
};

struct finding {
	enum finding_kind kind;
	char message[512];
	char hint[384];
};

/* Both format what came from outside so that it can be shown. */
void found(struct finding *finding, enum finding_kind kind, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
void advise(struct finding *finding, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
