/* Lines with a time stamp, flushed one by one so that a reader sees them at once: event_log.h. */
#include "refapp/event_log.h"
#include "canaryctl/clock.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

int event_log_open(struct event_log *log, const char *path, struct error *err)
{
	log->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "ae");
	if (!log->file)
		return error_set(err, ERROR_IO, errno, "cannot open log file '%s'", path);
	return 0;
}

void event_log_close(struct event_log *log)
{
	if (log->file && log->file != stdout)
		fclose(log->file);
	log->file = NULL;
}

__attribute__((format(printf, 3, 0))) static void write_line(
	struct event_log *log, const char *level, const char *format, va_list args)
{
	char now[CLOCK_TEXT_SIZE];

	if (!log->file)
		return;
	fprintf(log->file, "%s %s ", clock_format_utc(clock_wall_ms(), now), level);
	vfprintf(log->file, format, args);
	fputc('\n', log->file);
	fflush(log->file);
}

void event_log_write(struct event_log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(log, "INFO", format, args);
	va_end(args);
}

void event_log_error(struct event_log *log, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	write_line(log, "ERROR", format, args);
	va_end(args);
}
