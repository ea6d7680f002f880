/* See gpu.h. */
#include "refapp/gpu.h"

#define RUNTIME_BYTES ((uint64_t)3 << 30) /* driver, kernels and the models' caches */

struct gpu_memory gpu_memory(const struct llm_state llms[LLM_COUNT], double least_used)
{
	uint64_t taken = (uint64_t)(least_used * (double)GPU_MEMORY_BYTES);
	uint64_t used = RUNTIME_BYTES;

	for (int i = 0; i < LLM_COUNT; i++)
		used += llms[i].loaded ? llm_memory_bytes((enum llm)i) : 0;
	if (used < taken)
		used = taken;
	return (struct gpu_memory){ .total_bytes = GPU_MEMORY_BYTES,
		.used_bytes = used,
		.free_bytes = GPU_MEMORY_BYTES - used };
}
