/* SHA-256 of files, piece by piece, and lists of them as sha256sum writes them. Only for checks/.
 */
#ifndef CHECKS_DIGEST_H
#define CHECKS_DIGEST_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"
#include "canaryctl/mem.h"

#include <stdbool.h>
#include <stddef.h>

#define DIGEST_TEXT_SIZE 65 /* 64 hexadecimal digits and the end */

/* Is it 64 hexadecimal digits? */
bool digest_valid(const char *text);

/* One file being read; start from digest_open(). */
struct digest {
	int fd;
	void *context;
};
int digest_open(struct digest *digest, const char *path, struct error *err);
/* Reads the next few MiB. 1: there is more, 0: ret_text holds the digest, -1: error. */
int digest_step(struct digest *digest, char *ret_text, struct error *err);
void digest_close(struct digest *digest);

/* A line of a manifest. */
struct manifest_line {
	const char *digest;
	const char *name;
};
struct manifest {
	struct arena arena;
	struct manifest_line *lines;
	size_t count;
};

/*
 * Pure. "DIGEST  NAME" or "DIGEST *NAME" a line, names with a line break or backslash escaped as
 * sha256sum does. Nothing in it is an error: a list that proves nothing.
 */
int manifest_parse(struct manifest *manifest, const char *text, struct error *err);
void manifest_release(struct manifest *manifest);

#endif
