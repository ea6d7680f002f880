/* What a program that has ended says of itself: see canaryctl/loop.h. Pure. */
#include "canaryctl/loop.h"
#include "canaryctl/mem.h"

#include <string.h>

/* The last line that is not empty; that is where programs say why. */
static void copy_last_line(const char *text, char *line, size_t size)
{
	const char *end = text + strlen(text);
	const char *start;
	CLEANUP_BUF struct buf printable = BUF_INIT(400);
	CLEANUP_FREE char *copy = NULL;

	while (end > text && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' '))
		end--;
	start = end;
	while (start > text && start[-1] != '\n')
		start--;
	copy = mem_strndup(start, (size_t)(end - start));
	buf_add_printable(&printable, copy);
	strncpy(line, buf_text(&printable), size - 1);
	line[size - 1] = '\0';
}

bool proc_succeeded(const struct proc_op *proc, const char *what, struct error *err)
{
	char line[384];

	if (proc->error.kind != ERROR_NONE) {
		*err = proc->error;
		error_wrap(err, "%s", what);
		return false;
	}
	if (proc->exit_status == 0)
		return true;
	copy_last_line(proc->errors.length ? buf_text(&proc->errors) : buf_text(&proc->output),
		line, sizeof(line));
	error_set(err, ERROR_IO, 0, "%s: exit status %d%s%s", what, proc->exit_status,
		line[0] ? ": " : "", line);
	return false;
}
