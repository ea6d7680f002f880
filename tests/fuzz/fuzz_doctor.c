/*
 * What the doctor reads: NGINX's whole configuration, the kernel's table of sockets, Prometheus'
 * targets, PromQL. The first byte chooses which; each is read within its bounds, to its end.
 */
#include "fuzz.h"

#include "canaryctl/prom.h"
#include "doctor/ranges.h"
#include "doctor/survey.h"
#include "doctor/targets.h"

static void check_survey(const char *text)
{
	struct survey *survey = mem_alloc(sizeof(*survey));
	bool would;

	survey_make(text, survey);
	REQUIRE(survey->listen_count <= SURVEY_MOST && survey->pass_count <= SURVEY_MOST);
	REQUIRE(survey->include_count <= SURVEY_MOST);
	for (size_t i = 0; i < survey->listen_count; i++) {
		REQUIRE(survey->listens[i].text && survey->listens[i].place);
		REQUIRE(survey->listens[i].address.port >= 0);
		REQUIRE(survey->listens[i].address.port <= 65535);
	}
	REQUIRE(!survey->dump.count || survey->dump.files[0].reads >= 1);
	REQUIRE(survey_reads(survey, "/etc/nginx/conf.d/up.conf", NULL, &would) >= 0);
	survey_release(survey);
	free(survey);
}

static void check_sockets(const char *text)
{
	enum { MOST = 64 };
	struct listener listeners[MOST];
	struct listener wanted;

	listener_of_listen(text, &wanted);
	REQUIRE(wanted.port >= 0 && wanted.port <= 65535);
	for (int v6 = 0; v6 < 2; v6++) {
		size_t count = listeners_parse(text, v6 == 1, listeners, MOST);

		REQUIRE(count <= MOST);
		for (size_t i = 0; i < count; i++)
			REQUIRE(listeners[i].port > 0 && listeners[i].port <= 65535);
	}
}

static void check_targets(const char *text, size_t size)
{
	struct targets targets = { 0 };
	struct error err = { 0 };

	if (targets_parse(text, size, &targets, &err) == 0) {
		for (size_t i = 0; i < targets.count; i++) {
			REQUIRE(targets.targets[i].url && targets.targets[i].error);
			(void)target_is_of(
				&targets.targets[i], "version=\"canary\"", "http://h:1/");
		}
	} else {
		REQUIRE(err.kind == ERROR_METRICS);
	}
	targets_release(&targets);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE char *text = size ? fuzz_text(data + 1, size - 1) : NULL;

	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0:
		check_survey(text);
		break;
	case 1:
		check_sockets(text);
		break;
	case 2:
		check_targets(text, size - 1);
		break;
	default:
		REQUIRE(ranges_shortest(text) >= -1);
	}
	return 0;
}
