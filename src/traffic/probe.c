/* Questions to the proof address: see probe.h. */
#include "traffic/probe.h"

#include <stdio.h>

void probe_start(struct probe *probe, struct task *task, const char *url, int count)
{
	struct http_request request = { .url = url,
		.timeout_ms = PROBE_TIMEOUT_MS,
		.maximum_bytes = 4096,
		.fresh_connection = true };

	probe->count = count < 1 ? 1 : count > PROBE_MAX ? PROBE_MAX : count;
	for (int i = 0; i < probe->count; i++)
		http_start(&probe->http[i], task, &request);
}

void probe_collect(struct probe *probe)
{
	probe->answered = probe->refused = probe->foreign = probe->broken = 0;
	probe->oddity[0] = '\0';
	for (int i = 0; i < probe->count; i++) {
		struct http_op *http = &probe->http[i];

		if (http->could_not_connect) {
			probe->refused++;
		} else if (http->error.kind != ERROR_NONE) {
			probe->broken++;
			snprintf(
				probe->oddity, sizeof(probe->oddity), "%.90s", http->error.message);
		} else if (http->status == 200 &&
			   proof_answer_parse(buf_text(&http->body), http->body.length,
				   &probe->answers[probe->answered])) {
			probe->answered++;
		} else {
			probe->foreign++;
			snprintf(probe->oddity, sizeof(probe->oddity), "it answers HTTP %ld",
				http->status);
		}
		http_release(http);
	}
	probe->count = 0;
}
