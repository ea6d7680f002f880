/* What an answer about health means: see health.h. */
#include "checks/health.h"
#include "canaryctl/semver.h"

#include <cjson/cJSON.h>
#include <string.h>

static bool says_healthy(const cJSON *root, struct buf *problem)
{
	const char *status = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "status"));

	if (status && !strcmp(status, "healthy"))
		return true;
	buf_add_text(problem, "the canary says status '");
	buf_add_printable(problem, status ? status : "(none)");
	buf_add_text(problem, "', not 'healthy'");
	return false;
}

static bool says_version(const cJSON *root, const char *version, struct buf *problem)
{
	const char *said = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(root, "version"));

	if (!*version || (said && semver_same(said, version)))
		return true;
	buf_add_text(problem, "the canary says version '");
	buf_add_printable(problem, said ? said : "(none)");
	buf_add_format(problem, "', not '%s': another version is running there", version);
	return false;
}

bool health_is_good(const struct health_answer *answer, const char *version, struct buf *problem)
{
	cJSON *root = cJSON_ParseWithLength(answer->body, answer->length);
	bool good = true;

	if (cJSON_IsObject(root))
		good = says_healthy(root, problem);
	if (good && answer->status != 200) {
		buf_add_format(problem, "the canary's health answers with status %ld, not 200",
			answer->status);
		good = false;
	}
	if (good && !cJSON_IsObject(root)) {
		buf_add_text(problem, "the canary's health answers with something that is no JSON "
				      "object");
		good = false;
	}
	good = good && says_version(root, version, problem);
	cJSON_Delete(root);
	return good;
}
