/* Allocation: see canaryctl/mem.h. */
#include "canaryctl/mem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *pointer)
{
	if (!pointer) {
		fputs("canaryctl: out of memory\n", stderr);
		abort();
	}
	return pointer;
}

void *mem_alloc(size_t size)
{
	return checked(calloc(1, size ? size : 1));
}

void *mem_array(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *mem_resize(void *pointer, size_t count, size_t size)
{
	return checked(reallocarray(pointer, count ? count : 1, size));
}

char *mem_strdup(const char *text)
{
	return checked(strdup(text));
}

char *mem_strndup(const char *text, size_t length)
{
	return checked(strndup(text, length));
}

char *mem_format(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	return checked(text);
}

void mem_free_pointer(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

struct arena_block {
	struct arena_block *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) unsigned char bytes[];
};

enum { ARENA_BLOCK_BYTES = 16 * 1024 };

void *arena_alloc(struct arena *arena, size_t size)
{
	const size_t align = _Alignof(max_align_t);
	struct arena_block *block = arena->blocks;
	size_t rounded;
	void *result;

	if (size > SIZE_MAX / 2)
		checked(NULL);
	rounded = (size + align - 1) / align * align;
	if (!block || block->size - block->used < rounded) {
		size_t bytes = rounded > ARENA_BLOCK_BYTES ? rounded : ARENA_BLOCK_BYTES;

		block = mem_alloc(sizeof(*block) + bytes);
		block->size = bytes;
		block->next = arena->blocks;
		arena->blocks = block;
	}
	result = block->bytes + block->used;
	block->used += rounded;
	return result;
}

char *arena_strndup(struct arena *arena, const char *text, size_t length)
{
	char *copy = arena_alloc(arena, length + 1);

	memcpy(copy, text, length);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *arena_format(struct arena *arena, const char *format, ...)
{
	char *text = NULL;
	char *copy;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	copy = arena_strdup(arena, checked(text));
	free(text);
	return copy;
}

void arena_release(struct arena *arena)
{
	while (arena->blocks) {
		struct arena_block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
}
