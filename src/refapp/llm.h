/*
 * The language models. The seeds name two sets: three hosted ones that vote on a brief (the
 * ensemble, see mode_model()), and these three, which run on the service's own GPU, one per mode.
 * Breakers, health and GPU memory are about these. Pure.
 */
#ifndef REFAPP_LLM_H
#define REFAPP_LLM_H

#include "refapp/breaker.h"
#include "refapp/model.h"

#include <stdbool.h>
#include <stdint.h>

enum llm { LLM_QWEN, LLM_MISTRAL, LLM_LLAMA, LLM_COUNT };

struct llm_state {
	bool loaded;
	struct breaker breaker;
	uint64_t calls;
	uint64_t failures;
};

/* The short name, "qwen", or the full one, "qwen_32b". */
bool llm_parse(const char *text, enum llm *ret_llm);
const char *llm_name(enum llm llm);
const char *llm_full_name(enum llm llm);
uint64_t llm_memory_bytes(enum llm llm);
enum llm llm_of_mode(enum mode mode);
enum mode llm_mode(enum llm llm);

/*
 * In which modes a request may be served, best first: its own (but none above `ceiling`), then
 * cheaper ones, then, because any answer is better than none, dearer ones.
 */
void llm_candidates(enum mode mode, enum mode ceiling, enum mode ret_modes[MODE_COUNT]);

#endif
