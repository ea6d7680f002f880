/*
 * Configurations: loaded, or refused with at least one diagnostic. What is loaded can be shown,
 * and what is shown is YAML again.
 */
#include "fuzz.h"

#include "canaryctl/config.h"
#include "config/node.h"

#include <sys/mman.h>
#include <unistd.h>

static void check_yaml(const char *text, size_t length)
{
	const struct source source = { .path = "c", .folder = "/", .text = text, .length = length };
	struct yaml_problem problem;
	struct arena arena = { 0 };
	struct node *root = yaml_parse(&arena, &source, &problem);

	REQUIRE(root && root->kind == NODE_MAP);
	arena_release(&arena);
}

/* What a person sees of it, line by line as the program prints it. */
static void check_printed(const char *text)
{
	CLEANUP_BUF struct buf printed = BUF_INIT(0);
	CLEANUP_FREE char *copy = mem_strdup(text);
	char *rest = copy, *line;

	while ((line = strsep(&rest, "\n"))) {
		buf_add_printable(&printed, line);
		buf_add_text(&printed, "\n");
	}
	REQUIRE(fuzz_is_harmless(buf_text(&printed), "\n"));
}

static void load(const char *path, bool traffic_only)
{
	CLEANUP_BUF struct buf diagnostics = BUF_INIT(0), shown = BUF_INIT(0);
	struct config_options options = { .traffic_only = traffic_only };
	struct error err = { 0 };
	struct config *config = config_load(path, &options, &diagnostics, &err);

	check_printed(buf_text(&diagnostics));
	if (!config) {
		REQUIRE(err.kind != ERROR_NONE && err.message[0]);
		return;
	}
	REQUIRE(config->service && config->service[0] && !strchr(config->service, '/'));
	REQUIRE(config->nginx.output && config->nginx.output[0] == '/');
	if (!traffic_only) {
		REQUIRE(config->rollout.stage_count > 0);
		for (size_t i = 1; i < config->rollout.stage_count; i++)
			REQUIRE(config->rollout.stages[i - 1].weight <
				config->rollout.stages[i].weight);
	}
	config_show(config, &shown);
	check_yaml(buf_text(&shown), shown.length);
	check_printed(buf_text(&shown));
	config_free(config);
}

static int make_file(const uint8_t *data, size_t size, char *ret_path, size_t path_size)
{
	int fd = memfd_create("c.yaml", MFD_CLOEXEC);

	REQUIRE(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(ret_path, path_size, "/proc/self/fd/%d", fd);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd;

	/* Nothing but the input may steer it, and no file that it includes may make it wait. */
	if (memmem(data, size, "/dev", 4) || memmem(data, size, "/proc", 5))
		return 0;
	setenv("NAME", "value", 1);
	fd = make_file(data, size, path, sizeof(path));
	load(path, false);
	load(path, true);
	close(fd);
	return 0;
}
