/* Child processes of checks: see program.h. */
#include "checks/program.h"
#include "canaryctl/mem.h"
#include "checks/captures.h"

#include <string.h>

enum { OUTPUT_MAX_BYTES = 16 << 20 };

int program_start(struct proc_op *proc, struct check_run *run, const struct strv *argv,
	int64_t timeout_ms, struct error *err)
{
	struct arena arena = { 0 };
	char **words = arena_alloc(&arena, (argv->count + 1) * sizeof(*words));
	struct proc_options options = {
		.argv = words, .timeout_ms = timeout_ms, .maximum_bytes = OUTPUT_MAX_BYTES
	};

	for (size_t i = 0; i < argv->count; i++) {
		CLEANUP_FREE char *word = check_expand(run->context, argv->items[i], err);

		if (!word) {
			arena_release(&arena);
			return -1;
		}
		words[i] = arena_strdup(&arena, word);
	}
	proc_start(proc, &run->task, &options);
	arena_release(&arena);
	return 0;
}

void program_explain(const struct proc_op *proc, const char *why, struct buf *ret_text)
{
	CLEANUP_FREE char *errors = mem_strdup(buf_text(&proc->errors));
	size_t length = strlen(errors);
	const char *last;

	while (length && strchr(" \r\n", errors[length - 1]))
		errors[--length] = '\0';
	last = strrchr(errors, '\n');
	last = last ? last + 1 : errors;
	buf_add_text(ret_text, why);
	if (!*last)
		return;
	buf_add_text(ret_text, ": ");
	buf_add_printable(ret_text, last);
}
