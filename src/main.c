/* canaryctl: everything is in the library, see cli_main(). */
#include "canaryctl/cli.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/*
 * A parent may have closed the standard descriptors: without this, the first file that is opened
 * would become standard output, and be written over.
 */
static void open_standard_descriptors(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd > STDERR_FILENO)
		close(fd);
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	/* Whoever reads our output may leave; a rollout must not die of it halfway. */
	signal(SIGPIPE, SIG_IGN);
	return cli_main(argc, argv);
}
