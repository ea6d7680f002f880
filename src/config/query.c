/* Selectors, and variables in queries: see query.h and canaryctl/config.h. */
#include "config/query.h"
#include "canaryctl/config.h"
#include "canaryctl/duration.h"

#include <ctype.h>
#include <string.h>

enum variable {
	VARIABLE_WINDOW,
	VARIABLE_VERSION,
	VARIABLE_STAGE_WEIGHT,
	VARIABLE_SERVICE,
	VARIABLE_TARGET,
	VARIABLE_TARGET_URL,
	VARIABLE_PROMETHEUS_URL,
};

const char *const query_variables[] = {
	[VARIABLE_WINDOW] = "window",
	[VARIABLE_VERSION] = "version",
	[VARIABLE_STAGE_WEIGHT] = "stage_weight",
	[VARIABLE_SERVICE] = "service",
	[VARIABLE_TARGET] = "target",
	[VARIABLE_TARGET_URL] = "target_url",
	[VARIABLE_PROMETHEUS_URL] = "prometheus_url",
	NULL,
};

/* The index of the variable at "${", or -1; *ret_length as in query_unknown_variable(). */
static int variable_at(const char *text, size_t *ret_length)
{
	size_t length = strcspn(text, "}");

	*ret_length = length + (text[length] == '}');
	if (!text[length])
		return -1;
	for (int i = 0; query_variables[i]; i++) {
		if (strlen(query_variables[i]) == length - 2 &&
			strncmp(query_variables[i], text + 2, length - 2) == 0)
			return i;
	}
	return -1;
}

const char *query_unknown_variable(const char *text, size_t *ret_length)
{
	while ((text = strstr(text, "${"))) {
		if (variable_at(text, ret_length) < 0)
			return text;
		text += *ret_length;
	}
	return NULL;
}

static const char *skip_spaces(const char *text)
{
	return text + strspn(text, " \t\r\n");
}

/* A name, in which a ${variable} may stand; NULL when there is none. */
static const char *skip_name(const char *text, bool colons)
{
	const char *start = text;

	for (;;) {
		size_t length;

		if (isalpha((unsigned char)*text) || *text == '_' || (colons && *text == ':') ||
			(text > start && isdigit((unsigned char)*text)))
			text++;
		else if (text[0] == '$' && text[1] == '{' && variable_at(text, &length) >= 0)
			text += length;
		else
			return text > start ? text : NULL;
	}
}

static const char *skip_string(const char *text)
{
	char quote = *text;

	if (quote != '"' && quote != '\'' && quote != '`')
		return NULL;
	for (text++; *text && *text != quote; text++) {
		if (quote != '`' && *text == '\\' && text[1])
			text++;
	}
	return *text ? text + 1 : NULL;
}

/* One `label="value"` or none; NULL when it is something else. */
static const char *skip_matcher(const char *text)
{
	text = skip_name(text, false);
	if (!text)
		return NULL;
	text = skip_spaces(text);
	if (text[0] == '!' && (text[1] == '=' || text[1] == '~'))
		text += 2;
	else if (text[0] == '=')
		text += text[1] == '~' ? 2 : 1;
	else
		return NULL;
	text = skip_string(skip_spaces(text));
	return text ? skip_spaces(text) : NULL;
}

static const char *skip_matchers(const char *text)
{
	text = skip_spaces(text);
	while (*text && *text != '}') {
		text = skip_matcher(text);
		if (!text)
			return NULL;
		if (*text != ',')
			break;
		text = skip_spaces(text + 1);
	}
	return text;
}

bool matchers_valid(const char *text)
{
	const char *end = skip_matchers(text);

	return end && !*end && *skip_spaces(text);
}

bool selector_valid(const char *text)
{
	const char *name = skip_spaces(text);
	const char *at = skip_name(name, true);

	at = skip_spaces(at ? at : name);
	if (*at == '{') {
		at = skip_matchers(at + 1);
		if (!at || *at != '}')
			return false;
		at = skip_spaces(at + 1);
	}
	return !*at && at > name;
}

/* As it must be inside a PromQL string of either quote. */
static void add_escaped(struct buf *text, const char *value)
{
	for (; *value; value++) {
		if (strchr("\\\"'", *value) || (unsigned char)*value < 0x20)
			buf_add_format(text, "\\x%02x", (unsigned)*value);
		else
			buf_add(text, value, 1);
	}
}

static const char *target_of(const struct check_context *context)
{
	return context->target ? context->target : "canary";
}

/* The scheme and host of the target's health page: what its other pages are below. */
static void add_target_url(struct buf *text, const struct check_context *context)
{
	const struct config *config = context->config;
	const struct endpoint_config *endpoint;
	const char *host;

	if (!config)
		return;
	endpoint = strcmp(target_of(context), "production") == 0 ? &config->production
								 : &config->canary;
	host = strstr(endpoint->health, "://");
	host = host ? host + 3 : endpoint->health;
	buf_add(text, endpoint->health, (size_t)(host - endpoint->health) + strcspn(host, "/?#"));
}

static void add_variable(
	struct buf *text, enum variable variable, const struct check_context *context)
{
	char duration[DURATION_TEXT_SIZE];
	char weight[WEIGHT_TEXT_SIZE];

	switch (variable) {
	case VARIABLE_WINDOW:
		buf_add_text(text, duration_format(context->window_ms, duration));
		break;
	case VARIABLE_VERSION:
		add_escaped(text, context->version ? context->version : "");
		break;
	case VARIABLE_STAGE_WEIGHT:
		buf_add_text(text, weight_format(context->stage_weight, weight));
		break;
	case VARIABLE_SERVICE:
		add_escaped(text, context->config ? context->config->service : "");
		break;
	case VARIABLE_TARGET:
		buf_add_text(text, target_of(context));
		break;
	case VARIABLE_TARGET_URL:
		add_target_url(text, context);
		break;
	case VARIABLE_PROMETHEUS_URL:
		buf_add_text(text, context->config ? context->config->prometheus.url : "");
		break;
	}
}

char *config_expand_query(const char *query, const struct check_context *context)
{
	struct buf text = { 0 };

	while (*query) {
		size_t length = strcspn(query, "$");
		size_t variable_length;
		int variable;

		buf_add(&text, query, length);
		query += length;
		if (!*query)
			break;
		variable = query[1] == '{' ? variable_at(query, &variable_length) : -1;
		if (variable >= 0) {
			add_variable(&text, (enum variable)variable, context);
			query += variable_length;
		} else {
			buf_add(&text, query++, 1);
		}
	}
	return buf_take(&text);
}
