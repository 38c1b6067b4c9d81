/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/channel.c - stream and datagram sockets by address */
#include "core/channel.h"
#include "core/fdname.h"
#include "lib/strparse.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

bool channel_fd_parse(const char *s, int *fd, Error **errp)
{
    uint64_t v;

    if (fdname_active() && *s && !g_ascii_isdigit(*s)) {
        *fd = fdname_take(s, errp);
        return *fd >= 0;
    }
    if (!parse_u64(s, INT32_MAX, &v)) {
        error_setg(errp, "Invalid file descriptor number '%s'", s);
        return false;
    }
    if (fcntl((int)v, F_GETFD) < 0) {
        error_setg_errno(errp, errno, "Can't set file descriptor %s non-blocking", s);
        return false;
    }
    *fd = (int)v;
    return true;
}

bool channel_nonblock(int fd)
{
    int fl = fcntl(fd, F_GETFL);

    return fl >= 0 && fcntl(fd, F_SETFL, fl | O_NONBLOCK) == 0 && fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

char *channel_addr_text(const struct channel_addr *a)
{
    switch (a->kind) {
    case CHANNEL_INET:
        return g_strdup_printf(a->host && strchr(a->host, ':') ? "[%s]:%s" : "%s:%s", a->host ? a->host : "", a->port);
    case CHANNEL_UNIX:
        return g_strdup(a->path);
    case CHANNEL_FD:
        break;
    }
    return g_strdup_printf("fd=%d", a->fd);
}

static char *sockaddr_text(const struct sockaddr_storage *ss, socklen_t len)
{
    char host[64], port[16];

    if (ss->ss_family == AF_UNIX) {
        const struct sockaddr_un *un = (const void *)ss;
        size_t n = len > offsetof(struct sockaddr_un, sun_path) ? len - offsetof(struct sockaddr_un, sun_path) : 0;

        if (n && !un->sun_path[0]) {
            return g_strndup(un->sun_path + 1, strnlen(un->sun_path + 1, n - 1));
        }
        return g_strndup(un->sun_path, strnlen(un->sun_path, n));
    }
    if (getnameinfo((const void *)ss, len, host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV)) {
        return g_strdup("");
    }
    return g_strdup_printf(strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, port);
}

char *channel_name(int fd, bool remote)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);

    if ((remote ? getpeername(fd, (void *)&ss, &len) : getsockname(fd, (void *)&ss, &len)) < 0) {
        return g_strdup("");
    }
    return sockaddr_text(&ss, MIN(len, sizeof(ss)));
}

uint16_t channel_port(int fd)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);

    if (getsockname(fd, (void *)&ss, &len) < 0) {
        return 0;
    }
    if (ss.ss_family == AF_INET) {
        return ntohs(((struct sockaddr_in *)&ss)->sin_port);
    }
    return ss.ss_family == AF_INET6 ? ntohs(((struct sockaddr_in6 *)&ss)->sin6_port) : 0;
}

bool channel_is_unix(int fd)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);

    return getsockname(fd, (void *)&ss, &len) == 0 && ss.ss_family == AF_UNIX;
}

static bool unix_addr(const struct channel_addr *a, struct sockaddr_un *un, socklen_t *len, Error **errp)
{
    size_t n = strlen(a->path), max = sizeof(un->sun_path) - 1;

    memset(un, 0, sizeof(*un));
    un->sun_family = AF_UNIX;
    if (n > max) {
        error_setg(errp, "UNIX socket path '%s' is too long", a->path);
        error_hint(errp, "Path must be less than %zu bytes\n", max + 1);
        return false;
    }
    if (a->abstract) {
        memcpy(un->sun_path + 1, a->path, n);
        *len = (socklen_t)(a->loose ? sizeof(*un) : offsetof(struct sockaddr_un, sun_path) + 1 + n);
    } else {
        memcpy(un->sun_path, a->path, n);
        *len = sizeof(*un);
    }
    return true;
}

/* Numeric addresses never ask a name server. */
static struct addrinfo *resolve_how(const char *host, const char *port, int type, int flags, bool only4, bool only6,
                                    Error **errp)
{
    struct addrinfo hints = { .ai_socktype = type, .ai_flags = flags }, *res = NULL;
    bool passive = flags & AI_PASSIVE;
    int rc;

    hints.ai_family = only4 == only6 ? AF_UNSPEC : only4 ? AF_INET : AF_INET6;
    if (host && !*host) {
        host = NULL;
    }
    if (!host && passive && hints.ai_family == AF_UNSPEC) {
        host = "0.0.0.0";       /* as everybody expects of "tcp::1234" */
    } else if (!host && !passive) {
        host = hints.ai_family == AF_INET6 ? "::1" : "127.0.0.1";
    }
    rc = getaddrinfo(host, port, &hints, &res);
    if (rc) {
        error_setg(errp, "address resolution failed for %s:%s: %s", host ? host : "", port, gai_strerror(rc));
        return NULL;
    }
    return res;
}

static struct addrinfo *resolve(const char *host, const char *port, int type, bool passive, bool only4, bool only6,
                                Error **errp)
{
    return resolve_how(host, port, type, passive ? AI_PASSIVE : 0, only4, only6, errp);
}

static int new_socket(int family, int type, bool mptcp)
{
    return socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, mptcp && family != AF_UNIX ? IPPROTO_MPTCP : 0);
}

/* Those that accepted connections inherit. What the kernel does not have is done without. */
static void set_keep_alive(int fd, const struct channel_addr *a)
{
    const struct {
        int option;
        uint32_t value;
    } opts[] = {
        { TCP_KEEPCNT, a->keep_alive_count }, { TCP_KEEPIDLE, a->keep_alive_idle }, { TCP_KEEPINTVL, a->keep_alive_interval },
    };
    int one = 1;

    if (!a->keep_alive) {
        return;
    }
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
    for (unsigned i = 0; i < G_N_ELEMENTS(opts); i++) {
        int v = (int)MIN(opts[i].value, INT32_MAX);

        if (v) {
            setsockopt(fd, IPPROTO_TCP, opts[i].option, &v, sizeof(v));
        }
    }
}

static void fail(Error **errp, int err, const char *verb, const struct channel_addr *a)
{
    char *text = channel_addr_text(a);

    error_setg_errno(errp, err, "Failed to %s '%s'", verb, text);
    g_free(text);
}

static int backlog(const struct channel_addr *a)
{
    return a->backlog ? a->backlog : 16;
}

static int listen_inet_at(const struct channel_addr *a, const struct addrinfo *ai)
{
    int one = 1, fd = new_socket(ai->ai_family, SOCK_STREAM, a->mptcp);

    if (fd < 0) {
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    set_keep_alive(fd, a);
    if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, backlog(a)) < 0) {
        int err = errno;

        close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

static int numeric_flags(const struct channel_addr *a)
{
    return a->numeric ? AI_NUMERICHOST | AI_NUMERICSERV : 0;
}

static int listen_inet(const struct channel_addr *a, Error **errp)
{
    uint64_t first = 0;
    bool numeric = parse_u64(a->port, UINT16_MAX, &first);
    unsigned last = numeric && a->to > first ? a->to : (unsigned)first;
    int fd = -1, err = 0;

    for (unsigned port = (unsigned)first; port <= last && fd < 0; port++) {
        char *text = numeric ? g_strdup_printf("%u", port) : g_strdup(a->port);
        struct addrinfo *res = resolve_how(a->host, text, SOCK_STREAM, AI_PASSIVE | numeric_flags(a), a->only4, a->only6, errp);

        g_free(text);
        if (!res) {
            return -1;
        }
        for (struct addrinfo *ai = res; ai && fd < 0; ai = ai->ai_next) {
            fd = listen_inet_at(a, ai);
            err = errno;
        }
        freeaddrinfo(res);
    }
    if (fd < 0) {
        fail(errp, err, "bind socket to", a);
    }
    return fd;
}

/* A stale socket of an earlier run is replaced; anything else at that path is not. */
static void remove_stale(const char *path)
{
    struct stat st;

    if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode)) {
        unlink(path);
    }
}

static int listen_unix(const struct channel_addr *a, Error **errp)
{
    struct sockaddr_un un;
    socklen_t len;
    int fd;

    if (!unix_addr(a, &un, &len, errp)) {
        return -1;
    }
    fd = new_socket(AF_UNIX, SOCK_STREAM, false);
    if (fd < 0) {
        fail(errp, errno, "create socket", a);
        return -1;
    }
    if (!a->abstract) {
        remove_stale(a->path);
    }
    if (bind(fd, (void *)&un, len) < 0 || listen(fd, backlog(a)) < 0) {
        fail(errp, errno, "bind socket to", a);
        close(fd);
        return -1;
    }
    return fd;
}

int channel_listen(const struct channel_addr *a, Error **errp)
{
    switch (a->kind) {
    case CHANNEL_INET:
        return listen_inet(a, errp);
    case CHANNEL_UNIX:
        return listen_unix(a, errp);
    case CHANNEL_FD:
        break;
    }
    if (!channel_nonblock(a->fd)) {
        fail(errp, errno, "use", a);
        return -1;
    }
    return a->fd;
}

int channel_accept(int listen_fd)
{
    int fd, one = 1;

    do {
        fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    } while (fd < 0 && errno == EINTR);
    if (fd >= 0) {
        /* fails on a UNIX socket, which has no delay */
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    return fd;
}

static int connect_addr(const struct channel_addr *a, int family, const void *sa, socklen_t len, bool *pending)
{
    int one = 1, fd = new_socket(family, SOCK_STREAM, a->mptcp);

    if (fd < 0) {
        return -1;
    }
    *pending = false;
    if (family != AF_UNIX) {
        set_keep_alive(fd, a);
    }
    if (connect(fd, sa, len) < 0) {
        if (errno != EINPROGRESS) {
            int err = errno;

            close(fd);
            errno = err;
            return -1;
        }
        *pending = true;
    }
    if (family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    }
    return fd;
}

int channel_connect(const struct channel_addr *a, bool *pending, Error **errp)
{
    struct addrinfo *res;
    struct sockaddr_un un;
    socklen_t len;
    int fd = -1, err = 0;

    *pending = false;
    switch (a->kind) {
    case CHANNEL_INET:
        res = resolve_how(a->host, a->port, SOCK_STREAM, numeric_flags(a), a->only4, a->only6, errp);
        if (!res) {
            return -1;
        }
        for (struct addrinfo *ai = res; ai && fd < 0; ai = ai->ai_next) {
            fd = connect_addr(a, ai->ai_family, ai->ai_addr, ai->ai_addrlen, pending);
            err = errno;
        }
        freeaddrinfo(res);
        break;
    case CHANNEL_UNIX:
        if (!unix_addr(a, &un, &len, errp)) {
            return -1;
        }
        fd = connect_addr(a, AF_UNIX, &un, len, pending);
        err = errno;
        break;
    case CHANNEL_FD:
        fd = channel_nonblock(a->fd) ? a->fd : -1;
        err = errno;
        break;
    }
    if (fd < 0) {
        fail(errp, err, "connect to", a);
    }
    return fd;
}

int channel_connect_target(const struct channel_addr *a, const struct channel_target *t, bool *pending)
{
    return connect_addr(a, t->family, &t->ss, t->len, pending);
}

static struct channel_targets *targets_of(const struct addrinfo *res)
{
    struct channel_targets *t;
    unsigned n = 0;

    for (const struct addrinfo *ai = res; ai; ai = ai->ai_next) {
        n++;
    }
    t = g_malloc0(sizeof(*t) + n * sizeof(t->at[0]));
    for (const struct addrinfo *ai = res; ai; ai = ai->ai_next) {
        struct channel_target *x = &t->at[t->n];

        if (ai->ai_addrlen <= sizeof(x->ss)) {
            x->family = ai->ai_family;
            x->len = ai->ai_addrlen;
            memcpy(&x->ss, ai->ai_addr, ai->ai_addrlen);
            t->n++;
        }
    }
    return t;
}

struct channel_targets *channel_targets_find(const struct channel_addr *a, int flags, Error **errp)
{
    struct addrinfo *res = resolve_how(a->host, a->port, SOCK_STREAM, flags | numeric_flags(a), a->only4, a->only6, errp);
    struct channel_targets *t = NULL;

    if (res) {
        t = targets_of(res);
        freeaddrinfo(res);
    }
    return t;
}

int channel_connect_done(int fd)
{
    int err = 0;
    socklen_t len = sizeof(err);

    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

int channel_udp(const char *local_host, const char *local_port, const char *host, const char *port, bool only4,
                bool only6,
                Error **errp)
{
    struct addrinfo *peer, *self = NULL;
    int fd;

    peer = resolve(host && *host ? host : "127.0.0.1", port, SOCK_DGRAM, false, only4, only6, errp);
    if (!peer) {
        return -1;
    }
    self = resolve(local_host, local_port && *local_port ? local_port : "0", SOCK_DGRAM, true,
                   peer->ai_family == AF_INET,
                   peer->ai_family == AF_INET6, errp);
    fd = self ? new_socket(peer->ai_family, SOCK_DGRAM, false) : -1;
    if (self && (fd < 0 || bind(fd, self->ai_addr, self->ai_addrlen) < 0)) {
        error_setg_errno(errp, errno, "Failed to bind socket");
    } else if (self && connect(fd, peer->ai_addr, peer->ai_addrlen) < 0) {
        error_setg_errno(errp, errno, "Failed to connect to '%s:%s'", host ? host : "", port);
    } else if (self) {
        freeaddrinfo(self);
        freeaddrinfo(peer);
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    if (self) {
        freeaddrinfo(self);
    }
    freeaddrinfo(peer);
    return -1;
}
