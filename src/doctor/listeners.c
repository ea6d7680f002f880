/* Listening sockets: see listeners.h. */
#include "doctor/listeners.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STATE_LISTEN = 0x0a, LOWEST_HEX_DIGITS = 8 };

static int port_of(const char *text)
{
	char *end;
	long port = strtol(text, &end, 10);

	return end != text && *end == '\0' && port > 0 && port <= 65535 ? (int)port : 0;
}

static bool is_any_address(const struct listener *listener)
{
	static const unsigned char zero[16];

	return memcmp(listener->address, zero, sizeof(zero)) == 0;
}

static void take_address(const char *host, struct listener *listener)
{
	if (strcmp(host, "*") == 0)
		listener->is_any = true;
	else if (strcmp(host, "localhost") == 0)
		inet_pton(AF_INET, "127.0.0.1", listener->address);
	else if (inet_pton(AF_INET, host, listener->address) == 1)
		listener->is_any = is_any_address(listener);
	else
		listener->port = 0; /* a name: who knows which addresses it has */
}

void listener_of_listen(const char *text, struct listener *ret_listener)
{
	const char *colon = strrchr(text, ':');
	char host[64];

	*ret_listener = (struct listener){ 0 };
	if (text[0] == '[') {
		const char *end = strchr(text, ']');

		if (!end)
			return;
		snprintf(host, sizeof(host), "%.*s", (int)(end - text - 1), text + 1);
		ret_listener->is_v6 = true;
		ret_listener->port = end[1] == ':' ? port_of(end + 2) : 80;
		if (inet_pton(AF_INET6, host, ret_listener->address) != 1)
			ret_listener->port = 0;
		ret_listener->is_any = is_any_address(ret_listener);
	} else if (colon) {
		snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
		ret_listener->port = port_of(colon + 1);
		take_address(host, ret_listener);
	} else if ((ret_listener->port = port_of(text)) != 0) {
		ret_listener->is_any = true;
	} else {
		ret_listener->port = 80;
		take_address(text, ret_listener);
	}
}

/* "0100007F": each 32 bits as the host counts them. */
static bool read_address(const char *hex, struct listener *listener)
{
	size_t words = listener->is_v6 ? 4 : 1;

	if (strspn(hex, "0123456789ABCDEFabcdef") != words * LOWEST_HEX_DIGITS)
		return false;
	for (size_t i = 0; i < words; i++) {
		char digits[LOWEST_HEX_DIGITS + 1];
		uint32_t word;

		snprintf(digits, sizeof(digits), "%.8s", hex + i * LOWEST_HEX_DIGITS);
		word = (uint32_t)strtoul(digits, NULL, 16);
		memcpy(listener->address + i * sizeof(word), &word, sizeof(word));
	}
	return true;
}

/* "0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 12345 ..." */
static bool read_line(const char *line, struct listener *listener)
{
	char local[64];
	unsigned int port, state;

	if (sscanf(line, " %*d: %63[0-9A-Fa-f]:%x %*s %x %*s %*s %*s %*s %*s %lu", local, &port,
		    &state, &listener->inode) != 4 ||
		state != STATE_LISTEN || !port || port > 65535)
		return false;
	listener->port = (int)port;
	if (!read_address(local, listener))
		return false;
	listener->is_any = is_any_address(listener);
	return true;
}

size_t listeners_parse(const char *text, bool is_v6, struct listener *ret_listeners, size_t most)
{
	size_t count = 0;

	while (*text && count < most) {
		char line[256];
		size_t length = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", length < 255 ? (int)length : 255, text);
		ret_listeners[count] = (struct listener){ .is_v6 = is_v6 };
		count += read_line(line, &ret_listeners[count]);
		text += length + (text[length] == '\n');
	}
	return count;
}

bool listener_is_in_the_way(const struct listener *held, const struct listener *wanted)
{
	if (!wanted->port || held->port != wanted->port)
		return false;
	/* An IPv6 socket for all addresses takes those of IPv4 too; NGINX's own do not. */
	if (held->is_v6 != wanted->is_v6)
		return held->is_v6 && held->is_any;
	return held->is_any || wanted->is_any ||
	       memcmp(held->address, wanted->address, sizeof(held->address)) == 0;
}
