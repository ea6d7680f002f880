/* Diagnostics: see canaryctl/log.h. */
#include "canaryctl/log.h"
#include "canaryctl/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const level_names[] = { "error", "warn", "info", "debug" };
static enum log_level threshold = LOG_LEVEL_WARN;

void log_set_level(enum log_level level)
{
	threshold = level;
}

bool log_parse_level(const char *text, enum log_level *ret_level)
{
	for (int i = 0; i <= LOG_LEVEL_DEBUG; i++) {
		if (strcmp(text, level_names[i]) == 0) {
			*ret_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

void log_write(enum log_level level, const char *format, ...)
{
	CLEANUP_BUF struct buf line = BUF_INIT(8192);
	char message[4096];
	va_list args;

	if (level > threshold)
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	buf_add_printable(&line, message);
	fprintf(stderr, "canaryctl: %s: %s\n", level_names[level], buf_text(&line));
}
