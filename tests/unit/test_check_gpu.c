/* gpu: nvidia-smi through a stand-in on PATH, and what exporters say to Prometheus. */
#include "suite_fixture.h"

#include "checks/gpu_memory.h"
#include "scripted_server.h"

#include <math.h>

static void test_csv(void **state)
{
	struct gpu_list list = { 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(gpu_read_csv(&list,
				 "0, NVIDIA RTX 4090, 24576, 18000, 6576\n"
				 "1, NVIDIA RTX 4090, 24576, 24000, 576\n",
				 &err),
		0);
	assert_int_equal(list.count, 2);
	assert_string_equal(list.gpus[1].name, "1 (NVIDIA RTX 4090)");
	assert_true(fabs(gpu_headroom(&list.gpus[0]) - 6576.0 / 24576) < 1e-9);
	gpu_list_release(&list);
	assert_int_equal(gpu_read_csv(&list, "0, X, [N/A], [N/A], [N/A]\n", &err), -1);
	assert_non_null(strstr(err.message, "[N/A]"));
	gpu_list_release(&list);
	assert_int_equal(gpu_read_csv(&list, "No devices were found\n", &err), -1);
	gpu_list_release(&list);
	assert_int_equal(gpu_read_csv(&list, "\n", &err), -1);
	gpu_list_release(&list);
}

/* A PATH with our nvidia-smi in front, or with none. */
static void put_on_path(const char *script)
{
	CLEANUP_FREE char *path = NULL;

	mkdir("bin", 0700);
	unlink("bin/nvidia-smi");
	if (script) {
		suite_write("bin/nvidia-smi", script);
		assert_int_equal(chmod("bin/nvidia-smi", 0700), 0);
	}
	path = mem_format("%s/bin:/usr/bin:/bin", suite_folder);
	setenv("PATH", path, 1);
}

static void test_nvidia_smi(void **state)
{
	(void)state;
	put_on_path("#!/bin/sh\n[ \"$*\" = '--query-gpu=index,name,memory.total,memory.used,"
		    "memory.free --format=csv,noheader,nounits' ] || exit 9\n"
		    "echo '0, NVIDIA RTX 4090, 24576, 18000, 6576'\n");
	assert_verdict("gpu: {source: nvidia-smi}", CHECK_PASS,
		"GPU 0 (NVIDIA RTX 4090): 24576 MiB, 18000 used, 6576 free (26.8%)");
	assert_verdict("gpu: {source: nvidia-smi, min_headroom: 30%}", CHECK_FAIL, "26.8%");
	assert_verdict("gpu: {min_headroom: 20%}\n    prefer: '>= 40%'", CHECK_WARN, "26.8%");
	put_on_path("#!/bin/sh\necho 'NVIDIA-SMI has failed' >&2\nexit 9\n");
	assert_verdict("gpu: {source: nvidia-smi}", CHECK_ERROR, "NVIDIA-SMI has failed");
	assert_refused("gpu: {min_headroom: 200%}", "not from 0 to 1");
}

#define VECTOR(result)                                                                             \
	"{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[" result "]}}"
#define SERIES(name, labels, value)                                                                \
	"{\"metric\":{\"__name__\":\"" name "\"," labels "},\"value\":[1,\"" value "\"]}"

static const struct verdict *ask(const char *body, struct scripted_server *server)
{
	static struct scripted_answer script[] = {
		{ .status = 200, .content_type = "application/json" }, { 0 }
	};

	script[0].body = body;
	*server = scripted_start(script);
	return &suite_of("  - name: c\n    gpu: {source: prometheus}\n", server->url)
			->checks[0]
			.verdict;
}

static void test_exporters(void **state)
{
	static const struct {
		const char *body;
		enum check_result result;
		const char *message;
	} cases[] = {
		{ VECTOR(SERIES("DCGM_FI_DEV_FB_USED", "\"gpu\":\"0\"", "18000") "," SERIES(
			  "DCGM_FI_DEV_FB_FREE", "\"gpu\":\"0\"", "6000")),
			CHECK_PASS, "24000 MiB, 18000 used, 6000 free (25%)" },
		/* Of two sources NVIDIA's own counts. */
		{ VECTOR(SERIES("DCGM_FI_DEV_FB_USED", "\"gpu\":\"0\"", "9") "," SERIES(
			  "DCGM_FI_DEV_FB_FREE", "\"gpu\":\"0\"",
			  "1") "," SERIES("nvidia_gpu_memory_free_bytes", "\"gpu\":\"0\"", "1")),
			CHECK_FAIL, "10 MiB, 9 used, 1 free (10%)" },
		{ VECTOR(SERIES("nvidia_gpu_memory_total_bytes", "\"gpu\":\"a\"",
			  "1048576000") "," SERIES("nvidia_gpu_memory_free_bytes", "\"gpu\":\"a\"",
			  "524288000") "," SERIES("nvidia_gpu_memory_total_bytes", "\"gpu\":\"b\"",
			  "1048576000") "," SERIES("nvidia_gpu_memory_free_bytes", "\"gpu\":\"b\"",
			  "104857600")),
			CHECK_FAIL, "1000 MiB, 900 used, 100 free (10%)" },
		{ VECTOR(SERIES("DCGM_FI_DEV_FB_USED", "\"gpu\":\"0\"", "18000")), CHECK_NO_DATA,
			"not both known" },
		{ VECTOR(SERIES("DCGM_FI_DEV_FB_FREE", "\"gpu\":\"0\"", "NaN")), CHECK_ERROR,
			"nan" },
		{ VECTOR(""), CHECK_NO_DATA, "knows of a GPU" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scripted_server server;
		const struct verdict *verdict = ask(cases[i].body, &server);

		if (verdict->result != cases[i].result ||
			!strstr(verdict->message, cases[i].message))
			fail_msg("case %zu: %s %s", i, check_result_name(verdict->result),
				verdict->message);
		scripted_stop(&server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_csv),
		cmocka_unit_test(test_nvidia_smi),
		cmocka_unit_test(test_exporters),
	};

	return cmocka_run_group_tests(tests, suite_setup, suite_teardown);
}
