/* Memory of GPUs, from nvidia-smi's CSV or from what exporters say to Prometheus. Pure. */
#ifndef CHECKS_GPU_MEMORY_H
#define CHECKS_GPU_MEMORY_H

#include "canaryctl/error.h"
#include "canaryctl/mem.h"
#include "canaryctl/prom.h"

#include <stddef.h>

/* Sizes in MiB; a negative one is not known. */
struct gpu_memory {
	const char *name; /* "0 (NVIDIA RTX 4090)" */
	double total;
	double used;
	double free;
};

/* Start from `= { 0 }`. */
struct gpu_list {
	struct arena arena;
	struct gpu_memory *gpus;
	size_t count;
};
void gpu_list_release(struct gpu_list *list);

/* What the program is asked for: --query-gpu=GPU_CSV_FIELDS --format=csv,noheader,nounits */
#define GPU_CSV_FIELDS "index,name,memory.total,memory.used,memory.free"

/* A line per GPU. A value that the driver does not give ("[N/A]") is an error. */
int gpu_read_csv(struct gpu_list *list, const char *text, struct error *err);

/*
 * NVIDIA's own exporter (DCGM_FI_DEV_FB_USED and _FREE, MiB) where it runs, else
 * nvidia_gpu_memory_{total,used,free}_bytes. Series of one GPU have the same labels. No GPU at all
 * is no error: count stays 0.
 */
int gpu_read_series(struct gpu_list *list, const struct prom_result *result, struct error *err);

/* Free of total, 0..1; NaN when it cannot be said. */
double gpu_headroom(const struct gpu_memory *gpu);

#endif
