/* nginx -T: see nginx_dump.h. */
#include "traffic/nginx_dump.h"

#include <fnmatch.h>
#include <string.h>

enum { DEEPEST = 48, MOST_FILES = 4096, MOST_READS = 10000, MOST_STATEMENTS = 1000000 };

static const char file_mark[] = "# configuration file ";

/* ---- files ---- */

/* "# configuration file /etc/nginx/nginx.conf:", at the beginning of a line. */
static bool is_mark(const char *line, size_t *ret_path_length)
{
	size_t length = strcspn(line, "\n");

	if (length <= sizeof(file_mark) || strncmp(line, file_mark, sizeof(file_mark) - 1) != 0 ||
		line[length - 1] != ':')
		return false;
	*ret_path_length = length - sizeof(file_mark);
	return true;
}

static const char *next_line(const char *line)
{
	line += strcspn(line, "\n");
	return line + (*line == '\n');
}

/* The beginning of the next file; the end of the text when there is none. */
static const char *find_mark(const char *text)
{
	size_t ignored;

	while (*text && !is_mark(text, &ignored))
		text = next_line(text);
	return text;
}

void nginx_dump_split(const char *text, struct nginx_dump *ret_dump)
{
	size_t count = 0, path_length;

	*ret_dump = (struct nginx_dump){ 0 };
	for (const char *mark = find_mark(text); *mark && count < MOST_FILES; count++)
		mark = find_mark(next_line(mark));
	ret_dump->files = arena_alloc(&ret_dump->arena, (count + 1) * sizeof(*ret_dump->files));
	text = find_mark(text);
	while (ret_dump->count < count && is_mark(text, &path_length)) {
		struct nginx_file *file = &ret_dump->files[ret_dump->count++];
		const char *body = next_line(text);

		file->path =
			arena_strndup(&ret_dump->arena, text + sizeof(file_mark) - 1, path_length);
		text = find_mark(body);
		file->text = arena_strndup(&ret_dump->arena, body, (size_t)(text - body));
	}
}

void nginx_dump_release(struct nginx_dump *dump)
{
	arena_release(&dump->arena);
	*dump = (struct nginx_dump){ 0 };
}

char *nginx_dump_path(struct nginx_dump *dump, const struct nginx_word *word)
{
	const char *main_file = dump->count ? dump->files[0].path : "";
	const char *slash = strrchr(main_file, '/');

	if (!slash || (word->length && word->start[0] == '/'))
		return arena_strndup(&dump->arena, word->start, word->length);
	return arena_format(&dump->arena, "%.*s/%.*s", (int)(slash - main_file), main_file,
		(int)word->length, word->start);
}

/* ---- statements ---- */

struct walk {
	struct nginx_dump *dump;
	nginx_visit_fn *visit;
	void *context;
	int depth;
	int reads;
	int statements;
};

static void walk_file(struct walk *walk, struct nginx_file *file, const struct nginx_block *around);

static void follow(
	struct walk *walk, const struct nginx_word *pattern, const struct nginx_block *around)
{
	const char *wanted = nginx_dump_path(walk->dump, pattern);

	for (size_t i = 0; i < walk->dump->count; i++) {
		struct nginx_file *file = &walk->dump->files[i];

		if (strcmp(file->path, wanted) == 0 ||
			fnmatch(wanted, file->path, FNM_PATHNAME | FNM_PERIOD) == 0)
			walk_file(walk, file, around);
	}
}

/* Up to the end of the block, or of the file. */
static void walk_block(struct walk *walk, const struct nginx_file *file,
	struct nginx_reader *reader, const struct nginx_block *around)
{
	struct nginx_statement statement;

	while (walk->depth < DEEPEST && walk->statements++ < MOST_STATEMENTS) {
		struct nginx_visit visit = { file, &statement, around };
		struct nginx_block inside = { &statement, around };

		switch (nginx_read_statement(reader, &statement)) {
		case NGINX_BLOCK:
			walk->visit(&visit, walk->context);
			walk->depth++;
			walk_block(walk, file, reader, &inside);
			walk->depth--;
			break;
		case NGINX_DIRECTIVE:
			walk->visit(&visit, walk->context);
			if (nginx_word_is(&statement, 0, "include") && statement.count == 2)
				follow(walk, &statement.words[1], around);
			break;
		default:
			return;
		}
	}
}

static void walk_file(struct walk *walk, struct nginx_file *file, const struct nginx_block *around)
{
	struct nginx_reader reader = { .next = file->text, .line = 1 };

	if (walk->reads++ >= MOST_READS)
		return;
	file->reads++;
	walk->depth++;
	walk_block(walk, file, &reader, around);
	walk->depth--;
}

void nginx_dump_walk(struct nginx_dump *dump, nginx_visit_fn *visit, void *context)
{
	struct walk walk = { .dump = dump, .visit = visit, .context = context };

	for (size_t i = 0; i < dump->count; i++)
		dump->files[i].reads = 0;
	if (dump->count)
		walk_file(&walk, &dump->files[0], NULL);
}

bool nginx_visit_is_in(const struct nginx_visit *visit, const char *block)
{
	for (const struct nginx_block *b = visit->around; b; b = b->around)
		if (nginx_word_is(b->head, 0, block))
			return true;
	return false;
}

/* ---- text ---- */

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
