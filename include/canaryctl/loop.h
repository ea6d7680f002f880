/*
 * The event loop and the operations that tasks wait for: a pause, an HTTP request, a child
 * process. Built on libuv and libcurl's multi interface; nobody outside src/loop sees either.
 *
 * Calling order: loop_new(), task_start(), loop_run(), loop_free().
 */
#ifndef CANARYCTL_LOOP_H
#define CANARYCTL_LOOP_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/task.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void);
/* All tasks must be done. Closes what is left and checks that no handle remains. */
void loop_free(struct loop *loop);

/* Runs until `task` is done. */
void loop_run(struct loop *loop, struct task *task);

/* Monotonic milliseconds; the same value within one step. */
int64_t loop_now_ms(const struct loop *loop);

/*
 * `on_signal` is called between steps for each signal that came; it must only store what
 * happened and cancel operations. Signals are watched until loop_free().
 */
typedef void loop_signal_fn(int signal_number, void *context);
void loop_watch_signal(
	struct loop *loop, int signal_number, loop_signal_fn *on_signal, void *context);

/* ---- a pause ---- */
struct sleep_op {
	struct op op;
	int64_t due_ms;
	struct sleep_op *next;
};
/* Canceling ends it early. */
void sleep_start(struct sleep_op *sleep, struct task *task, int64_t delay_ms);

/* ---- an HTTP request ---- */
/* As in Prometheus' http_config. Files are read anew for each request and wiped after. */
struct http_auth {
	char *username; /* basic */
	char *password;
	char *password_file;
	char *type; /* authorization; "Bearer" when credentials are set without it */
	char *credentials;
	char *credentials_file;
	char *ca_file; /* TLS */
	char *cert_file;
	char *key_file;
	char *server_name;
	bool insecure_skip_verify;
	char **headers; /* "Name: value", NULL-terminated; may be NULL */
};

enum { HTTP_MAX_BYTES = 8 << 20 };

struct http_request {
	const char *url;
	const char *method;           /* NULL: GET, or POST with a body */
	const char *body;             /* NULL: none */
	const char *content_type;     /* of the body */
	const char *const *headers;   /* further "Name: value", NULL-terminated; may be NULL */
	const struct http_auth *auth; /* may be NULL */
	int64_t timeout_ms;           /* for all of it; must be > 0 */
	size_t maximum_bytes;         /* of the answer's body; 0: HTTP_MAX_BYTES */
	bool fresh_connection;        /* never reuse one, close it after */
};

struct http_transfer; /* private to op_http.c */

struct http_op {
	struct op op;
	struct http_transfer *transfer;
	/* The result, valid after the end until http_release(). */
	struct error error;     /* kind ERROR_NONE: there is an answer, of whatever status */
	bool could_not_connect; /* refused, unresolvable, unreachable: nothing was sent */
	bool timed_out;
	bool too_large; /* the body passed maximum_bytes */
	long status;
	struct buf body;
	char content_type[128];
	int64_t elapsed_ms;
};
/* Redirects are not followed. The request's strings are copied. */
void http_start(struct http_op *http, struct task *task, const struct http_request *request);
void http_release(struct http_op *http);

/* ---- a child process ---- */
struct proc_options {
	char *const *argv;        /* NULL-terminated; argv[0] is looked up on PATH */
	char *const *environment; /* "NAME=value" added to ours, NULL-terminated; may be NULL */
	int64_t timeout_ms;       /* then TERM, and KILL after PROC_KILL_AFTER_MS more */
	size_t maximum_bytes;     /* of each output; 0: PROC_MAX_BYTES; the rest is dropped */
};
enum { PROC_KILL_AFTER_MS = 2000, PROC_STOP_AFTER_MS = 1000, PROC_MAX_BYTES = 256 << 10 };

struct proc_child; /* private to op_proc.c */

struct proc_op {
	struct op op;
	struct proc_child *child;
	/* The result, valid after the end until proc_release(). */
	struct error error; /* could not be started, timed out, canceled, killed by a signal */
	int exit_status;    /* -1: did not exit by itself */
	struct buf output;  /* stdout */
	struct buf errors;  /* stderr */
	int64_t elapsed_ms;
};
/*
 * Done = exited and both outputs at their end. Its own process group; no descriptor inherited.
 * Canceling sends TERM now and KILL after PROC_STOP_AFTER_MS: somebody waits for it.
 */
void proc_start(struct proc_op *proc, struct task *task, const struct proc_options *options);
void proc_release(struct proc_op *proc);

/* Did it run and exit 0? Otherwise fills err with the program's name and its last output line. */
bool proc_succeeded(const struct proc_op *proc, const char *what, struct error *err);

#endif
