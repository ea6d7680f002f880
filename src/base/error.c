/* Error values: see canaryctl/error.h. */
#include "canaryctl/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int error_set(struct error *err, enum error_kind kind, int os_errno, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	err->kind = kind;
	err->os_errno = os_errno;
	err->hint[0] = '\0';
	va_start(args, format);
	vsnprintf(err->message, sizeof(err->message), format, args);
	va_end(args);
	if (os_errno) {
		size_t used = strlen(err->message);
		snprintf(err->message + used, sizeof(err->message) - used, ": %s",
			strerror(os_errno));
	}
	return -1;
}

int error_wrap(struct error *err, const char *format, ...)
{
	char prefix[sizeof(err->message)];
	char wrapped[sizeof(err->message)];
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	vsnprintf(prefix, sizeof(prefix), format, args);
	va_end(args);
	/* The cause comes last and may be cut; what was being done is never lost. */
	if (snprintf(wrapped, sizeof(wrapped), "%s: %s", prefix, err->message) < 0)
		return -1;
	memcpy(err->message, wrapped, sizeof(wrapped));
	return -1;
}

int error_hint(struct error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return -1;
	va_start(args, format);
	vsnprintf(err->hint, sizeof(err->hint), format, args);
	va_end(args);
	return -1;
}

void error_clear(struct error *err)
{
	memset(err, 0, sizeof(*err));
}

_Noreturn void error_bug(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "canaryctl: BUG at %s:%d: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	abort();
}
