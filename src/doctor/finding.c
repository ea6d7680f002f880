/* Findings: see finding.h. */
#include "doctor/finding.h"

#include "canaryctl/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void write_text(char *text, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));
static void write_text(char *text, size_t size, const char *format, va_list arguments)
{
	CLEANUP_BUF struct buf shown = BUF_INIT(size - 1);
	char raw[1024];

	vsnprintf(raw, sizeof(raw), format, arguments);
	buf_add_printable(&shown, raw);
	memcpy(text, buf_text(&shown), shown.length + 1);
}

void found(struct finding *finding, enum finding_kind kind, const char *format, ...)
{
	va_list arguments;

	finding->kind = kind;
	va_start(arguments, format);
	write_text(finding->message, sizeof(finding->message), format, arguments);
	va_end(arguments);
}

void advise(struct finding *finding, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	write_text(finding->hint, sizeof(finding->hint), format, arguments);
	va_end(arguments);
}
