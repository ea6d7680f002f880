/* Temporary folders: see folder.h. */
#include "traffic/folder.h"

#include "canaryctl/log.h"
#include "canaryctl/mem.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *folder_make_temporary(struct error *err)
{
	const char *base = getenv("TMPDIR");
	char *path = mem_format("%s/canaryctl-XXXXXX", base && base[0] == '/' ? base : "/tmp");

	if (mkdtemp(path))
		return path;
	error_set(err, ERROR_IO, errno, "cannot create a temporary folder '%s'", path);
	free(path);
	return NULL;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	if (remove(path) < 0)
		log_warn("cannot remove '%s': %s", path, strerror(errno));
	return 0;
}

void folder_remove(char **path)
{
	if (!*path)
		return;
	nftw(*path, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	free(TAKE_PTR(*path));
}
