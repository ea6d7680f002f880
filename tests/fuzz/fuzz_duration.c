/* Durations: bounded, and the same after being written and read again. */
#include "fuzz.h"

#include "canaryctl/duration.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	char written[DURATION_TEXT_SIZE];
	int64_t ms = -1, again = -1;

	if (duration_parse(text, &ms)) {
		REQUIRE(ms >= 0 && ms <= DURATION_MAX_MS);
		REQUIRE(duration_format(ms, written) == written);
		REQUIRE(strlen(written) < sizeof(written));
		REQUIRE(duration_parse(written, &again) && again == ms);
	}
	/* Any number at all can be shown. */
	if (size >= sizeof(ms)) {
		memcpy(&ms, data, sizeof(ms));
		duration_format(ms, written);
		REQUIRE(strlen(written) < sizeof(written));
	}
	return 0;
}
