/*
 * The printers: every text from outside in a report and its events is the fuzzer's. Whatever it
 * holds, no format lets a control character through, JSON parses, and XML stays well formed.
 */
#include "fuzz.h"

#include "report/report_private.h"

#include <assert.h>
#define assert_false(condition)    REQUIRE(!(condition))
#define assert_null(pointer)       REQUIRE(!(pointer))
#define assert_int_not_equal(a, b) REQUIRE((a) != (b))
#include "../unit/report_fixture.h"

#include <cjson/cJSON.h>

/* The tones that a terminal gets are ours: taken out, nothing else may be left. */
static void require_terminal_safe(const char *text, bool color)
{
	CLEANUP_FREE char *copy = mem_strdup(text);
	char *out = copy;

	for (const char *p = text; *p;) {
		size_t length = strspn(p + (*p == '\x1b'), "[0123456789;");

		if (color && p[0] == '\x1b' && p[1] == '[' && p[1 + length] == 'm')
			p += length + 2;
		else
			*out++ = *p++;
	}
	*out = '\0';
	REQUIRE(fuzz_is_harmless(copy, "\n"));
}

static void fill(struct fixture *f, const char *text)
{
	struct measurement *measurement = &f->checks[1][0].last.measurement;

	fixture_init(f);
	fixture_roll_back(f);
	f->configs[0].name = (char *)(uintptr_t)text;
	f->configs[1].hint = (char *)(uintptr_t)text;
	f->configs[2].require.text = text;
	f->report.deployment = f->report.service = f->report.version = text;
	snprintf(f->report.reason.check, sizeof(f->report.reason.check), "%s", text);
	snprintf(f->report.reason.limit, sizeof(f->report.reason.limit), "%s", text);
	snprintf(f->report.reason.message, sizeof(f->report.reason.message), "%s", text);
	snprintf(f->report.reason.hint, sizeof(f->report.reason.hint), "%s", text);
	snprintf(f->report.traffic.generation, sizeof(f->report.traffic.generation), "%s", text);
	snprintf(measurement->series, sizeof(measurement->series), "%s", text);
	snprintf(measurement->message, sizeof(measurement->message), "%s", text);
	snprintf(measurement->warning, sizeof(measurement->warning), "%s", text);
	snprintf(measurement->value_text, sizeof(measurement->value_text), "%s", text);
	snprintf(f->checks[1][0].last.message, sizeof(f->checks[1][0].last.message), "%s", text);
}

static void check_json_text(const char *text)
{
	cJSON *json = cJSON_Parse(text);

	REQUIRE(json && fuzz_is_harmless(text, "\n\t"));
	cJSON_Delete(json);
}

/* Outside of tags no bare < or >, and every & begins an entity. */
static void check_xml(const char *text)
{
	bool in_tag = false, in_quotes = false;

	REQUIRE(fuzz_is_harmless(text, "\n"));
	for (; *text; text++) {
		if (*text == '&')
			REQUIRE(strchr(text, ';') && strcspn(text, ";") < 8);
		if (in_quotes) {
			REQUIRE(*text != '<');
			in_quotes = *text != '"';
		} else if (in_tag) {
			REQUIRE(*text != '<');
			in_quotes = *text == '"';
			in_tag = *text != '>';
		} else {
			REQUIRE(*text != '>');
			in_tag = *text == '<';
		}
	}
	REQUIRE(!in_tag && !in_quotes);
}

static void check_documents(const struct rollout_report *report)
{
	CLEANUP_BUF struct buf json = BUF_INIT(0), xml = BUF_INIT(0), markdown = BUF_INIT(0);

	report_to_json(report, &json);
	check_json_text(buf_text(&json));
	report_to_junit(report, &xml);
	check_xml(buf_text(&xml));
	report_to_markdown(report, &markdown);
	REQUIRE(fuzz_is_harmless(buf_text(&markdown), "\n"));
}

static void check_observer(const struct fixture *f, const char *text,
	const struct report_options *wanted, bool is_json)
{
	CLEANUP_FREE char *printed = NULL;
	size_t length = 0;
	struct report_options options = *wanted;
	struct rollout_observer *observer;
	struct rollout_event event = { .time = T0,
		.report = &f->report,
		.stage = &f->stages[1],
		.text = text,
		.state = "observing",
		.is_counted = true,
		.stage_left_ms = 1000 };
	char *line, *rest;

	options.stream = open_memstream(&printed, &length);
	observer = is_json ? report_json_new(&options) : report_text_new(&options);
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		event.kind = (enum rollout_event_kind)kind;
		/* A line of the rehearsal is printed as it is: whoever makes it makes it safe. */
		if (event.kind != EVENT_PLAN)
			observer->on_event(observer, &event);
	}
	observer->release(observer);
	fclose(options.stream);
	REQUIRE(strlen(printed) == length);
	if (!is_json) {
		require_terminal_safe(printed, options.color);
		return;
	}
	for (rest = printed; (line = strsep(&rest, "\n")) && *line;)
		check_json_text(line);
}

static void check_frame(const struct fixture *f, int columns)
{
	struct report_style style = { .ascii = columns % 2 };
	struct report_frame frame = { .style = &style,
		.report = &f->report,
		.stage = &f->stages[1],
		.state = "observing",
		.in_force = 500,
		.left_ms = 450000,
		.elapsed_ms = 1000000,
		.columns = columns,
		.rows = 24 };
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	report_frame_add(&frame, &text);
	require_terminal_safe(buf_text(&text), false);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	CLEANUP_BUF struct buf printable = BUF_INIT(0);
	struct report_options plain = { 0 }, color = { .color = true };
	struct fixture f;

	use_locale("C.UTF-8"); /* and its time zone: looking for one takes long */
	buf_add_printable(&printable, text);
	REQUIRE(fuzz_is_harmless(buf_text(&printable), ""));
	fill(&f, text);
	check_documents(&f.report);
	check_observer(&f, text, &plain, false);
	check_observer(&f, text, &color, false);
	check_observer(&f, text, &plain, true);
	check_frame(&f, 20 + (int)(size % 120));
	return 0;
}
