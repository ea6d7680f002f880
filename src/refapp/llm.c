/* The three models in a table: see llm.h. */
#include "refapp/llm.h"

#include <string.h>

#define GIB ((uint64_t)1 << 30)

static const struct {
	const char *name;
	const char *full_name;
	uint64_t memory_bytes;
	enum mode mode;
} rows[LLM_COUNT] = {
	[LLM_QWEN] = { "qwen", "qwen_32b", 16 * GIB, MODE_CREATIVE },
	[LLM_MISTRAL] = { "mistral", "mistral_7b", 4 * GIB, MODE_FAST },
	[LLM_LLAMA] = { "llama", "llama3_8b", 5 * GIB, MODE_BALANCED },
};

bool llm_parse(const char *text, enum llm *ret_llm)
{
	for (int i = 0; i < LLM_COUNT; i++) {
		if (strcmp(text, rows[i].name) == 0 || strcmp(text, rows[i].full_name) == 0) {
			*ret_llm = (enum llm)i;
			return true;
		}
	}
	return false;
}

const char *llm_name(enum llm llm)
{
	return rows[llm].name;
}

const char *llm_full_name(enum llm llm)
{
	return rows[llm].full_name;
}

uint64_t llm_memory_bytes(enum llm llm)
{
	return rows[llm].memory_bytes;
}

enum mode llm_mode(enum llm llm)
{
	return rows[llm].mode;
}

enum llm llm_of_mode(enum mode mode)
{
	int llm = 0;

	while (rows[llm].mode != mode)
		llm++;
	return (enum llm)llm;
}

void llm_candidates(enum mode mode, enum mode ceiling, enum mode ret_modes[MODE_COUNT])
{
	enum mode first = mode > ceiling ? ceiling : mode;
	int count = 0;

	/* The modes are in the order of what they cost. */
	for (int i = (int)first; i >= 0; i--)
		ret_modes[count++] = (enum mode)i;
	for (int i = (int)first + 1; i < MODE_COUNT; i++)
		ret_modes[count++] = (enum mode)i;
}
