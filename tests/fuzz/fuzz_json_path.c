/* Values by path in a JSON answer: line 1 is the path, the rest the document. */
#include "fuzz.h"

#include "checks/json_path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = fuzz_text(data, size);
	CLEANUP_BUF struct buf shown = BUF_INIT(100);
	char *document = text, *path = strsep(&document, "\n");
	cJSON *root = document ? cJSON_Parse(document) : NULL;
	const cJSON *value = json_path_find(root, path);

	/* Only a well-formed path finds something. */
	if (value) {
		REQUIRE(json_path_valid(path));
		json_value_write(value, &shown);
		REQUIRE(shown.length <= 100);
		if (cJSON_IsString(value))
			REQUIRE(json_value_equals(value, value->valuestring));
		if (!shown.overflowed)
			REQUIRE(fuzz_is_harmless(buf_text(&shown), ""));
		json_value_equals(value, path);
	}
	cJSON_Delete(root);
	return 0;
}
