/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/dgram_wire.c - a datagram socket as a wire: watches, timers, errors, life; see dgram_wire.h
 *
 * Invariants:
 *  - the socket is read only while rx_on and nothing is left over from the last batch; a batch is left over only while the core owes us a
 *    tx_ready();
 *  - frames in the send buffer => the flush bottom half is scheduled, or the wire waits (tx_watch or retry is armed).
 */
#include "net/backends/dgram_wire.h"
#include "lib/error.h"
#include "net/backends/dgram_int.h"
#include "qapi/schema.h"
#include <errno.h>
#include <string.h>

enum { REST_NS = 20 * 1000 * 1000 };        /* between two reads that find no memory */

static const char *const drop_names[DGRAM_DROP_HEADER] = {
    [DGRAM_DROP_SOURCE] = "wrong-source", [DGRAM_DROP_OWN] = "own", [DGRAM_DROP_LONG] = "too-long",
    [DGRAM_DROP_REFUSED] = "nobody-there", [DGRAM_DROP_TOO_BIG] = "too-big-to-send", [DGRAM_DROP_ERROR] = "send-error",
};

bool dgram_error_is_icmp(int err)
{
    switch (err) {
    case ECONNREFUSED: case ECONNRESET: case EHOSTUNREACH: case EHOSTDOWN: case ENETUNREACH: case ENETDOWN: case ENONET: case EPROTO:
    case ENOPROTOOPT: case EMSGSIZE: case EACCES:
        return true;
    default:
        return false;
    }
}

bool dgram_error_passes(int err)
{
    switch (err) {
    case EPERM: case ETIMEDOUT: case EADDRNOTAVAIL: case EINTR: case ENOMEM: case ENOBUFS: case ENOENT: case ENOTCONN: case EINVAL:
    case EPIPE: case EIO: case EDESTADDRREQ: case ENODEV: case ENXIO:
        return true;
    default:
        return dgram_error_is_icmp(err);
    }
}

void dgram_wire_break(struct dgram_wire *w, int err)
{
    struct jval *d;

    if (w->broken) {
        return;
    }
    w->broken = true;
    loop_watch_del(&w->rx_watch);
    loop_watch_del(&w->tx_watch);
    timer_disarm(&w->retry);
    timer_disarm(&w->rest);
    dgram_rx_forget(w);
    warn_report("netdev '%s': the socket cannot be used any more: %s", w->c->name, strerror(err));
    d = jval_dict();
    jval_set_str(d, "netdev-id", w->c->name);
    qapi_event_emit(QAPI_EVENT_NETDEV_VANISHED, d);
    net_client_set_carrier(w->c, false);
}

/* --- watches ------------------------------------------------------------------------------------------------------- */

static void update_reading(struct dgram_wire *w);

static void readable(void *opaque, GIOCondition got)
{
    struct dgram_wire *w = opaque;

    if (got & G_IO_NVAL) {
        dgram_wire_break(w, EBADF);
        return;
    }
    dgram_rx_run(w);
    update_reading(w);
}

static void update_reading(struct dgram_wire *w)
{
    bool on = w->rx_on && !w->broken && dgram_rx_deliver(w) && net_can_send(w->c) && !w->resting;

    /* net_can_send() and net_send() that say no promise a tx_ready() */
    loop_watch_set(&w->rx_watch, w->sock.fd, on ? G_IO_IN : 0, readable, w);
}

void dgram_wire_rest(struct dgram_wire *w)
{
    w->resting = true;
    timer_arm(&w->rest, clock_get_ns(CLOCK_RT) + REST_NS);
}

static void rested(void *opaque)
{
    struct dgram_wire *w = opaque;

    w->resting = false;
    update_reading(w);
}

static void flush(void *opaque)
{
    dgram_tx_flush(opaque);
}

static void retry(void *opaque)
{
    dgram_tx_resume(opaque);
}

void dgram_wire_rx_enable(struct dgram_wire *w, bool on)
{
    if (on && !w->rx_on && w->was_on) {
        dgram_rx_discard(w);
    }
    w->was_on |= on;
    w->rx_on = on;
    if (!on) {
        dgram_rx_forget(w);
    }
    update_reading(w);
}

void dgram_wire_tx_ready(struct dgram_wire *w)
{
    update_reading(w);
}

uint32_t dgram_wire_offloads(const struct dgram_wire *w)
{
    return 0;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */

void dgram_wire_init(struct dgram_wire *w, struct net_client *c, struct dgram_sock *sock, const struct dgram_codec *codec, void *opaque)
{
    w->c = c;
    w->sock = *sock;
    *sock = (struct dgram_sock){ .fd = -1, .tx_fd = -1 };
    w->codec = codec;
    w->codec_opaque = opaque;
    memcpy(w->drop_names, drop_names, sizeof(drop_names));
    if (codec) {
        memcpy(w->drop_names + DGRAM_DROP_HEADER, codec->reasons, sizeof(codec->reasons));
    }
    c->own_drop_names = w->drop_names;
    c->own_drops = w->drops;
    c->n_own_drops = DGRAM_DROPS;
    bh_init(&w->flush, "dgram-flush", flush, w);
    timer_setup(&w->retry, CLOCK_RT, retry, w);
    timer_setup(&w->rest, CLOCK_RT, rested, w);
    dgram_rx_new(w);
    dgram_tx_new(w);
}

void dgram_wire_fini(struct dgram_wire *w)
{
    if (!w->c) {
        return;
    }
    w->rx_on = false;
    if (!w->broken) {
        dgram_tx_last(w);
    }
    bh_fini(&w->flush);
    timer_fini(&w->retry);
    timer_fini(&w->rest);
    loop_watch_del(&w->rx_watch);
    loop_watch_del(&w->tx_watch);
    dgram_rx_free(w);
    dgram_tx_free(w);
    dgram_sock_close(&w->sock);
    w->c->n_own_drops = 0;
    w->c = NULL;
}
