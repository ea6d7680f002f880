/* Three modes, their models and what those write: see model.h. */
#include "refapp/model.h"
#include "canaryctl/mem.h"

#include <math.h>
#include <string.h>

static const struct {
	const char *name;
	const char *model;
	double median_s;
	double p95_s; /* well within the gates' 2.5, 3.2 and 4.5 s */
} modes[MODE_COUNT] = {
	[MODE_FAST] = { "fast", "gpt-3.5-turbo", 1.2, 1.8 },
	[MODE_BALANCED] = { "balanced", "claude-3-haiku", 1.7, 2.5 },
	[MODE_CREATIVE] = { "creative", "gemini-pro", 2.5, 3.6 },
};

static const char *const themes[] = { "first rain on warm stone", "a library at dusk",
	"orange grove in March", "driftwood and salt" };
static const char *const top_notes[] = { "bergamot", "pink pepper", "neroli", "yuzu" };
static const char *const heart_notes[] = { "iris", "jasmine", "rose", "geranium" };
static const char *const base_notes[] = { "vetiver", "cedar", "amber", "musk" };

bool mode_parse(const char *text, enum mode *ret_mode)
{
	for (int i = 0; i < MODE_COUNT; i++) {
		if (strcmp(text, modes[i].name) == 0) {
			*ret_mode = (enum mode)i;
			return true;
		}
	}
	return false;
}

const char *mode_name(enum mode mode)
{
	return modes[mode].name;
}

const char *mode_model(enum mode mode)
{
	return modes[mode].model;
}

double model_median_s(enum mode mode)
{
	return modes[mode].median_s;
}

double model_latency_s(enum mode mode, struct random *random)
{
	const double z95 = 1.6448536269514722;
	double sigma = log(modes[mode].p95_s / modes[mode].median_s) / z95;

	return modes[mode].median_s * exp(sigma * random_normal(random));
}

static const char *pick(const char *const *items, size_t count, struct random *random)
{
	return items[random_next(random) % count];
}

void model_write_brief(enum mode mode, bool malformed, struct random *random, struct buf *out)
{
	const char *theme = pick(themes, ARRAY_SIZE(themes), random);
	const char *top = pick(top_notes, ARRAY_SIZE(top_notes), random);
	const char *heart = pick(heart_notes, ARRAY_SIZE(heart_notes), random);
	const char *base = pick(base_notes, ARRAY_SIZE(base_notes), random);

	buf_add_format(out, "{\"model\":\"%s\",\"theme\":\"%s\"", modes[mode].model, theme);
	if (!malformed)
		buf_add_format(out, ",\"notes\":{\"top\":\"%s\",\"heart\":\"%s\",\"base\":\"%s\"}",
			top, heart, base);
	buf_add_format(
		out, ",\"description\":\"%s, told in %s, %s and %s\"}", theme, top, heart, base);
}

void model_describe_note(enum mode mode, const char *note, struct buf *out)
{
	static const char *const manners[MODE_COUNT] = { "plainly", "warmly", "boldly" };

	buf_add_format(out, "%s, put %s", note, manners[mode]);
}
