/* The proof server and its answers: see proof_block.h. */
#include "traffic/proof_block.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LETTERS_AND_DIGITS    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#define GENERATION_CHARACTERS LETTERS_AND_DIGITS "/._+-"

static const char answer_start[] = "{\"generation\":\"";

static int check_characters(
	const char *what, const char *value, const char *allowed, struct error *err)
{
	if (*value && !value[strspn(value, allowed)])
		return 0;
	return error_set(err, ERROR_CONFIG, 0,
		"%s '%s' cannot be written into nginx's configuration", what, value);
}

int proof_block_check(const struct proof_block *block, struct error *err)
{
	/* A unix socket outlives a killed NGINX, whose next start then fails. */
	if (strncmp(block->listen, "unix:", 5) == 0)
		return error_set(err, ERROR_CONFIG, 0,
			"traffic.nginx.proof.listen '%s' must be a TCP address", block->listen);
	if (check_characters("traffic.nginx.proof.listen", block->listen,
		    LETTERS_AND_DIGITS ".:-[]", err) < 0)
		return -1;
	if (block->brake && block->brake[0] != '/')
		return error_set(err, ERROR_CONFIG, 0,
			"traffic.nginx.brake '%s' must be an absolute path", block->brake);
	if (block->brake && check_characters("traffic.nginx.brake", block->brake,
				    LETTERS_AND_DIGITS "/._+@-", err) < 0)
		return -1;
	return check_characters("generation", block->generation, GENERATION_CHARACTERS, err);
}

void proof_block_append(const struct proof_block *block, struct buf *output)
{
	char canary[WEIGHT_TEXT_SIZE], production[WEIGHT_TEXT_SIZE];

	buf_add_format(output,
		"\n# canaryctl: says which weights are in force. Rendered anew with each shift.\n"
		"server {\n"
		"    listen %s;\n"
		"    access_log off;\n"
		"    keepalive_timeout 0;\n"
		"    default_type application/json;\n",
		block->listen);
	if (block->brake)
		buf_add_format(output,
			"    open_file_cache off;\n"
			"    set $canaryctl_braked false;\n"
			"    if (-f %s) {\n"
			"        set $canaryctl_braked true;\n"
			"    }\n",
			block->brake);
	buf_add_format(output,
		"    location / {\n"
		"        return 200 '%s%s\",\"production\":%s,\"canary\":%s,\"pid\":$pid,"
		"\"braked\":%s}\\n';\n"
		"    }\n"
		"}\n",
		answer_start, block->generation,
		weight_format(WEIGHT_FULL - block->canary, production),
		weight_format(block->canary, canary), block->brake ? "$canaryctl_braked" : "false");
}

static bool parse_weight(const cJSON *item, weight_t *ret_weight)
{
	double hundredths;

	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= 100))
		return false;
	hundredths = item->valuedouble * 100;
	*ret_weight = (weight_t)lround(hundredths);
	return fabs(hundredths - *ret_weight) < 1e-6;
}

static bool read_answer(const cJSON *json, struct proof_answer *ret_answer)
{
	const cJSON *generation = cJSON_GetObjectItemCaseSensitive(json, "generation");
	const cJSON *pid = cJSON_GetObjectItemCaseSensitive(json, "pid");
	const cJSON *braked = cJSON_GetObjectItemCaseSensitive(json, "braked");
	weight_t production;

	if (!cJSON_IsString(generation) || strlen(generation->valuestring) >= GENERATION_SIZE ||
		generation->valuestring[strspn(generation->valuestring, GENERATION_CHARACTERS)])
		return false;
	if (!cJSON_IsNumber(pid) || !(pid->valuedouble >= 1 && pid->valuedouble < 1 << 30) ||
		!cJSON_IsBool(braked))
		return false;
	if (!parse_weight(cJSON_GetObjectItemCaseSensitive(json, "canary"), &ret_answer->canary) ||
		!parse_weight(cJSON_GetObjectItemCaseSensitive(json, "production"), &production) ||
		production + ret_answer->canary != WEIGHT_FULL)
		return false;
	snprintf(ret_answer->generation, sizeof(ret_answer->generation), "%s",
		generation->valuestring);
	ret_answer->pid = (int)pid->valuedouble;
	ret_answer->is_braked = cJSON_IsTrue(braked);
	return true;
}

bool proof_answer_parse(const char *body, size_t length, struct proof_answer *ret_answer)
{
	cJSON *json = cJSON_ParseWithLength(body, length);
	bool is_ours = cJSON_IsObject(json) && read_answer(json, ret_answer);

	cJSON_Delete(json);
	return is_ours;
}

bool proof_block_find(const char *text, struct proof_answer *ret_answer)
{
	static const char pid[] = "\"pid\":$pid";
	CLEANUP_BUF struct buf answer = BUF_INIT(1024);
	const char *start = NULL, *end;

	/* The last one: canaryctl's own part stands at the end. */
	for (const char *found = text; (found = strstr(found, answer_start)); found++)
		start = found;
	if (!start)
		return false;
	end = strstr(start, pid);
	if (!end || end - start > 512)
		return false;
	/* The pid and the brake are only known to a worker. */
	buf_add(&answer, start, (size_t)(end - start));
	buf_add_text(&answer, "\"pid\":1,\"braked\":false}");
	return proof_answer_parse(buf_text(&answer), answer.length, ret_answer);
}

int generation_make(const char *rollout, char *ret_generation, struct error *err)
{
	unsigned int salt = 0;

	if (getrandom(&salt, sizeof(salt), 0) != (ssize_t)sizeof(salt))
		return error_set(err, ERROR_IO, 0, "the kernel has no random numbers to give");
	if (!rollout || !*rollout || rollout[strspn(rollout, LETTERS_AND_DIGITS "._+-")])
		return error_set(err, ERROR_BUG, 0, "rollout '%s' cannot be part of a generation",
			rollout ? rollout : "");
	if (snprintf(ret_generation, GENERATION_SIZE, "%s/%08x", rollout, salt) >= GENERATION_SIZE)
		return error_set(err, ERROR_BUG, 0, "rollout '%s' is too long", rollout);
	return 0;
}
