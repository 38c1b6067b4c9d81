/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/af_xdp.c - -netdev af-xdp: the frames of a host interface's queues, past the host's network stack
 *
 * Every queue has a socket (xsk.h); what any of them receives goes to the guest, in batches; what the guest sends goes out at the first. The
 * interface is made promiscuous while we have it. A program of ours steers its frames to the sockets, unless inhibit=on says that one is there
 * already: then sock-fds= are sockets that are in its map, or map-path= is the map.
 *
 * Sending: frames are queued, and the kernel is told once, in a bottom half. When no frame is left the NIC hears BUSY until some have been
 * completed. Once a second the interface is looked for: when it is gone, NETDEV_VANISHED is sent.
 */
#include "core/channel.h"
#include "core/timer.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/rx_merge.h"
#include "net/backends/xsk.h"
#include "qapi/qapi-types.h"
#include "qapi/schema.h"
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUEUES_MAX = 1024, RX_BUDGET = 64, LOOK_MS = 1000 };
#define RETRY_NS (1 * NS_PER_MS)

enum af_xdp_drop { AF_XDP_DROP_TOO_BIG, AF_XDP_DROP_ERROR, AF_XDP_DROPS };
static const char *const drop_names[AF_XDP_DROPS] = { [AF_XDP_DROP_TOO_BIG] = "too-big-to-send", [AF_XDP_DROP_ERROR] = "send-error" };

struct af_xdp;
struct queue {
    struct af_xdp *a;
    struct xsk x;
    struct loop_watch watch;
};

struct af_xdp {
    struct net_client c;
    char *ifname;
    unsigned ifindex;
    unsigned n;
    struct queue *q;
    struct xsk_prog prog;
    int promisc;                            /* a socket that keeps the interface promiscuous; -1: none */
    struct rx_merge merge;
    struct bh flush;
    struct loop_watch tx_watch;
    struct timer retry, look;
    bool rx_on, said_busy, gone;
    uint64_t drops[AF_XDP_DROPS];
};

static struct af_xdp *af_xdp_of(struct net_client *c)
{
    return container_of(c, struct af_xdp, c);
}

/* --- host to guest ------------------------------------------------------------------------------------------------------ */

static void update_reading(struct af_xdp *a);

static void readable(void *opaque, GIOCondition got)
{
    struct queue *q = opaque;
    struct af_xdp *a = q->a;
    const uint8_t *p;
    size_t len;

    rx_merge_begin(&a->merge);
    for (unsigned n = RX_BUDGET; n && a->rx_on && (p = xsk_rx_peek(&q->x, &len)) && rx_merge_add(&a->merge, p, len); n--) {
        xsk_rx_done(&q->x);
    }
    rx_merge_end(&a->merge);
    xsk_rx_wake(&q->x);
    update_reading(a);
}

static void update_reading(struct af_xdp *a)
{
    bool on = a->rx_on && !a->gone && net_can_send(&a->c);

    for (unsigned i = 0; i < a->n; i++) {
        loop_watch_set(&a->q[i].watch, a->q[i].x.fd, on ? G_IO_IN : 0, readable, &a->q[i]);
    }
}

static void af_xdp_rx_enable(struct net_client *c, bool on)
{
    struct af_xdp *a = af_xdp_of(c);
    size_t len;

    if (on && !a->rx_on && !a->gone) {
        for (unsigned i = 0; i < a->n; i++) {       /* what came while the cable was out */
            for (unsigned k = 0; k < XSK_FRAMES && xsk_rx_peek(&a->q[i].x, &len); k++) {
                xsk_rx_done(&a->q[i].x);
            }
            xsk_rx_wake(&a->q[i].x);
        }
    }
    a->rx_on = on;
    update_reading(a);
}

static void af_xdp_tx_ready(struct net_client *c)
{
    update_reading(af_xdp_of(c));
}

/* --- guest to host ------------------------------------------------------------------------------------------------------- */

static void wake(struct af_xdp *a)
{
    if (a->said_busy) {
        a->said_busy = false;
        net_client_flush(&a->c);
    }
}

static void try_again(void *opaque)
{
    struct af_xdp *a = opaque;

    loop_watch_del(&a->tx_watch);
    xsk_tx_kick(&a->q[0].x);
    if (a->gone || xsk_tx_get(&a->q[0].x)) {
        wake(a);
    } else {
        timer_arm(&a->retry, clock_get_ns(CLOCK_RT) + RETRY_NS);     /* room in the ring, but nothing completed */
    }
}

static void writable(void *opaque, GIOCondition got)
{
    try_again(opaque);
}

static void wait_for_room(struct af_xdp *a)
{
    a->said_busy = true;
    loop_watch_set(&a->tx_watch, a->q[0].x.fd, G_IO_OUT, writable, a);
}

static void flush(void *opaque)
{
    struct af_xdp *a = opaque;

    if (!a->gone && xsk_tx_kick(&a->q[0].x)) {
        a->drops[AF_XDP_DROP_ERROR]++;
    }
}

static enum net_tx af_xdp_send(struct net_client *c, const struct frame *f)
{
    struct af_xdp *a = af_xdp_of(c);
    uint8_t *p;

    if (a->gone) {
        a->drops[AF_XDP_DROP_ERROR]++;
        return NET_TX_DROP;
    }
    if (f->len > XSK_SEND_MAX) {
        a->drops[AF_XDP_DROP_TOO_BIG]++;
        return NET_TX_DROP;
    }
    p = xsk_tx_get(&a->q[0].x);
    if (!p) {
        xsk_tx_kick(&a->q[0].x);
        p = xsk_tx_get(&a->q[0].x);
    }
    if (!p) {
        wait_for_room(a);
        return NET_TX_BUSY;
    }
    frame_copy_out(f, 0, p, f->len);
    xsk_tx_put(&a->q[0].x, p, f->len);
    bh_schedule(&a->flush);
    return NET_TX_DONE;
}

static uint32_t af_xdp_offloads(const struct net_client *c)
{
    return 0;
}

/* --- life ----------------------------------------------------------------------------------------------------------------- */

/* The interface may be taken away; the socket does not say so by itself. */
static void look(void *opaque)
{
    struct af_xdp *a = opaque;
    struct jval *d;

    if (if_nametoindex(a->ifname) == a->ifindex) {
        timer_arm(&a->look, clock_get_ns(CLOCK_RT) + LOOK_MS * NS_PER_MS);
        return;
    }
    a->gone = true;
    warn_report("netdev '%s': interface '%s' is gone", a->c.name, a->ifname);
    update_reading(a);
    loop_watch_del(&a->tx_watch);
    timer_disarm(&a->retry);
    wake(a);
    d = jval_dict();
    jval_set_str(d, "netdev-id", a->c.name);
    jval_set_str(d, "ifname", a->ifname);
    qapi_event_emit(QAPI_EVENT_NETDEV_VANISHED, d);
    net_client_set_carrier(&a->c, false);
}

static void make_promiscuous(struct af_xdp *a)
{
    struct packet_mreq m = { .mr_ifindex = (int)a->ifindex, .mr_type = PACKET_MR_PROMISC };

    a->promisc = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    if (a->promisc >= 0) {
        (void)setsockopt(a->promisc, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &m, sizeof(m));
    }
}

static bool check_options(struct af_xdp *a, const NetdevAFXDP *o, Error **errp)
{
    bool inhibit = o->has_inhibit && o->inhibit;
    int64_t queues = o->has_queues ? o->queues : 1, start = o->has_start_queue ? o->start_queue : 0;

    if (inhibit && !o->sock_fds && !o->map_path) {
        error_setg(errp, "'inhibit=on' requires 'sock-fds' or 'map-path'");
    } else if (!inhibit && (o->sock_fds || o->map_path)) {
        error_setg(errp, "'sock-fds' and 'map-path' require 'inhibit=on'");
    } else if (o->sock_fds && o->map_path) {
        error_setg(errp, "'sock-fds' and 'map-path' are mutually exclusive");
    } else if (o->has_map_start_index && !o->map_path) {
        error_setg(errp, "'map-start-index' requires 'map-path'");
    } else if (o->has_map_start_index && o->map_start_index < 0) {
        error_setg(errp, "invalid 'map-start-index' (%" PRIi32 ")", o->map_start_index);
    } else if (queues < 1 || queues > QUEUES_MAX) {
        error_setg(errp, "invalid number of queues (%" PRIi64 ") for '%s'", queues, o->ifname);
    } else if (start < 0 || start > UINT16_MAX) {
        error_setg(errp, "invalid start queue (%" PRIi64 ") for '%s'", start, o->ifname);
    } else if (!(a->ifindex = if_nametoindex(o->ifname))) {
        error_setg_errno(errp, errno, "failed to get ifindex for '%s'", o->ifname);
    } else {
        return true;
    }
    return false;
}

/* sock-fds=3:4: one for each queue */
static bool parse_fds(const char *text, int64_t queues, int *fds, Error **errp)
{
    g_auto(GStrv) words = g_strsplit(text, ":", -1);

    if (g_strv_length(words) != (guint)queues) {
        error_setg(errp, "expected %" PRIi64 " socket fds, got %u", queues, g_strv_length(words));
        return false;
    }
    for (int64_t i = 0; i < queues; i++) {
        int domain = 0;
        socklen_t len = sizeof(domain);

        if (!channel_fd_parse(words[i], &fds[i], errp)) {
            return false;
        }
        if (getsockopt(fds[i], SOL_SOCKET, SO_DOMAIN, &domain, &len) < 0 || domain != AF_XDP) {
            error_setg(errp, "fd=%d is not an AF_XDP socket", fds[i]);
            return false;
        }
    }
    return true;
}

/* The map that sockets are put into: ours, a pinned one, or none when they are in it already. -1: none, -2: *errp is set */
static int open_map(struct af_xdp *a, const NetdevAFXDP *o, unsigned map_size, Error **errp)
{
    static const enum xsk_mode modes[] = { [AFXDP_MODE_NATIVE] = XSK_MODE_NATIVE, [AFXDP_MODE_SKB] = XSK_MODE_SKB };

    if (o->sock_fds) {
        return -1;
    }
    if (o->map_path) {
        a->prog.map_fd = xsk_map_open(o->map_path);
        if (a->prog.map_fd < 0) {
            error_setg_errno(errp, errno, "failed to open map '%s'", o->map_path);
            return -2;
        }
        return a->prog.map_fd;
    }
    return xsk_prog_attach(&a->prog, a->ifname, a->ifindex, o->has_mode ? modes[o->mode] : XSK_MODE_ANY, map_size, errp) ? a->prog.map_fd : -2;
}

static bool open_queues(struct af_xdp *a, const NetdevAFXDP *o, Error **errp)
{
    unsigned queues = o->has_queues ? (unsigned)o->queues : 1, first = o->has_start_queue ? (unsigned)o->start_queue : 0;
    unsigned index = o->map_path ? (unsigned)(o->has_map_start_index ? o->map_start_index : 0) : first;
    g_autofree int *fds = g_new(int, queues);
    int map;

    memset(fds, 0xFF, queues * sizeof(*fds));
    if (o->sock_fds && !parse_fds(o->sock_fds, queues, fds, errp)) {
        return false;
    }
    map = open_map(a, o, first + queues, errp);
    if (map == -2) {
        return false;
    }
    a->q = g_new0(struct queue, queues);
    for (unsigned i = 0; i < queues; i++) {
        a->q[i].a = a;
        a->q[i].x.fd = -1;
        a->n = i + 1;
        if (!xsk_open(&a->q[i].x, fds[i], a->ifname, a->ifindex, first + i, o->has_force_copy && o->force_copy, errp)) {
            return false;
        }
        if (map >= 0 && !xsk_map_set(map, index + i, a->q[i].x.fd)) {
            error_setg_errno(errp, errno, "failed to put the socket for queue %u of '%s' into the map", first + i, a->ifname);
            return false;
        }
    }
    return true;
}

static bool af_xdp_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct af_xdp *a = af_xdp_of(c);
    const NetdevAFXDP *o = cfg;

    a->prog = (struct xsk_prog){ -1, -1, -1 };
    a->promisc = -1;
    a->ifname = g_strdup(o->ifname);
    rx_merge_init(&a->merge, c);
    bh_init(&a->flush, "af-xdp-flush", flush, a);
    timer_setup(&a->retry, CLOCK_RT, try_again, a);
    timer_setup(&a->look, CLOCK_RT, look, a);
    c->own_drop_names = drop_names;
    c->own_drops = a->drops;
    c->n_own_drops = AF_XDP_DROPS;
    if (!check_options(a, o, errp) || !open_queues(a, o, errp)) {
        return false;
    }
    make_promiscuous(a);
    timer_arm(&a->look, clock_get_ns(CLOCK_RT) + LOOK_MS * NS_PER_MS);
    net_client_set_info(c, "af-xdp0 to %s", a->ifname);
    return true;
}

static void af_xdp_close(struct net_client *c)
{
    struct af_xdp *a = af_xdp_of(c);

    bh_fini(&a->flush);
    timer_fini(&a->retry);
    timer_fini(&a->look);
    loop_watch_del(&a->tx_watch);
    xsk_prog_close(&a->prog);
    for (unsigned i = 0; i < a->n; i++) {
        loop_watch_del(&a->q[i].watch);
        if (i == 0 && a->q[i].x.tx.map && !a->gone) {
            xsk_tx_kick(&a->q[i].x);
        }
        xsk_close(&a->q[i].x);
    }
    if (a->promisc >= 0) {
        close(a->promisc);
    }
    rx_merge_fini(&a->merge);
    c->n_own_drops = 0;
    g_free(a->q);
    g_free(a->ifname);
}

const struct net_backend_ops net_backend_af_xdp = {
    .kind = "af-xdp", .size = sizeof(struct af_xdp), .open = af_xdp_open, .send = af_xdp_send, .rx_enable = af_xdp_rx_enable,
    .tx_ready = af_xdp_tx_ready, .offloads = af_xdp_offloads, .close = af_xdp_close, .follows = true,
};
