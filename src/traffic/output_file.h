/*
 * The file that NGINX includes: reading what is there, putting another text in its place, taking
 * it away. On this host that is done at once; in a container, or with an install command, a
 * program does it, and the task waits.
 */
#ifndef CANARYCTL_TRAFFIC_OUTPUT_FILE_H
#define CANARYCTL_TRAFFIC_OUTPUT_FILE_H

#include "traffic/edge.h"

#include "canaryctl/loop.h"

enum { OUTPUT_MAXIMUM_BYTES = 4 << 20 };

/* Zeroed by the caller. One thing at a time: start, TASK_WAIT, ended. */
struct output_file {
	struct edge *edge;
	struct proc_op proc;
	char *folder; /* temporary, while a program runs */
	char *copy;   /* in it */
	bool by_program;
	bool must_get_there; /* to safety: written in place when the disk has no room for a new file
			      */
	struct error error;
};

void output_fetch_start(struct output_file *file, struct edge *edge, struct task *task);
/* What is there; *ret_exists false when nothing is. */
int output_fetch_ended(
	struct output_file *file, struct buf *ret_text, bool *ret_exists, struct error *err);

void output_put_start(
	struct output_file *file, struct edge *edge, struct task *task, const struct buf *text);
void output_remove_start(struct output_file *file, struct edge *edge, struct task *task);
/* Of put and remove. */
int output_ended(struct output_file *file, struct error *err);

/* A copy of the old text beside the file, under a name that no `include` pattern matches, while a
 * shift is under way: for a person, should everything else go wrong. Only on this host. */
void output_keep_copy(struct edge *edge, const struct buf *text);
void output_drop_copy(struct edge *edge);

/* -1 with the remedy when the file is a mount point of its own, which no rename can replace. */
int output_check_mount(const struct edge *edge, struct error *err);

#endif
