/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/dgram_sock.c - datagram sockets: UDP between two, UDP multicast, UNIX paths, inherited descriptors
 *
 * A multicast bus is shared by processes of one host, all bound to the group's port. Frames are sent from a second socket, whose port
 * nobody else has: that is how a process knows its own frames when they come back from the group, as they must for its neighbours' sake.
 */
#include "core/channel.h"
#include "lib/bits.h"
#include "lib/strparse.h"
#include "net/backends/dgram_wire.h"
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netdb.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* More than one burst: what a guest has not fetched yet waits in the socket. The kernel may give less. */
enum { RCVBUF = 4 * 1024 * 1024, SNDBUF = 1024 * 1024 };

/* --- addresses --------------------------------------------------------------------------------------------------- */

static struct sockaddr_in *in4(const struct dgram_addr *a)
{
    return (struct sockaddr_in *)(uintptr_t)&a->ss;
}

static struct sockaddr_in6 *in6(const struct dgram_addr *a)
{
    return (struct sockaddr_in6 *)(uintptr_t)&a->ss;
}

/* The path, or the name in the abstract namespace; a sockaddr_storage has zeros behind it. */
static const char *un_path(const struct dgram_addr *a)
{
    const struct sockaddr_un *un = (const void *)&a->ss;

    return un->sun_path + !un->sun_path[0];
}

static bool port_parse(const char *port, uint16_t *out, Error **errp)
{
    struct servent *se;
    uint64_t v;

    if (parse_u64(port, UINT16_MAX, &v)) {
        *out = htons((uint16_t)v);
        return true;
    }
    se = g_ascii_isalpha(*port) ? getservbyname(port, "udp") : NULL;
    if (!se) {
        error_setg(errp, "port number '%s' is invalid", port);
        return false;
    }
    *out = (uint16_t)se->s_port;
    return true;
}

static bool host_parse(struct dgram_addr *a, const char *host, int family, Error **errp)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM, .ai_family = family }, *res = NULL;
    struct in_addr numeric;

    if (family != AF_INET6 && g_ascii_isdigit(*host) && !strchr(host, ':') && inet_pton(AF_INET, host, &numeric) != 1) {
        error_setg(errp, "host address '%s' is not a valid IPv4 address", host);
        return false;
    }
    if (getaddrinfo(host, NULL, &hints, &res)) {
        error_setg(errp, "can't resolve host address '%s'", host);
        return false;
    }
    for (struct addrinfo *ai = res; ai; ai = ai->ai_next) {
        if (ai->ai_family == AF_INET || (!a->len && ai->ai_family == AF_INET6)) {
            memcpy(&a->ss, ai->ai_addr, ai->ai_addrlen);
            a->len = ai->ai_addrlen;
            if (ai->ai_family == AF_INET) {
                break;
            }
        }
    }
    freeaddrinfo(res);
    if (!a->len) {
        error_setg(errp, "can't resolve host address '%s'", host);
    }
    return a->len != 0;
}

bool dgram_resolve(struct dgram_addr *a, const char *host, const char *port, int family, bool remote, Error **errp)
{
    uint16_t p;

    *a = (struct dgram_addr){ 0 };
    if (!port_parse(port, &p, errp)) {
        return false;
    }
    if (!host || !*host) {
        host = family == AF_INET6 ? "::" : "0.0.0.0";
    }
    if (!host_parse(a, host, family, errp)) {
        return false;
    }
    if (a->ss.ss_family == AF_INET) {
        in4(a)->sin_port = p;
        if (remote && in4(a)->sin_addr.s_addr == htonl(INADDR_ANY)) {
            in4(a)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        }
    } else {
        in6(a)->sin6_port = p;
        if (remote && IN6_IS_ADDR_UNSPECIFIED(&in6(a)->sin6_addr)) {
            in6(a)->sin6_addr = in6addr_loopback;
        }
    }
    return true;
}

char *dgram_addr_text(const struct dgram_addr *a)
{
    char host[INET6_ADDRSTRLEN];

    if (!a->len) {
        return g_strdup("");
    }
    switch (a->ss.ss_family) {
    case AF_INET:
        return g_strdup_printf("%s:%u", inet_ntop(AF_INET, &in4(a)->sin_addr, host, sizeof(host)), ntohs(in4(a)->sin_port));
    case AF_INET6:
        return g_strdup_printf("[%s]:%u", inet_ntop(AF_INET6, &in6(a)->sin6_addr, host, sizeof(host)), ntohs(in6(a)->sin6_port));
    case AF_UNIX:
        return g_strdup(un_path(a));
    default:
        return g_strdup("");
    }
}

bool dgram_addr_unix(struct dgram_addr *a, const char *path, bool abstract, bool loose, Error **errp)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&a->ss;
    size_t n = strlen(path);

    *a = (struct dgram_addr){ .ss.ss_family = AF_UNIX, .len = sizeof(*un) };
    if (n >= sizeof(un->sun_path)) {
        error_setg(errp, "UNIX socket path '%s' is too long", path);
        error_hint(errp, "Path must be less than %zu bytes\n", sizeof(un->sun_path));
        return false;
    }
    memcpy(un->sun_path + abstract, path, n);
    if (abstract && !loose) {
        a->len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n);
    }
    return true;
}

bool dgram_addr_is_multicast(const struct dgram_addr *a)
{
    return a->len && (a->ss.ss_family == AF_INET ? IN_MULTICAST(ntohl(in4(a)->sin_addr.s_addr))
                                                 : a->ss.ss_family == AF_INET6 && IN6_IS_ADDR_MULTICAST(&in6(a)->sin6_addr));
}

/* --- opening ----------------------------------------------------------------------------------------------------- */

static bool new_socket(int family, int *fd, Error **errp)
{
    *fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (*fd < 0) {
        error_setg_errno(errp, errno, "can't create datagram socket");
        return false;
    }
    return true;
}

static void set_int(int fd, int level, int opt, int val)
{
    (void)setsockopt(fd, level, opt, &val, sizeof(val));
}

static void set_buffers(int fd)
{
    set_int(fd, SOL_SOCKET, SO_RCVBUF, RCVBUF);
    set_int(fd, SOL_SOCKET, SO_RCVBUFFORCE, RCVBUF);
    set_int(fd, SOL_SOCKET, SO_SNDBUF, SNDBUF);
}

static bool bind_to(int fd, const struct dgram_addr *a, Error **errp)
{
    if (bind(fd, (const void *)&a->ss, a->len) < 0) {
        g_autofree char *text = dgram_addr_text(a);
        int err = errno;

        *(strrchr(text, ':') ? strrchr(text, ':') : text) = '\0';
        error_setg_errno(errp, err, "can't bind ip=%s to socket", text);
        return false;
    }
    return true;
}

static void sock_init(struct dgram_sock *s)
{
    *s = (struct dgram_sock){ .fd = -1, .tx_fd = -1 };
}

bool dgram_sock_udp(struct dgram_sock *s, const struct dgram_addr *local, const struct dgram_addr *remote, Error **errp)
{
    sock_init(s);
    if (local->ss.ss_family != remote->ss.ss_family) {
        error_setg(errp, "local and remote addresses are of different families");
        return false;
    }
    if (!new_socket(local->ss.ss_family, &s->fd, errp)) {
        return false;
    }
    if (!bind_to(s->fd, local, errp)) {
        dgram_sock_close(s);
        return false;
    }
    set_buffers(s->fd);
    s->dest = *remote;
    s->check_source = true;
    s->ours = true;
    return true;
}

/* The interface that has @addr; 0: none */
static unsigned iface_index(const struct dgram_addr *addr)
{
    struct ifaddrs *all = NULL;
    unsigned index = 0;

    if (getifaddrs(&all) < 0) {
        return 0;
    }
    for (struct ifaddrs *i = all; i && !index; i = i->ifa_next) {
        if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET6 &&
            !memcmp(&((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, &in6(addr)->sin6_addr, 16)) {
            index = if_nametoindex(i->ifa_name);
        }
    }
    freeifaddrs(all);
    return index;
}

static bool join(int fd, const struct dgram_addr *group, const struct dgram_addr *iface, unsigned index, Error **errp)
{
    bool v4 = group->ss.ss_family == AF_INET;
    struct ip_mreq m4 = { .imr_interface.s_addr = htonl(INADDR_ANY) };
    struct ipv6_mreq m6 = { .ipv6mr_interface = index };
    int rc;

    if (v4) {
        m4.imr_multiaddr = in4(group)->sin_addr;
        if (iface->len) {
            m4.imr_interface = in4(iface)->sin_addr;
        }
        rc = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4));
    } else {
        m6.ipv6mr_multiaddr = in6(group)->sin6_addr;
        rc = setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6));
    }
    if (rc < 0) {
        g_autofree char *text = dgram_addr_text(group);
        int err = errno;

        *strrchr(text, ':') = '\0';
        error_setg_errno(errp, err, "can't add socket to multicast group %s", text);
        return false;
    }
    return true;
}

/* Frames leave from here: every member of the group gets them, on this host too. */
static bool open_sender(struct dgram_sock *s, const struct dgram_addr *group, const struct dgram_addr *iface, unsigned index, Error **errp)
{
    bool v4 = group->ss.ss_family == AF_INET;
    int rc;

    if (!new_socket(group->ss.ss_family, &s->tx_fd, errp)) {
        return false;
    }
    set_int(s->tx_fd, SOL_SOCKET, SO_SNDBUF, SNDBUF);
    if (v4) {
        set_int(s->tx_fd, IPPROTO_IP, IP_MULTICAST_LOOP, 1);
        rc = iface->len ? setsockopt(s->tx_fd, IPPROTO_IP, IP_MULTICAST_IF, &in4(iface)->sin_addr, sizeof(struct in_addr)) : 0;
    } else {
        set_int(s->tx_fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 1);
        rc = index ? setsockopt(s->tx_fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &index, sizeof(index)) : 0;
    }
    if (rc < 0) {
        error_setg_errno(errp, errno, "can't set the default network send interface");
        return false;
    }
    s->own.ss.ss_family = group->ss.ss_family;
    s->own.len = group->len;
    if (iface->len) {
        s->own = *iface;
        if (v4) {
            in4(&s->own)->sin_port = 0;
        } else {
            in6(&s->own)->sin6_port = 0;
        }
    }
    if (!bind_to(s->tx_fd, &s->own, errp)) {
        return false;
    }
    s->own.len = sizeof(s->own.ss);
    getsockname(s->tx_fd, (void *)&s->own.ss, &s->own.len);
    s->dest = *group;
    dgram_sock_pin(s);
    return true;
}

bool dgram_sock_pin(struct dgram_sock *s)
{
    struct dgram_addr own = { .len = sizeof(own.ss) };

    if (s->tx_fd < 0 || s->pinned) {
        return true;
    }
    if (connect(s->tx_fd, (const void *)&s->dest.ss, s->dest.len) < 0 || getsockname(s->tx_fd, (void *)&own.ss, &own.len) < 0) {
        return false;
    }
    s->own = own;
    s->dest.len = 0;
    s->pinned = true;
    return true;
}

bool dgram_sock_mcast(struct dgram_sock *s, const struct dgram_addr *group, const struct dgram_addr *iface, Error **errp)
{
    unsigned index = iface->len && iface->ss.ss_family == AF_INET6 ? iface_index(iface) : 0;

    sock_init(s);
    if (!dgram_addr_is_multicast(group)) {
        g_autofree char *text = dgram_addr_text(group);

        if (strrchr(text, ':')) {
            *strrchr(text, ':') = '\0';
        }
        error_setg(errp, "specified mcastaddr %s (0x%08x) does not contain a multicast address", text,
                   group->ss.ss_family == AF_INET ? ntohl(in4(group)->sin_addr.s_addr) : 0);
        return false;
    }
    if (iface->len && iface->ss.ss_family != group->ss.ss_family) {
        error_setg(errp, "local and remote addresses are of different families");
        return false;
    }
    if (!new_socket(group->ss.ss_family, &s->fd, errp)) {
        return false;
    }
    set_int(s->fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!bind_to(s->fd, group, errp) || !join(s->fd, group, iface, index, errp) || !open_sender(s, group, iface, index, errp)) {
        dgram_sock_close(s);
        return false;
    }
    set_buffers(s->fd);
    s->ours = true;
    return true;
}

bool dgram_sock_fd(struct dgram_sock *s, int fd, const struct dgram_addr *group, Error **errp)
{
    static const struct dgram_addr any = { 0 };
    int type;
    socklen_t len = sizeof(type);

    sock_init(s);
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
        error_setg_errno(errp, errno, "can't get socket option SO_TYPE");
        return false;
    }
    if (type == SOCK_STREAM) {
        error_setg(errp, "fd=%d is not a datagram socket", fd);
        return false;
    }
    if (!channel_nonblock(fd)) {
        error_setg_errno(errp, errno, "Can't set file descriptor %d non-blocking", fd);
        return false;
    }
    if (group->len && !open_sender(s, group, &any, 0, errp)) {
        dgram_sock_close(s);
        return false;
    }
    s->fd = fd;
    return true;
}

/* --- UNIX ---------------------------------------------------------------------------------------------------------- */

/* A socket file that nobody listens at any more, left by a process that was killed. */
static bool is_stale(const struct dgram_addr *a)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct stat st;
    bool dead = false;

    if (fd < 0) {
        return false;
    }
    if (lstat(un_path(a), &st) == 0 && S_ISSOCK(st.st_mode)) {
        dead = connect(fd, (const void *)&a->ss, a->len) < 0 && errno == ECONNREFUSED;
    }
    close(fd);
    return dead;
}

bool dgram_sock_unix(struct dgram_sock *s, const struct dgram_addr *local, const struct dgram_addr *remote, Error **errp)
{
    bool is_path = ((const struct sockaddr_un *)&local->ss)->sun_path[0];
    struct stat st;
    int rc;

    sock_init(s);
    if (!new_socket(AF_UNIX, &s->fd, errp)) {
        return false;
    }
    rc = bind(s->fd, (const void *)&local->ss, local->len);
    if (rc < 0 && errno == EADDRINUSE && is_path && is_stale(local) && unlink(un_path(local)) == 0) {
        rc = bind(s->fd, (const void *)&local->ss, local->len);
    }
    if (rc < 0) {
        error_setg_errno(errp, errno, "can't bind unix=%s to socket", un_path(local));
        dgram_sock_close(s);
        return false;
    }
    if (is_path && lstat(un_path(local), &st) == 0) {
        s->unlink_path = g_canonicalize_filename(un_path(local), NULL);     /* -daemonize changes the directory */
        s->unlink_ino = st.st_ino;
    }
    set_buffers(s->fd);
    s->dest = *remote;
    s->ours = true;
    return true;
}

void dgram_sock_close(struct dgram_sock *s)
{
    struct stat st;

    if (s->unlink_path && lstat(s->unlink_path, &st) == 0 && st.st_ino == s->unlink_ino) {
        unlink(s->unlink_path);
    }
    g_clear_pointer(&s->unlink_path, g_free);
    if (s->fd >= 0) {
        close(s->fd);
    }
    if (s->tx_fd >= 0) {
        close(s->tx_fd);
    }
    s->fd = s->tx_fd = -1;
}
