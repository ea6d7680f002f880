/*
 * Templates: the first byte chooses the weight. What is rendered has a server in every upstream
 * and a proof that says what was asked for; everything else is refused with a message.
 */
#include "fuzz.h"

#include "traffic/nginx_text.h"
#include "traffic/proof_block.h"
#include "traffic/template.h"
#include "traffic/upstreams.h"

static const weight_t weights[] = { 0, 1, 50, 100, 500, 2500, 9999, WEIGHT_FULL };

static void check_statements(const char *text)
{
	const char *end = text + strlen(text);
	struct nginx_reader reader = { .next = text, .line = 1 };
	struct nginx_statement statement;
	const char *before;
	int line = 1;

	do {
		before = reader.next;
		nginx_read_statement(&reader, &statement);
		REQUIRE(reader.next >= before && reader.next <= end);
		REQUIRE(statement.count <= NGINX_MAX_WORDS);
		for (size_t i = 0; i < statement.count; i++) {
			REQUIRE(statement.words[i].start >= text);
			REQUIRE(statement.words[i].start + statement.words[i].length <= end);
		}
		REQUIRE(reader.line >= line);
		line = reader.line;
		if (statement.kind == NGINX_TEXT_END || statement.kind == NGINX_TEXT_BROKEN)
			return;
	} while (reader.next > before);
	REQUIRE(!"the reader moves on");
}

static void check_rendered(const struct buf *text, weight_t canary, const char *production)
{
	struct proof_answer answer;
	struct upstreams_report report = { 0 };
	struct error err = { 0 };

	REQUIRE(proof_block_find(buf_text(text), &answer));
	REQUIRE(answer.canary == canary && strcmp(answer.generation, "r-1/0123abcd") == 0);
	REQUIRE(upstreams_examine("t", buf_text(text), production, &report, &err) == 0);
	upstreams_report_release(&report);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = size ? fuzz_text(data + 1, size - 1) : NULL;
	CLEANUP_BUF struct buf output = BUF_INIT(0), notes = BUF_INIT(0);
	struct error err = { 0 };
	struct template_input input = { .name = "t",
		.text = text,
		.service = "shop",
		.production_server = "app:8000",
		.canary_server = "app-canary:8001",
		.generation = "r-1/0123abcd",
		.proof_listen = "127.0.0.1:8099",
		.brake = size % 2 ? "/run/canaryctl/shop.off" : NULL };

	if (!size)
		return 0;
	input.canary = weights[data[0] % ARRAY_SIZE(weights)];
	check_statements(text);
	if (template_render(&input, &output, &notes, &err) == 0)
		check_rendered(&output, input.canary, input.production_server);
	else
		REQUIRE(err.kind == ERROR_CONFIG && err.message[0]);
	return 0;
}
