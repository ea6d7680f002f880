/*
 * What the fuzz targets share: an assertion that ends the run, the input as a C string, and what
 * "harmless to a terminal" means, written here once more, independent of the code under test.
 */
#ifndef CANARYCTL_TESTS_FUZZ_H
#define CANARYCTL_TESTS_FUZZ_H

#include "canaryctl/mem.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define REQUIRE(condition)                                                                         \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

/* NUL-terminated; malloc'ed to the byte, so that AddressSanitizer sees the first one behind. */
static inline char *fuzz_text(const uint8_t *data, size_t size)
{
	char *text = mem_alloc(size + 1);

	if (size)
		memcpy(text, data, size);
	return text;
}

/* Length of the well-formed UTF-8 character at p; 0 when it is none. */
static inline int fuzz_utf8_length(const unsigned char *p)
{
	int length = p[0] < 0x80                    ? 1
		     : p[0] >= 0xc2 && p[0] <= 0xdf ? 2
		     : (p[0] & 0xf0) == 0xe0        ? 3
		     : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						    : 0;

	for (int i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
		(p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return length;
}

/* Valid UTF-8 without controls (but those allowed), C1 and what turns the reading direction. */
static inline bool fuzz_is_harmless(const char *text, const char *allowed)
{
	const unsigned char *p = (const unsigned char *)text;
	int length;

	for (; *p; p += length) {
		length = fuzz_utf8_length(p);
		if (!length || ((*p < 0x20 || *p == 0x7f) && !strchr(allowed, *p)))
			return false;
		if (length == 2 && p[0] == 0xc2 && p[1] < 0xa0)
			return false;
		if (length == 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xaa && p[2] <= 0xae)
			return false;
		if (length == 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9)
			return false;
	}
	return true;
}

#endif
