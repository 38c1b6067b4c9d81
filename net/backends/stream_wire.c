/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/stream_wire.c - a connected stream socket as a wire
 *
 * In: one large read, then the frames in it, where they lie, at most RX_BUDGET in one go; a bottom half goes on with the rest. For a guest that
 * takes large frames, the TCP segments among them are merged (rx_merge.h). While the receiver is behind the socket is not read, so the sender
 * is slowed down and nothing is lost; POLLRDHUP still tells when the other end has gone, and then the connection is over at once. While the
 * link is down the socket is read and the frames are dropped (and counted) by the core, as on a cut cable.
 *
 * Out: the first frame is written at once. Those that come in the same round of the main loop are collected and written together by a bottom
 * half, or when WRITE_AT bytes are there. What the socket does not take waits in the same buffer until it is writable; a frame that does not
 * fit behind it is refused, which makes the core keep it.
 *
 * Invariants: out not empty => corked (bottom half scheduled) or out_blocked (watch asks for OUT) or death.
 *             refused => out not empty.
 *             a whole frame in the read buffer => rest (bottom half scheduled) or paused or death.
 */
#include "net/backends/stream_wire.h"
#include "lib/bits.h"
#include "net/nic.h"
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RX_BUDGET = 64,                                             /* frames in one go */
    WRITE_AT  = 65536,
    OUT_BYTES = WRITE_AT + FRAMING_HEADER + FRAME_MAX,
};

static const char *const drop_names[] = { "too-long" };

/* glib hands event bits to poll(2) as they are */
#define IO_RDHUP ((GIOCondition)POLLRDHUP)

static void wire_event(void *opaque, GIOCondition revents);

static void update_watch(struct stream_wire *w)
{
    unsigned ev = IO_RDHUP;

    if (w->fd < 0 || w->death) {
        loop_watch_del(&w->watch);
        return;
    }
    ev |= w->paused ? 0 : G_IO_IN;
    ev |= w->out_blocked ? G_IO_OUT : 0;
    loop_watch_set(&w->watch, w->fd, (GIOCondition)ev, wire_event, w);
}

/* The connection is over; the owner hears it from the bottom half, because this may be inside send(). Takes @why. */
static void die(struct stream_wire *w, char *why)
{
    if (w->death) {
        g_free(why);
        return;
    }
    w->death = why;
    update_watch(w);
    bh_schedule(&w->bh);
}

static void die_errno(struct stream_wire *w, int err)
{
    die(w, g_strdup(strerror(err)));
}

/* --- socket to guest ------------------------------------------------------------------------------------------- */

static struct net_stats *drops_of(struct stream_wire *w)
{
    return &(w->c->peer ? w->c->peer : w->c)->stats;
}

static void too_long(struct stream_wire *w, size_t len)
{
    w->too_long++;
    if (!w->warned) {
        w->warned = true;
        warn_report("netdev '%s': the other end announced a frame of %zu bytes, at most %d are allowed: connection closed", w->c->name, len,
                    FRAMING_MAX);
    }
    die(w, g_strdup_printf("frame of %zu bytes announced", len));
}

/* Return: there may be more to read */
static bool read_some(struct stream_wire *w)
{
    size_t room;
    uint8_t *p = framing_room(&w->in, &room);
    ssize_t n;

    do {
        n = recv(w->fd, p, MIN(room, FRAMING_READ), MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        framing_filled(&w->in, (size_t)n);
        return true;
    }
    if (n == 0) {
        die(w, g_strdup("closed by the other end"));
    } else if (errno != EAGAIN) {
        die_errno(w, errno);
    }
    return false;
}

/* Up to RX_BUDGET frames, with one read at the most. */
static void receive(struct stream_wire *w)
{
    uint64_t was_short = w->in.short_frames;
    enum framing_status st = FRAMING_MORE;
    bool may_read = true;
    const uint8_t *frame;
    size_t len;

    rx_merge_begin(&w->merge);
    for (unsigned n = 0; n < RX_BUDGET && !w->paused && !w->death;) {
        st = framing_peek(&w->in, &frame, &len);
        if (st == FRAMING_FRAME) {
            if (rx_merge_add(&w->merge, frame, len)) {
                framing_take(&w->in);
                n++;
            } else {
                w->paused = true;
            }
        } else if (st == FRAMING_TOO_LONG) {
            too_long(w, len);
        } else if (may_read && read_some(w)) {
            may_read = false;
        } else {
            break;
        }
    }
    rx_merge_end(&w->merge);
    drops_of(w)->drops[NET_DROP_RUNT] += w->in.short_frames - was_short;
    if (!w->paused && !w->death && st == FRAMING_FRAME) {
        w->rest = true;
        bh_schedule(&w->bh);
    }
    update_watch(w);
}

void stream_wire_tx_ready(struct stream_wire *w)
{
    if (w->fd >= 0 && !w->death && w->paused) {
        w->paused = false;
        receive(w);
    }
}

/* --- guest to socket ------------------------------------------------------------------------------------------- */

static size_t out_pending(const struct stream_wire *w)
{
    return w->out_end - w->out_start;
}

static void forget_out(struct stream_wire *w)
{
    w->out_start = w->out_end = 0;
    w->out_blocked = false;
    if (w->refused) {
        w->refused = false;
        net_client_flush(w->c);
    }
}

/* Write what there is. */
static void flush(struct stream_wire *w)
{
    while (out_pending(w)) {
        ssize_t n = send(w->fd, w->out + w->out_start, out_pending(w), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n >= 0) {
            w->out_start += (size_t)n;
        } else if (errno == EAGAIN) {
            w->out_blocked = true;
            update_watch(w);
            return;
        } else if (errno != EINTR) {
            die_errno(w, errno);
            break;
        }
    }
    forget_out(w);
}

static void append(struct stream_wire *w, const struct frame *f)
{
    if (OUT_BYTES - w->out_end < FRAMING_HEADER + f->len) {
        memmove(w->out, w->out + w->out_start, out_pending(w));
        w->out_end -= w->out_start;
        w->out_start = 0;
    }
    framing_put_header(w->out + w->out_end, (uint32_t)f->len);
    frame_copy_out(f, 0, w->out + w->out_end + FRAMING_HEADER, f->len);
    w->out_end += FRAMING_HEADER + f->len;
}

/* Straight from the frame's memory. Return: bytes that the socket took */
static size_t write_now(struct stream_wire *w, const struct frame *f)
{
    struct iovec iov[FRAME_IOV_MAX + 1];
    uint8_t header[FRAMING_HEADER];
    struct msghdr m = { .msg_iov = iov, .msg_iovlen = f->iovcnt + 1 };
    ssize_t n;

    framing_put_header(header, (uint32_t)f->len);
    iov[0] = (struct iovec){ header, sizeof(header) };
    memcpy(iov + 1, f->iov, f->iovcnt * sizeof(iov[0]));
    do {
        n = sendmsg(w->fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        die_errno(w, errno);
    }
    return n < 0 ? 0 : (size_t)n;
}

static void cork(struct stream_wire *w)
{
    w->corked = true;
    bh_schedule(&w->bh);
}

static enum net_tx send_first(struct stream_wire *w, const struct frame *f)
{
    size_t taken = write_now(w, f);

    if (w->death) {
        return NET_TX_DROP;
    }
    if (taken < FRAMING_HEADER + f->len) {
        append(w, f);
        w->out_start += taken;
        w->out_blocked = true;
        update_watch(w);
    } else {
        cork(w);
    }
    return NET_TX_DONE;
}

enum net_tx stream_wire_send(struct stream_wire *w, const struct frame *f)
{
    if (w->fd < 0 || w->death) {
        return NET_TX_DROP;
    }
    if (!out_pending(w) && !w->corked) {
        return send_first(w, f);
    }
    if (OUT_BYTES - out_pending(w) < FRAMING_HEADER + f->len && !w->out_blocked) {
        flush(w);
    }
    if (w->death) {
        return NET_TX_DROP;
    }
    if (OUT_BYTES - out_pending(w) < FRAMING_HEADER + f->len) {
        w->refused = true;
        return NET_TX_BUSY;
    }
    append(w, f);
    if (!w->out_blocked && out_pending(w) >= WRITE_AT) {
        flush(w);
    } else if (!w->out_blocked && !w->corked) {
        cork(w);
    }
    return NET_TX_DONE;
}

/* --- events ---------------------------------------------------------------------------------------------------- */

static void wire_event(void *opaque, GIOCondition revents)
{
    struct stream_wire *w = opaque;

    if (revents & G_IO_NVAL) {
        die_errno(w, EBADF);
        return;
    }
    if (revents & (G_IO_OUT | G_IO_ERR | G_IO_HUP) && w->out_blocked) {
        w->out_blocked = false;
        flush(w);
        update_watch(w);
    }
    if (w->death) {
        return;
    }
    if (!w->paused) {
        receive(w);             /* up to the end of the stream, or the error */
    } else if (revents & (IO_RDHUP | G_IO_HUP | G_IO_ERR)) {
        die(w, g_strdup("closed by the other end"));
    }
}

static void wire_bh(void *opaque)
{
    struct stream_wire *w = opaque;

    w->corked = false;
    if (w->fd >= 0 && !w->death && !w->out_blocked) {
        flush(w);
    }
    if (w->fd >= 0 && !w->death && w->rest) {
        w->rest = false;
        receive(w);
    }
    if (w->fd >= 0 && w->death) {
        g_autofree char *why = g_steal_pointer(&w->death);

        w->death = g_strdup(why);       /* until detach: nothing goes in or out */
        w->gone(w->opaque, why);
    }
}

/* --- life ------------------------------------------------------------------------------------------------------ */

void stream_wire_init(struct stream_wire *w, struct net_client *c, stream_wire_gone_fn *gone, void *opaque)
{
    *w = (struct stream_wire){ .c = c, .gone = gone, .opaque = opaque, .fd = -1 };
    c->own_drop_names = drop_names;
    c->own_drops = &w->too_long;
    c->n_own_drops = ARRAY_LEN(drop_names);
    rx_merge_init(&w->merge, c);
    bh_init(&w->bh, "stream-wire", wire_bh, w);
}

void stream_wire_attach(struct stream_wire *w, int fd)
{
    stream_wire_detach(w);
    w->fd = fd;
    w->out = g_malloc(OUT_BYTES);
    framing_init(&w->in, g_malloc(framing_bytes(FRAMING_MAX)), FRAME_MIN, FRAMING_MAX);
    w->paused = w->rest = false;
    update_watch(w);
}

void stream_wire_detach(struct stream_wire *w)
{
    if (w->fd < 0) {
        return;
    }
    if (!w->death && !w->out_blocked) {
        flush(w);                       /* what is corked */
    }
    loop_watch_del(&w->watch);
    close(w->fd);
    w->fd = -1;
    w->corked = false;
    forget_out(w);
    g_clear_pointer(&w->death, g_free);
    g_clear_pointer(&w->out, g_free);
    g_clear_pointer(&w->in.buf, g_free);
}

void stream_wire_fini(struct stream_wire *w)
{
    if (!w->bh.fn) {
        return;                         /* never began */
    }
    w->refused = false;
    stream_wire_detach(w);
    rx_merge_fini(&w->merge);
    bh_fini(&w->bh);
}
