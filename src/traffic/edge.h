/*
 * One NGINX as the configuration describes it, with the defaults worked out: which commands test
 * and reload it, how a file gets to it, and where it runs.
 */
#ifndef CANARYCTL_TRAFFIC_EDGE_H
#define CANARYCTL_TRAFFIC_EDGE_H

#include "canaryctl/config.h"
#include "canaryctl/mem.h"

#include <stdbool.h>

enum edge_output {
	EDGE_RENAME,   /* atomic rename onto `output` */
	EDGE_IN_PLACE, /* over the same inode */
	EDGE_INSTALL   /* by a command */
};

struct edge {
	const struct config *config;
	const struct nginx_config *nginx;
	struct arena arena;
	char **test; /* argv, NULL-terminated; as the others */
	char **reload;
	char **install;     /* with "{file}"; NULL unless EDGE_INSTALL */
	char **nginx_words; /* `test` up to the word nginx; NULL: a scratch test is not possible */
	const char *config_path; /* `-c` of `test`; NULL: none */
	const char *proof_url;
	enum edge_output output;
	bool is_elsewhere; /* another file system and pid namespace than ours */
};

int edge_init(struct edge *edge, const struct config *config, struct error *err);
void edge_release(struct edge *edge);

/* [docker, exec, CONTAINER, words...]; only with a container. In the edge's arena. */
char **edge_container_argv(struct edge *edge, char *const *words);

/* `test` as `nginx -T`, which also prints the configuration; NULL when it has no `-t`. In the
 * edge's arena. */
char **edge_dump_argv(struct edge *edge);

/* argv with "{file}" replaced in each word. In the edge's arena. */
char **edge_argv_with_file(struct edge *edge, char *const *argv, const char *file);

#endif
