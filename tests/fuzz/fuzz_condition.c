/* Conditions and numbers: whatever is accepted is finite, and means the same with more spaces. */
#include "fuzz.h"

#include "canaryctl/condition.h"

#include <math.h>

static void check_spaced(const char *text, const struct condition *condition)
{
	CLEANUP_FREE char *spaced = mem_format(" %s\t", text);
	struct condition again;
	struct error err = { 0 };

	REQUIRE(condition_parse(spaced, &again, &err) == 0);
	REQUIRE(again.op == condition->op && again.uses_baseline == condition->uses_baseline);
	REQUIRE(again.factor == condition->factor && again.number == condition->number);
}

static void check_condition(const char *text)
{
	struct condition condition;
	struct error err = { 0 };
	double limit;

	if (condition_parse(text, &condition, &err) < 0) {
		REQUIRE(err.kind == ERROR_CONFIG && err.message[0]);
		return;
	}
	REQUIRE(condition.text == text && condition.op < CONDITION_OPERATOR_COUNT);
	REQUIRE(isfinite(condition.factor) && isfinite(condition.number));
	limit = condition_limit(&condition, 3);
	REQUIRE(condition.uses_baseline || limit == condition.number);
	/* No value is on both sides, and what is not a number is on none. */
	if (isfinite(limit) && condition.op != CONDITION_NOT_EQUAL)
		REQUIRE(!condition_holds(&condition, NAN, 3));
	check_spaced(text, &condition);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	double number = NAN;

	check_condition(text);
	if (number_parse(text, &number))
		REQUIRE(isfinite(number));
	return 0;
}
