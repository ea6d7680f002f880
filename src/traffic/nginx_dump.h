/*
 * What `nginx -T` prints: the whole configuration, file by file. Pure.
 *
 * Calling order: nginx_dump_split(), nginx_dump_walk() as often as wanted, nginx_dump_release().
 */
#ifndef CANARYCTL_TRAFFIC_NGINX_DUMP_H
#define CANARYCTL_TRAFFIC_NGINX_DUMP_H

#include "traffic/nginx_text.h"

#include "canaryctl/mem.h"

#include <stdbool.h>
#include <stddef.h>

struct nginx_file {
	char *path; /* as NGINX says it */
	char *text;
	int reads; /* how often the last walk came through it: NGINX prints it once all the same */
};

struct nginx_dump {
	struct arena arena;
	struct nginx_file *files; /* the first one is the main file; count may be 0 */
	size_t count;
};

/* A block around a statement; `around` leads outwards. */
struct nginx_block {
	const struct nginx_statement *head; /* "location / {" */
	const struct nginx_block *around;
};

struct nginx_visit {
	const struct nginx_file *file;
	const struct nginx_statement *statement; /* a directive, or the head of a block */
	const struct nginx_block *around;        /* NULL: outside of all blocks */
};
typedef void nginx_visit_fn(const struct nginx_visit *visit, void *context);

void nginx_dump_split(const char *text, struct nginx_dump *ret_dump);
void nginx_dump_release(struct nginx_dump *dump);

/*
 * Visits the statements in the order in which NGINX reads them, with the files of an `include`
 * in its place. What is broken, too deep or without end is left out: NGINX would not have
 * printed it.
 */
void nginx_dump_walk(struct nginx_dump *dump, nginx_visit_fn *visit, void *context);

/* Is the statement anywhere inside of a block of that name? */
bool nginx_visit_is_in(const struct nginx_visit *visit, const char *block);

/* A path of the configuration, absolute as NGINX takes it. In the dump's arena. */
char *nginx_dump_path(struct nginx_dump *dump, const struct nginx_word *word);

/* Does any file but `except` (its path as NGINX says it) have `text` outside of a comment? */
bool nginx_dump_has(const char *dump, const char *text, const char *except);

#endif
