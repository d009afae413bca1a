/*
 * A library for LD_PRELOAD: the program sees loopback and no other network.
 *
 * It is for systems that allow no network namespace. connect(), sendto(), sendmsg() and sendmmsg() refuse every IPv4
 * and IPv6 address outside 127.0.0.0/8 and ::1 with ENETUNREACH. getaddrinfo() knows numeric addresses and
 * "localhost" only, because the C library's own resolver does not go through the functions above.
 * A program that makes system calls without the C library is not held: a namespace is the better wall.
 *
 *     cc -shared -fPIC -O2 -o loopback_only.so loopback_only.c -ldl
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

/* The next definition of a function; found anew each time, so that no state is shared between threads. */
#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_loopback_v4(const unsigned char *bytes)
{
	return bytes[0] == 127;
}

static int is_loopback_v6(const struct in6_addr *address)
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		return is_loopback_v4(address->s6_addr + 12);
	return IN6_IS_ADDR_LOOPBACK(address);
}

/* Whether an address may be reached; what is no internet address, or none at all, is no business of ours. */
static int is_allowed(const void *address, socklen_t length)
{
	sa_family_t family;

	if (address == NULL || length < sizeof family)
		return 1;
	memcpy(&family, address, sizeof family);
	if (family == AF_INET && length >= sizeof(struct sockaddr_in)) {
		struct sockaddr_in v4;
		memcpy(&v4, address, sizeof v4);
		return is_loopback_v4((const unsigned char *)&v4.sin_addr);
	}
	if (family == AF_INET6 && length >= sizeof(struct sockaddr_in6)) {
		struct sockaddr_in6 v6;
		memcpy(&v6, address, sizeof v6);
		return is_loopback_v6(&v6.sin6_addr);
	}
	return 1;
}

static int refuse(void)
{
	errno = ENETUNREACH;
	return -1;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
	return is_allowed(address, length) ? NEXT(connect)(fd, address, length) : refuse();
}

ssize_t sendto(int fd, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length)
{
	return is_allowed(address, length) ? NEXT(sendto)(fd, data, size, flags, address, length) : refuse();
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	return is_allowed(message->msg_name, message->msg_namelen) ? NEXT(sendmsg)(fd, message, flags) : refuse();
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
	for (unsigned int i = 0; i < count; i++)
		if (!is_allowed(messages[i].msg_hdr.msg_name, messages[i].msg_hdr.msg_namelen))
			return refuse();
	return NEXT(sendmmsg)(fd, messages, count, flags);
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
	struct addrinfo numeric = { .ai_family = AF_UNSPEC };

	if (node == NULL || strcmp(node, "localhost") == 0)
		return NEXT(getaddrinfo)(node, service, hints, found);
	if (hints != NULL)
		numeric = *hints;
	numeric.ai_flags |= AI_NUMERICHOST;
	return NEXT(getaddrinfo)(node, service, &numeric, found);
}
