/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/dgram_tx.c - the sending half of a datagram wire
 *
 * Frames are copied one behind the other into one piece of memory; a message is a run of them. Over UDP a run of equally long frames (the
 * last may be shorter) is one message, which the kernel cuts up (UDP_SEGMENT); else a message is one frame. Messages first .. n - 1 are
 * still to be sent, the first of them from @off on. The memory is free again when all are gone.
 *
 * Waiting: for the socket to be writable (EAGAIN); for a UNIX peer's queue to have room, which only a connected socket can tell, so one is
 * made for that purpose (ours stays unconnected, that the peer may be restarted); or, on ENOBUFS, for a moment.
 */
#include "lib/bits.h"
#include "net/backends/dgram_int.h"
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

enum {
    MESSAGES = 128,
    BATCH = 64,                             /* one sendmmsg() */
    BYTES = 4 * (FRAME_MAX + DGRAM_HDR_MAX),
    GSO_BYTES = 65000,                      /* a message with all its frames: below the largest IP datagram */
    GSO_SEGMENTS = 64,                      /* UDP_MAX_SEGMENTS of the kernel since 4.18 */
    RETRY_NS = 1000000,
    AGAIN_MAX = 16,                         /* then it is not asked whether it is writable, but after RETRY_NS */
};

struct message {
    uint32_t start, len;
    uint32_t seg;                           /* length of each frame but the last, which may be shorter */
    uint16_t frames;
    bool closed;                            /* nothing may follow: the last was shorter, or it is full */
};

union control {
    struct cmsghdr align;
    uint8_t room[CMSG_SPACE(sizeof(uint16_t))];
};

struct dgram_tx {
    uint8_t *mem;
    size_t used;
    unsigned n, first;
    size_t off;
    bool gso;
    bool waiting;
    unsigned again;                         /* times in a row that a socket said to be writable was not */
    bool said_busy;
    bool retried;                           /* the first message has failed once with what may have been an older error */
    int probe;                              /* connected to the UNIX peer while we wait for it, else -1 */
    struct message msg[MESSAGES];
    struct mmsghdr hdr[BATCH];
    struct iovec iov[BATCH];
    union control ctl[BATCH];
};

void dgram_tx_new(struct dgram_wire *w)
{
    struct dgram_tx *tx = w->tx = g_new0(struct dgram_tx, 1);
    int size;
    socklen_t len = sizeof(size);

    tx->mem = g_malloc(BYTES);
    tx->probe = -1;
    /* one receiver, a UDP socket of our own, a kernel that knows it */
    tx->gso = w->sock.ours && w->sock.tx_fd < 0 && !getsockopt(w->sock.fd, IPPROTO_UDP, UDP_SEGMENT, &size, &len);
}

static void close_probe(struct dgram_wire *w)
{
    loop_watch_del(&w->tx_watch);
    if (w->tx->probe >= 0) {
        close(w->tx->probe);
        w->tx->probe = -1;
    }
}

void dgram_tx_free(struct dgram_wire *w)
{
    close_probe(w);
    g_free(w->tx->mem);
    g_free(w->tx);
    w->tx = NULL;
}

/* --- waiting -------------------------------------------------------------------------------------------------------- */

static void writable(void *opaque, GIOCondition got)
{
    struct dgram_wire *w = opaque;

    if (got & G_IO_NVAL) {
        dgram_wire_break(w, EBADF);
        return;
    }
    dgram_tx_resume(w);
}

/* A socket that becomes writable when the UNIX peer has room; -1: there is none */
static int open_probe(const struct dgram_wire *w)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd >= 0 && connect(fd, (const void *)&w->sock.dest.ss, w->sock.dest.len) < 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void wait_for_room(struct dgram_wire *w, int err)
{
    struct dgram_tx *tx = w->tx;
    int fd = w->sock.tx_fd >= 0 ? w->sock.tx_fd : w->sock.fd;

    tx->waiting = true;
    if (err == EAGAIN && tx->again++ >= AGAIN_MAX) {
        err = ENOBUFS;
    }
    if (err == EAGAIN && w->sock.dest.len && w->sock.dest.ss.ss_family == AF_UNIX) {
        fd = tx->probe = open_probe(w);
    }
    if (err == EAGAIN && fd >= 0) {
        loop_watch_set(&w->tx_watch, fd, G_IO_OUT, writable, w);
    } else {
        timer_arm(&w->retry, clock_get_ns(CLOCK_RT) + RETRY_NS);
    }
}

void dgram_tx_resume(struct dgram_wire *w)
{
    close_probe(w);
    timer_disarm(&w->retry);
    w->tx->waiting = false;
    dgram_tx_flush(w);
}

/* --- flushing ------------------------------------------------------------------------------------------------------- */

/* The next messages as the kernel wants them; Return: how many */
static unsigned build(struct dgram_wire *w)
{
    struct dgram_tx *tx = w->tx;
    size_t off = tx->off;
    unsigned k = 0;

    for (unsigned i = tx->first; i < tx->n && k < BATCH; i++, off = 0) {
        const struct message *m = &tx->msg[i];

        while (off < m->len && k < BATCH) {
            struct msghdr *h = &tx->hdr[k].msg_hdr;
            bool joined = tx->gso && m->frames > 1 && !off;
            size_t len = joined ? m->len : MIN(m->seg, m->len - off);

            tx->iov[k] = (struct iovec){ tx->mem + m->start + off, len };
            *h = (struct msghdr){ .msg_iov = &tx->iov[k], .msg_iovlen = 1 };
            if (w->sock.dest.len) {
                h->msg_name = &w->sock.dest.ss;
                h->msg_namelen = w->sock.dest.len;
            }
            if (joined) {
                uint16_t seg = (uint16_t)m->seg;

                h->msg_control = &tx->ctl[k];
                h->msg_controllen = sizeof(tx->ctl[k]);
                tx->ctl[k].align = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(seg)), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_SEGMENT };
                memcpy(CMSG_DATA(&tx->ctl[k].align), &seg, sizeof(seg));
            }
            off += len;
            k++;
        }
    }
    return k;
}

/* @bytes of the first message are done with. */
static void step(struct dgram_tx *tx, size_t bytes)
{
    tx->off += bytes;
    if (tx->off >= tx->msg[tx->first].len) {
        tx->off = 0;
        tx->first++;
    }
    tx->retried = false;
    tx->again = 0;
}

static void drop_first(struct dgram_wire *w, enum dgram_drop why)
{
    struct dgram_tx *tx = w->tx;

    w->drops[why] += tx->hdr[0].msg_hdr.msg_control ? tx->msg[tx->first].frames : 1;
    step(tx, tx->iov[0].iov_len);
}

static enum dgram_drop drop_reason(int err)
{
    switch (err) {
    case EMSGSIZE:
        return DGRAM_DROP_TOO_BIG;
    case ECONNREFUSED: case ECONNRESET: case ENOTCONN: case ENOENT: case EPERM:
        return DGRAM_DROP_REFUSED;
    default:
        return DGRAM_DROP_ERROR;
    }
}

/* Nothing was sent. true: go on */
static bool send_failed(struct dgram_wire *w, int err)
{
    struct dgram_tx *tx = w->tx;

    if (err == EAGAIN || err == ENOBUFS || err == ENOMEM) {
        wait_for_room(w, err);
        return false;
    }
    if (!dgram_error_passes(err)) {
        dgram_wire_break(w, err);
        return false;
    }
    if (tx->hdr[0].msg_hdr.msg_control && (err == EINVAL || err == EIO || err == EMSGSIZE || err == ENOPROTOOPT)) {
        tx->gso = false;                    /* longer than the path's MTU, or an interface that cannot: the kernel fragments instead */
        return true;
    }
    if (!tx->retried) {                     /* a socket reports what happened to earlier datagrams at the next call */
        tx->retried = true;
        return true;
    }
    drop_first(w, drop_reason(err));
    return true;
}

bool dgram_tx_flush(struct dgram_wire *w)
{
    struct dgram_tx *tx = w->tx;
    int fd = w->sock.tx_fd >= 0 ? w->sock.tx_fd : w->sock.fd;

    if (tx->waiting) {
        return false;
    }
    if (w->sock.tx_fd >= 0 && !w->sock.pinned) {
        dgram_sock_pin(&w->sock);
    }
    while (tx->first < tx->n && !w->broken) {
        unsigned k = build(w);
        int sent = sendmmsg(fd, tx->hdr, k, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (sent < 0 && !send_failed(w, errno)) {
            break;
        }
        for (int i = 0; i < sent; i++) {
            step(tx, tx->iov[i].iov_len);
        }
    }
    if (w->broken) {
        tx->first = tx->n;
    }
    if (tx->first < tx->n) {
        return false;
    }
    tx->used = tx->n = tx->first = 0;
    if (tx->said_busy) {
        tx->said_busy = false;
        net_client_flush(w->c);
    }
    return true;
}

void dgram_tx_last(struct dgram_wire *w)
{
    w->tx->said_busy = false;
    dgram_tx_flush(w);
}

/* --- a frame -------------------------------------------------------------------------------------------------------- */

/* Does @need more fit? It may become part of the last message (@last is set) or a message of its own. */
static bool has_room(const struct dgram_tx *tx, size_t need, struct message **last)
{
    struct message *m = tx->n > tx->first ? (struct message *)(uintptr_t)&tx->msg[tx->n - 1] : NULL;

    *last = NULL;
    if (tx->used + need > BYTES) {
        return false;
    }
    if (tx->gso && m && !m->closed && need <= m->seg && m->len + need <= GSO_BYTES) {
        *last = m;
        return true;
    }
    return tx->n < MESSAGES;
}

enum net_tx dgram_wire_send(struct dgram_wire *w, const struct frame *f)
{
    struct dgram_tx *tx = w->tx;
    size_t hdr = w->codec ? w->codec->tx_len : 0, need = hdr + f->len;
    struct message *m;

    if (w->broken) {
        w->drops[DGRAM_DROP_ERROR]++;
        return NET_TX_DROP;
    }
    if (!has_room(tx, need, &m)) {
        dgram_tx_flush(w);
        if (!has_room(tx, need, &m)) {
            tx->said_busy = true;
            return NET_TX_BUSY;
        }
    }
    if (w->codec) {
        w->codec->put(w->codec_opaque, tx->mem + tx->used);
    }
    frame_copy_out(f, 0, tx->mem + tx->used + hdr, f->len);
    if (m) {
        m->len += (uint32_t)need;
        m->frames++;
        m->closed = need < m->seg || m->frames == GSO_SEGMENTS;
    } else {
        tx->msg[tx->n++] = (struct message){ .start = (uint32_t)tx->used, .len = (uint32_t)need, .seg = (uint32_t)need, .frames = 1 };
    }
    tx->used += need;
    if (!tx->waiting) {
        bh_schedule(&w->flush);
    }
    return NET_TX_DONE;
}
