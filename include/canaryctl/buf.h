/*
 * A growing byte buffer with a stated maximum. Always NUL-terminated behind `length` bytes.
 * What would pass the maximum is dropped and `overflowed` is set: the caller decides whether
 * that is an error. Owner releases with buf_release(); buf_take() hands the bytes over.
 */
#ifndef CANARYCTL_BUF_H
#define CANARYCTL_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* never NULL after the first addition; buf_text() for before */
	size_t length;
	size_t capacity;
	size_t maximum; /* bytes; 0: BUF_DEFAULT_MAXIMUM */
	bool overflowed;
};

#define BUF_DEFAULT_MAXIMUM ((size_t)64 << 20)
#define BUF_INIT(max_bytes)                                                                        \
	{                                                                                          \
		.maximum = (max_bytes)                                                             \
	}
#define CLEANUP_BUF __attribute__((cleanup(buf_release)))

/* Return false, and set `overflowed`, when something had to be dropped. */
bool buf_add(struct buf *buf, const void *bytes, size_t length);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_format(struct buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));

const char *buf_text(const struct buf *buf); /* "" when empty; owned by buf */
char *buf_take(struct buf *buf);             /* malloc'ed text, never NULL; buf is empty after */
void buf_clear(struct buf *buf);             /* keeps the memory */
void buf_release(struct buf *buf);

/*
 * Adds text with everything that could steer a terminal or deceive a reader (control characters,
 * escapes, DEL, C1, what turns the reading direction, bytes that are no UTF-8) written as \xNN, so
 * that text from outside can be shown.
 */
bool buf_add_printable(struct buf *buf, const char *text);

#endif
