/*
 * A resolver that fails, for LD_PRELOAD: names that end in ".test" are this host, and cannot be
 * resolved while the file $DNS_FAULT_FLAG exists.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef int getaddrinfo_fn(const char *, const char *, const struct addrinfo *, struct addrinfo **);

int getaddrinfo(const char *restrict node, const char *restrict service,
	const struct addrinfo *restrict hints, struct addrinfo **restrict ret_addresses)
{
	const char *flag = getenv("DNS_FAULT_FLAG");
	const char *end = node ? strrchr(node, '.') : NULL;
	getaddrinfo_fn *real;

	*(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
	if (!end || strcmp(end, ".test") != 0)
		return real(node, service, hints, ret_addresses);
	if (flag && access(flag, F_OK) == 0)
		return EAI_AGAIN;
	return real("127.0.0.1", service, hints, ret_addresses);
}
