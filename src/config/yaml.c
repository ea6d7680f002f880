/*
 * YAML text to nodes, with libyaml's event parser. Everything is bounded while it is read (depth,
 * number of nodes, also through aliases), so that no file can exhaust memory or the stack.
 */
#include "config/node.h"

#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct anchor {
	const char *name;
	struct node *node;
	struct anchor *next;
};

struct reader {
	yaml_parser_t parser;
	struct arena *arena;
	const struct source *source;
	struct anchor *anchors;
	size_t node_count;
	struct yaml_problem *problem;
};

static struct node *read_node(struct reader *reader, yaml_event_t *event, int depth);

static void set_problem(struct reader *reader, yaml_mark_t mark, const char *message)
{
	reader->problem->line = (int)mark.line + 1;
	reader->problem->column = (int)mark.column + 1;
	snprintf(reader->problem->message, sizeof(reader->problem->message), "%s", message);
}

/* The reader looks ahead, so its errors come with an offset and not with a mark. */
static yaml_mark_t mark_of_offset(const struct source *source, size_t offset)
{
	yaml_mark_t mark = { 0 };

	for (size_t i = 0; i < offset && i < source->length; i++) {
		if (source->text[i] == '\n') {
			mark.line++;
			mark.column = 0;
		} else if (((unsigned char)source->text[i] & 0xc0) != 0x80) {
			mark.column++;
		}
	}
	return mark;
}

static bool next_event(struct reader *reader, yaml_event_t *ret_event)
{
	yaml_parser_t *parser = &reader->parser;

	if (yaml_parser_parse(parser, ret_event))
		return true;
	memset(ret_event, 0, sizeof(*ret_event));
	if (parser->error == YAML_READER_ERROR)
		set_problem(reader, mark_of_offset(reader->source, parser->problem_offset),
			"not text in UTF-8, or with control characters");
	else
		set_problem(reader, parser->problem_mark,
			parser->problem ? parser->problem : "out of memory");
	if (parser->context)
		reader->problem->context_line = (int)parser->context_mark.line + 1;
	return false;
}

static struct node *new_node(struct reader *reader, enum node_kind kind, const yaml_event_t *event)
{
	struct node *node;

	if (++reader->node_count > NODE_MAX_COUNT) {
		set_problem(reader, event->start_mark, "too many values in one file");
		return NULL;
	}
	node = arena_alloc(reader->arena, sizeof(*node));
	node->kind = kind;
	node->source = reader->source;
	node->line = (int)event->start_mark.line + 1;
	node->column = (int)event->start_mark.column + 1;
	node->end_line = (int)event->end_mark.line + 1;
	node->size = 1;
	return node;
}

static void add_anchor(struct reader *reader, const yaml_char_t *name, struct node *node)
{
	struct anchor *anchor;

	if (!name)
		return;
	anchor = arena_alloc(reader->arena, sizeof(*anchor));
	anchor->name = arena_strdup(reader->arena, (const char *)name);
	anchor->node = node;
	anchor->next = reader->anchors;
	reader->anchors = anchor;
}

/* Known only when the anchored value is complete, so no value can contain itself. */
static struct node *read_alias(struct reader *reader, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;

	for (struct anchor *anchor = reader->anchors; anchor; anchor = anchor->next) {
		if (strcmp(anchor->name, name) != 0)
			continue;
		reader->node_count += anchor->node->size;
		if (reader->node_count <= NODE_MAX_COUNT)
			return anchor->node;
		set_problem(reader, event->start_mark, "aliases stand for too many values");
		return NULL;
	}
	set_problem(reader, event->start_mark, "this alias has no anchor before it");
	return NULL;
}

static struct node *read_scalar(struct reader *reader, const yaml_event_t *event)
{
	struct node *node = new_node(reader, NODE_SCALAR, event);
	const char *value = (const char *)event->data.scalar.value;

	if (!node)
		return NULL;
	node->text = arena_strndup(reader->arena, value, event->data.scalar.length);
	node->raw = node->text;
	node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	if (strlen(node->text) != event->data.scalar.length) {
		set_problem(reader, event->start_mark, "a NUL character in text");
		return NULL;
	}
	add_anchor(reader, event->data.scalar.anchor, node);
	return node;
}

static struct node **grow(struct arena *arena, struct node **items, size_t count)
{
	struct node **larger;

	if (count & (count - 1) || (count && count < 8))
		return items;
	larger = arena_alloc(arena, (count ? count * 2 : 8) * sizeof(struct node *));
	if (count)
		memcpy(larger, items, count * sizeof(struct node *));
	return larger;
}

static bool add_item(struct reader *reader, struct node *node, struct node *key, struct node *item)
{
	if (!item)
		return false;
	node->items = grow(reader->arena, node->items, node->count);
	node->items[node->count] = item;
	if (node->kind == NODE_MAP) {
		node->keys = grow(reader->arena, node->keys, node->count);
		node->keys[node->count] = key;
	}
	node->count++;
	node->size += item->size + (key ? 1 : 0);
	node->end_line = item->end_line > node->end_line ? item->end_line : node->end_line;
	return true;
}

/* The next node, or NULL with *ret_end when the collection is over. */
static struct node *read_next(struct reader *reader, int depth, bool *ret_end)
{
	yaml_event_t event;
	struct node *node = NULL;

	if (!next_event(reader, &event))
		return NULL;
	if (event.type == YAML_SEQUENCE_END_EVENT || event.type == YAML_MAPPING_END_EVENT)
		*ret_end = true;
	else
		node = read_node(reader, &event, depth);
	yaml_event_delete(&event);
	return node;
}

static bool read_items(struct reader *reader, struct node *node, int depth)
{
	for (;;) {
		bool end = false;
		struct node *first = read_next(reader, depth + 1, &end);
		struct node *value;

		if (end)
			return true;
		if (!first)
			return false;
		if (node->kind == NODE_LIST) {
			add_item(reader, node, NULL, first);
			continue;
		}
		if (first->kind != NODE_SCALAR) {
			reader->problem->line = first->line;
			reader->problem->column = first->column;
			snprintf(reader->problem->message, sizeof(reader->problem->message),
				"a key must be text, not %s", node_kind_text(first));
			return false;
		}
		value = read_next(reader, depth + 1, &end);
		if (!add_item(reader, node, first, value))
			return false;
	}
}

static struct node *read_collection(
	struct reader *reader, enum node_kind kind, const yaml_event_t *event, int depth)
{
	struct node *node;

	if (depth >= NODE_MAX_DEPTH) {
		set_problem(reader, event->start_mark, "nested too deeply");
		return NULL;
	}
	node = new_node(reader, kind, event);
	if (!node || !read_items(reader, node, depth))
		return NULL;
	add_anchor(reader,
		kind == NODE_LIST ? event->data.sequence_start.anchor
				  : event->data.mapping_start.anchor,
		node);
	return node;
}

static struct node *read_node(struct reader *reader, yaml_event_t *event, int depth)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return read_alias(reader, event);
	case YAML_SCALAR_EVENT:
		return read_scalar(reader, event);
	case YAML_SEQUENCE_START_EVENT:
		return read_collection(reader, NODE_LIST, event, depth);
	case YAML_MAPPING_START_EVENT:
		return read_collection(reader, NODE_MAP, event, depth);
	default:
		set_problem(reader, event->start_mark, "cannot be parsed");
		return NULL;
	}
}

/* Skips what surrounds the one document; NULL for an empty file or a second document. */
static struct node *read_document(struct reader *reader)
{
	struct node *root = NULL;

	for (;;) {
		yaml_event_t event;
		yaml_event_type_t type;
		bool ok = next_event(reader, &event);

		type = event.type;
		if (ok && root && type == YAML_DOCUMENT_START_EVENT) {
			set_problem(reader, event.start_mark, "a second document in one file");
			ok = false;
		} else if (ok && type != YAML_STREAM_START_EVENT && type != YAML_STREAM_END_EVENT &&
			   type != YAML_DOCUMENT_START_EVENT && type != YAML_DOCUMENT_END_EVENT) {
			root = read_node(reader, &event, 0);
			ok = root != NULL;
		}
		yaml_event_delete(&event);
		if (!ok)
			return NULL;
		if (type == YAML_STREAM_END_EVENT)
			break;
	}
	if (!root)
		snprintf(reader->problem->message, sizeof(reader->problem->message),
			"the file is empty");
	return root;
}

struct node *yaml_parse(
	struct arena *arena, const struct source *source, struct yaml_problem *ret_problem)
{
	struct reader reader = { .arena = arena, .source = source, .problem = ret_problem };
	struct node *root;

	*ret_problem = (struct yaml_problem){ 0 };
	if (!yaml_parser_initialize(&reader.parser)) {
		snprintf(ret_problem->message, sizeof(ret_problem->message), "out of memory");
		return NULL;
	}
	yaml_parser_set_encoding(&reader.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(
		&reader.parser, (const unsigned char *)source->text, source->length);
	root = read_document(&reader);
	yaml_parser_delete(&reader.parser);
	return root;
}

struct node *node_get(const struct node *map, const char *key)
{
	if (!map || map->kind != NODE_MAP)
		return NULL;
	for (size_t i = 0; i < map->count; i++) {
		if (strcmp(map->keys[i]->text, key) == 0)
			return map->items[i];
	}
	return NULL;
}

bool node_is_null(const struct node *node)
{
	return node->kind == NODE_SCALAR && !node->is_quoted &&
	       (!*node->text || strcmp(node->text, "~") == 0 || strcmp(node->text, "null") == 0);
}

const char *node_kind_text(const struct node *node)
{
	static const char *const names[] = {
		[NODE_SCALAR] = "text",
		[NODE_LIST] = "a list",
		[NODE_MAP] = "a map",
	};

	return names[node->kind];
}
