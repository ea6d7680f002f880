/* Where a service keeps its state: <state_dir>/<service>, for its owner alone. */
#include "canaryctl/config.h"
#include "canaryctl/fileio.h"
#include "canaryctl/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_owner(const char *folder, struct error *err)
{
	struct stat info;

	if (lstat(folder, &info) < 0)
		return error_set(
			err, ERROR_IO, errno, "cannot look at the state folder '%s'", folder);
	if (!S_ISDIR(info.st_mode))
		return error_set(err, ERROR_IO, 0, "the state folder '%s' is not a folder", folder);
	if (info.st_uid != geteuid())
		error_set(err, ERROR_IO, 0,
			"the state folder '%s' belongs to another user (id %ld)", folder,
			(long)info.st_uid);
	else if (info.st_mode & (S_IWGRP | S_IWOTH))
		error_set(err, ERROR_IO, 0, "the state folder '%s' is writable by others", folder);
	else
		return 0;
	return error_hint(err,
		"run canaryctl as its owner, or: chown -R $USER '%s'; chmod 700 '%s'", folder,
		folder);
}

char *state_folder(const struct config *config, bool create, struct error *err)
{
	char *folder = mem_format("%s/%s", config->state_dir, config->service);

	if (create && fileio_make_folders(folder, 0700, err) < 0) {
		error_hint(err, "set state_dir to a folder that this user may write to");
		free(folder);
		return NULL;
	}
	if (create && check_owner(folder, err) < 0) {
		free(folder);
		return NULL;
	}
	return folder;
}
