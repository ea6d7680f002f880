/*
 * Results on standard output. They hold text from outside (a journal, a server, a configuration),
 * so what could steer a terminal leaves here in no format.
 */
#include "cli/cli_private.h"
#include "report/report_private.h"

#include "canaryctl/mem.h"

#include <string.h>

void cli_print_lines(const char *lines, FILE *stream)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	CLEANUP_FREE char *copy = mem_strdup(lines);
	char *rest = copy;

	while (rest && *rest) {
		buf_add_printable(&text, strsep(&rest, "\n"));
		buf_add_text(&text, "\n");
	}
	fputs(buf_text(&text), stream);
}

void cli_print_json(const cJSON *json)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	char *printed = cJSON_PrintUnformatted(json);

	if (!printed)
		BUG("out of memory for JSON");
	escape_add_utf8(&text, printed);
	puts(buf_text(&text));
	cJSON_free(printed);
}
