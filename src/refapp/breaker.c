/* The three states and the ring of results: see breaker.h. */
#include "refapp/breaker.h"

#include <string.h>

static void forget_calls(struct breaker *breaker)
{
	memset(breaker->failed, 0, sizeof(breaker->failed));
	breaker->next = 0;
	breaker->calls = 0;
	breaker->failures = 0;
}

static void open_circuit(struct breaker *breaker, int64_t now_ms)
{
	breaker->state = BREAKER_OPEN;
	breaker->opened_ms = now_ms;
	breaker->times_opened++;
}

static void remember(struct breaker *breaker, int window, bool failed)
{
	if (breaker->calls == window)
		breaker->failures -= breaker->failed[breaker->next];
	else
		breaker->calls++;
	breaker->failed[breaker->next] = failed;
	breaker->failures += failed;
	breaker->next = (breaker->next + 1) % window;
}

enum breaker_state breaker_state_at(
	struct breaker *breaker, const struct breaker_settings *settings, int64_t now_ms)
{
	if (breaker->state == BREAKER_OPEN && now_ms - breaker->opened_ms >= settings->timeout_ms) {
		breaker->state = BREAKER_HALF_OPEN;
		breaker->probing = false;
	}
	return breaker->state;
}

bool breaker_allow(struct breaker *breaker, const struct breaker_settings *settings, int64_t now_ms)
{
	if (!settings->enabled)
		return true;
	switch (breaker_state_at(breaker, settings, now_ms)) {
	case BREAKER_CLOSED:
		return true;
	case BREAKER_OPEN:
		return false;
	case BREAKER_HALF_OPEN:
		break;
	}
	if (breaker->probing)
		return false;
	breaker->probing = true;
	return true;
}

void breaker_note(struct breaker *breaker, const struct breaker_settings *settings, bool failed,
	int64_t now_ms)
{
	if (!settings->enabled)
		return;
	if (breaker->state == BREAKER_HALF_OPEN) {
		breaker->probing = false;
		if (failed) {
			open_circuit(breaker, now_ms);
		} else {
			breaker->state = BREAKER_CLOSED;
			forget_calls(breaker);
		}
		return;
	}
	/* A call that was out when the circuit opened tells nothing new. */
	if (breaker->state == BREAKER_OPEN)
		return;
	remember(breaker, settings->window, failed);
	if (breaker->calls >= settings->minimum_calls &&
		breaker->failures >= settings->failure_threshold * breaker->calls)
		open_circuit(breaker, now_ms);
}

double breaker_failure_share(const struct breaker *breaker)
{
	return breaker->calls ? (double)breaker->failures / breaker->calls : 0;
}

const char *breaker_state_name(enum breaker_state state)
{
	static const char *const names[] = { "closed", "open", "half_open" };

	return names[state];
}
