/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/l2tpv3.c - -netdev l2tpv3: an unmanaged L2TPv3 Ethernet pseudo-wire (RFC 3931, RFC 4719), over UDP or straight on IP
 *
 * No control connection: both ends know sessions and cookies beforehand. Messages from another address or port, of another session or with
 * another cookie are dropped and counted; the first of them is reported, then one line a minute at most. On IP (protocol 115) every socket
 * of the host gets a copy of each message, so foreign sessions are nothing to report there.
 */
#include "core/clock.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/dgram_wire.h"
#include "net/backends/l2tpv3_hdr.h"
#include "qapi/qapi-types.h"
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

enum { PROTOCOL = 115, BUFFER = 4 * 1024 * 1024 };
#define REPORT_NS (60 * NS_PER_SEC)

struct l2tpv3 {
    struct net_client c;
    struct dgram_wire wire;
    struct l2tpv3_hdr hdr;
    struct dgram_codec codec;
    int64_t reported_ns;            /* 0: never */
    uint64_t unreported;
};

/* --- messages ------------------------------------------------------------------------------------------------------- */

static const char *const drop_texts[L2TPV3_DROPS] = {
    [L2TPV3_SHORT] = "l2tpv3 message too short", [L2TPV3_BAD_HEADER] = "l2tpv3 header verification failed",
    [L2TPV3_SESSION] = "session mismatch", [L2TPV3_COOKIE] = "unknown cookie id", [L2TPV3_LATE] = NULL,
};

static void report(struct l2tpv3 *l, enum l2tpv3_drop why)
{
    int64_t now;

    if (!drop_texts[why] || (why == L2TPV3_SESSION && !l->hdr.udp)) {
        return;
    }
    now = clock_get_ns(CLOCK_RT);
    if (l->reported_ns && now - l->reported_ns < REPORT_NS) {
        l->unreported++;
        return;
    }
    if (l->unreported) {
        warn_report("netdev '%s': %s (and %" PRIu64 " others refused since the last report)", l->c.name, drop_texts[why], l->unreported);
    } else {
        warn_report("netdev '%s': %s", l->c.name, drop_texts[why]);
    }
    l->reported_ns = now;
    l->unreported = 0;
}

static void put(void *opaque, uint8_t *hdr)
{
    l2tpv3_put(&((struct l2tpv3 *)opaque)->hdr, hdr);
}

static int check(void *opaque, const uint8_t *p, size_t len)
{
    struct l2tpv3 *l = opaque;
    int n = l2tpv3_check(&l->hdr, p, len);

    if (n < 0) {
        report(l, (enum l2tpv3_drop)(-1 - n));
    }
    return n;
}

/* --- opening -------------------------------------------------------------------------------------------------------- */

static uint64_t cookie(struct l2tpv3 *l, const char *name, uint64_t v)
{
    if (l->hdr.cookie_len == 4 && v > UINT32_MAX) {
        warn_report("netdev '%s': %s does not fit into 32 bits (cookie64=on makes cookies longer); 0x%08" PRIx32 " is used", l->c.name, name,
                    (uint32_t)v);
    }
    return v;
}

static bool header_setup(struct l2tpv3 *l, const NetdevL2TPv3 *o, Error **errp)
{
    struct l2tpv3_hdr *h = &l->hdr;

    if (o->has_offset && o->offset > L2TPV3_OFFSET_MAX) {
        error_setg(errp, "offset must be less than 256 bytes");
        return false;
    }
    if (o->has_rxcookie != o->has_txcookie) {
        error_setg(errp, "require both 'rxcookie' and 'txcookie' or neither");
        return false;
    }
    h->udp = o->has_udp && o->udp;
    h->ip_header = !h->udp && !(o->has_ipv6 && o->ipv6);
    h->pinned = o->has_pincounter && o->pincounter;
    h->counter = h->pinned || (o->has_counter && o->counter);
    h->offset = o->has_offset ? o->offset : 0;
    h->cookie_len = !o->has_txcookie ? 0 : o->has_cookie64 && o->cookie64 ? 8 : 4;
    h->tx_cookie = cookie(l, "txcookie", o->txcookie);
    h->rx_cookie = cookie(l, "rxcookie", o->rxcookie);
    h->tx_session = o->txsession;
    h->rx_session = o->has_rxsession ? o->rxsession : o->txsession;
    if (!h->udp && (!h->tx_session || !h->rx_session)) {
        error_setg(errp, "session 0 is for control messages (RFC 3931 section 4.1.1); without udp=on it cannot be used");
        return false;
    }
    return true;
}

static int resolve(struct dgram_addr *a, const char *host, const char *port, bool udp, bool ipv6, bool passive)
{
    struct addrinfo hints = { .ai_family = ipv6 ? AF_INET6 : AF_INET, .ai_socktype = udp ? SOCK_DGRAM : SOCK_RAW,
                              .ai_protocol = udp ? 0 : PROTOCOL, .ai_flags = passive ? AI_PASSIVE : 0 }, *res;
    int rc = getaddrinfo(host && *host ? host : NULL, udp ? port : NULL, &hints, &res);

    if (!rc) {
        memcpy(&a->ss, res->ai_addr, res->ai_addrlen);
        a->len = res->ai_addrlen;
        freeaddrinfo(res);
    }
    return rc;
}

static bool sock_open(struct l2tpv3 *l, struct dgram_sock *s, const NetdevL2TPv3 *o, Error **errp)
{
    bool udp = l->hdr.udp, ipv6 = o->has_ipv6 && o->ipv6;
    struct dgram_addr src, dst;
    int rc;

    if (udp && (!o->srcport || !o->dstport)) {
        error_setg(errp, "need both src and dst port for udp");
        return false;
    }
    rc = resolve(&src, o->src, o->srcport, udp, ipv6, true);
    if (rc) {
        error_setg(errp, "could not resolve src, errno = %s", gai_strerror(rc));
        return false;
    }
    rc = resolve(&dst, o->dst, o->dstport, udp, ipv6, false);
    if (rc) {
        error_setg(errp, "could not resolve dst, error = %s", gai_strerror(rc));
        return false;
    }
    if (udp) {
        return dgram_sock_udp(s, &src, &dst, errp);
    }
    *s = (struct dgram_sock){ .fd = -1, .tx_fd = -1, .dest = dst, .check_source = true, .ours = true };
    s->fd = socket(src.ss.ss_family, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, PROTOCOL);
    if (s->fd < 0) {
        error_setg_errno(errp, errno, "cannot open a socket for IP protocol 115 (it needs CAP_NET_RAW; udp=on does not)");
        return false;
    }
    if (bind(s->fd, (const void *)&src.ss, src.len) < 0) {
        error_setg_errno(errp, errno, "could not bind socket");
        dgram_sock_close(s);
        return false;
    }
    setsockopt(s->fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ BUFFER }, sizeof(int));
    return true;
}

static bool l2tpv3_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct l2tpv3 *l = container_of(c, struct l2tpv3, c);
    struct dgram_sock s;

    if (!header_setup(l, cfg, errp) || !sock_open(l, &s, cfg, errp)) {
        return false;
    }
    l->codec = (struct dgram_codec){
        .tx_len = l2tpv3_tx_len(&l->hdr), .put = put, .check = check,
        .reasons = { [L2TPV3_SHORT] = "short", [L2TPV3_BAD_HEADER] = "bad-header", [L2TPV3_SESSION] = "wrong-session",
                     [L2TPV3_COOKIE] = "wrong-cookie", [L2TPV3_LATE] = "late" },
    };
    dgram_wire_init(&l->wire, c, &s, &l->codec, l);
    net_client_set_info(c, "l2tpv3: connected");
    return true;
}
static_assert((int)L2TPV3_DROPS <= (int)DGRAM_REASONS && (int)L2TPV3_TX_MAX <= (int)DGRAM_HDR_MAX, "what the wire keeps for a codec");

static enum net_tx l2tpv3_send(struct net_client *c, const struct frame *f)
{
    return dgram_wire_send(&container_of(c, struct l2tpv3, c)->wire, f);
}

static void l2tpv3_rx_enable(struct net_client *c, bool on)
{
    dgram_wire_rx_enable(&container_of(c, struct l2tpv3, c)->wire, on);
}

static void l2tpv3_tx_ready(struct net_client *c)
{
    dgram_wire_tx_ready(&container_of(c, struct l2tpv3, c)->wire);
}

static uint32_t l2tpv3_offloads(const struct net_client *c)
{
    return dgram_wire_offloads(&container_of(c, const struct l2tpv3, c)->wire);
}

static void l2tpv3_close(struct net_client *c)
{
    dgram_wire_fini(&container_of(c, struct l2tpv3, c)->wire);
}

const struct net_backend_ops net_backend_l2tpv3 = {
    .kind = "l2tpv3", .size = sizeof(struct l2tpv3), .open = l2tpv3_open, .send = l2tpv3_send, .rx_enable = l2tpv3_rx_enable,
    .tx_ready = l2tpv3_tx_ready, .offloads = l2tpv3_offloads, .close = l2tpv3_close,
};
