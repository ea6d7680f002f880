/*
 * Allocation that cannot fail (out of memory ends the program with a message: everything that
 * matters is journalled before it is done), scope-bound clean-up, and an arena for objects that
 * live and die together.
 */
#ifndef CANARYCTL_MEM_H
#define CANARYCTL_MEM_H

#include <stddef.h>

void *mem_alloc(size_t size);               /* zeroed */
void *mem_array(size_t count, size_t size); /* zeroed; overflow ends the program */
void *mem_resize(void *pointer, size_t count, size_t size);
char *mem_strdup(const char *text);
char *mem_strndup(const char *text, size_t length);
char *mem_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* `CLEANUP_FREE char *p = ...`: freed at the end of the scope. */
void mem_free_pointer(void *pointer_to_pointer);
#define CLEANUP_FREE __attribute__((cleanup(mem_free_pointer)))

/* Hands the pointer over and leaves NULL behind. */
#define TAKE_PTR(p)                                                                                \
	({                                                                                         \
		__typeof__(p) taken = (p);                                                         \
		(p) = NULL;                                                                        \
		taken;                                                                             \
	})

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of type `type` whose member `member` is at `pointer`. */
#define container_of(pointer, type, member)                                                        \
	((type *)(void *)((char *)(pointer)-offsetof(type, member)))

/* An arena owns everything allocated from it until arena_release(). Start from `= { 0 }`. */
struct arena_block;
struct arena {
	struct arena_block *blocks;
};

void *arena_alloc(struct arena *arena, size_t size); /* zeroed, aligned for any type */
char *arena_strdup(struct arena *arena, const char *text);
char *arena_strndup(struct arena *arena, const char *text, size_t length);
char *arena_format(struct arena *arena, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void arena_release(struct arena *arena);

#endif
