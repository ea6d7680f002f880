/*
 * Bytes of an answer to a result in one arena. Nothing in them is trusted: depth and number of
 * values are bounded before the JSON library sees them, every member's type is checked, numbers
 * are read whole or refused, and what is shown is made printable. Pure.
 */
#include "canaryctl/buf.h"
#include "canaryctl/log.h"
#include "canaryctl/prom.h"
#include "metrics/prom_refuse.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	MAX_DEPTH = 16,       /* Prometheus' own answers need 6 */
	MAX_VALUES = 1000000, /* bounds the memory that the tree takes */
	MAX_WARNINGS_BYTES = 500,
};

static void free_json(cJSON **json)
{
	cJSON_Delete(*json);
}
#define CLEANUP_JSON __attribute__((cleanup(free_json)))

static int malformed(struct error *err, const char *what)
{
	return error_set(err, ERROR_METRICS, 0, "Prometheus' answer is malformed: %s", what);
}

/* Depth and number of values, without building anything. */
static bool is_bounded(const char *bytes, size_t length)
{
	size_t depth = 0, values = 0;
	bool in_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
			continue;
		}
		in_string = c == '"';
		if (c == '[' || c == '{')
			depth++;
		if ((c == ']' || c == '}') && depth)
			depth--;
		values += c == '[' || c == '{' || c == ',';
		if (depth > MAX_DEPTH || values > MAX_VALUES)
			return false;
	}
	return true;
}

static cJSON *parse_document(const char *bytes, size_t length, struct error *err)
{
	const char *end = NULL;
	cJSON *root;

	if (!is_bounded(bytes, length)) {
		malformed(err, "nested too deeply, or too many values");
		error_hint(err, "narrow the selector down: fewer series, or a shorter window");
		return NULL;
	}
	root = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
	if (!root) {
		malformed(err, "not valid JSON (cut off on the way?)");
		return NULL;
	}
	for (; end < bytes + length; end++) {
		if (!strchr(" \t\r\n", *end)) {
			cJSON_Delete(root);
			malformed(err, "there is more behind the JSON document");
			return NULL;
		}
	}
	return root;
}

/* A number as Prometheus writes it: "17", "1e+09", "NaN", "+Inf". The locale is always C here. */
static bool parse_number(const char *text, double *ret_number)
{
	char *end;

	if (!strcmp(text, "NaN") || !strcmp(text, "Inf") || !strcmp(text, "+Inf") ||
		!strcmp(text, "-Inf")) {
		*ret_number = strtod(text, NULL);
		return true;
	}
	if (!*text || text[strspn(text, "0123456789+-.eE")])
		return false;
	*ret_number = strtod(text, &end);
	return !*end;
}

/* [1700000000.123, "17"] */
static int read_sample(const cJSON *pair, struct prom_sample *ret_sample, struct error *err)
{
	const cJSON *time = cJSON_GetArrayItem(pair, 0);
	const cJSON *value = cJSON_GetArrayItem(pair, 1);

	if (!cJSON_IsArray(pair) || cJSON_GetArraySize(pair) != 2 || !cJSON_IsNumber(time) ||
		!cJSON_IsString(value) || !isfinite(time->valuedouble))
		return malformed(err, "a sample is not [time, \"value\"]");
	ret_sample->time = time->valuedouble;
	if (!parse_number(value->valuestring, &ret_sample->value)) {
		CLEANUP_BUF struct buf shown = BUF_INIT(40);

		buf_add_printable(&shown, value->valuestring);
		return error_set(err, ERROR_METRICS, 0,
			"Prometheus' answer is malformed: '%s' is not a number", buf_text(&shown));
	}
	return 0;
}

static int compare_labels(const void *a, const void *b)
{
	return strcmp(((const struct prom_label *)a)->name, ((const struct prom_label *)b)->name);
}

static int read_labels(
	struct arena *arena, const cJSON *metric, struct prom_series *series, struct error *err)
{
	const cJSON *item;
	size_t i = 0;

	if (!cJSON_IsObject(metric))
		return malformed(err, "a series has no labels object");
	series->labels =
		arena_alloc(arena, (size_t)cJSON_GetArraySize(metric) * sizeof(*series->labels));
	cJSON_ArrayForEach(item, metric)
	{
		if (!cJSON_IsString(item))
			return malformed(err, "a label is not text");
		series->labels[i].name = arena_strdup(arena, item->string);
		series->labels[i].value = arena_strdup(arena, item->valuestring);
		i++;
	}
	series->label_count = i;
	qsort(series->labels, i, sizeof(*series->labels), compare_labels);
	for (size_t j = 1; j < i; j++) {
		if (!compare_labels(&series->labels[j - 1], &series->labels[j]))
			return malformed(err, "a series has the same label twice");
	}
	return 0;
}

static int read_samples(
	struct arena *arena, const cJSON *values, struct prom_series *series, struct error *err)
{
	const cJSON *pair;
	size_t i = 0;

	if (!cJSON_IsArray(values))
		return malformed(err, "a series has no values");
	series->samples =
		arena_alloc(arena, (size_t)cJSON_GetArraySize(values) * sizeof(*series->samples));
	cJSON_ArrayForEach(pair, values)
	{
		if (read_sample(pair, &series->samples[i], err))
			return -1;
		if (i && series->samples[i].time <= series->samples[i - 1].time)
			return malformed(err, "the times of a series do not rise");
		i++;
	}
	series->sample_count = i;
	return 0;
}

static int read_one_series(struct prom_result *result, const cJSON *item,
	struct prom_series *series, struct error *err)
{
	const cJSON *metric = cJSON_GetObjectItemCaseSensitive(item, "metric");
	const cJSON *value = cJSON_GetObjectItemCaseSensitive(item, "value");

	if (cJSON_HasObjectItem(item, "histogram") || cJSON_HasObjectItem(item, "histograms")) {
		error_set(err, ERROR_CONFIG, 0, "the query returns native histograms");
		return error_hint(err, "only counters, gauges and classic histograms (_bucket "
				       "series) can be judged");
	}
	if (read_labels(&result->arena, metric, series, err))
		return -1;
	if (result->type == PROM_MATRIX)
		return read_samples(&result->arena,
			cJSON_GetObjectItemCaseSensitive(item, "values"), series, err);
	series->samples = arena_alloc(&result->arena, sizeof(*series->samples));
	series->sample_count = 1;
	return read_sample(value, series->samples, err);
}

static int read_list(struct prom_result *result, const cJSON *list, struct error *err)
{
	const cJSON *item;

	if (!cJSON_IsArray(list))
		return malformed(err, "'result' is not a list");
	result->series = arena_alloc(
		&result->arena, (size_t)cJSON_GetArraySize(list) * sizeof(*result->series));
	cJSON_ArrayForEach(item, list)
	{
		if (read_one_series(result, item, &result->series[result->series_count], err))
			return -1;
		result->series_count++;
	}
	return 0;
}

static int read_scalar(struct prom_result *result, const cJSON *pair, struct error *err)
{
	result->series = arena_alloc(&result->arena, sizeof(*result->series));
	result->series->samples = arena_alloc(&result->arena, sizeof(*result->series->samples));
	result->series->sample_count = 1;
	result->series_count = 1;
	return read_sample(pair, result->series->samples, err);
}

static int read_data(struct prom_result *result, const cJSON *data, struct error *err)
{
	const cJSON *type = cJSON_GetObjectItemCaseSensitive(data, "resultType");
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(data, "result");

	if (!cJSON_IsString(type) || !list)
		return malformed(err, "no 'resultType' or no 'result'");
	if (!strcmp(type->valuestring, "vector")) {
		result->type = PROM_VECTOR;
		return read_list(result, list, err);
	}
	if (!strcmp(type->valuestring, "matrix")) {
		result->type = PROM_MATRIX;
		return read_list(result, list, err);
	}
	if (!strcmp(type->valuestring, "scalar")) {
		result->type = PROM_SCALAR;
		return read_scalar(result, list, err);
	}
	if (!strcmp(type->valuestring, "string")) {
		result->type = PROM_STRING;
		return 0;
	}
	return malformed(err, "unknown 'resultType'");
}

/* The texts of a list, joined and printable; NULL when there are none. */
static const char *join_texts(struct arena *arena, const cJSON *list)
{
	CLEANUP_BUF struct buf text = BUF_INIT(MAX_WARNINGS_BYTES);
	const cJSON *item;

	cJSON_ArrayForEach(item, list)
	{
		if (text.length)
			buf_add_text(&text, "; ");
		buf_add_printable(&text, cJSON_IsString(item) ? item->valuestring : "?");
	}
	return text.length ? arena_strdup(arena, buf_text(&text)) : NULL;
}

static const char *text_member(const cJSON *object, const char *name)
{
	const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));

	return text ? text : "";
}

static int read_document(
	const cJSON *root, long http_status, struct prom_result *result, struct error *err)
{
	const char *status = text_member(root, "status");
	const char *infos;

	if (!strcmp(status, "error"))
		return prom_refuse_error(http_status, text_member(root, "errorType"),
			text_member(root, "error"), err);
	if (strcmp(status, "success") != 0) {
		malformed(err, "its 'status' is neither \"success\" nor \"error\"");
		return error_hint(err, "check prometheus.url: something else may answer there");
	}
	if (http_status < 200 || http_status > 299)
		return prom_refuse_status(http_status, "application/json", "", err);
	result->warnings =
		join_texts(&result->arena, cJSON_GetObjectItemCaseSensitive(root, "warnings"));
	infos = join_texts(&result->arena, cJSON_GetObjectItemCaseSensitive(root, "infos"));
	if (infos)
		log_info("prometheus: %s", infos);
	return read_data(result, cJSON_GetObjectItemCaseSensitive(root, "data"), err);
}

static bool is_json(const char *content_type)
{
	size_t length = strcspn(content_type, "; \t");

	return (length == 16 && !strncasecmp(content_type, "application/json", 16)) ||
	       (length > 5 && !strncasecmp(content_type + length - 5, "+json", 5));
}

int prom_parse(const char *bytes, size_t length, long http_status, const char *content_type,
	struct prom_result *ret_result, struct error *err)
{
	CLEANUP_JSON cJSON *root = NULL;

	memset(ret_result, 0, sizeof(*ret_result));
	/* Only an answer that says it is JSON is read; a refusal's status speaks for itself. */
	if (!is_json(content_type) || (http_status >= 300 && http_status < 400)) {
		CLEANUP_FREE char *start = mem_strndup(bytes, length < 200 ? length : 200);

		return prom_refuse_status(http_status, content_type, start, err);
	}
	root = parse_document(bytes, length, err);
	if (!root || !cJSON_IsObject(root)) {
		if (http_status >= 400)
			return prom_refuse_status(http_status, content_type, "", err);
		return root ? malformed(err, "it is not an object") : -1;
	}
	if (read_document(root, http_status, ret_result, err)) {
		prom_result_release(ret_result);
		return -1;
	}
	return 0;
}

void prom_result_release(struct prom_result *result)
{
	arena_release(&result->arena);
	memset(result, 0, sizeof(*result));
}

const char *prom_series_label(const struct prom_series *series, const char *name)
{
	for (size_t i = 0; i < series->label_count; i++) {
		if (!strcmp(series->labels[i].name, name))
			return series->labels[i].value;
	}
	return "";
}
