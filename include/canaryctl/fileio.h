/*
 * Whole-file reading with a bound, and durable replacement (temporary file beside the target,
 * fsync, rename, fsync of the folder). Temporary files are created with O_EXCL | O_NOFOLLOW.
 */
#ifndef CANARYCTL_FILEIO_H
#define CANARYCTL_FILEIO_H

#include "canaryctl/buf.h"
#include "canaryctl/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define WARN_UNUSED __attribute__((warn_unused_result))

/* Appends the file to *ret_bytes; more than maximum_bytes is an error. */
int fileio_read(const char *path, size_t maximum_bytes, struct buf *ret_bytes,
	struct error *err) WARN_UNUSED;

/*
 * Replaces path atomically and durably. `mode` is for the new file (0644, 0600). A symbolic link is
 * replaced, what it names stays; a device, a pipe or a folder is refused.
 */
int fileio_replace(const char *path, const void *bytes, size_t length, mode_t mode,
	struct error *err) WARN_UNUSED;

/* Writes over the same inode (for a file that is bind-mounted by itself), with fsync; refuses a
 * symbolic link. */
int fileio_overwrite(
	const char *path, const void *bytes, size_t length, struct error *err) WARN_UNUSED;

/* Removes path durably; a path that isn't there is fine. */
int fileio_remove(const char *path, struct error *err) WARN_UNUSED;

/* mkdir -p. Folders that are there already are left as they are. */
int fileio_make_folders(const char *path, mode_t mode, struct error *err) WARN_UNUSED;

/* `path` relative to the folder `base`; absolute paths come back as they are. malloc'ed. */
char *fileio_resolve(const char *base, const char *path);

bool fileio_program_exists(const char *program); /* with a slash: this file; else on PATH */

#endif
