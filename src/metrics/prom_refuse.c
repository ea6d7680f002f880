/*
 * Turns a refusal into an error that says what to do. What can never work (a query that cannot be
 * parsed, a wrong address, wrong credentials) is ERROR_CONFIG; what may work in a moment is
 * ERROR_NET. Text from the server is cut and made printable first. Pure.
 */
#include "metrics/prom_refuse.h"
#include "canaryctl/buf.h"

#include <stdbool.h>
#include <string.h>

enum { SHOWN_BYTES = 400 };

static bool is_transient(long status)
{
	return status >= 500 || status == 429 || status == 408;
}

static int refuse_credentials(long status, const char *text, struct error *err)
{
	error_set(err, ERROR_CONFIG, 0, "Prometheus answered HTTP %ld%s%s", status,
		*text ? ": " : " (credentials missing or refused)", text);
	return error_hint(err,
		"check basic_auth, authorization, tls_config and headers (X-Scope-OrgID) under "
		"'prometheus' in the configuration");
}

static int refuse_path(const char *text, struct error *err)
{
	error_set(err, ERROR_CONFIG, 0,
		"Prometheus answered HTTP 404%s%s: is the path prefix in prometheus.url right?",
		*text ? ": " : "", text);
	return error_hint(err, "'/api/v1/query' is asked below prometheus.url; Mimir needs "
			       "'/prometheus' there, VictoriaMetrics' cluster "
			       "'/select/0/prometheus'");
}

int prom_refuse_error(long status, const char *type, const char *text, struct error *err)
{
	CLEANUP_BUF struct buf shown = BUF_INIT(SHOWN_BYTES);

	if (*type) {
		buf_add_printable(&shown, type);
		buf_add_text(&shown, ": ");
	}
	buf_add_printable(&shown, text);
	if (status == 401 || status == 403)
		return refuse_credentials(status, buf_text(&shown), err);
	if (status == 404)
		return refuse_path(buf_text(&shown), err);
	if (is_transient(status) || !strcmp(type, "timeout") || !strcmp(type, "canceled") ||
		!strcmp(type, "unavailable") || !strcmp(type, "internal"))
		return error_set(err, ERROR_NET, 0, "Prometheus cannot answer now (HTTP %ld): %s",
			status, buf_text(&shown));
	if (!strcmp(type, "execution") || status == 422) {
		error_set(err, ERROR_CONFIG, 0, "Prometheus cannot execute the query: %s",
			buf_text(&shown));
		return error_hint(err, "try the query in Prometheus' own page; label sets that do "
				       "not match, and too many samples, end like this");
	}
	error_set(err, ERROR_CONFIG, 0, "Prometheus refuses the query: %s", buf_text(&shown));
	return error_hint(err, "correct the query; it can be tried in Prometheus' own page");
}

static bool looks_like_html(const char *content_type, const char *body)
{
	return !strncmp(content_type, "text/html", 9) || !strncasecmp(body, "<!doctype", 9) ||
	       !strncasecmp(body, "<html", 5);
}

int prom_refuse_status(long status, const char *content_type, const char *body, struct error *err)
{
	CLEANUP_BUF struct buf shown = BUF_INIT(120);
	CLEANUP_BUF struct buf type = BUF_INIT(80);
	bool html = looks_like_html(content_type, body);

	buf_add_printable(&type, *content_type ? content_type : "no content type");
	if (!html) /* a page says nothing in its first line */
		buf_add_printable(&shown, body);
	if (status == 401 || status == 403)
		return refuse_credentials(status, buf_text(&shown), err);
	if (status == 404)
		return refuse_path("", err);
	if (is_transient(status))
		return error_set(err, ERROR_NET, 0, "Prometheus cannot answer now: HTTP %ld%s%s",
			status, shown.length ? ": " : "", buf_text(&shown));
	if (status >= 300 && status < 400) {
		error_set(err, ERROR_CONFIG, 0,
			"prometheus.url answers with a redirect (HTTP %ld), which is not followed",
			status);
		return error_hint(err, "give the final address, with its path prefix and https if "
				       "it asks for that; a login page also redirects");
	}
	if (status < 200 || status >= 300)
		return error_set(err, ERROR_CONFIG, 0, "Prometheus refuses the query: HTTP %ld%s%s",
			status, shown.length ? ": " : "", buf_text(&shown));
	error_set(err, ERROR_CONFIG, 0, "the answer is '%s', not JSON%s", buf_text(&type),
		html ? ": a login page, or not Prometheus at all" : "");
	return error_hint(err, "check prometheus.url and its credentials");
}
