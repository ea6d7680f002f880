/* Differences by the longest common subsequence of lines: see canaryctl/diff.h. */
#include "canaryctl/diff.h"
#include "canaryctl/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct lines {
	char *copy;
	char **items;
	size_t count;
};

static void split(const char *text, struct lines *ret_lines)
{
	char *rest = ret_lines->copy = mem_strdup(text);

	ret_lines->items = mem_array(DIFF_MAX_LINES + 1, sizeof(*ret_lines->items));
	while (rest && *rest && ret_lines->count <= DIFF_MAX_LINES)
		ret_lines->items[ret_lines->count++] = strsep(&rest, "\n");
}

static void release(struct lines *lines)
{
	free(lines->copy);
	free(lines->items);
}

/* common[i][j]: length of the longest common subsequence of old[i..] and new[j..]. */
static uint16_t *measure(const struct lines *old, const struct lines *new)
{
	size_t width = new->count + 1;
	uint16_t *common = mem_array((old->count + 1) * width, sizeof(*common));

	for (size_t i = old->count; i-- > 0;) {
		for (size_t j = new->count; j-- > 0;) {
			uint16_t down = common[(i + 1) * width + j];
			uint16_t right = common[i * width + j + 1];
			uint16_t *here = &common[i * width + j];

			if (strcmp(old->items[i], new->items[j]) == 0)
				*here = (uint16_t)(common[(i + 1) * width + j + 1] + 1);
			else
				*here = down >= right ? down : right;
		}
	}
	return common;
}

static void add_line(struct buf *diff, const char *mark, const char *line)
{
	buf_add_text(diff, mark);
	buf_add_printable(diff, line);
	buf_add_text(diff, "\n");
}

static void walk(const struct lines *old, const struct lines *new, struct buf *ret_diff)
{
	CLEANUP_FREE uint16_t *common = measure(old, new);
	size_t width = new->count + 1;
	size_t i = 0, j = 0;

	while (i < old->count || j < new->count) {
		if (i < old->count && j < new->count &&strcmp(old->items[i], new->items[j]) == 0) {
			i++;
			j++;
		} else if (j == new->count ||
			   (i < old->count &&
				   common[(i + 1) * width + j] >= common[i * width + j + 1])) {
			add_line(ret_diff, "- ", old->items[i++]);
		} else {
			add_line(ret_diff, "+ ", new->items[j++]);
		}
	}
}

void diff_lines(const char *old_text, const char *new_text, struct buf *ret_diff)
{
	struct lines old = { 0 }, new = { 0 };

	split(old_text, &old);
	split(new_text, &new);
	if (old.count > DIFF_MAX_LINES || new.count > DIFF_MAX_LINES)
		buf_add_text(ret_diff, "too long to show what differs\n");
	else
		walk(&old, &new, ret_diff);
	release(&old);
	release(&new);
}
