/* What the printers of suites share. Only for report/. */
#ifndef REPORT_SUITE_LINES_H
#define REPORT_SUITE_LINES_H

#include "canaryctl/suite_report.h"
#include "report/report_private.h"

const char *suite_title(enum suite_status status); /* "GO", "WARNING", "NO-GO" */
/* "0.08%", or "" when there is nothing to show. Returns text (REPORT_TEXT_SIZE bytes). */
char *suite_format_value(const struct suite_check *check, char *text);
/* "< 0.5%"; "" when there is none. */
const char *suite_limit(const struct suite_check *check);
/* What to do: the check's hint, else the error's; "" when there is none. */
const char *suite_hint(const struct suite_check *check);
/* "1 of 11 checks says no, 1 warns". */
void suite_say_counts(const struct suite_report *report, struct buf *ret_text);

#endif
