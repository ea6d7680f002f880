/* The live view: the frame fits the screen whatever is in it, and redraws leave nothing behind. */
#include "test.h"

#include "report/report_private.h"
#include "report_fixture.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct report_frame frame_of(struct fixture *f, const struct report_style *style)
{
	return (struct report_frame){ .style = style,
		.report = &f->report,
		.stage = &f->stages[1],
		.state = "observing",
		.in_force = 500,
		.left_ms = 450000,
		.elapsed_ms = 1000000,
		.columns = 100,
		.rows = 24 };
}

/* Columns of the widest line; counts the lines. No escape sequences in here: no colour. */
static int widest(const char *text, int *ret_lines)
{
	int columns = 0, most = 0;

	*ret_lines = 0;
	while (*text) {
		uint32_t c = utf8_next(&text);

		if (c == '\n') {
			most = columns > most ? columns : most;
			columns = 0;
			(*ret_lines)++;
		} else {
			assert_true(utf8_columns(c) >= 0);
			columns += utf8_columns(c);
		}
	}
	assert_int_equal(columns, 0); /* the last line is ended */
	return most;
}

static void the_frame_shows_the_stage_and_its_checks(void **state)
{
	struct fixture f;
	struct report_style style = { 0 };
	struct report_frame frame;
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	f.stages[1].state = STAGE_OBSERVING;
	frame = frame_of(&f, &style);
	assert_int_equal(report_frame_add(&frame, &text), 8);
	assert_string_equal(buf_text(&text),
		"\n"
		"fragrance-ai v0.2.1 · observing · 5% canary in force · 16m40s\n"
		"stages  ✓ 0.5%  [5%]\n"
		"stage 2/2 ███████████████░░░░░░░░░░░░░░░  50%  7m30s left\n"
		"  ✗ error-rate  3.1%      < 0.5%          812 samples  █  FAIL \n"
		"  ? p95-fast    -         <= 2.5s                         NO_DATA \n"
		"  ! rl-loss     0.45      < 2 * baseline  812 samples  █  WARN baseline 0.42\n"
		"^C stops safely\n");
}

static void the_frame_fits_every_screen(void **state)
{
	static const int columns[] = { 20, 21, 40, 63, 80, 300 };
	struct fixture f;
	struct report_style style = { 0 };

	(void)state;
	fixture_init(&f);
	fixture_roll_back(&f);
	f.report.service = "카나리-서비스";
	f.configs[0].name = (char *)HOSTILE "한글이 아주 길게 이어지는 이름입니다 정말로 길어요";
	f.configs[0].require.text = HOSTILE;
	strcpy(f.checks[1][1].last.measurement.message, HOSTILE HOSTILE HOSTILE);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
		for (int rows = 1; rows < 14; rows++) {
			struct report_frame frame = frame_of(&f, &style);
			CLEANUP_BUF struct buf text = BUF_INIT(0);
			int lines, told;

			frame.columns = columns[i];
			frame.rows = rows;
			frame.state = "awaiting_approval";
			told = report_frame_add(&frame, &text);
			assert_harmless(buf_text(&text), "\n");
			assert_in_range(widest(buf_text(&text), &lines), 0, columns[i] - 1);
			assert_int_equal(lines, told);
			assert_in_range(lines, 0, rows - 1);
		}
	}
}

static void a_low_screen_hides_what_passes(void **state)
{
	struct fixture f;
	struct report_style style = { 0 };
	struct report_frame frame;
	CLEANUP_BUF struct buf text = BUF_INIT(0);

	(void)state;
	fixture_init(&f);
	fixture_judge(&f, 2, 0, CHECK_PASS, 0);
	fixture_judge(&f, 2, 1, CHECK_PASS, 1);
	fixture_judge(&f, 2, 2, CHECK_FAIL, 9);
	frame = frame_of(&f, &style);
	frame.rows = 8; /* two rows for three checks */
	report_frame_add(&frame, &text);
	assert_non_null(strstr(buf_text(&text), "✗ rl-loss"));
	assert_non_null(strstr(buf_text(&text), "and 2 more"));
}

static void a_frame_of_nothing_is_fine(void **state)
{
	struct rollout_report report = { 0 };
	struct stage_report stage = { 0 };
	struct report_style style = { .color = true };
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	struct report_frame frame = {
		.style = &style, .report = &report, .state = "", .columns = 80, .rows = 24
	};

	(void)state;
	report_frame_add(&frame, &text);
	frame.stage = &stage;
	report_frame_add(&frame, &text);
	stage.shifted_at = 1;
	report_frame_add(&frame, &text);
}

/* A terminal that holds what a program draws, as far as the live view needs one. */
enum { SCREEN_ROWS = 60, SCREEN_COLUMNS = 90 };
struct screen {
	char cells[SCREEN_ROWS][4 * SCREEN_COLUMNS];
	int row, used[SCREEN_ROWS];
};

static void screen_sequence(struct screen *screen, const char **text)
{
	int number = (int)strtol(*text + 1, (char **)(uintptr_t)text, 10);
	char what = *(*text)++;

	if (what == 'A') {
		assert_true(screen->row >= number);
		screen->row -= number;
		return;
	}
	assert_int_equal(what, 'J');
	for (int i = screen->row; i < SCREEN_ROWS; i++)
		screen->used[i] = 0;
}

static void screen_draw(struct screen *screen, const char *text)
{
	while (*text) {
		char c = *text++;

		if (c == '\x1b') {
			assert_int_equal(*text, '[');
			screen_sequence(screen, &text);
		} else if (c == '\n') {
			screen->row++;
			assert_in_range(screen->row, 0, SCREEN_ROWS - 1);
		} else if (c != '\r') {
			screen->cells[screen->row][screen->used[screen->row]++] = c;
		}
	}
}

static void screen_text(const struct screen *screen, struct buf *ret_text)
{
	for (int i = 0; i < SCREEN_ROWS; i++) {
		buf_add(ret_text, screen->cells[i], (size_t)screen->used[i]);
		buf_add_text(ret_text, "\n");
	}
}

static void redraws_leave_only_the_lines_behind(void **state)
{
	struct fixture f;
	char *text = NULL;
	size_t length = 0;
	FILE *stream = open_memstream(&text, &length);
	struct rollout_observer *observer;
	struct rollout_event event = { .report = &f.report, .time = T0, .state = "observing" };
	CLEANUP_BUF struct buf shown = BUF_INIT(0);
	static struct screen screen;

	(void)state;
	use_locale("C.UTF-8");
	fixture_init(&f);
	observer = report_text_new(&(struct report_options){ .stream = stream, .live = true });
	assert_non_null(observer->tick);
	observer->tick(observer); /* before any event: nothing */
	event.kind = EVENT_STARTED;
	observer->on_event(observer, &event);
	event.stage = &f.stages[0];
	event.kind = EVENT_STAGE_STARTED;
	observer->on_event(observer, &event);
	f.stages[0].shifted_at = T0;
	event.kind = EVENT_SHIFTED;
	observer->on_event(observer, &event);
	event.kind = EVENT_EVALUATED;
	event.is_counted = true;
	fixture_judge(&f, 1, 0, CHECK_PASS, 0.001);
	for (int i = 0; i < 5; i++) {
		event.stage_left_ms = 900000 - i * 15000;
		observer->on_event(observer, &event);
		observer->tick(observer);
	}
	screen_draw(&screen, text);
	screen_text(&screen, &shown);
	assert_non_null(strstr(buf_text(&shown), "stage 1/2 "));
	assert_null(strstr(strstr(buf_text(&shown), "stage 1/2 ") + 1, "stage 1/2 "));
	assert_null(strstr(buf_text(&shown), "% observed")); /* the bar says it */

	fixture_roll_back(&f);
	event.kind = EVENT_FINISHED;
	event.stage = NULL;
	observer->on_event(observer, &event);
	observer->tick(observer); /* after the end: nothing */
	observer->release(observer);
	fclose(stream);
	memset(&screen, 0, sizeof(screen));
	buf_clear(&shown);
	screen_draw(&screen, text);
	screen_text(&screen, &shown);
	assert_null(strstr(buf_text(&shown), "stage 1/2 "));
	assert_non_null(strstr(buf_text(&shown), "CANARY DEPLOYMENT ROLLED BACK"));
	free(text);
}

static size_t read_available(int fd, char *bytes, size_t size)
{
	ssize_t length = read(fd, bytes, size - 1);

	assert_true(length >= 0);
	bytes[length] = '\0';
	return (size_t)length;
}

static void the_size_of_the_terminal_is_asked_at_each_redraw(void **state)
{
	struct fixture f;
	struct winsize size = { .ws_col = 60, .ws_row = 30 };
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	struct rollout_observer *observer;
	struct rollout_event event = { .report = &f.report, .time = T0, .state = "observing" };
	char text[16384];
	FILE *stream;

	(void)state;
	assert_true(master >= 0);
	assert_int_equal(grantpt(master) | unlockpt(master), 0);
	stream = fopen(ptsname(master), "w");
	assert_non_null(stream);
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	fixture_init(&f);
	f.stages[0].shifted_at = T0;
	fixture_judge(&f, 1, 0, CHECK_PASS, 0.001);
	observer = report_text_new(&(struct report_options){ .stream = stream, .live = true });
	event.kind = EVENT_SHIFTED;
	event.stage = &f.stages[0];
	observer->on_event(observer, &event);
	read_available(master, text, sizeof(text));
	assert_non_null(strstr(text, "99.5% production"));
	/* 30 columns: the old header and check lines take two rows each now. */
	size.ws_col = 30;
	assert_int_equal(ioctl(master, TIOCSWINSZ, &size), 0);
	observer->tick(observer);
	read_available(master, text, sizeof(text));
	assert_non_null(strstr(text, "A\x1b[J"));
	assert_true(atoi(strstr(text, "\x1b[") + 2) > 8);
	observer->release(observer);
	fclose(stream);
	close(master);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_frame_shows_the_stage_and_its_checks),
		cmocka_unit_test(the_frame_fits_every_screen),
		cmocka_unit_test(a_low_screen_hides_what_passes),
		cmocka_unit_test(a_frame_of_nothing_is_fine),
		cmocka_unit_test(redraws_leave_only_the_lines_behind),
		cmocka_unit_test(the_size_of_the_terminal_is_asked_at_each_redraw),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
