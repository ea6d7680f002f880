/*
 * The control socket's lines: each answer is one line of JSON that says whether it was accepted,
 * and nothing is asked of the rollout but what an accepted command asks for.
 */
#include "fuzz.h"

#include "rollout/rollout_private.h"

#include <cjson/cJSON.h>

static const enum rollout_state states[] = { ROLLOUT_SHIFTING, ROLLOUT_OBSERVING, ROLLOUT_PAUSED,
	ROLLOUT_AWAITING_APPROVAL, ROLLOUT_ROLLING_BACK };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *line = size ? fuzz_text(data + 1, size - 1) : NULL;
	CLEANUP_BUF struct buf reply = BUF_INIT(4096);
	static struct rollout rollout;
	const cJSON *accepted;
	cJSON *json;
	bool is_asked;

	if (!size)
		return 0;
	memset(&rollout, 0, sizeof(rollout));
	rollout.state = states[data[0] % ARRAY_SIZE(states)];
	rollout_on_line(line, &reply, &rollout);
	REQUIRE(!reply.overflowed && fuzz_is_harmless(buf_text(&reply), ""));
	json = cJSON_Parse(buf_text(&reply));
	accepted = cJSON_GetObjectItem(json, "accepted");
	REQUIRE(cJSON_IsBool(accepted) && cJSON_IsString(cJSON_GetObjectItem(json, "message")));
	is_asked = rollout.requests.abort || rollout.requests.pause || rollout.requests.resume ||
		   rollout.requests.approve;
	REQUIRE(!is_asked || cJSON_IsTrue(accepted));
	REQUIRE(!rollout.requests.signal_number);
	REQUIRE(memchr(rollout.requests.reason, '\0', sizeof(rollout.requests.reason)));
	cJSON_Delete(json);
	return 0;
}
