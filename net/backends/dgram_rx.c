/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/dgram_rx.c - the receiving half of a datagram wire
 *
 * A batch is what one recvmmsg() has put into the slots: datagrams next .. n - 1 are still to be delivered, the first of them from @off on
 * (UDP_GRO: the kernel has joined several datagrams of one length into a slot and says which length). Slots are in memory that the kernel
 * gives when it is first written, so small frames on a quiet wire cost a page each.
 */
#include "lib/bits.h"
#include "net/backends/dgram_int.h"
#include "net/backends/rx_merge.h"
#include <errno.h>
#include <netinet/udp.h>
#include <string.h>

enum {
    SLOTS = 64,                             /* without UDP_GRO */
    GRO_SLOTS = 16,                         /* with it: up to 64 KiB in each */
    SLOT_BYTES = FRAME_MAX + DGRAM_HDR_MAX,
    SLOT_STRIDE = 67648,                    /* an odd number of cache lines: the heads of slots do not share a set */
    DISCARD_MAX = 4096,
    ERRORS_IN_A_ROW = 1000,                 /* nothing else in between: the socket is of no use */
};
static_assert(SLOT_BYTES <= SLOT_STRIDE && SLOT_STRIDE / 64 % 2 == 1, "slot layout");

union control {
    struct cmsghdr align;
    uint8_t room[CMSG_SPACE(sizeof(int))];
};

struct dgram_rx {
    uint8_t *mem;
    unsigned slots;
    unsigned n, next;
    size_t off;
    unsigned errors;                        /* in a row */
    struct rx_merge merge;
    bool gro, names;
    struct mmsghdr msg[SLOTS];
    struct iovec iov[SLOTS];
    struct sockaddr_storage from[SLOTS];
    union control ctl[SLOTS];
};

void dgram_rx_new(struct dgram_wire *w)
{
    struct dgram_rx *rx = w->rx = g_new0(struct dgram_rx, 1);
    int one = 1;

    rx_merge_init(&rx->merge, w->c);
    rx->names = w->sock.check_source || w->sock.own.len;
    /* only where nobody else reads the socket: a datagram would be several to him */
    rx->gro = w->sock.ours && w->sock.dest.ss.ss_family != AF_UNIX && !setsockopt(w->sock.fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
    rx->slots = rx->gro ? GRO_SLOTS : SLOTS;
    rx->mem = g_malloc((gsize)rx->slots * SLOT_STRIDE);
    for (unsigned i = 0; i < rx->slots; i++) {
        rx->iov[i] = (struct iovec){ rx->mem + (size_t)i * SLOT_STRIDE, SLOT_BYTES };
        rx->msg[i].msg_hdr.msg_iov = &rx->iov[i];
        rx->msg[i].msg_hdr.msg_iovlen = 1;
    }
}

void dgram_rx_free(struct dgram_wire *w)
{
    rx_merge_fini(&w->rx->merge);
    g_free(w->rx->mem);
    g_free(w->rx);
    w->rx = NULL;
}

void dgram_rx_forget(struct dgram_wire *w)
{
    w->rx->n = w->rx->next = 0;
    w->rx->off = 0;
}

void dgram_rx_discard(struct dgram_wire *w)
{
    uint8_t b;

    for (unsigned i = 0; i < DISCARD_MAX && recv(w->sock.fd, &b, 1, MSG_DONTWAIT | MSG_TRUNC) >= 0; i++) {
    }
}

/* --- one datagram ----------------------------------------------------------------------------------------------------- */

/* @port_only: the address of @want is not known yet */
static bool is_from(const struct sockaddr_storage *from, socklen_t len, const struct dgram_addr *want, bool port_only)
{
    if (!len || from->ss_family != want->ss.ss_family) {
        return false;
    }
    if (from->ss_family == AF_INET) {
        const struct sockaddr_in *a = (const void *)from, *b = (const void *)&want->ss;

        return a->sin_port == b->sin_port && (port_only || a->sin_addr.s_addr == b->sin_addr.s_addr);
    }
    if (from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *a = (const void *)from, *b = (const void *)&want->ss;

        return a->sin6_port == b->sin6_port && (port_only || !memcmp(&a->sin6_addr, &b->sin6_addr, 16));
    }
    return false;
}

/* May the datagram in slot @i pass? */
static bool datagram_ok(struct dgram_wire *w, unsigned i)
{
    const struct dgram_rx *rx = w->rx;
    const struct msghdr *m = &rx->msg[i].msg_hdr;

    if (m->msg_flags & MSG_TRUNC) {
        w->drops[DGRAM_DROP_LONG]++;
        return false;
    }
    if (w->sock.check_source && !is_from(&rx->from[i], m->msg_namelen, &w->sock.dest, false)) {
        w->drops[DGRAM_DROP_SOURCE]++;
        return false;
    }
    if (w->sock.own.len && is_from(&rx->from[i], m->msg_namelen, &w->sock.own, !w->sock.pinned)) {
        w->drops[DGRAM_DROP_OWN]++;
        return false;
    }
    return true;
}

/* Length of the datagrams that were joined in slot @i, or of the only one. */
static size_t segment_len(const struct dgram_rx *rx, unsigned i)
{
    struct msghdr *m = (struct msghdr *)(uintptr_t)&rx->msg[i].msg_hdr;
    size_t len = rx->msg[i].msg_len;

    for (struct cmsghdr *c = rx->gro ? CMSG_FIRSTHDR(m) : NULL; c; c = CMSG_NXTHDR(m, c)) {
        int size;

        if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO && c->cmsg_len >= CMSG_LEN(sizeof(size))) {
            memcpy(&size, CMSG_DATA(c), sizeof(size));
            return size > 0 && (size_t)size < len ? (size_t)size : len;
        }
    }
    return len;
}

/* false: the peer is full, the datagram stays. */
static bool frame_out(struct dgram_wire *w, const uint8_t *p, size_t len)
{
    int skip = 0;

    if (w->codec) {
        if (!net_can_send(w->c)) {
            return false;                   /* a codec that counts must not see a frame twice */
        }
        skip = w->codec->check(w->codec_opaque, p, len);
        if (skip < 0) {
            w->drops[DGRAM_DROP_HEADER + (unsigned)(-1 - skip) % DGRAM_REASONS]++;
            return true;
        }
        skip = (int)MIN((size_t)skip, len);
    }
    if (len - (size_t)skip > FRAME_MAX) {
        w->drops[DGRAM_DROP_LONG]++;
        return true;
    }
    return rx_merge_add(&w->rx->merge, p + skip, len - (size_t)skip);
}

/* The datagrams of slot @next; false: the peer is full. */
static bool slot_out(struct dgram_wire *w)
{
    struct dgram_rx *rx = w->rx;
    const uint8_t *p = rx->iov[rx->next].iov_base;
    size_t len = rx->msg[rx->next].msg_len, seg = segment_len(rx, rx->next);

    if (!rx->off && !datagram_ok(w, rx->next)) {
        return true;
    }
    do {
        size_t part = MIN(seg, len - rx->off);

        if (!frame_out(w, p + rx->off, part)) {
            return false;
        }
        rx->off += part;
    } while (rx->off < len && rx->next < rx->n);        /* not when rx_enable(off) has come in between */
    return true;
}

bool dgram_rx_deliver(struct dgram_wire *w)
{
    struct dgram_rx *rx = w->rx;
    bool done = true;

    if (rx->next == rx->n) {
        return true;
    }
    rx_merge_begin(&rx->merge);
    while (rx->next < rx->n && (done = slot_out(w))) {
        rx->off = 0;
        rx->next++;
    }
    rx_merge_end(&rx->merge);
    if (done) {
        rx->n = rx->next = 0;
    }
    return done;
}

/* --- a batch ------------------------------------------------------------------------------------------------------------ */

static void receive_failed(struct dgram_wire *w, int err)
{
    if (err == EAGAIN || err == EINTR) {
        return;
    }
    w->rx_errors++;
    if (err == ENOBUFS || err == ENOMEM) {
        dgram_wire_rest(w);             /* the kernel has no memory: it is not helped by being asked at once again */
        return;
    }
    /* ICMP reports come one by one, as many as somebody cares to send; anything else that does not end would keep the loop busy */
    if (!dgram_error_passes(err) || (!dgram_error_is_icmp(err) && ++w->rx->errors >= ERRORS_IN_A_ROW)) {
        dgram_wire_break(w, err);
    }
}

void dgram_rx_run(struct dgram_wire *w)
{
    struct dgram_rx *rx = w->rx;
    int n;

    if (!w->rx_on || !dgram_rx_deliver(w) || !net_can_send(w->c)) {
        return;
    }
    for (unsigned i = 0; i < rx->slots && (rx->names || rx->gro); i++) {
        struct msghdr *m = &rx->msg[i].msg_hdr;

        m->msg_name = rx->names ? &rx->from[i] : NULL;
        m->msg_namelen = rx->names ? sizeof(rx->from[i]) : 0;
        m->msg_control = rx->gro ? &rx->ctl[i] : NULL;
        m->msg_controllen = rx->gro ? sizeof(rx->ctl[i]) : 0;
    }
    n = recvmmsg(w->sock.fd, rx->msg, rx->slots, MSG_DONTWAIT, NULL);
    if (n < 0) {
        receive_failed(w, errno);
        return;
    }
    rx->errors = 0;
    rx->n = (unsigned)n;
    dgram_rx_deliver(w);
}
