/* Weights and versions: round trips, and nothing in a version that a path or a query could mind. */
#include "fuzz.h"

#include "canaryctl/semver.h"
#include "canaryctl/weight.h"

static void check_weight(const char *text)
{
	char written[WEIGHT_TEXT_SIZE];
	weight_t weight, again;
	int canary, production;

	if (!weight_parse(text, &weight))
		return;
	REQUIRE(weight >= 0 && weight <= WEIGHT_FULL);
	REQUIRE(weight_parse(weight_format(weight, written), &again) && again == weight);
	weight_to_integers(weight, &canary, &production);
	REQUIRE(canary >= 0 && production >= 0 && canary + production > 0);
	REQUIRE((int64_t)canary * WEIGHT_FULL == (int64_t)weight * (canary + production));
}

static void check_version(const char *text)
{
	static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789.-+";
	CLEANUP_FREE char *other = mem_format("v%s", text);

	if (!semver_valid(text))
		return;
	REQUIRE(strlen(text) <= SEMVER_MAX_LENGTH);
	REQUIRE(!text[strspn(text, safe)] && !strstr(text, ".."));
	REQUIRE(semver_same(text, text));
	if (text[0] != 'v' && strlen(other) <= SEMVER_MAX_LENGTH)
		REQUIRE(semver_valid(other) && semver_same(text, other));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);

	check_weight(text);
	check_version(text);
	return 0;
}
