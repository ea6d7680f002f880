/* Settings of one NGINX: see edge.h. */
#include "traffic/edge.h"

#include <stdio.h>
#include <string.h>

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static size_t count_words(char *const *words)
{
	size_t count = 0;

	while (words && words[count])
		count++;
	return count;
}

/* `first` and then `words`, NULL-terminated, in the arena. */
static char **join(struct edge *edge, char *const *first, char *const *words)
{
	size_t before = count_words(first), after = count_words(words);
	char **joined = arena_alloc(&edge->arena, (before + after + 1) * sizeof(*joined));

	for (size_t i = 0; i < before; i++)
		joined[i] = first[i];
	for (size_t i = 0; i < after; i++)
		joined[before + i] = words[i];
	return joined;
}

static char *word(struct edge *edge, const char *text)
{
	return arena_strdup(&edge->arena, text);
}

char **edge_container_argv(struct edge *edge, char *const *words)
{
	char *docker[] = { word(edge, "docker"), word(edge, "exec"), edge->nginx->container, NULL };

	return join(edge, docker, words);
}

char **edge_argv_with_file(struct edge *edge, char *const *argv, const char *file)
{
	static const char placeholder[] = "{file}";
	char **result = join(edge, argv, NULL);

	for (size_t i = 0; result[i]; i++) {
		char *found = strstr(result[i], placeholder);

		if (found)
			result[i] = arena_format(&edge->arena, "%.*s%s%s", (int)(found - result[i]),
				result[i], file, found + sizeof(placeholder) - 1);
	}
	return result;
}

char **edge_dump_argv(struct edge *edge)
{
	char **argv = join(edge, edge->test, NULL);

	for (size_t i = 0; argv[i]; i++) {
		if (strcmp(argv[i], "-t") == 0) {
			argv[i] = word(edge, "-T");
			return argv;
		}
	}
	return NULL;
}

static bool runs_containers(const char *program)
{
	static const char *const engines[] = { "docker", "podman", "nerdctl", "docker-compose",
		"kubectl", "ssh" };

	for (size_t i = 0; i < ARRAY_SIZE(engines); i++)
		if (strcmp(basename_of(program), engines[i]) == 0)
			return true;
	return false;
}

/* With a container, a bare `nginx ...` means the one inside. */
static char **command(struct edge *edge, const struct strv *configured, char *const *fallback)
{
	char *const *words = configured->count ? configured->items : fallback;

	if (edge->nginx->container && !runs_containers(words[0]))
		return edge_container_argv(edge, words);
	return join(edge, words, NULL);
}

static void find_nginx_words(struct edge *edge)
{
	size_t last = 0;

	for (size_t i = 0; edge->test[i]; i++) {
		if (strcmp(edge->test[i], "-c") == 0 && edge->test[i + 1])
			edge->config_path = edge->test[i + 1];
		if (!last && strcmp(basename_of(edge->test[i]), "nginx") == 0)
			last = i + 1;
	}
	/* Behind an engine that we have no name for, our files cannot be seen. */
	if (!last || (edge->is_elsewhere && !edge->nginx->container))
		return;
	edge->nginx_words = join(edge, edge->test, NULL);
	edge->nginx_words[last] = NULL;
}

static void choose_output(struct edge *edge)
{
	const struct nginx_config *nginx = edge->nginx;

	if (nginx->output_in_place) {
		edge->output = EDGE_IN_PLACE;
	} else if (nginx->install.count) {
		edge->output = EDGE_INSTALL;
		edge->install = join(edge, nginx->install.items, NULL);
	} else if (nginx->container) {
		char *copy[] = { word(edge, "docker"), word(edge, "cp"), word(edge, "{file}"),
			arena_format(&edge->arena, "%s:%s", nginx->container, nginx->output),
			NULL };

		edge->output = EDGE_INSTALL;
		edge->install = join(edge, copy, NULL);
	}
}

int edge_init(struct edge *edge, const struct config *config, struct error *err)
{
	char nginx[] = "nginx", test[] = "-t", signal[] = "-s", reload[] = "reload";
	char *test_words[] = { nginx, test, NULL };
	char *reload_words[] = { nginx, signal, reload, NULL };

	memset(edge, 0, sizeof(*edge));
	edge->config = config;
	edge->nginx = &config->nginx;
	for (size_t i = 0; test_words[i]; i++)
		test_words[i] = word(edge, test_words[i]);
	for (size_t i = 0; reload_words[i]; i++)
		reload_words[i] = word(edge, reload_words[i]);
	if (!edge->nginx->output || !edge->nginx->template_path || !edge->nginx->proof_listen)
		return error_set(err, ERROR_CONFIG, 0,
			"traffic.nginx needs template, output and proof.listen");
	edge->test = command(edge, &edge->nginx->test, test_words);
	edge->reload = command(edge, &edge->nginx->reload, reload_words);
	edge->is_elsewhere = edge->nginx->container || runs_containers(edge->test[0]);
	edge->proof_url = edge->nginx->proof_url ? edge->nginx->proof_url
						 : arena_format(&edge->arena, "http://%s/",
							   edge->nginx->proof_listen);
	choose_output(edge);
	find_nginx_words(edge);
	return 0;
}

void edge_release(struct edge *edge)
{
	arena_release(&edge->arena);
}
