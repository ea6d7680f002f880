/* canaryctl: everything is in the library, see cli_main(). */
#include "canaryctl/cli.h"

#include "canaryctl/mem.h"

#include <cjson/cJSON.h>

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
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

/* Passwords are in memory and in the environment: no core, and no other process of ours reads it.
 */
static void keep_memory_to_ourselves(void)
{
#ifndef __SANITIZE_ADDRESS__ /* LeakSanitizer looks at us with ptrace */
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/* Half a JSON object is worse than none: out of memory ends the program there as everywhere. */
static void check_allocations_of_json(void)
{
	cJSON_Hooks hooks = { .malloc_fn = mem_alloc, .free_fn = free };

	cJSON_InitHooks(&hooks);
}

int main(int argc, char **argv)
{
	open_standard_descriptors();
	keep_memory_to_ourselves();
	check_allocations_of_json();
	/* Whoever reads our output may leave; a rollout must not die of it halfway. */
	signal(SIGPIPE, SIG_IGN);
	/* Nor of `ulimit -f`: what cannot be written is an error like any other. */
	signal(SIGXFSZ, SIG_IGN);
	return cli_main(argc, argv);
}
