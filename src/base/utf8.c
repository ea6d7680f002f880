/*
 * UTF-8, character by character, and how wide a terminal shows each. A table of our own, because
 * wcwidth() depends on the locale and knows nothing outside of it.
 */
#include "canaryctl/utf8.h"
#include "canaryctl/mem.h"

struct range {
	uint32_t first, last;
};

static const struct range zero_width[] = {
	{ 0x0300, 0x036f },
	{ 0x0483, 0x0489 },
	{ 0x0591, 0x05bd },
	{ 0x064b, 0x065f },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x20d0, 0x20ff },
	{ 0x302a, 0x302d },
	{ 0x3099, 0x309a },
	{ 0xfe00, 0xfe0f },
	{ 0xfe20, 0xfe2f },
};

static const struct range double_width[] = {
	{ 0x1100, 0x115f },
	{ 0x2329, 0x232a },
	{ 0x2e80, 0x303e },
	{ 0x3041, 0xa4cf },
	{ 0xa960, 0xa97f },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x1f300, 0x1f64f },
	{ 0x1f680, 0x1f6ff },
	{ 0x1f900, 0x1faff },
	{ 0x20000, 0x3fffd },
};

/* Controls, line separators, and what turns the reading direction or hides. */
static const struct range invisible[] = {
	{ 0x0000, 0x001f },
	{ 0x007f, 0x009f },
	{ 0x00ad, 0x00ad },
	{ 0x061c, 0x061c },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfeff, 0xfeff },
	{ 0xfff9, 0xfffb },
	{ 0xe0000, 0xe0fff },
};

static bool is_in(uint32_t character, const struct range *ranges, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (character >= ranges[i].first && character <= ranges[i].last)
			return true;
	}
	return false;
}

int utf8_columns(uint32_t character)
{
	if (character >= ' ' && character < 0x7f)
		return 1; /* nearly everything */
	if (is_in(character, invisible, ARRAY_SIZE(invisible)))
		return -1;
	if (is_in(character, zero_width, ARRAY_SIZE(zero_width)))
		return 0;
	return is_in(character, double_width, ARRAY_SIZE(double_width)) ? 2 : 1;
}

static int length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

uint32_t utf8_next(const char **text)
{
	static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *p = (const unsigned char *)*text;
	int length = length_of(p[0]);
	uint32_t character;

	(*text)++;
	if (length <= 1)
		return length ? p[0] : UTF8_REPLACEMENT;
	character = p[0] & (0x7fU >> length);
	for (int i = 1; i < length; i++) {
		if ((p[i] & 0xc0) != 0x80) /* also the end of the text */
			return UTF8_REPLACEMENT;
		character = character << 6 | (p[i] & 0x3fU);
	}
	if (character < smallest[length] || character > 0x10ffff ||
		(character >= 0xd800 && character <= 0xdfff))
		return UTF8_REPLACEMENT;
	*text += length - 1;
	return character;
}

void utf8_add(struct buf *buf, uint32_t c)
{
	char bytes[4];
	size_t length = 0;

	if (c < 0x80) {
		bytes[length++] = (char)c;
	} else if (c < 0x800) {
		bytes[length++] = (char)(0xc0 | c >> 6);
		bytes[length++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		bytes[length++] = (char)(0xe0 | c >> 12);
		bytes[length++] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[length++] = (char)(0x80 | (c & 0x3f));
	} else {
		bytes[length++] = (char)(0xf0 | c >> 18);
		bytes[length++] = (char)(0x80 | (c >> 12 & 0x3f));
		bytes[length++] = (char)(0x80 | (c >> 6 & 0x3f));
		bytes[length++] = (char)(0x80 | (c & 0x3f));
	}
	buf_add(buf, bytes, length);
}
