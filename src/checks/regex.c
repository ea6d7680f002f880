/* PCRE2 behind limits: a pattern from a configuration must not be able to stop the program. */
#define PCRE2_CODE_UNIT_WIDTH 8

#include "checks/regex.h"
#include "canaryctl/mem.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

enum { MATCH_LIMIT = 100000, DEPTH_LIMIT = 1000, HEAP_LIMIT_KIB = 4096 };

struct regex {
	pcre2_code *code;
	pcre2_match_data *data;
	pcre2_match_context *limits;
	const char *text; /* of the last match; NULL: none */
};

struct regex *regex_new(const char *pattern, struct error *err)
{
	struct regex *regex = mem_alloc(sizeof(*regex));
	PCRE2_SIZE offset;
	PCRE2_UCHAR why[160];
	int code;

	regex->code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		PCRE2_NEVER_BACKSLASH_C, &code, &offset, NULL);
	if (!regex->code) {
		pcre2_get_error_message(code, why, sizeof(why));
		error_set(err, ERROR_CONFIG, 0,
			"'%.200s' is no regular expression: %s at character %zu", pattern,
			(const char *)why, (size_t)offset + 1);
		regex_free(regex);
		return NULL;
	}
	regex->data = pcre2_match_data_create_from_pattern(regex->code, NULL);
	regex->limits = pcre2_match_context_create(NULL);
	if (!regex->data || !regex->limits)
		abort();
	pcre2_set_match_limit(regex->limits, MATCH_LIMIT);
	pcre2_set_depth_limit(regex->limits, DEPTH_LIMIT);
	pcre2_set_heap_limit(regex->limits, HEAP_LIMIT_KIB);
	return regex;
}

void regex_free(struct regex *regex)
{
	if (!regex)
		return;
	pcre2_match_context_free(regex->limits);
	pcre2_match_data_free(regex->data);
	pcre2_code_free(regex->code);
	free(regex);
}

enum regex_result regex_match(
	struct regex *regex, const char *text, size_t length, struct error *err)
{
	int count = pcre2_match(
		regex->code, (PCRE2_SPTR)text, length, 0, 0, regex->data, regex->limits);

	regex->text = count > 0 ? text : NULL;
	if (count > 0)
		return REGEX_MATCH;
	if (count == PCRE2_ERROR_NOMATCH)
		return REGEX_NO_MATCH;
	error_set(err, ERROR_CONFIG, 0,
		"the regular expression needs too much work for a line of %zu bytes", length);
	error_hint(err, "nested repetitions such as (a+)+ do that: make it simpler");
	return REGEX_FAILED;
}

bool regex_group(const struct regex *regex, const char **ret_start, size_t *ret_length)
{
	const PCRE2_SIZE *offsets = pcre2_get_ovector_pointer(regex->data);

	if (!regex->text || pcre2_get_ovector_count(regex->data) < 2 || offsets[2] == PCRE2_UNSET)
		return false;
	*ret_start = regex->text + offsets[2];
	*ret_length = offsets[3] - offsets[2];
	return true;
}
