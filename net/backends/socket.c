/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/socket.c - -netdev socket: Ethernet frames over a socket, in the short spelling of old
 *
 *     listen=[H]:P, connect=H:P    a TCP connection, each frame behind its length     stream_end.c, stream_wire.c
 *     mcast=A:P, udp=H:P           one frame in each UDP datagram                     dgram_wire
 *     fd=                          either, by the type of the inherited socket
 *
 * IPv4 only; names are looked up once, at start. connect= tries again until somebody listens, so either end may be started first.
 */
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/dgram_wire.h"
#include "net/backends/stream_end.h"
#include "qapi/qapi-types.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DEFAULT_RETRY_MS = 1000 };

enum sock_kind { SOCK_NOTHING, SOCK_LISTEN, SOCK_CONNECT, SOCK_STREAM_FD, SOCK_DATAGRAMS };

struct sock {
    struct net_client c;
    enum sock_kind kind;
    struct stream_end end;              /* the three stream kinds */
    struct dgram_wire dgram;            /* SOCK_DATAGRAMS */
    char *where;                        /* for texts: own address of LISTEN, the other's of CONNECT */
};

/* --- streams: what "info network" shows ------------------------------------------------------------------------ */

static void sock_connected(struct stream_end *e)
{
    struct sock *s = container_of(e, struct sock, end);
    g_autofree char *peer = channel_name(e->wire.fd, true);

    switch (s->kind) {
    case SOCK_LISTEN:
        net_client_set_info(&s->c, "socket: connection from %s", peer);
        break;
    case SOCK_CONNECT:
        net_client_set_info(&s->c, "socket: connect to %s", peer);
        break;
    default:
        net_client_set_info(&s->c, "socket: fd=%d", e->wire.fd);
    }
}

static void sock_lost(struct stream_end *e, const char *why)
{
    if (container_of(e, struct sock, end)->kind == SOCK_STREAM_FD) {
        net_client_set_info(e->c, "socket: fd=%d: %s", e->addr.fd, why);
    } else {
        net_client_set_info(e->c, "socket: %s", why);
    }
}

static void sock_waiting(struct stream_end *e, const char *error)
{
    struct sock *s = container_of(e, struct sock, end);

    if (s->kind == SOCK_LISTEN) {
        net_client_set_info(&s->c, "socket: listening on %s", s->where);
    } else if (error) {
        net_client_set_info(&s->c, "socket: error: %s", error);
    } else if (s->kind == SOCK_CONNECT && (e->retry_ms || !s->c.info->len)) {
        net_client_set_info(&s->c, "socket: connecting to %s", s->where);
    }
}

static const struct stream_end_ops end_ops = { .connected = sock_connected, .lost = sock_lost, .waiting = sock_waiting };

/* --- addresses ------------------------------------------------------------------------------------------------- */

/* "HOST:PORT", IPv4; @remote: without HOST it is the loopback, else all addresses */
static bool parse_addr(struct dgram_addr *a, const char *text, bool remote, Error **errp)
{
    const char *colon = strchr(text, ':');
    g_autofree char *host = NULL;

    if (!colon) {
        error_setg(errp, "host address '%s' doesn't contain ':' separating host from port", text);
        return false;
    }
    host = g_strndup(text, (gsize)(colon - text));
    return dgram_resolve(a, host, colon + 1, AF_INET, remote, errp);
}

static const struct sockaddr_in *as_in(const struct dgram_addr *a)
{
    return (const struct sockaddr_in *)&a->ss;
}

/* --- the five ways to open it ---------------------------------------------------------------------------------- */

static bool open_stream(struct sock *s, enum sock_kind kind, Error **errp)
{
    struct stream_end *e = &s->end;

    s->kind = kind;
    e->c = &s->c;
    e->ops = &end_ops;
    return stream_end_open(e, errp);
}

static int listen_at(const struct dgram_addr *a, Error **errp)
{
    char ip[INET_ADDRSTRLEN] = "";
    int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        error_setg_errno(errp, errno, "can't create stream socket");
        return -1;
    }
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    inet_ntop(AF_INET, &as_in(a)->sin_addr, ip, sizeof(ip));
    if (bind(fd, (const void *)&a->ss, a->len) < 0) {
        error_setg_errno(errp, errno, "can't bind ip=%s to socket", ip);
    } else if (listen(fd, 1) < 0) {
        error_setg_errno(errp, errno, "can't listen on socket");
    } else {
        return fd;
    }
    close(fd);
    return -1;
}

static bool open_listen(struct sock *s, const char *text, Error **errp)
{
    struct dgram_addr a;
    int fd;

    if (!parse_addr(&a, text, false, errp)) {
        return false;
    }
    fd = listen_at(&a, errp);
    if (fd < 0) {
        return false;
    }
    s->where = channel_name(fd, false);
    s->end.addr = (struct channel_addr){ .kind = CHANNEL_FD, .fd = fd };
    s->end.server = true;
    return open_stream(s, SOCK_LISTEN, errp);
}

static bool open_connect(struct sock *s, const NetdevSocket *o, Error **errp)
{
    char ip[INET_ADDRSTRLEN] = "";
    struct dgram_addr a;

    if (!parse_addr(&a, o->connect, true, errp)) {
        return false;
    }
    inet_ntop(AF_INET, &as_in(&a)->sin_addr, ip, sizeof(ip));
    s->where = g_strdup_printf("%s:%u", ip, ntohs(as_in(&a)->sin_port));
    s->end.addr = (struct channel_addr){ .kind = CHANNEL_INET, .host = g_strdup(ip), .numeric = true,
                                         .port = g_strdup_printf("%u", ntohs(as_in(&a)->sin_port)) };
    s->end.retry_ms = o->has_reconnect_ms ? o->reconnect_ms : DEFAULT_RETRY_MS;
    return open_stream(s, SOCK_CONNECT, errp);
}

static bool open_datagrams(struct sock *s, struct dgram_sock *d)
{
    s->kind = SOCK_DATAGRAMS;
    dgram_wire_init(&s->dgram, &s->c, d, NULL, NULL);
    return true;
}

static bool open_mcast(struct sock *s, const NetdevSocket *o, Error **errp)
{
    struct dgram_addr group, iface = { .len = 0 };
    g_autofree char *text = NULL;
    struct dgram_sock d;

    if (!parse_addr(&group, o->mcast, true, errp)) {
        return false;
    }
    if (!dgram_addr_is_multicast(&group)) {
        char ip[INET_ADDRSTRLEN] = "";

        inet_ntop(AF_INET, &as_in(&group)->sin_addr, ip, sizeof(ip));
        error_setg(errp, "specified mcastaddr %s (0x%08x) does not contain a multicast address", ip, ntohl(as_in(&group)->sin_addr.s_addr));
        return false;
    }
    if (o->localaddr) {
        struct sockaddr_in *in = (struct sockaddr_in *)&iface.ss;

        memset(&iface, 0, sizeof(iface));
        in->sin_family = AF_INET;
        iface.len = sizeof(*in);
        if (!inet_aton(o->localaddr, &in->sin_addr)) {
            error_setg(errp, "localaddr '%s' is not a valid IPv4 address", o->localaddr);
            return false;
        }
    }
    if (!dgram_sock_mcast(&d, &group, &iface, errp)) {
        return false;
    }
    text = dgram_addr_text(&group);
    net_client_set_info(&s->c, "socket: mcast=%s", text);
    return open_datagrams(s, &d);
}

static bool open_udp(struct sock *s, const NetdevSocket *o, Error **errp)
{
    struct dgram_addr local, remote;
    g_autofree char *text = NULL;
    struct dgram_sock d;

    if (!o->localaddr) {
        error_setg(errp, "localaddr= is mandatory with udp=");
        return false;
    }
    if (!parse_addr(&local, o->localaddr, false, errp) || !parse_addr(&remote, o->udp, true, errp) ||
        !dgram_sock_udp(&d, &local, &remote, errp)) {
        return false;
    }
    text = dgram_addr_text(&remote);
    net_client_set_info(&s->c, "socket: udp=%s", text);
    return open_datagrams(s, &d);
}

static bool open_dgram_fd(struct sock *s, int fd, Error **errp)
{
    struct dgram_addr own = { .len = sizeof(own.ss) }, group = { .len = 0 };
    struct dgram_sock d;

    if (getsockname(fd, (void *)&own.ss, &own.len) == 0 && dgram_addr_is_multicast(&own)) {
        group = own;                    /* one that is bound to a group wants to be in it: our own sends to it */
    }
    if (!dgram_sock_fd(&d, fd, &group, errp)) {
        return false;
    }
    if (group.len) {
        g_autofree char *text = dgram_addr_text(&group);

        net_client_set_info(&s->c, "socket: fd=%d (cloned mcast=%s)", fd, text);
    } else {
        net_client_set_info(&s->c, "socket: fd=%d%s", fd, own.ss.ss_family == AF_UNIX ? " unix" : "");
    }
    return open_datagrams(s, &d);
}

static bool open_fd(struct sock *s, const char *text, Error **errp)
{
    int fd, type = 0;
    socklen_t len = sizeof(type);

    if (!channel_fd_parse(text, &fd, errp)) {
        return false;
    }
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0) {
        error_setg_errno(errp, errno, "can't get socket option SO_TYPE");
        return false;
    }
    switch (type) {
    case SOCK_STREAM:
        s->end.addr = (struct channel_addr){ .kind = CHANNEL_FD, .fd = fd };
        return open_stream(s, SOCK_STREAM_FD, errp);
    case SOCK_DGRAM:
        return open_dgram_fd(s, fd, errp);
    default:
        error_setg(errp, "socket type=%d for fd=%d must be either SOCK_DGRAM or SOCK_STREAM", type, fd);
        return false;
    }
}

static bool sock_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct sock *s = container_of(c, struct sock, c);
    const NetdevSocket *o = cfg;

    if (!!o->fd + !!o->listen + !!o->connect + !!o->mcast + !!o->udp != 1) {
        error_setg(errp, "exactly one of listen=, connect=, mcast= or udp= is required");
        return false;
    }
    if (o->localaddr && !o->mcast && !o->udp) {
        error_setg(errp, "localaddr= is only valid with mcast= or udp=");
        return false;
    }
    if (o->has_reconnect_ms && !o->connect) {
        error_setg(errp, "reconnect-ms= is only valid with connect=");
        return false;
    }
    return o->fd      ? open_fd(s, o->fd, errp) :
           o->listen  ? open_listen(s, o->listen, errp) :
           o->connect ? open_connect(s, o, errp) :
           o->mcast   ? open_mcast(s, o, errp) :
                        open_udp(s, o, errp);
}

/* --- frames ---------------------------------------------------------------------------------------------------- */

static enum net_tx sock_send(struct net_client *c, const struct frame *f)
{
    struct sock *s = container_of(c, struct sock, c);

    return s->kind == SOCK_DATAGRAMS ? dgram_wire_send(&s->dgram, f) : stream_wire_send(&s->end.wire, f);
}

static void sock_rx_enable(struct net_client *c, bool on)
{
    struct sock *s = container_of(c, struct sock, c);

    if (s->kind == SOCK_DATAGRAMS) {
        dgram_wire_rx_enable(&s->dgram, on);
    }                                   /* a stream is read on, and the core drops what comes: the peer must not stand still */
}

static void sock_tx_ready(struct net_client *c)
{
    struct sock *s = container_of(c, struct sock, c);

    if (s->kind == SOCK_DATAGRAMS) {
        dgram_wire_tx_ready(&s->dgram);
    } else {
        stream_wire_tx_ready(&s->end.wire);
    }
}

static uint32_t sock_offloads(const struct net_client *c)
{
    const struct sock *s = container_of(c, const struct sock, c);

    return s->kind == SOCK_DATAGRAMS ? dgram_wire_offloads(&s->dgram) : 0;
}

static void sock_close(struct net_client *c)
{
    struct sock *s = container_of(c, struct sock, c);

    dgram_wire_fini(&s->dgram);
    stream_end_close(&s->end);
    g_free(s->where);
}

const struct net_backend_ops net_backend_socket = {
    .kind = "socket", .size = sizeof(struct sock), .open = sock_open, .send = sock_send, .rx_enable = sock_rx_enable,
    .tx_ready = sock_tx_ready, .offloads = sock_offloads, .close = sock_close,
};
