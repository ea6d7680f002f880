/* Where a service keeps its state: <state_dir>/<service>, for its owner alone. */
#include "canaryctl/config.h"
#include "canaryctl/fileio.h"
#include "canaryctl/journal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int refuse(struct error *err, const char *folder)
{
	return error_hint(err,
		"run canaryctl as its owner, or: chown -R $USER '%s'; chmod 700 '%s'", folder,
		folder);
}

/* Whoever may write to state_dir can put another folder in the place of ours. */
static int check_parent(const char *parent, struct error *err)
{
	struct stat info;

	if (stat(parent, &info) < 0)
		return error_set(err, ERROR_IO, errno, "cannot look at state_dir '%s'", parent);
	if (!(info.st_mode & S_IWOTH) || (info.st_mode & S_ISVTX))
		return 0;
	error_set(err, ERROR_IO, 0, "state_dir '%s' is writable by everybody", parent);
	return error_hint(err, "chmod o-w '%s', or set state_dir to another folder", parent);
}

int state_folder_check(const char *folder, struct error *err)
{
	struct stat info;

	if (lstat(folder, &info) < 0 && errno == ENOENT)
		return 0;
	if (lstat(folder, &info) < 0)
		return error_set(
			err, ERROR_IO, errno, "cannot look at the state folder '%s'", folder);
	if (!S_ISDIR(info.st_mode))
		return error_set(err, ERROR_IO, 0, "the state folder '%s' is not a folder", folder);
	if (info.st_uid != geteuid()) {
		error_set(err, ERROR_IO, 0,
			"the state folder '%s' belongs to another user (id %ld)", folder,
			(long)info.st_uid);
		return refuse(err, folder);
	}
	if (info.st_mode & (S_IWGRP | S_IWOTH)) {
		error_set(err, ERROR_IO, 0, "the state folder '%s' is writable by others", folder);
		return refuse(err, folder);
	}
	return 0;
}

char *state_folder(const struct config *config, bool create, struct error *err)
{
	char *folder = mem_format("%s/%s", config->state_dir, config->service);

	if (create && fileio_make_folders(folder, 0700, err) < 0) {
		error_hint(err, "set state_dir to a folder that this user may write to");
		free(folder);
		return NULL;
	}
	if (create &&
		(check_parent(config->state_dir, err) < 0 || state_folder_check(folder, err) < 0)) {
		free(folder);
		return NULL;
	}
	return folder;
}
