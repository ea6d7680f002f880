/* The schema in one table: see brief.h. */
#include "refapp/brief.h"
#include "canaryctl/mem.h"

#include <string.h>

static const char *const note_places[] = { "top", "heart", "base" };
static const char *const house_notes[] = { "bergamot", "rose", "musk" };

static const struct {
	const char *name;
	const char *house_text; /* NULL: the notes; the model: whose turn it was */
} fields[] = {
	{ "model", "" },
	{ "theme", "the house's own accord" },
	{ "notes", NULL },
	{ "description", "A clean accord of bergamot, rose and musk." },
};

static bool notes_are_valid(const cJSON *notes)
{
	for (size_t i = 0; i < ARRAY_SIZE(note_places); i++) {
		if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(notes, note_places[i])))
			return false;
	}
	return true;
}

static bool field_is_valid(const cJSON *brief, size_t index)
{
	const cJSON *field = cJSON_GetObjectItemCaseSensitive(brief, fields[index].name);

	return fields[index].house_text ? cJSON_IsString(field) && *field->valuestring
					: notes_are_valid(field);
}

const char *brief_missing_field(const cJSON *brief)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (!field_is_valid(brief, i))
			return fields[i].name;
	}
	return NULL;
}

static cJSON *house_value(size_t index, enum mode mode)
{
	cJSON *notes;

	if (strcmp(fields[index].name, "model") == 0)
		return cJSON_CreateString(mode_model(mode));
	if (fields[index].house_text)
		return cJSON_CreateString(fields[index].house_text);
	notes = cJSON_CreateObject();
	for (size_t i = 0; i < ARRAY_SIZE(note_places); i++)
		cJSON_AddStringToObject(notes, note_places[i], house_notes[i]);
	return notes;
}

void brief_fix(cJSON *brief, enum mode mode)
{
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (field_is_valid(brief, i))
			continue;
		cJSON_DeleteItemFromObjectCaseSensitive(brief, fields[i].name);
		cJSON_AddItemToObject(brief, fields[i].name, house_value(i, mode));
	}
}

cJSON *brief_fallback(enum mode mode)
{
	cJSON *brief = cJSON_CreateObject();

	brief_fix(brief, mode);
	return brief;
}
