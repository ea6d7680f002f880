/*
 * GitHub Actions: the job's summary, its outputs, and an error line that the run's page shows. The
 * error line goes to stderr (the runner reads both), because stdout may be JSON Lines.
 */
#include "canaryctl/log.h"
#include "report/report_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *github_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static bool append_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(fd, bytes, length);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return false;
		bytes += written;
		length -= (size_t)written;
	}
	return true;
}

/* What cannot be told to GitHub does not change how a rollout ended: a warning, no more. */
void github_append(const char *variable, const struct buf *text)
{
	const char *path = github_environment(variable);
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0 || !append_all(fd, buf_text(text), text->length))
		log_warn("cannot write to '%s' (%s): %s", path, variable, strerror(errno));
	if (fd >= 0)
		close(fd);
}

/* name=value: one line each, so nothing in a value can begin another output. */
void github_add_output(struct buf *text, const char *name, const char *value)
{
	buf_add_format(text, "%s=", name);
	escape_add_one_line(text, value);
	buf_add_text(text, "\n");
}

static void write_outputs(const struct rollout_report *report)
{
	CLEANUP_BUF struct buf text = BUF_INIT(0), why = BUF_INIT(0);
	weight_t canary = report_canary_weight(&report->traffic);
	char weight[WEIGHT_TEXT_SIZE];

	report_say_why(report, &why);
	github_add_output(&text, "outcome", rollout_outcome_name(report->outcome));
	github_add_output(&text, "deployment", report->deployment ? report->deployment : "");
	github_add_output(&text, "canary-weight", canary < 0 ? "" : weight_format(canary, weight));
	github_add_output(&text, "reason", buf_text(&why));
	github_append("GITHUB_OUTPUT", &text);
}

/* A workflow command's message: % and line ends as the runner decodes them. */
void github_add_command_text(struct buf *line, const char *text)
{
	CLEANUP_BUF struct buf clean = BUF_INIT(0);

	escape_add_utf8(&clean, text);
	for (const char *p = buf_text(&clean); *p; p++) {
		if (*p == '%')
			buf_add_text(line, "%25");
		else if (*p == '\n')
			buf_add_text(line, "%0A");
		else if ((unsigned char)*p < 0x20)
			buf_add_text(line, " ");
		else
			buf_add(line, p, 1);
	}
}

static void print_error(const struct rollout_report *report)
{
	bool is_held = report->outcome == OUTCOME_HELD && !report_is_unproven(report);
	CLEANUP_BUF struct buf text = BUF_INIT(0), line = BUF_INIT(0);

	report_say_headline(report, &text);
	buf_add_text(&text, "\n");
	report_say_why(report, &text);
	if (report_is_unproven(report))
		buf_add_text(&text, "\nrun now: canaryctl rollback");
	buf_add_format(&line, "::%s title=canary deployment %s::", is_held ? "warning" : "error",
		rollout_outcome_name(report->outcome));
	github_add_command_text(&line, buf_text(&text));
	fprintf(stderr, "%s\n", buf_text(&line));
}

void report_to_github(const struct rollout_report *report)
{
	CLEANUP_BUF struct buf summary = BUF_INIT(0);

	if (github_environment("GITHUB_STEP_SUMMARY")) {
		report_to_markdown(report, &summary);
		github_append("GITHUB_STEP_SUMMARY", &summary);
	}
	if (github_environment("GITHUB_OUTPUT"))
		write_outputs(report);
	if ((github_environment("GITHUB_STEP_SUMMARY") || github_environment("GITHUB_OUTPUT")) &&
		!report_is_good(report))
		print_error(report);
}
