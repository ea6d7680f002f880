/*
 * Errors are values. A function that can fail takes a `struct error *err` last, returns -1 (or
 * NULL), and has filled *err when it does; callers add what they know with error_wrap() on the
 * way up. Only src/cli prints them. No allocation: an error can be copied into an operation, a
 * journal record or a report.
 *
 * Messages are lower case, name their subject in quotes, put the cause last; what to do next goes
 * into the hint, which is printed on its own line.
 */
#ifndef CANARYCTL_ERROR_H
#define CANARYCTL_ERROR_H

/* What a caller or a script acts on. error_exit_code() maps each to the exit status. */
enum error_kind {
	ERROR_NONE,
	ERROR_USAGE,       /* wrong flag or argument: 64 */
	ERROR_CONFIG,      /* configuration invalid: 78 */
	ERROR_UNAVAILABLE, /* something needed to begin cannot be reached: 69 */
	ERROR_LOCKED,      /* another rollout of this service holds the lock: 75 */
	ERROR_IO,          /* file system, journal */
	ERROR_NET,         /* could not connect, timed out, answer broken */
	ERROR_METRICS,     /* Prometheus answered, but not with something to judge */
	ERROR_TRAFFIC,     /* a shift failed */
	ERROR_CANCELED,    /* the operation was canceled */
	ERROR_BUG,
	ERROR_KIND_COUNT
};

struct error {
	enum error_kind kind;
	int os_errno; /* 0 when none belongs to it */
	char message[768];
	char hint[384]; /* empty: none */
};

/* Fills *err (which may be NULL) and returns -1, so that `return error_set(...)` reads well. */
int error_set(struct error *err, enum error_kind kind, int os_errno, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* Puts "format: " before the message. Returns -1. */
int error_wrap(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Sets what to do next. Returns -1. */
int error_hint(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

void error_clear(struct error *err);

/* A broken invariant of the program itself: prints where and aborts. */
#define BUG(...) error_bug(__FILE__, __LINE__, __VA_ARGS__)
_Noreturn void error_bug(const char *file, int line, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
