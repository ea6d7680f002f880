/* Printers of suites: each takes the finished reports and nothing else. */
#ifndef CANARYCTL_SUITE_REPORT_H
#define CANARYCTL_SUITE_REPORT_H

#include "canaryctl/buf.h"
#include "canaryctl/report.h"
#include "canaryctl/suite.h"

/* For people: a line per check, what to do, and the traffic light. */
void suite_to_text(const struct suite_report *report, const struct report_options *options,
	struct buf *ret_text);

/* The JSON of the specification's section 5, pretty-printed with a newline at the end. */
void suite_to_json(const struct suite_report *report, struct buf *ret_json);

/* JUnit XML: a suite is a testsuite; NO-GO is `failure`, no data `error`, not reached `skipped`. */
void suites_to_junit(const char *service, const struct suite_report *const *reports, size_t count,
	struct buf *ret_xml);

/* In GitHub Actions: summary, outputs (verdict, reason) and ::error:: lines. Nothing elsewhere. */
void suites_to_github(const struct suite_report *const *reports, size_t count);

#endif
