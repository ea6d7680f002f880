/* Upstreams of a rendered file: see upstreams.h. */
#include "traffic/upstreams.h"
#include "traffic/nginx_text.h"

#include "canaryctl/mem.h"

#include <string.h>

struct scan {
	const char *name;
	const char *production_server;
	struct nginx_reader reader;
	struct upstreams_report *report;
};

/* One upstream while it is read. */
struct upstream {
	struct nginx_word name;
	int line;
	int servers;
	int live;
	int live_production;
	bool has_zone;
	bool counts_failures;
	bool has_keepalive;
	bool has_late_method;
	struct nginx_word decides; /* beside the weights; length 0: nothing */
};

static void add_name(struct buf *list, const struct nginx_word *name)
{
	buf_add_format(list, "%s'%.*s'", list->length ? ", " : "", (int)name->length, name->start);
}

/* What makes the share another one than the weights say. */
static bool is_balancing_method(const struct nginx_statement *statement)
{
	static const char *const methods[] = { "ip_hash", "hash", "least_conn", "least_time",
		"random", "sticky" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (nginx_word_is(statement, 0, methods[i]))
			return true;
	return false;
}

static bool is_down(const struct nginx_statement *server)
{
	for (size_t i = 2; i < server->count; i++)
		if (nginx_word_is(server, i, "down"))
			return true;
	return false;
}

static void add_server(
	struct upstream *upstream, const struct nginx_statement *server, const char *production)
{
	const struct nginx_word *max_fails = nginx_find_word(server, "max_fails=");
	const struct nginx_word *max_conns = nginx_find_word(server, "max_conns=");

	upstream->servers++;
	if (!is_down(server)) {
		upstream->live++;
		upstream->live_production += nginx_word_is(server, 1, production);
	}
	if (!max_fails || max_fails->length != strlen("max_fails=0") ||
		max_fails->start[strlen("max_fails=")] != '0')
		upstream->counts_failures = true;
	if (max_conns)
		upstream->decides = *max_conns;
}

static void add_directive(
	struct upstream *upstream, const struct nginx_statement *statement, const char *production)
{
	if (nginx_word_is(statement, 0, "server")) {
		add_server(upstream, statement, production);
	} else if (nginx_word_is(statement, 0, "zone")) {
		upstream->has_zone = true;
	} else if (nginx_word_is(statement, 0, "keepalive")) {
		upstream->has_keepalive = true;
	} else if (is_balancing_method(statement)) {
		upstream->decides = statement->words[0];
		upstream->has_late_method = upstream->has_keepalive;
	}
}

static int end_upstream(const struct scan *scan, const struct upstream *upstream, struct error *err)
{
	if (!upstream->live) {
		error_set(err, ERROR_CONFIG, 0,
			"'%s' line %d: no server of upstream '%.*s' would take traffic", scan->name,
			upstream->line, (int)upstream->name.length,
			upstream->name.start ? upstream->name.start : "");
		return error_hint(err, "nginx accepts this and answers every request with 502; "
				       "give the template a line for each version");
	}
	if (upstream->live == upstream->servers && upstream->live == upstream->live_production)
		scan->report->has_production_pool = true;
	add_name(&scan->report->names, &upstream->name);
	if (upstream->has_late_method)
		add_name(&scan->report->late_method, &upstream->name);
	if (upstream->servers == 1)
		return 0;
	add_name(&scan->report->shared, &upstream->name);
	if (!upstream->has_zone)
		add_name(&scan->report->without_zone, &upstream->name);
	if (upstream->counts_failures)
		add_name(&scan->report->without_max_fails, &upstream->name);
	if (upstream->decides.length) {
		add_name(&scan->report->unweighted, &upstream->name);
		buf_add_format(&scan->report->unweighted, " (%.*s)", (int)upstream->decides.length,
			upstream->decides.start);
	}
	return 0;
}

static int broken(const struct scan *scan, struct error *err)
{
	return error_set(err, ERROR_CONFIG, 0,
		"'%s' line %d: a quote, a block or a statement is not closed", scan->name,
		scan->reader.line);
}

static int scan_upstream(struct scan *scan, const struct nginx_statement *header, struct error *err)
{
	struct upstream upstream = { .line = header->line };
	struct nginx_statement statement;

	if (header->count > 1)
		upstream.name = header->words[1];
	for (;;) {
		switch (nginx_read_statement(&scan->reader, &statement)) {
		case NGINX_BLOCK_END:
			return end_upstream(scan, &upstream, err);
		case NGINX_DIRECTIVE:
			add_directive(&upstream, &statement, scan->production_server);
			break;
		default:
			return broken(scan, err);
		}
	}
}

static int scan_split(struct scan *scan, const struct nginx_statement *header, struct error *err)
{
	struct nginx_statement statement;
	int lines = 0;

	for (;;) {
		switch (nginx_read_statement(&scan->reader, &statement)) {
		case NGINX_BLOCK_END:
			if (lines)
				return 0;
			return error_set(err, ERROR_CONFIG, 0,
				"'%s' line %d: split_clients has no line that would take traffic",
				scan->name, header->line);
		case NGINX_DIRECTIVE:
			lines++;
			break;
		default:
			return broken(scan, err);
		}
	}
}

int upstreams_examine(const char *name, const char *text, const char *production_server,
	struct upstreams_report *ret_report, struct error *err)
{
	struct scan scan = { .name = name,
		.production_server = production_server,
		.reader = { .next = text, .line = 1 },
		.report = ret_report };
	struct nginx_statement statement;
	int depth = 0, result = 0;

	while (result == 0) {
		switch (nginx_read_statement(&scan.reader, &statement)) {
		case NGINX_BLOCK:
			if (nginx_word_is(&statement, 0, "upstream"))
				result = scan_upstream(&scan, &statement, err);
			else if (nginx_word_is(&statement, 0, "split_clients"))
				result = scan_split(&scan, &statement, err);
			else
				depth++;
			break;
		case NGINX_BLOCK_END:
			if (--depth < 0)
				return broken(&scan, err);
			break;
		case NGINX_TEXT_END:
			return depth ? broken(&scan, err) : 0;
		case NGINX_TEXT_BROKEN:
			return broken(&scan, err);
		case NGINX_DIRECTIVE:
			break;
		}
	}
	return -1;
}

void upstreams_report_release(struct upstreams_report *report)
{
	buf_release(&report->names);
	buf_release(&report->without_zone);
	buf_release(&report->without_max_fails);
	buf_release(&report->shared);
	buf_release(&report->unweighted);
	buf_release(&report->late_method);
}
