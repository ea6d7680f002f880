/* nginx -T: see nginx_dump.h. */
#include "traffic/nginx_dump.h"

#include "canaryctl/mem.h"

#include <string.h>

static const char file_mark[] = "# configuration file ";

bool nginx_dump_has(const char *dump, const char *text, const char *except)
{
	CLEANUP_FREE char *copy = mem_strdup(dump);
	char *rest = copy;
	bool is_excepted = false;

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		if (strncmp(line, file_mark, sizeof(file_mark) - 1) == 0) {
			const char *path = line + sizeof(file_mark) - 1;
			size_t length = strlen(except);

			is_excepted = strncmp(path, except, length) == 0 && path[length] == ':';
			continue;
		}
		line[strcspn(line, "#")] = '\0';
		if (!is_excepted && strstr(line, text))
			return true;
	}
	return false;
}
