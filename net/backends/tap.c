/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap.c - a running tap: frames between descriptors of a host interface and the guest
 *
 * Large frames and open checksums travel whole both ways, behind a vnet header (net/vnet_hdr.h): the kernel is asked for every offload it has,
 * and the core cuts what a NIC cannot take. Writing does not copy: header and the frame's own pieces go out in one writev().
 *
 *   read side   watched while the guest's end takes frames; READ_BUDGET frames a wake-up; else only errors are watched, so a vanished interface
 *               is noticed at any time
 *   write side  a full interface (sndbuf=) says EAGAIN: the frame stays with the sender until the descriptor is writable. An interface that is
 *               down loses the frame, as a cut cable does
 *   vanished    (ip link del, the module unloaded) watches end at once, a bottom half takes the carrier away and says NETDEV_VANISHED. An
 *               interface that was opened by name is looked for once a second and taken again when it is back
 *
 * macvtap tells nobody that it has been deleted, so such an interface is looked at every MACVTAP_CHECK_MS.
 */
#include "net/backends/tap_int.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/vnet_hdr.h"
#include "qapi/schema.h"
#include <errno.h>
#include <string.h>
#include <unistd.h>

enum {
    READ_BUDGET      = 64,
    STALE_MAX        = 4096,        /* frames thrown away when the cable is plugged in: more than a queue of the kernel holds */
    MACVTAP_CHECK_MS = 500,
    REOPEN_MS        = 1000,
    AGAIN_MAX        = 16,          /* "writable" and then EAGAIN: do not believe it for ERROR_PAUSE_MS */
    ERROR_PAUSE_MS   = 10,          /* an error that the interface has survived: look again, but do not spin */
    VNET_DATA_VALID  = 2,           /* flag of the vnet header: the checksum has been verified (VIRTIO 1.2 5.1.6.4) */
};

static struct tap *tap_of(const struct net_client *c)
{
    return container_of((struct net_client *)c, struct tap, c);
}

static void arm_check(struct tap *t, int ms)
{
    timer_arm(&t->check, clock_get_ns(CLOCK_RT) + ms * NS_PER_MS);
}

/* --- the end of an interface -------------------------------------------------------------------------------------- */

static void close_queues(struct tap *t)
{
    for (unsigned i = 0; i < t->c.queues; i++) {
        loop_watch_del(&t->q[i].watch);
        if (t->q[i].fd >= 0) {
            close(t->q[i].fd);
        }
        t->q[i].fd = -1;
        t->q[i].full = false;
    }
}

/* May be called from inside send(): what others hear of it comes from a bottom half. */
static void vanished(struct tap *t)
{
    if (!t->gone) {
        t->gone = true;
        for (unsigned i = 0; i < t->c.queues; i++) {
            loop_watch_del(&t->q[i].watch);
        }
        bh_schedule(&t->gone_bh);
    }
}

static void tell_vanished(void *opaque)
{
    struct tap *t = opaque;
    struct jval *d = jval_dict();

    close_queues(t);
    jval_set_str(d, "netdev-id", t->c.name);
    if (*t->info.ifname) {
        jval_set_str(d, "ifname", t->info.ifname);
    }
    qapi_event_emit(QAPI_EVENT_NETDEV_VANISHED, d);
    net_client_set_carrier(&t->c, false);
    net_client_flush(&t->c);
    if (t->reopen) {
        arm_check(t, REOPEN_MS);
    } else {
        timer_disarm(&t->check);
    }
}

/* After an unexpected error or a poll that reported one */
static void trouble(struct tap_queue *q)
{
    if (!tap_linux_alive(q->fd)) {
        vanished(q->t);
    } else {
        loop_watch_del(&q->watch);
        arm_check(q->t, ERROR_PAUSE_MS);
    }
}

/* --- host to guest ------------------------------------------------------------------------------------------------ */

static void count_bad(struct tap *t, enum net_drop why)
{
    if (t->c.peer) {
        t->c.peer->stats.drops[why]++;
    }
}

static void deliver(struct tap_queue *q, size_t len)
{
    struct tap *t = q->t;
    const uint8_t *p = t->rxbuf;
    struct pkt_meta m = { 0 };
    struct frame f;

    if (len < t->hdr_len) {
        count_bad(t, NET_DROP_RUNT);
        return;
    }
    if (t->hdr_len && vnet_hdr_decode(p, len - t->hdr_len, &m) != VNET_HDR_OK) {
        count_bad(t, NET_DROP_BAD_META);
        return;
    }
    if (!frame_from_buf(&f, p + t->hdr_len, len - t->hdr_len)) {
        count_bad(t, NET_DROP_OVERSIZE);
        return;
    }
    m.flags |= t->hdr_len && p[0] & VNET_DATA_VALID ? PKT_CSUM_VALID : 0;
    m.queue = t->c.queues > 1 ? (uint16_t)(q->index + 1) : 0;
    f.meta = m;
    net_send_queued(&t->c, &f);
}

static size_t rxbuf_size(const struct tap *t)
{
    return t->hdr_len + FRAME_MAX;
}

/* Until there is nothing more, the guest is behind, or the budget is used up */
static void read_frames(struct tap_queue *q)
{
    struct tap *t = q->t;

    for (unsigned n = READ_BUDGET; n && t->rx_on && !t->gone && net_can_send(&t->c); n--) {
        ssize_t len = read(q->fd, t->rxbuf, rxbuf_size(t));

        if (len >= 0) {
            deliver(q, (size_t)len);
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            trouble(q);
            return;
        }
    }
}

static void on_ready(void *opaque, GIOCondition ev);

static void watch(struct tap_queue *q)
{
    struct tap *t = q->t;
    GIOCondition ev = G_IO_ERR | G_IO_HUP;

    if (t->gone || q->fd < 0) {
        return;
    }
    ev |= t->rx_on && net_can_send(&t->c) ? G_IO_IN : 0;
    ev |= q->full ? G_IO_OUT : 0;
    loop_watch_set(&q->watch, q->fd, ev, on_ready, q);
}

static void watch_all(struct tap *t)
{
    for (unsigned i = 0; i < t->c.queues; i++) {
        watch(&t->q[i]);
    }
}

static void on_ready(void *opaque, GIOCondition ev)
{
    struct tap_queue *q = opaque;
    struct tap *t = q->t;

    if (ev & G_IO_OUT && q->full) {
        q->full = false;
        net_client_flush(&t->c);
    }
    if (ev & G_IO_IN) {
        read_frames(q);
    }
    if (ev & (G_IO_ERR | G_IO_HUP | G_IO_NVAL) && !t->gone) {
        trouble(q);
    } else if (q->watch.source) {
        watch(q);
    }
}

/* Frames that came while the cable was out are gone, as on a cable */
static void drop_stale(struct tap *t)
{
    for (unsigned i = 0; i < t->c.queues; i++) {
        for (unsigned n = STALE_MAX; n && t->q[i].fd >= 0 && read(t->q[i].fd, t->rxbuf, rxbuf_size(t)) >= 0; n--) {
        }
    }
}

void tap_rx_enable(struct net_client *c, bool on)
{
    struct tap *t = tap_of(c);

    if (on && !t->rx_on) {
        drop_stale(t);
    }
    t->rx_on = on;
    watch_all(t);
}

void tap_tx_ready(struct net_client *c)
{
    watch_all(tap_of(c));
}

/* --- guest to host ------------------------------------------------------------------------------------------------ */

uint32_t tap_offloads(const struct net_client *c)
{
    return tap_of(c)->caps;
}

enum net_tx tap_send(struct net_client *c, const struct frame *f)
{
    struct tap *t = tap_of(c);
    struct tap_queue *q = &t->q[f->meta.queue ? (f->meta.queue - 1u) % c->queues : 0];
    struct iovec iov[FRAME_IOV_MAX + 1];
    uint8_t hdr[VNET_HDR_LEN];
    unsigned n = 0;

    if (t->gone) {
        return NET_TX_DROP;
    }
    if (t->hdr_len) {
        vnet_hdr_encode(&f->meta, false, hdr, t->hdr_len);
        iov[n++] = (struct iovec){ hdr, t->hdr_len };
    }
    memcpy(iov + n, f->iov, f->iovcnt * sizeof(f->iov[0]));
    for (;;) {
        if (writev(q->fd, iov, (int)(n + f->iovcnt)) >= 0) {
            q->again = 0;
            return NET_TX_DONE;
        }
        switch (errno) {
        case EINTR:
            continue;
        case EAGAIN:
            q->full = true;
            if (q->again++ < AGAIN_MAX) {
                watch(q);
            } else {
                loop_watch_del(&q->watch);
                arm_check(t, ERROR_PAUSE_MS);
            }
            return NET_TX_BUSY;
        case EBADFD:
        case EBADF:
        case ENODEV:
        case EIO:                   /* down, or being deleted */
            if (!tap_linux_alive(q->fd)) {
                vanished(t);
            }
            return NET_TX_DROP;
        default:                    /* no memory, a frame that the kernel does not like */
            return NET_TX_DROP;
        }
    }
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

static bool configure(struct tap *t, Error **errp)
{
    t->hdr_len = t->info.vnet_hdr ? VNET_HDR_LEN : 0;
    t->caps = t->hdr_len ? PKT_CAP_ALL : 0;
    for (unsigned i = 0; i < t->c.queues; i++) {
        int fd = t->q[i].fd;

        if (t->hdr_len && !tap_linux_set_hdr_len(fd, (int)t->hdr_len, errp)) {
            return false;
        }
        if (!tap_linux_set_sndbuf(fd, t->sndbuf, t->sndbuf ? errp : NULL) && t->sndbuf) {
            return false;
        }
        t->caps &= t->hdr_len ? tap_linux_offloads(fd) : 0;
    }
    return true;
}

/* An interface that was taken away by name may be made again by whoever made it */
static bool come_back(struct tap *t)
{
    char name[IFNAMSIZ];

    if (!if_nametoindex(t->reopen)) {
        return false;
    }
    for (unsigned i = 0; i < t->c.queues; i++) {
        g_strlcpy(name, t->reopen, sizeof(name));
        t->q[i].fd = tap_linux_open(name, t->c.queues > 1, t->vnet, &t->info, NULL);
        if (t->q[i].fd < 0) {
            close_queues(t);
            return false;
        }
    }
    if (!configure(t, NULL)) {
        close_queues(t);
        return false;
    }
    return true;
}

static void on_check(void *opaque)
{
    struct tap *t = opaque;

    if (t->gone) {
        if (!come_back(t)) {
            arm_check(t, REOPEN_MS);
            return;
        }
        t->gone = false;
        net_client_set_carrier(&t->c, true);
    }
    for (unsigned i = 0; i < t->c.queues; i++) {
        if (!tap_linux_alive(t->q[i].fd)) {
            vanished(t);
            return;
        }
    }
    watch_all(t);
    if (t->info.macvtap) {
        arm_check(t, MACVTAP_CHECK_MS);
    }
}

void tap_init(struct tap *t, unsigned n)
{
    t->c.queues = n;
    t->q = g_new0(struct tap_queue, n);
    for (unsigned i = 0; i < n; i++) {
        t->q[i].t = t;
        t->q[i].index = (uint16_t)i;
        t->q[i].fd = -1;
    }
    bh_init(&t->gone_bh, "tap-vanished", tell_vanished, t);
    timer_setup(&t->check, CLOCK_RT, on_check, t);
}

bool tap_start(struct tap *t, Error **errp)
{
    if (!configure(t, errp)) {
        return false;
    }
    t->rxbuf = g_malloc(rxbuf_size(t));
    watch_all(t);
    if (t->info.macvtap) {
        arm_check(t, MACVTAP_CHECK_MS);
    }
    return true;
}

void tap_close(struct net_client *c)
{
    struct tap *t = tap_of(c);

    if (t->q) {
        timer_fini(&t->check);
        bh_fini(&t->gone_bh);
        close_queues(t);
    }
    g_free(t->q);
    g_free(t->rxbuf);
    g_free(t->downscript);
    g_free(t->reopen);
}
