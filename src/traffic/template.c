/*
 * Rendering: see template.h. One pass over the template that keeps just enough of NGINX's lexical
 * state to tell a comment from a statement; what came out is then examined as NGINX would read it.
 */
#include "traffic/template.h"
#include "traffic/proof_block.h"
#include "traffic/upstreams.h"

#include "canaryctl/mem.h"

#include <stdbool.h>
#include <string.h>

enum word { WORD_PRODUCTION_WEIGHT, WORD_CANARY_WEIGHT, WORD_OTHER };

struct render {
	const struct template_input *input;
	struct buf *out;
	const char *next;
	int line;
	char quote;
	bool in_comment;
	bool in_statement;
	size_t line_start;      /* in out */
	size_t statement_start; /* in out */
	int weight_line[2];     /* where `weight=` took it first; 0: nowhere */
	int share_line[2];
	int weight_count[2];
};

static void truncate_output(struct buf *out, size_t length)
{
	out->length = length;
	if (out->data)
		out->data[length] = '\0';
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!is_space(text[i]))
			return false;
	return true;
}

static bool is_escaped(const struct render *r)
{
	size_t backslashes = 0;

	while (backslashes < r->out->length &&
		r->out->data[r->out->length - 1 - backslashes] == '\\')
		backslashes++;
	return backslashes % 2;
}

static char last_character(const struct render *r)
{
	return r->out->length ? r->out->data[r->out->length - 1] : '\n';
}

/* Keeps track of where in NGINX's grammar the character is that comes next. */
static void follow(struct render *r, char c)
{
	char before = last_character(r);
	bool starts_word = is_space(before) || strchr(";{}", before);

	if (r->in_comment) {
		r->in_comment = c != '\n';
		return;
	}
	if (r->quote) {
		if (c == r->quote && !is_escaped(r))
			r->quote = '\0';
		return;
	}
	if (is_space(c))
		return;
	if (starts_word && c == '#') {
		r->in_comment = true;
		return;
	}
	if (starts_word && (c == '"' || c == '\''))
		r->quote = c;
	if (c == ';' || (c == '}' && starts_word) || (c == '{' && before != '$')) {
		r->in_statement = false;
	} else if (!r->in_statement) {
		r->in_statement = true;
		r->statement_start = r->out->length;
	}
}

static void copy_character(struct render *r)
{
	char c = *r->next++;

	follow(r, c);
	buf_add(r->out, &c, 1);
	if (c == '\n') {
		r->line++;
		r->line_start = r->out->length;
	}
}

/* A share of 0% is an error for NGINX: the statement goes, and its line when it was alone on it. */
static void drop_statement(struct render *r)
{
	const char *rest;

	while (*r->next && *r->next != ';')
		r->line += *r->next++ == '\n';
	if (*r->next)
		r->next++;
	truncate_output(r->out, r->statement_start);
	r->in_statement = false;
	rest = r->next + strspn(r->next, " \t\r");
	if (!is_blank(buf_text(r->out) + r->line_start, r->out->length - r->line_start) ||
		(*rest && *rest != '#' && *rest != '\n'))
		return;
	r->next = rest + strcspn(rest, "\n");
	if (*r->next) {
		r->next++;
		r->line++;
	}
	truncate_output(r->out, r->line_start);
}

static bool output_ends_with_weight(const struct render *r)
{
	static const char prefix[] = "weight=";
	size_t length = sizeof(prefix) - 1;

	return r->out->length > length &&
	       memcmp(r->out->data + r->out->length - length, prefix, length) == 0 &&
	       is_space(r->out->data[r->out->length - length - 1]);
}

static void put_integer(struct render *r, enum word word)
{
	int integers[2];

	weight_to_integers(
		r->input->canary, &integers[WORD_CANARY_WEIGHT], &integers[WORD_PRODUCTION_WEIGHT]);
	if (!r->in_comment && !r->weight_count[word]++)
		r->weight_line[word] = r->line;
	if (integers[word]) {
		buf_add_format(r->out, "%d", integers[word]);
		return;
	}
	truncate_output(r->out, r->out->length - strlen("weight="));
	buf_add_text(r->out, "down");
}

static void put_weight(struct render *r, enum word word)
{
	weight_t weight =
		word == WORD_CANARY_WEIGHT ? r->input->canary : WEIGHT_FULL - r->input->canary;
	char text[WEIGHT_TEXT_SIZE];

	if (output_ends_with_weight(r)) {
		put_integer(r, word);
		return;
	}
	follow(r, '0');
	if (!r->in_comment && !r->share_line[word])
		r->share_line[word] = r->line;
	if (!weight && *r->next == '%' && !r->in_comment && r->in_statement && !r->quote &&
		r->statement_start == r->out->length)
		drop_statement(r);
	else
		buf_add_text(r->out, weight_format(weight, text));
}

/* Replaces the placeholder at r->next; false when there is none of ours. */
static bool put_placeholder(struct render *r)
{
	const struct {
		const char *name;
		enum word word;
		const char *value;
	} words[] = {
		{ "${PRODUCTION_WEIGHT}", WORD_PRODUCTION_WEIGHT, NULL },
		{ "${CANARY_WEIGHT}", WORD_CANARY_WEIGHT, NULL },
		{ "${PRODUCTION_SERVER}", WORD_OTHER, r->input->production_server },
		{ "${CANARY_SERVER}", WORD_OTHER, r->input->canary_server },
		{ "${GENERATION}", WORD_OTHER, r->input->generation },
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		size_t length = strlen(words[i].name);

		if (strncmp(r->next, words[i].name, length) != 0)
			continue;
		r->next += length;
		if (words[i].word != WORD_OTHER) {
			put_weight(r, words[i].word);
		} else {
			follow(r, words[i].value[0]);
			buf_add_text(r->out, words[i].value);
		}
		return true;
	}
	return false;
}

static int check_weights_used(const struct render *r, struct error *err)
{
	const int *weight = r->weight_line, *share = r->share_line;

	if (!weight[0] && !weight[1] && !share[0] && !share[1]) {
		error_set(err, ERROR_CONFIG, 0,
			"template '%s' has neither ${CANARY_WEIGHT} nor ${PRODUCTION_WEIGHT} in "
			"its "
			"%d lines: every stage would be the same",
			r->input->name, r->line);
		return error_hint(err, "start from nginx/conf.d/upstream.conf.template");
	}
	if (!weight[WORD_CANARY_WEIGHT] == !weight[WORD_PRODUCTION_WEIGHT])
		return 0;
	return error_set(err, ERROR_CONFIG, 0,
		"template '%s' line %d: 'weight=' takes only one of ${CANARY_WEIGHT} and "
		"${PRODUCTION_WEIGHT}, so the share would not be what is asked for",
		r->input->name, weight[0] ? weight[0] : weight[1]);
}

/* A name in NGINX's text must not be able to end the statement that it stands in. */
static int check_server(const char *what, const char *server, struct error *err)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789.:-_[]";

	if (server && *server && !server[strspn(server, allowed)])
		return 0;
	return error_set(
		err, ERROR_CONFIG, 0, "%s '%s' is not a host and port", what, server ? server : "");
}

/* The shipped configuration finds the brake's pool through a variable: give it one. */
static void append_production_pool(const struct template_input *input, struct buf *output)
{
	buf_add_format(output,
		"\n# canaryctl: production alone, for the brake; the template has no such pool.\n"
		"upstream canaryctl-%s-production {\n"
		"    server %s max_fails=0;\n"
		"    keepalive 32;\n"
		"}\n"
		"map \"\" $canaryctl_production_pool {\n"
		"    default canaryctl-%s-production;\n"
		"}\n",
		input->service, input->production_server, input->service);
}

static void note_upstreams(const struct upstreams_report *report, struct buf *notes)
{
	if (report->without_zone.length)
		buf_add_format(notes,
			"upstream %s has no 'zone': each worker counts for itself and starts anew "
			"with each reload, so a small weight may send the canary nothing for "
			"long\n",
			buf_text(&report->without_zone));
	if (report->without_max_fails.length)
		buf_add_format(notes,
			"upstream %s has servers without 'max_fails=0': one refused connection "
			"takes a version out for 10 s, unseen\n",
			buf_text(&report->without_max_fails));
}

/* Two lines that both take production's weight halve the canary's share. */
static void note_weights(const struct render *r, struct buf *notes)
{
	const int *count = r->weight_count;

	if (count[WORD_PRODUCTION_WEIGHT] != count[WORD_CANARY_WEIGHT])
		buf_add_format(notes,
			"template '%s' has %d lines with ${PRODUCTION_WEIGHT} and %d with "
			"${CANARY_WEIGHT}: the canary's share is not what is asked for\n",
			r->input->name, count[WORD_PRODUCTION_WEIGHT], count[WORD_CANARY_WEIGHT]);
}

static int check_input(const struct template_input *input, struct error *err)
{
	struct proof_block proof = { .listen = input->proof_listen,
		.brake = input->brake,
		.generation = input->generation };

	if (check_server("production.server", input->production_server, err) < 0 ||
		check_server("canary.server", input->canary_server, err) < 0)
		return -1;
	return proof_block_check(&proof, err);
}

int template_render(const struct template_input *input, struct buf *ret_output, struct buf *notes,
	struct error *err)
{
	struct render r = { .input = input, .out = ret_output, .next = input->text, .line = 1 };
	struct proof_block proof = { .listen = input->proof_listen,
		.brake = input->brake,
		.generation = input->generation,
		.canary = input->canary };
	struct upstreams_report report = { 0 };
	int result;

	if (check_input(input, err) < 0)
		return -1;
	while (*r.next)
		if (*r.next != '$' || !put_placeholder(&r))
			copy_character(&r);
	result = upstreams_examine(
		input->name, buf_text(ret_output), input->production_server, &report, err);
	if (result == 0)
		result = check_weights_used(&r, err);
	if (result == 0) {
		note_weights(&r, notes);
		note_upstreams(&report, notes);
		if (input->brake && !report.has_production_pool)
			append_production_pool(input, ret_output);
		proof_block_append(&proof, ret_output);
	}
	upstreams_report_release(&report);
	if (result == 0 && ret_output->overflowed)
		return error_set(err, ERROR_CONFIG, 0, "template '%s' is too large", input->name);
	return result;
}
