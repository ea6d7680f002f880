/* A temporary folder for us alone (0700), removed with what is in it. */
#ifndef CANARYCTL_TRAFFIC_FOLDER_H
#define CANARYCTL_TRAFFIC_FOLDER_H

#include "canaryctl/error.h"

/* malloc'ed path; NULL on error. */
char *folder_make_temporary(struct error *err);

/* Removes the folder, frees the path and sets it to NULL; NULL is fine. */
void folder_remove(char **path);

#endif
