/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/dgram.c - -netdev dgram: one Ethernet frame in each datagram of a UDP, UNIX or inherited socket
 *
 * local= and remote= are both given, but for an inherited descriptor (local only) and a multicast group (remote; local is the interface,
 * or a descriptor that is already in the group).
 */
#include "core/channel.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/dgram_wire.h"
#include "qapi/qapi-types.h"
#include <arpa/inet.h>
#include <string.h>

struct dgram {
    struct net_client c;
    struct dgram_wire wire;
};

static int family_of(const InetSocketAddress *a)
{
    bool only4 = (a->has_ipv4 && a->ipv4) || (a->has_ipv6 && !a->ipv6), only6 = (a->has_ipv6 && a->ipv6) || (a->has_ipv4 && !a->ipv4);

    return only4 == only6 ? AF_UNSPEC : only4 ? AF_INET : AF_INET6;
}

static bool remote_addr(struct dgram_addr *a, const InetSocketAddress *o, Error **errp)
{
    if (!o->host || !o->port) {
        error_setg(errp, "Parameter 'remote.%s' is missing", o->host ? "port" : "host");
        return false;
    }
    return dgram_resolve(a, o->host, o->port, family_of(o), true, errp);
}

/* "230.0.0.1", "ff15::1": without asking anybody */
static bool names_group(const SocketAddress *s)
{
    const char *host = s->type == SOCKET_ADDRESS_TYPE_INET ? s->u.inet.host : NULL;
    struct in_addr a4;
    struct in6_addr a6;

    return host && ((inet_pton(AF_INET, host, &a4) == 1 && IN_MULTICAST(ntohl(a4.s_addr))) ||
                    (inet_pton(AF_INET6, host, &a6) == 1 && IN6_IS_ADDR_MULTICAST(&a6)));
}

static bool open_mcast(struct net_client *c, struct dgram_sock *s, const NetdevDgram *o, Error **errp)
{
    struct dgram_addr group, iface = { 0 };
    g_autofree char *text = NULL;
    int fd;

    if (!remote_addr(&group, &o->remote->u.inet, errp)) {
        return false;
    }
    text = dgram_addr_text(&group);
    if (o->local && o->local->type == SOCKET_ADDRESS_TYPE_FD) {
        if (!channel_fd_parse(o->local->u.fd.str, &fd, errp) || !dgram_sock_fd(s, fd, &group, errp)) {
            return false;
        }
        net_client_set_info(c, "fd=%d (cloned mcast=%s)", fd, text);
        return true;
    }
    if (o->local && !dgram_resolve(&iface, o->local->u.inet.host, "0", group.ss.ss_family, false, errp)) {
        return false;
    }
    if (!dgram_sock_mcast(s, &group, &iface, errp)) {
        return false;
    }
    net_client_set_info(c, "mcast=%s", text);
    return true;
}

static bool open_fd(struct net_client *c, struct dgram_sock *s, const char *name, Error **errp)
{
    static const struct dgram_addr none = { 0 };
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);
    int fd;

    if (!channel_fd_parse(name, &fd, errp) || !dgram_sock_fd(s, fd, &none, errp)) {
        return false;
    }
    getsockname(fd, (void *)&ss, &len);
    net_client_set_info(c, "fd=%d%s", fd, ss.ss_family == AF_UNIX ? " unix" : ss.ss_family == AF_INET6 ? " inet6" : " inet");
    return true;
}

static bool open_inet(struct net_client *c, struct dgram_sock *s, const NetdevDgram *o, Error **errp)
{
    const InetSocketAddress *l = &o->local->u.inet;
    g_autofree char *ltext = NULL, *rtext = NULL;
    struct dgram_addr local, remote;

    if (!l->port) {
        error_setg(errp, "Parameter 'local.port' is missing");
        return false;
    }
    if (!remote_addr(&remote, &o->remote->u.inet, errp) ||
        !dgram_resolve(&local, l->host, l->port, l->host && *l->host ? family_of(l) : remote.ss.ss_family, false, errp) ||
        !dgram_sock_udp(s, &local, &remote, errp)) {
        return false;
    }
    ltext = channel_name(s->fd, false);         /* with the port that we got, where 0 was asked for */
    rtext = dgram_addr_text(&remote);
    net_client_set_info(c, "udp=%s/%s", ltext, rtext);
    return true;
}

static bool open_unix(struct net_client *c, struct dgram_sock *s, const NetdevDgram *o, Error **errp)
{
    const UnixSocketAddress *l = &o->local->u.q_unix, *r = &o->remote->u.q_unix;
    struct dgram_addr local, remote;

    if (!dgram_addr_unix(&local, l->path, l->has_abstract && l->abstract, l->has_tight && !l->tight, errp) ||
        !dgram_addr_unix(&remote, r->path, r->has_abstract && r->abstract, r->has_tight && !r->tight, errp) ||
        !dgram_sock_unix(s, &local, &remote, errp)) {
        return false;
    }
    net_client_set_info(c, "udp=%s:%s", l->path, r->path);
    return true;
}

static bool open_sock(struct net_client *c, struct dgram_sock *s, const NetdevDgram *o, Error **errp)
{
    const SocketAddress *local = o->local, *remote = o->remote;

    if (!local && !remote) {
        error_setg(errp, "dgram requires local= parameter");
    } else if (!local && remote->type != SOCKET_ADDRESS_TYPE_INET) {
        error_setg(errp, "multicast only support inet type");
    } else if (!local || (remote && names_group(remote))) {
        if (local && local->type == SOCKET_ADDRESS_TYPE_UNIX) {
            error_setg(errp, "only support inet or fd type for local");
            return false;
        }
        return open_mcast(c, s, o, errp);
    } else if (local->type == SOCKET_ADDRESS_TYPE_FD) {
        if (remote) {
            error_setg(errp, "don't set remote with local.fd");
            return false;
        }
        return open_fd(c, s, local->u.fd.str, errp);
    } else if (!remote) {
        error_setg(errp, "type=inet or type=unix requires remote parameter");
    } else if (local->type != remote->type) {
        error_setg(errp, "remote and local types must be the same");
    } else {
        return local->type == SOCKET_ADDRESS_TYPE_INET ? open_inet(c, s, o, errp) : open_unix(c, s, o, errp);
    }
    return false;
}

static bool dgram_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct dgram_sock s;

    if (!open_sock(c, &s, cfg, errp)) {
        return false;
    }
    dgram_wire_init(&container_of(c, struct dgram, c)->wire, c, &s, NULL, NULL);
    return true;
}

static enum net_tx dgram_send(struct net_client *c, const struct frame *f)
{
    return dgram_wire_send(&container_of(c, struct dgram, c)->wire, f);
}

static void dgram_rx_enable(struct net_client *c, bool on)
{
    dgram_wire_rx_enable(&container_of(c, struct dgram, c)->wire, on);
}

static void dgram_tx_ready(struct net_client *c)
{
    dgram_wire_tx_ready(&container_of(c, struct dgram, c)->wire);
}

static uint32_t dgram_offloads(const struct net_client *c)
{
    return dgram_wire_offloads(&container_of(c, const struct dgram, c)->wire);
}

static void dgram_close(struct net_client *c)
{
    dgram_wire_fini(&container_of(c, struct dgram, c)->wire);
}

const struct net_backend_ops net_backend_dgram = {
    .kind = "dgram", .size = sizeof(struct dgram), .open = dgram_open, .send = dgram_send, .rx_enable = dgram_rx_enable,
    .tx_ready = dgram_tx_ready, .offloads = dgram_offloads, .close = dgram_close,
};
