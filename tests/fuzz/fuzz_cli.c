/* argv, one word a line, read against the real tables: understood, or refused with a message. */
#include "fuzz.h"

#include "cli/cli_private.h"

enum { WORDS_MAX = 64 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	CLEANUP_BUF struct buf message = BUF_INIT(0);
	char program[] = "canaryctl", *words[WORDS_MAX + 2] = { program };
	char *rest = text;
	struct cli_call call;
	struct error err = { 0 };

	for (int i = 1; i <= WORDS_MAX && rest; i++)
		words[i] = strsep(&rest, "\n");
	if (cli_parse(cli_commands, words, &call, &err) == 0) {
		REQUIRE(err.kind == ERROR_NONE);
		for (size_t i = 0; i < call.cli.value_count; i++)
			REQUIRE(cli_has(&call.cli, call.cli.values[i].name));
		if (call.cli.command && !call.globals[GLOBAL_HELP]) {
			const struct cli_command *command = call.cli.command;

			REQUIRE((int)call.cli.argument_count >= command->minimum_arguments);
			REQUIRE(command->maximum_arguments < 0 ||
				(int)call.cli.argument_count <= command->maximum_arguments);
		}
	} else {
		REQUIRE(err.kind == ERROR_USAGE && err.message[0] && err.hint[0]);
		cli_format_error(&err, &message);
		REQUIRE(fuzz_is_harmless(buf_text(&message), "\n"));
	}
	cli_call_release(&call);
	return 0;
}
