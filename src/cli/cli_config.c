/* The configuration for a command, with everything that is wrong about it printed. */
#include "cli/cli_private.h"

#include <stdio.h>

struct config *cli_read_config(const struct cli *cli, const struct config_options *options,
	struct buf *ret_diagnostics, struct error *err)
{
	CLEANUP_FREE char *path = config_find(cli->config_path, err);

	return path ? config_load(path, options, ret_diagnostics, err) : NULL;
}

int cli_fail_config(const struct buf *diagnostics, const struct error *err)
{
	cli_print_lines(buf_text(diagnostics), stderr);
	return cli_fail(err);
}

struct config *cli_load_config(
	const struct cli *cli, const struct config_options *options, int *ret_status)
{
	CLEANUP_BUF struct buf diagnostics = BUF_INIT(0);
	struct error err = { 0 };
	struct config *config = cli_read_config(cli, options, &diagnostics, &err);

	*ret_status = config ? EXIT_GO : cli_fail_config(&diagnostics, &err);
	return config;
}
