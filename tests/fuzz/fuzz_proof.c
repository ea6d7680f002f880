/*
 * What NGINX says: answers of the proof address (anybody may listen there) and lines of its error
 * log, which hold what clients sent.
 */
#include "fuzz.h"

#include "traffic/nginx_log.h"
#include "traffic/proof_block.h"

#include <sys/mman.h>
#include <unistd.h>

enum { MASTER = 1234, MOST_LINES = 100000 };

static void check_answer(const uint8_t *data, size_t size)
{
	struct proof_answer answer = { 0 }, again = { 0 };
	CLEANUP_BUF struct buf text = BUF_INIT(0);
	char canary[WEIGHT_TEXT_SIZE], production[WEIGHT_TEXT_SIZE];

	if (!proof_answer_parse((const char *)data, size, &answer))
		return;
	REQUIRE(answer.canary >= 0 && answer.canary <= WEIGHT_FULL && answer.pid >= 1);
	REQUIRE(fuzz_is_harmless(answer.generation, ""));
	REQUIRE(!strpbrk(answer.generation, "\"'\\$;{} "));
	buf_add_format(&text,
		"{\"generation\":\"%s\",\"production\":%s,\"canary\":%s,\"pid\":%d,\"braked\":%s}",
		answer.generation, weight_format(WEIGHT_FULL - answer.canary, production),
		weight_format(answer.canary, canary), answer.pid,
		answer.is_braked ? "true" : "false");
	REQUIRE(proof_answer_parse(buf_text(&text), text.length, &again));
	REQUIRE(again.canary == answer.canary && again.pid == answer.pid);
	REQUIRE(again.is_braked == answer.is_braked);
	REQUIRE(strcmp(again.generation, answer.generation) == 0);
}

static void check_log(const uint8_t *data, size_t size)
{
	struct nginx_log log = { .fd = memfd_create("log", MFD_CLOEXEC), .master = MASTER };
	char line[256] = "";

	REQUIRE(log.fd >= 0 && write(log.fd, data, size) == (ssize_t)size);
	for (int i = 0; i < MOST_LINES; i++) {
		off_t before = log.offset;
		bool is_found = nginx_log_find_complaint(&log, line, sizeof(line));

		REQUIRE(log.offset >= before && log.offset <= (off_t)size);
		/* Cut at the end it may be, in the middle of a character. */
		if (is_found && strlen(line) < sizeof(line) - 4)
			REQUIRE(fuzz_is_harmless(line, ""));
		if (is_found || log.offset == before)
			break;
	}
	nginx_log_release(&log);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	struct proof_answer answer;

	check_answer(data, size);
	if (proof_block_find(text, &answer))
		REQUIRE(answer.canary >= 0 && answer.canary <= WEIGHT_FULL);
	check_log(data, size);
	return 0;
}
