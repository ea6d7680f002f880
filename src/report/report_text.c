/* The printer for pipes, CI logs and files; on a terminal the live view takes over. */
#include "report/report_private.h"

#include <stdlib.h>

struct text_printer {
	struct rollout_observer observer;
	FILE *stream;
	struct report_lines lines;
};

static void on_event(struct rollout_observer *observer, const struct rollout_event *event)
{
	struct text_printer *printer = container_of(observer, struct text_printer, observer);
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	report_lines_add(&printer->lines, event, &text);
	fwrite(buf_text(&text), 1, text.length, printer->stream);
	fflush(printer->stream);
}

static void release(struct rollout_observer *observer)
{
	struct text_printer *printer = container_of(observer, struct text_printer, observer);

	report_lines_release(&printer->lines);
	free(printer);
}

struct rollout_observer *report_text_new(const struct report_options *options)
{
	struct text_printer *printer;

	if (options->live)
		return report_live_new(options);
	printer = mem_alloc(sizeof(*printer));
	printer->observer.on_event = on_event;
	printer->observer.release = release;
	printer->stream = options->stream;
	printer->lines.style = report_style_of(options);
	return &printer->observer;
}
