/* The simulated GPU: what of its memory the loaded models leave free. Pure. */
#ifndef REFAPP_GPU_H
#define REFAPP_GPU_H

#include "refapp/llm.h"

#define GPU_MEMORY_BYTES ((uint64_t)40 << 30)
#define GPU_NAME         "NVIDIA A100-PCIE-40GB"

struct gpu_memory {
	uint64_t total_bytes;
	uint64_t used_bytes;
	uint64_t free_bytes;
};

/* `least_used` is a share that something else has taken at least (a fault), or 0. */
struct gpu_memory gpu_memory(const struct llm_state llms[LLM_COUNT], double least_used);

#endif
