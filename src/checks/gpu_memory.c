/* Two sources, one list: see gpu_memory.h. */
#include "checks/gpu_memory.h"
#include "canaryctl/condition.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FIELD_COUNT = 5 };

#define MIB (1024.0 * 1024)

void gpu_list_release(struct gpu_list *list)
{
	arena_release(&list->arena);
	*list = (struct gpu_list){ 0 };
}

double gpu_headroom(const struct gpu_memory *gpu)
{
	double used = gpu->used, free = gpu->free, total = gpu->total;

	if (total < 0 && used >= 0 && free >= 0)
		total = used + free;
	if (free < 0 && used >= 0)
		free = total - used;
	return total > 0 && free >= 0 ? free / total : nan("");
}

/* ---- nvidia-smi ---- */

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t");
	length = strlen(text);
	while (length && isspace((unsigned char)text[length - 1]))
		text[--length] = '\0';
	return text;
}

static bool read_size(const char *text, double *ret_mib)
{
	return number_parse(text, ret_mib) && isfinite(*ret_mib) && *ret_mib >= 0;
}

static bool read_line(struct gpu_list *list, char *line)
{
	struct gpu_memory *gpu = &list->gpus[list->count];
	char *fields[FIELD_COUNT];
	size_t count = 0;

	for (char *field = strsep(&line, ","); field; field = strsep(&line, ",")) {
		if (count == FIELD_COUNT)
			return false;
		fields[count++] = trim(field);
	}
	if (count != FIELD_COUNT || !read_size(fields[2], &gpu->total) ||
		!read_size(fields[3], &gpu->used) || !read_size(fields[4], &gpu->free))
		return false;
	gpu->name = arena_format(&list->arena, "%s (%s)", fields[0], fields[1]);
	list->count++;
	return true;
}

static size_t count_lines(const char *text)
{
	size_t count = 1;

	while ((text = strchr(text, '\n'))) {
		count++;
		text++;
	}
	return count;
}

int gpu_read_csv(struct gpu_list *list, const char *text, struct error *err)
{
	char *rest = arena_strdup(&list->arena, text);

	list->gpus = arena_alloc(&list->arena, count_lines(text) * sizeof(*list->gpus));
	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
		CLEANUP_FREE char *written = NULL;

		line = trim(line);
		if (!*line)
			continue;
		written = mem_strdup(line);
		if (!read_line(list, line))
			return error_set(err, ERROR_METRICS, 0,
				"nvidia-smi says '%.200s', not " GPU_CSV_FIELDS, written);
	}
	if (list->count)
		return 0;
	return error_set(err, ERROR_METRICS, 0, "nvidia-smi lists no GPU");
}

/* ---- exporters ---- */

enum gauge { GAUGE_TOTAL, GAUGE_USED, GAUGE_FREE };

static const struct {
	const char *name;
	enum gauge gauge;
	double mib; /* of one unit */
	bool is_dcgm;
} gauges[] = {
	{ "DCGM_FI_DEV_FB_USED", GAUGE_USED, 1, true },
	{ "DCGM_FI_DEV_FB_FREE", GAUGE_FREE, 1, true },
	{ "nvidia_gpu_memory_total_bytes", GAUGE_TOTAL, 1 / MIB, false },
	{ "nvidia_gpu_memory_used_bytes", GAUGE_USED, 1 / MIB, false },
	{ "nvidia_gpu_memory_free_bytes", GAUGE_FREE, 1 / MIB, false },
};

/* All labels but the metric's name. */
static const char *name_of(struct arena *arena, const struct prom_series *series)
{
	CLEANUP_BUF struct buf text = BUF_INIT(1024);

	for (size_t i = 0; i < series->label_count; i++) {
		if (strcmp(series->labels[i].name, "__name__") == 0)
			continue;
		buf_add_format(&text, "%s%s=\"%s\"", text.length ? "," : "", series->labels[i].name,
			series->labels[i].value);
	}
	return arena_strdup(arena, buf_text(&text));
}

static struct gpu_memory *find_gpu(struct gpu_list *list, const char *name)
{
	struct gpu_memory *gpu;

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->gpus[i].name, name) == 0)
			return &list->gpus[i];
	}
	gpu = &list->gpus[list->count++];
	*gpu = (struct gpu_memory){ .name = name, .total = -1, .used = -1, .free = -1 };
	return gpu;
}

static bool take_gauge(
	struct gpu_list *list, const struct prom_series *series, size_t row, struct error *err)
{
	struct gpu_memory *gpu = find_gpu(list, name_of(&list->arena, series));
	double mib = series->samples[0].value * gauges[row].mib;

	if (!isfinite(mib) || mib < 0) {
		error_set(err, ERROR_METRICS, 0, "%s{%s} is %g", gauges[row].name, gpu->name,
			series->samples[0].value);
		return false;
	}
	if (gauges[row].gauge == GAUGE_TOTAL)
		gpu->total = mib;
	else if (gauges[row].gauge == GAUGE_USED)
		gpu->used = mib;
	else
		gpu->free = mib;
	return true;
}

static bool has_dcgm(const struct prom_result *result)
{
	for (size_t i = 0; i < result->series_count; i++) {
		if (strncmp(prom_series_label(&result->series[i], "__name__"), "DCGM_", 5) == 0)
			return true;
	}
	return false;
}

int gpu_read_series(struct gpu_list *list, const struct prom_result *result, struct error *err)
{
	bool is_dcgm = has_dcgm(result);

	if (result->type != PROM_VECTOR)
		return error_set(err, ERROR_METRICS, 0, "the answer is no vector");
	list->gpus = arena_alloc(&list->arena, (result->series_count + 1) * sizeof(*list->gpus));
	for (size_t i = 0; i < result->series_count; i++) {
		const struct prom_series *series = &result->series[i];
		const char *name = prom_series_label(series, "__name__");

		for (size_t row = 0; row < ARRAY_SIZE(gauges); row++) {
			if (gauges[row].is_dcgm != is_dcgm || strcmp(gauges[row].name, name) != 0)
				continue;
			if (!take_gauge(list, series, row, err))
				return -1;
		}
	}
	return 0;
}
