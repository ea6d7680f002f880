/* How a command ends: exit statuses, and the one place that prints errors. */
#include "cli/cli_private.h"

#include <stdio.h>

static const int kind_status[ERROR_KIND_COUNT] = {
	[ERROR_NONE] = EXIT_GO,
	[ERROR_USAGE] = EXIT_USAGE,
	[ERROR_CONFIG] = EXIT_BAD_CONFIG,
	[ERROR_UNAVAILABLE] = EXIT_UNREACHABLE,
	[ERROR_LOCKED] = EXIT_LOCKED,
	[ERROR_IO] = EXIT_UNREACHABLE,
	[ERROR_NET] = EXIT_UNREACHABLE,
	[ERROR_METRICS] = EXIT_UNREACHABLE,
	/* A command that knows that the old weights are proven says 2 by itself. */
	[ERROR_TRAFFIC] = EXIT_UNPROVEN,
	[ERROR_CANCELED] = EXIT_SIGINT,
	[ERROR_BUG] = 70,
};

const struct cli_exit cli_exits[] = {
	{ EXIT_GO, "done; GO" },
	{ EXIT_WARNING, "a person should look: gate WARNING, or a rollout left on hold" },
	{ EXIT_NO_GO, "NO-GO: the traffic is back where it was, and proven to be" },
	{ EXIT_UNPROVEN, "the traffic is not proven to be where it should be: page somebody" },
	{ EXIT_USAGE, "wrong usage" },
	{ EXIT_UNREACHABLE, "something needed to begin cannot be reached; nothing was changed" },
	{ EXIT_LOCKED, "another rollout of this service runs; nothing was changed" },
	{ EXIT_BAD_CONFIG, "configuration invalid; nothing was changed" },
	{ EXIT_SIGINT, "stopped by SIGINT, after the safe stop" },
	{ EXIT_SIGTERM, "stopped by SIGTERM, after the safe stop" },
	{ 0, NULL },
};

int cli_exit_status(enum error_kind kind)
{
	return (unsigned)kind < ERROR_KIND_COUNT ? kind_status[kind] : kind_status[ERROR_BUG];
}

void cli_format_error(const struct error *err, struct buf *ret_text)
{
	buf_add_text(ret_text, "canaryctl: ");
	buf_add_printable(ret_text, err->message);
	buf_add_text(ret_text, "\n");
	if (!err->hint[0])
		return;
	buf_add_text(ret_text, "  hint: ");
	buf_add_printable(ret_text, err->hint);
	buf_add_text(ret_text, "\n");
}

int cli_fail(const struct error *err)
{
	CLEANUP_BUF struct buf text = BUF_INIT(8192);

	cli_format_error(err, &text);
	fputs(buf_text(&text), stderr);
	return cli_exit_status(err->kind);
}
