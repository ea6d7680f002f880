/* canaryctl judge: the sequential judge over counts from a file or a pipe. */
#include "cli/cli_private.h"

#include "canaryctl/condition.h"
#include "canaryctl/evidence.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>

enum { LINE_SIZE = 512, COLUMNS = 4 };

static const double most_requests = 9007199254740992.0; /* 2^53: beyond, doubles skip numbers */

/* What is being read, and what came of it so far. */
struct judging {
	const struct cli *cli;
	FILE *stream;
	const char *name; /* for messages */
	int line;
	int look;
	struct evidence evidence;
};

static int bad_line(const struct judging *judging, struct error *err, const char *problem)
{
	error_set(err, ERROR_USAGE, 0, "%s:%d: %s", judging->name, judging->line, problem);
	return error_hint(err,
		"a line is nb,kb,nc,kc: requests of production and bad ones among them, then the "
		"canary's, such as 990,1,10,0");
}

/* ---- reading ---- */

/* Reads a whole number and moves past it; NULL, or what is wrong. */
static const char *read_count(const char **at, double *ret_count)
{
	double count = 0;

	*at += strspn(*at, " \t");
	if (**at == '-')
		return "a count cannot be negative";
	if (!isdigit((unsigned char)**at))
		return "expected a whole number";
	for (; isdigit((unsigned char)**at); ++*at)
		count = count * 10 + (**at - '0');
	if (**at == '.' || **at == 'e' || **at == 'E')
		return "a count must be a whole number";
	if (count > most_requests)
		return "a count is beyond 2^53";
	*at += strspn(*at, " \t");
	*ret_count = count;
	return NULL;
}

/* NULL, or what is wrong. */
static const char *read_block(const char *at, struct evidence_block *ret_block)
{
	double counts[COLUMNS];

	for (int i = 0; i < COLUMNS; i++) {
		const char *problem = read_count(&at, &counts[i]);

		if (problem)
			return problem;
		if (i + 1 < COLUMNS && *at++ != ',')
			return "expected four numbers with commas between them";
	}
	if (*at)
		return "something follows the four numbers";
	*ret_block = (struct evidence_block){
		.nb = counts[0], .kb = counts[1], .nc = counts[2], .kc = counts[3]
	};
	if (ret_block->kb > ret_block->nb)
		return "kb is above nb: more bad requests than requests of production";
	if (ret_block->kc > ret_block->nc)
		return "kc is above nc: more bad requests than requests of the canary";
	return NULL;
}

static bool is_header(const char *text)
{
	char letters[16];
	size_t length = 0;

	for (; *text; text++) {
		if (isspace((unsigned char)*text))
			continue;
		if (length + 1 == sizeof(letters))
			return false;
		letters[length++] = *text;
	}
	letters[length] = '\0';
	return strcasecmp(letters, "nb,kb,nc,kc") == 0;
}

static void cut_line_end(char *line)
{
	size_t length = strlen(line);

	while (length && isspace((unsigned char)line[length - 1]))
		line[--length] = '\0';
}

/* Reads the next look. 1: there is one, 0: the end, -1 and *err. */
static int read_look(struct judging *judging, struct evidence_block *ret_block, struct error *err)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), judging->stream)) {
		const char *text = line + strspn(line, " \t"), *problem;

		/* Spreadsheets put a byte order mark in front of what they export. */
		if (!judging->line++ && strncmp(text, "\xef\xbb\xbf", 3) == 0)
			text += 3;
		if (!strchr(line, '\n') && strlen(line) + 1 == sizeof(line))
			return bad_line(judging, err, "the line is too long");
		cut_line_end(line);
		if (!*text || *text == '#' || (!judging->look && is_header(text)))
			continue;
		problem = read_block(text, ret_block);
		return problem ? bad_line(judging, err, problem) : 1;
	}
	if (ferror(judging->stream))
		return error_set(err, ERROR_IO, errno, "cannot read '%s'", judging->name);
	return 0;
}

/* ---- printing ---- */

static void print_look(const struct judging *judging)
{
	const struct evidence *evidence = &judging->evidence;
	const char *verdict = evidence_verdict_name(evidence_verdict(evidence));
	cJSON *json;

	if (judging->cli->format == FORMAT_TEXT) {
		if (judging->look == 1)
			puts("  look          REL          ABS      PROMOTE  verdict");
		printf("%6d %12.6g %12.6g %12.6g  %s\n", judging->look, evidence_rel(evidence),
			evidence_abs(evidence), evidence_promote(evidence), verdict);
		return;
	}
	json = cJSON_CreateObject();
	cJSON_AddNumberToObject(json, "look", judging->look);
	cJSON_AddNumberToObject(json, "rel", evidence_rel(evidence));
	cJSON_AddNumberToObject(json, "abs", evidence_abs(evidence));
	cJSON_AddNumberToObject(json, "promote", evidence_promote(evidence));
	cJSON_AddStringToObject(json, "verdict", verdict);
	cli_print_json(json);
	cJSON_Delete(json);
}

static void print_summary(const struct judging *judging)
{
	static const char *const meanings[] = {
		[EVIDENCE_HOLD] = "not enough to say either",
		[EVIDENCE_ROLLBACK] = "REL and ABS have both reached what is needed to fail",
		[EVIDENCE_PROMOTE] = "PROMOTE is at what is needed to pass",
	};
	const struct evidence *evidence = &judging->evidence;
	enum evidence_verdict verdict = evidence_verdict(evidence);
	struct evidence_block all = evidence_counted(evidence);

	if (judging->cli->format != FORMAT_TEXT)
		return;
	printf("\n%s: %s\n", evidence_verdict_name(verdict), meanings[verdict]);
	printf("canary %.0f bad of %.0f, production %.0f bad of %.0f; needed: %g to fail, %g to "
	       "pass\n",
		all.kc, all.nc, all.kb, all.nb, evidence_needed_to_fail(evidence),
		evidence_needed_to_pass());
}

/* ---- the command ---- */

static int parse_limits(const struct cli *cli, struct evidence_limits *limits, struct error *err)
{
	const struct {
		const char *name;
		double *number;
	} options[] = {
		{ "false-alarm", &limits->false_alarm },
		{ "ratio", &limits->ratio },
		{ "floor", &limits->floor },
		{ "limit", &limits->limit },
	};
	const char *problem;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *text = cli_value(cli, options[i].name);

		if (!text || number_parse(text, options[i].number))
			continue;
		error_set(err, ERROR_USAGE, 0, "--%s: '%s' is not a number", options[i].name, text);
		return error_hint(err, "write a share as 1%% or 0.01, a ratio as 1.5");
	}
	problem = evidence_limits_problem(limits);
	if (!problem)
		return 0;
	error_set(err, ERROR_USAGE, 0, "%s", problem);
	return error_hint(err, "write a share as 1%% or 0.01, a ratio as 1.5");
}

static int open_input(struct judging *judging, struct error *err)
{
	const char *path = cli_value(judging->cli, "input");

	if (!path || strcmp(path, "-") == 0) {
		judging->stream = stdin;
		judging->name = "standard input";
		return 0;
	}
	judging->name = path;
	judging->stream = fopen(path, "re");
	return judging->stream ? 0 : error_set(err, ERROR_USAGE, errno, "cannot read '%s'", path);
}

static int judge_all(struct judging *judging, struct error *err)
{
	struct evidence_block block;
	int read;

	while ((read = read_look(judging, &block, err)) > 0) {
		evidence_take(&judging->evidence, &block);
		judging->look++;
		print_look(judging);
		fflush(stdout); /* a pipe is shown as it comes */
	}
	if (read < 0)
		return -1;
	if (!judging->look) {
		error_set(err, ERROR_USAGE, 0, "%s has no look: it is empty", judging->name);
		return error_hint(err, "write a line for each look: nb,kb,nc,kc");
	}
	print_summary(judging);
	return 0;
}

static int run(struct cli *cli)
{
	struct evidence_limits limits = EVIDENCE_LIMITS_DEFAULT;
	struct judging judging = { .cli = cli };
	struct error err = { 0 };
	int result;

	if (parse_limits(cli, &limits, &err) < 0 || open_input(&judging, &err) < 0)
		return cli_fail(&err);
	evidence_init(&judging.evidence, &limits);
	result = judge_all(&judging, &err);
	if (judging.stream != stdin)
		fclose(judging.stream);
	return result < 0 ? cli_fail(&err) : EXIT_GO;
}

static const struct cli_option options[] = {
	{ "input", "FILE", "read the counts from there; default, and for -, standard input" },
	{ "false-alarm", "SHARE", "how often a good canary may be failed; default 1%" },
	{ "ratio", "NUMBER", "so many times production's errors is no harm; default 1.5" },
	{ "floor", "SHARE", "nor is a share of errors up to this; default 0.2%" },
	{ "limit", "SHARE", "to pass, the errors must be proven below this; default 0.5%" },
	{ 0 },
};

const struct cli_command cmd_judge = {
	.name = "judge",
	.synopsis = "[--input FILE] [OPTIONS]",
	.summary = "what the sequential judge says of counts from a file",
	.details =
		"Reads a line nb,kb,nc,kc for each look: production's requests and the bad ones "
		"among them since the look before, then the canary's. A header, empty lines and "
		"lines that begin with # are left out. Prints after each look the evidence that "
		"the "
		"canary is worse than production (REL) and than the floor (ABS), that it is better "
		"than the limit (PROMOTE), and the verdict: ROLLBACK, PROMOTE or HOLD. Looking "
		"more "
		"often makes no verdict less true. Exits 0 whenever all was read and judged, "
		"whatever the verdict: it tells, and changes nothing; 64 when a line cannot be "
		"read.",
	.examples = "canaryctl judge --input counts.csv\n"
		    "canaryctl judge --limit 1% --format json <counts.csv",
	.options = options,
	.run = run,
};
