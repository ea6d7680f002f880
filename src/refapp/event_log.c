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

void event_log_write(struct event_log *log, const char *format, ...)
{
	char now[CLOCK_TEXT_SIZE];
	va_list args;

	if (!log->file)
		return;
	fprintf(log->file, "%s INFO ", clock_format_utc(clock_wall_ms(), now));
	va_start(args, format);
	vfprintf(log->file, format, args);
	va_end(args);
	fputc('\n', log->file);
	fflush(log->file);
}
