/* Bounded byte buffer: see canaryctl/buf.h. */
#include "canaryctl/buf.h"
#include "canaryctl/mem.h"
#include "canaryctl/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t maximum_of(const struct buf *buf)
{
	return buf->maximum ? buf->maximum : BUF_DEFAULT_MAXIMUM;
}

static void reserve(struct buf *buf, size_t needed)
{
	size_t capacity = buf->capacity ? buf->capacity : 64;

	if (needed <= buf->capacity)
		return;
	while (capacity < needed)
		capacity *= 2;
	buf->data = mem_resize(buf->data, capacity, 1);
	buf->capacity = capacity;
}

bool buf_add(struct buf *buf, const void *bytes, size_t length)
{
	size_t room = maximum_of(buf) - buf->length;
	bool fits = length <= room;

	if (!fits) {
		length = room;
		buf->overflowed = true;
	}
	reserve(buf, buf->length + length + 1);
	if (length)
		memcpy(buf->data + buf->length, bytes, length);
	buf->length += length;
	buf->data[buf->length] = '\0';
	return fits;
}

bool buf_add_text(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

bool buf_add_format(struct buf *buf, const char *format, ...)
{
	char small[256];
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (length < 0)
		return false;
	if ((size_t)length < sizeof(small))
		return buf_add(buf, small, (size_t)length);

	CLEANUP_FREE char *large = mem_alloc((size_t)length + 1);
	va_start(args, format);
	vsnprintf(large, (size_t)length + 1, format, args);
	va_end(args);
	return buf_add(buf, large, (size_t)length);
}

const char *buf_text(const struct buf *buf)
{
	return buf->data ? buf->data : "";
}

char *buf_take(struct buf *buf)
{
	char *text = buf->data ? buf->data : mem_strdup("");

	*buf = (struct buf)BUF_INIT(buf->maximum);
	return text;
}

void buf_clear(struct buf *buf)
{
	buf->length = 0;
	buf->overflowed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

void buf_release(struct buf *buf)
{
	free(buf->data);
	*buf = (struct buf)BUF_INIT(buf->maximum);
}

/* All of it, or nothing: half a character would be none. */
static bool add_whole(struct buf *buf, const char *bytes, size_t length)
{
	if (length <= maximum_of(buf) - buf->length)
		return buf_add(buf, bytes, length);
	buf->overflowed = true;
	return false;
}

bool buf_add_printable(struct buf *buf, const char *text)
{
	while (*text) {
		const char *start = text;
		uint32_t character = utf8_next(&text);
		/* A replacement from a single byte stands for that byte, which is no UTF-8. */
		bool is_plain = utf8_columns(character) >= 0 &&
				!(character == UTF8_REPLACEMENT && text - start == 1);
		char escaped[8];

		if (is_plain) {
			if (!add_whole(buf, start, (size_t)(text - start)))
				return false;
			continue;
		}
		for (; start < text; start++) {
			snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)*start);
			if (!add_whole(buf, escaped, strlen(escaped)))
				return false;
		}
	}
	return true;
}
