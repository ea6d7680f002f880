/*
 * What a stage's checks keep from one evaluation to the next, and its record in the journal: the
 * evidence, and up to which sample it has counted. Written with each evaluation; a rollout that is
 * resumed after a crash goes on from there, so that nothing counts twice and nothing is lost.
 */
#include "canaryctl/check_memory.h"
#include "canaryctl/log.h"

#include "rollout/rollout_private.h"

#include <cjson/cJSON.h>

#include <math.h>
#include <string.h>

/* ---- writing ---- */

static cJSON *mixture_object(const struct evidence_mixture *mixture, int count)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddItemToObject(
		object, "ln_parts", cJSON_CreateDoubleArray(mixture->ln_parts, count));
	cJSON_AddNumberToObject(object, "ln_reserve", mixture->ln_reserve);
	cJSON_AddNumberToObject(object, "ln_now", mixture->ln_now);
	cJSON_AddNumberToObject(object, "ln_best", mixture->ln_best);
	return object;
}

static cJSON *block_object(const struct evidence_block *block)
{
	cJSON *object = cJSON_CreateObject();

	cJSON_AddNumberToObject(object, "nb", block->nb);
	cJSON_AddNumberToObject(object, "kb", block->kb);
	cJSON_AddNumberToObject(object, "nc", block->nc);
	cJSON_AddNumberToObject(object, "kc", block->kc);
	return object;
}

static cJSON *memory_object(const char *name, const struct check_memory *memory)
{
	const struct evidence *evidence = &memory->evidence;
	cJSON *object = cJSON_CreateObject();

	cJSON_AddStringToObject(object, "name", name);
	cJSON_AddNumberToObject(object, "ratio", evidence->limits.ratio);
	cJSON_AddNumberToObject(object, "floor", evidence->limits.floor);
	cJSON_AddNumberToObject(object, "limit", evidence->limits.limit);
	cJSON_AddItemToObject(object, "rel", mixture_object(&evidence->rel, EVIDENCE_RATIOS));
	cJSON_AddItemToObject(object, "abs", mixture_object(&evidence->abs, EVIDENCE_RATES));
	cJSON_AddItemToObject(object, "total", block_object(&evidence->total));
	cJSON_AddItemToObject(object, "pool", block_object(&evidence->pool));
	cJSON_AddNumberToObject(object, "blocks", (double)evidence->blocks);
	cJSON_AddNumberToObject(object, "counted_until", memory->counted_until);
	cJSON_AddNumberToObject(object, "counted_s", memory->counted_s);
	return object;
}

struct cJSON *rollout_evidence_object(const struct rollout *rollout)
{
	cJSON *object = NULL, *checks = NULL;

	for (size_t i = 0; i < rollout->asked_count; i++) {
		if (!rollout->memories[i].is_begun)
			continue;
		if (!object) {
			object = cJSON_CreateObject();
			cJSON_AddNumberToObject(object, "stage",
				(double)rollout->report.stages[rollout->stage].index);
			checks = cJSON_AddArrayToObject(object, "checks");
		}
		cJSON_AddItemToArray(
			checks, memory_object(rollout->asked[i]->name, &rollout->memories[i]));
	}
	return object;
}

/* ---- reading: a journal can be damaged, and nothing of such a record is believed ---- */

static bool read_number(const cJSON *object, const char *key, double *ret_number)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, key);

	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return false;
	*ret_number = item->valuedouble;
	return true;
}

static bool read_mixture(const cJSON *object, int count, struct evidence_mixture *ret_mixture)
{
	const cJSON *parts = cJSON_GetObjectItemCaseSensitive(object, "ln_parts");

	if (!cJSON_IsArray(parts) || cJSON_GetArraySize(parts) != count)
		return false;
	for (int j = 0; j < count; j++) {
		const cJSON *part = cJSON_GetArrayItem(parts, j);

		if (!cJSON_IsNumber(part) || !isfinite(part->valuedouble))
			return false;
		ret_mixture->ln_parts[j] = part->valuedouble;
	}
	return read_number(object, "ln_reserve", &ret_mixture->ln_reserve) &&
	       read_number(object, "ln_now", &ret_mixture->ln_now) &&
	       read_number(object, "ln_best", &ret_mixture->ln_best);
}

/* `is_whole`: bad ones are among the requests; in a pool they may wait for theirs. */
static bool read_block(const cJSON *object, bool is_whole, struct evidence_block *ret_block)
{
	struct evidence_block *block = ret_block;

	return read_number(object, "nb", &block->nb) && read_number(object, "kb", &block->kb) &&
	       read_number(object, "nc", &block->nc) && read_number(object, "kc", &block->kc) &&
	       block->kb >= 0 && block->kc >= 0 && block->nb >= 0 && block->nc >= 0 &&
	       (!is_whole || (block->kb <= block->nb && block->kc <= block->nc));
}

static const cJSON *member(const cJSON *object, const char *key)
{
	return cJSON_GetObjectItemCaseSensitive(object, key);
}

static bool read_memory(const cJSON *object, struct check_memory *ret_memory)
{
	struct evidence *evidence = &ret_memory->evidence;
	double blocks;

	if (!read_number(object, "ratio", &evidence->limits.ratio) ||
		!read_number(object, "floor", &evidence->limits.floor) ||
		!read_number(object, "limit", &evidence->limits.limit) ||
		!read_mixture(member(object, "rel"), EVIDENCE_RATIOS, &evidence->rel) ||
		!read_mixture(member(object, "abs"), EVIDENCE_RATES, &evidence->abs) ||
		!read_block(member(object, "total"), true, &evidence->total) ||
		!read_block(member(object, "pool"), false, &evidence->pool) ||
		!read_number(object, "blocks", &blocks) || !(blocks >= 0 && blocks < 1e15) ||
		!read_number(object, "counted_until", &ret_memory->counted_until) ||
		!read_number(object, "counted_s", &ret_memory->counted_s))
		return false;
	evidence->blocks = (int64_t)blocks;
	return true;
}

/* What the interrupted rollout had counted for this check. */
static void restore(struct rollout *rollout, const cJSON *checks, size_t index)
{
	const cJSON *object;

	cJSON_ArrayForEach(object, checks)
	{
		const char *name = cJSON_GetStringValue(member(object, "name"));
		struct check_memory memory = { 0 };

		if (!name || strcmp(name, rollout->asked[index]->name) != 0)
			continue;
		if (read_memory(object, &memory))
			rollout->memories[index] = memory;
		else
			log_warn("the journal's record of what '%s' had counted is damaged: it "
				 "begins anew",
				name);
	}
}

void rollout_evidence_begin(struct rollout *rollout)
{
	bool is_resumed =
		rollout->request->evidence && rollout->stage == rollout->request->start_stage;
	cJSON *kept = is_resumed ? cJSON_Parse(rollout->request->evidence) : NULL;
	double stage;

	memset(rollout->memories, 0, rollout->asked_count * sizeof(*rollout->memories));
	/* Of another stage: the crash came between the two. */
	if (kept && read_number(kept, "stage", &stage) && stage == rollout_stage(rollout)->index) {
		for (size_t i = 0; i < rollout->asked_count; i++) {
			if (rollout->asked[i]->kind->keeps_evidence)
				restore(rollout, member(kept, "checks"), i);
		}
	}
	cJSON_Delete(kept);
}
