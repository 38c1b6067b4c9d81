/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/stream.c - -netdev stream: Ethernet frames over a stream socket (TCP, UNIX, inherited)
 *
 * Options, what "info network" shows and the events; the connection is stream_end.c, the frames are stream_wire.c. A server that cannot listen
 * fails at start; a client that cannot connect says so in "info network" and, with reconnect-ms, tries again.
 */
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/stream_end.h"
#include "qapi/jval.h"
#include "qapi/qapi-types.h"
#include "qapi/schema.h"

struct stream {
    struct net_client c;
    struct stream_end end;
};

/* --- what is told ---------------------------------------------------------------------------------------------- */

static void stream_connected(struct stream_end *e)
{
    g_autofree char *text = NULL;
    struct jval *d = jval_dict();

    jval_set_str(d, "netdev-id", e->c->name);
    jval_set(d, "addr", stream_end_peer(e, &text));
    net_client_set_info(e->c, "%s", text);
    qapi_event_emit(QAPI_EVENT_NETDEV_STREAM_CONNECTED, d);
}

static void stream_lost(struct stream_end *e, const char *why)
{
    struct jval *d = jval_dict();

    jval_set_str(d, "netdev-id", e->c->name);
    qapi_event_emit(QAPI_EVENT_NETDEV_STREAM_DISCONNECTED, d);
    net_client_set_info(e->c, "disconnected: %s", why);
}

static void stream_waiting(struct stream_end *e, const char *error)
{
    if (error) {
        net_client_set_info(e->c, "error: %s", error);
    } else if (e->server) {
        net_client_set_info(e->c, "listening");
    } else if (e->retry_ms || !e->c->info->len) {
        net_client_set_info(e->c, "connecting");
    }
}

static const struct stream_end_ops end_ops = { .connected = stream_connected, .lost = stream_lost, .waiting = stream_waiting };

/* --- options --------------------------------------------------------------------------------------------------- */

/* The short spellings, which help texts and manuals have always shown, stand for addr.* */
struct short_form {
    const char *name;
    bool given;
    SocketAddressType of;
};

static bool check_short_forms(const NetdevStream *o, Error **errp)
{
    const struct short_form forms[] = {
        { "to", o->has_to, SOCKET_ADDRESS_TYPE_INET },             { "numeric", o->has_numeric, SOCKET_ADDRESS_TYPE_INET },
        { "ipv4", o->has_ipv4, SOCKET_ADDRESS_TYPE_INET },         { "ipv6", o->has_ipv6, SOCKET_ADDRESS_TYPE_INET },
        { "keep-alive", o->has_keep_alive, SOCKET_ADDRESS_TYPE_INET }, { "mptcp", o->has_mptcp, SOCKET_ADDRESS_TYPE_INET },
        { "abstract", o->has_abstract, SOCKET_ADDRESS_TYPE_UNIX }, { "tight", o->has_tight, SOCKET_ADDRESS_TYPE_UNIX },
    };

    for (unsigned i = 0; i < ARRAY_LEN(forms); i++) {
        if (forms[i].given && forms[i].of != o->addr->type) {
            error_setg(errp, "Parameter '%s' is unexpected", forms[i].name);
            return false;
        }
    }
    return true;
}

/* on/off, each of: addr.x, x, neither */
static int tristate(bool has_long, bool v_long, bool has_short, bool v_short)
{
    return has_long ? v_long : has_short ? v_short : -1;
}

static bool take_families(struct channel_addr *a, int v4, int v6, Error **errp)
{
    bool use4 = v4 >= 0 ? v4 : v6 != 1, use6 = v6 >= 0 ? v6 : v4 != 1;

    if (!use4 && !use6) {
        error_setg(errp, "Cannot disable IPv4 and IPv6 at same time");
        return false;
    }
    a->only4 = !use6;
    a->only6 = !use4;
    return true;
}

static bool take_inet(struct channel_addr *a, const NetdevStream *o, Error **errp)
{
    const InetSocketAddress *i = &o->addr->u.inet;

    if (!i->host || !i->port) {
        error_setg(errp, "Parameter 'addr.%s' is missing", i->host ? "port" : "host");
        return false;
    }
    a->kind = CHANNEL_INET;
    a->host = g_strdup(i->host);
    a->port = g_strdup(i->port);
    a->to = i->has_to ? i->to : o->has_to ? o->to : 0;
    a->numeric = tristate(i->has_numeric, i->numeric, o->has_numeric, o->numeric) == 1;
    a->mptcp = tristate(i->has_mptcp, i->mptcp, o->has_mptcp, o->mptcp) == 1;
    a->keep_alive = tristate(i->has_keep_alive, i->keep_alive, o->has_keep_alive, o->keep_alive) == 1;
    a->keep_alive_count = i->has_keep_alive_count ? i->keep_alive_count : 0;
    a->keep_alive_idle = i->has_keep_alive_idle ? i->keep_alive_idle : 0;
    a->keep_alive_interval = i->has_keep_alive_interval ? i->keep_alive_interval : 0;
    return take_families(a, tristate(i->has_ipv4, i->ipv4, o->has_ipv4, o->ipv4), tristate(i->has_ipv6, i->ipv6, o->has_ipv6, o->ipv6), errp);
}

static bool take_addr(struct channel_addr *a, const NetdevStream *o, Error **errp)
{
    const UnixSocketAddress *u = &o->addr->u.q_unix;

    switch (o->addr->type) {
    case SOCKET_ADDRESS_TYPE_INET:
        return take_inet(a, o, errp);
    case SOCKET_ADDRESS_TYPE_UNIX:
        a->kind = CHANNEL_UNIX;
        a->path = g_strdup(u->path);
        a->abstract = tristate(u->has_abstract, u->abstract, o->has_abstract, o->abstract) == 1;
        a->loose = tristate(u->has_tight, u->tight, o->has_tight, o->tight) == 0;
        return true;
    case SOCKET_ADDRESS_TYPE_FD:
        a->kind = CHANNEL_FD;
        return channel_fd_parse(o->addr->u.fd.str, &a->fd, errp);
    default:
        error_setg(errp, "Parameter 'addr' is missing");
        return false;
    }
}

static bool take_retry(struct stream_end *e, const NetdevStream *o, Error **errp)
{
    if (e->server && (o->has_reconnect || o->has_reconnect_ms)) {
        error_setg(errp, "'%s' option is incompatible with socket in server mode", o->has_reconnect_ms ? "reconnect-ms" : "reconnect");
        return false;
    }
    if (o->has_reconnect && o->has_reconnect_ms) {
        error_setg(errp, "'reconnect' and 'reconnect-ms' are mutually exclusive");
        return false;
    }
    e->retry_ms = o->has_reconnect_ms ? o->reconnect_ms : o->has_reconnect ? MIN(o->reconnect, 4000000u) * 1000 : 0;
    return true;
}

/* --- life ------------------------------------------------------------------------------------------------------ */

static bool stream_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct stream_end *e = &container_of(c, struct stream, c)->end;
    const NetdevStream *o = cfg;

    e->c = c;
    e->ops = &end_ops;
    e->server = o->has_server && o->server;
    return take_retry(e, o, errp) && check_short_forms(o, errp) && take_addr(&e->addr, o, errp) && stream_end_open(e, errp);
}

static enum net_tx stream_send(struct net_client *c, const struct frame *f)
{
    return stream_wire_send(&container_of(c, struct stream, c)->end.wire, f);
}

static void stream_rx_enable(struct net_client *c, bool on)
{
    /* without a link the wire reads on, and the core drops what comes: a peer must not stand still because our guest is off */
}

static void stream_tx_ready(struct net_client *c)
{
    stream_wire_tx_ready(&container_of(c, struct stream, c)->end.wire);
}

static uint32_t stream_offloads(const struct net_client *c)
{
    return 0;                           /* who is at the other end has no way to say what it takes */
}

static void stream_close(struct net_client *c)
{
    stream_end_close(&container_of(c, struct stream, c)->end);
}

const struct net_backend_ops net_backend_stream = {
    .kind = "stream", .size = sizeof(struct stream), .open = stream_open, .send = stream_send, .rx_enable = stream_rx_enable,
    .tx_ready = stream_tx_ready, .offloads = stream_offloads, .close = stream_close, .follows = true,
};
