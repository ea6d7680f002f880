/*
 * Journal records, one a line: "TYPE JSON". Whatever a damaged journal says, what is folded from
 * it is within what a rollout can be.
 */
#include "fuzz.h"

#include "canaryctl/journal.h"

static void check_view(const struct rollout_view *view)
{
	REQUIRE(memchr(view->deployment, '\0', sizeof(view->deployment)));
	REQUIRE(memchr(view->version, '\0', sizeof(view->version)));
	REQUIRE(memchr(view->why, '\0', sizeof(view->why)));
	REQUIRE(rollout_state_name(view->state));
	REQUIRE(view->stage >= 0 && view->stage_count >= 0);
	REQUIRE(view->intent >= WEIGHT_UNKNOWN && view->intent <= WEIGHT_FULL);
	REQUIRE(view->proven >= WEIGHT_UNKNOWN && view->proven <= WEIGHT_FULL);
	REQUIRE(view->stage_ends_at >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	struct rollout_view view = { 0 };
	struct journal_record record = { .time = INT64_C(1795194193000),
		.deployment = "20261120T170313Z-v0.2.0" };
	char *rest = text, *line;

	while ((line = strsep(&rest, "\n"))) {
		record.sequence++;
		record.type = strsep(&line, " ");
		record.data = line ? line : "";
		rollout_view_take(&view, &record);
		check_view(&view);
	}
	rollout_view_release(&view);
	return 0;
}
