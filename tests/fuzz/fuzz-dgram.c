/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-dgram.c - datagrams from hostile peers: the receive path of a datagram wire, plain and with L2TPv3 headers
 *
 * The kernel is played by recvmmsg() here: it fills the wire's buffers from the input, with sources, truncation and UDP_GRO lengths as the
 * input says. Promises: every datagram is delivered, or counted as dropped, exactly once; nothing is delivered that is not a part of what
 * was received; a frame is never longer than FRAME_MAX; a busy receiver loses nothing. A header that we write is one that we take.
 *
 * Input: { wire, source of busy } then records { control, source, length (2), bytes... }.
 */
#include "core/loop.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/dgram_int.h"
#include "net/backends/dgram_wire.h"
#include "net/backends/l2tpv3_hdr.h"
#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WIRES = 8, FIX_HEADER = 1, TRUNCATE = 2, JOINED = 4, REPEAT = 8, STRANGER = 16 };

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

/* --- the kernel --------------------------------------------------------------------------------------------------------- */

static struct {
    const uint8_t *p;
    size_t left;
    const struct l2tpv3_hdr *hdr;       /* to spare the fuzzer the guessing */
    uint64_t expected;                  /* datagrams that must come out or be counted */
} feed;

static size_t fix(uint8_t *p, size_t room)
{
    struct l2tpv3_hdr h = *feed.hdr;
    size_t n = l2tpv3_tx_len(&h) + (h.ip_header ? 20 : 0);

    if (n > room) {
        return 0;
    }
    h.tx_session = h.rx_session;
    h.tx_cookie = h.rx_cookie;
    memset(p, 0, n);
    p[0] = 0x45;
    l2tpv3_put(&h, p + (h.ip_header ? 20 : 0));
    return n;
}

static void fill(struct msghdr *m, unsigned *len)
{
    uint8_t ctl = feed.p[0], *p = m->msg_iov->iov_base;
    size_t n = MIN(feed.left - 4, ld_be16(feed.p + 2) % 700), room = m->msg_iov->iov_len, off = 0, seg;
    struct sockaddr_in *from = m->msg_name;

    if (feed.hdr && ctl & FIX_HEADER) {
        off = fix(p, room);
    }
    memcpy(p + off, feed.p + 4, n);
    off += n;
    if (ctl & REPEAT && n >= 32) {                      /* long ones, rarely up to the longest: the same bytes again */
        while (off + n <= room && off < (feed.p[1] == 0xAA ? room : 3000)) {
            memcpy(p + off, feed.p + 4, n);
            off += n;
        }
    }
    *len = (unsigned)off;
    m->msg_flags = ctl & TRUNCATE ? MSG_TRUNC : 0;
    if (from) {
        from->sin_family = feed.p[1] & 0x40 ? AF_INET6 : AF_INET;
        from->sin_port = htons(ctl & STRANGER ? feed.p[1] : 7);
        from->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        m->msg_namelen = feed.p[1] & 0x80 ? 0 : sizeof(*from);
    }
    seg = off;
    m->msg_controllen = 0;
    if (m->msg_control && ctl & JOINED) {
        int size = (int)(int16_t)ld_be16(feed.p + 2);

        m->msg_controllen = CMSG_SPACE(sizeof(size));
        *CMSG_FIRSTHDR(m) = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(size)), .cmsg_level = IPPROTO_UDP, .cmsg_type = UDP_GRO };
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(m)), &size, sizeof(size));
        seg = size > 0 && (size_t)size < off ? (size_t)size : off;
    }
    feed.p += 4 + n;
    feed.left -= 4 + n;
    if (m->msg_flags || (from && (!m->msg_namelen || from->sin_family != AF_INET || from->sin_port != htons(7)))) {
        seg = off;
    }
    feed.expected += off ? (off + seg - 1) / seg : 1;
}

int recvmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags, struct timespec *timeout)
{
    unsigned i = 0;

    while (i < n && feed.left >= 4) {
        fill(&msg[i].msg_hdr, &msg[i].msg_len);
        i++;
    }
    if (!i) {
        errno = EAGAIN;
        return -1;
    }
    return (int)i;
}

/* --- the receiver ----------------------------------------------------------------------------------------------------------- */

struct sink {
    struct net_client c;
    uint64_t got;
    uint8_t busy;                       /* every so many-th frame is refused once */
    unsigned until;
    bool full;
};

static bool sink_open(struct net_client *c, const void *cfg, Error **errp)
{
    return true;
}

static enum net_tx sink_send(struct net_client *c, const struct frame *f)
{
    struct sink *s = container_of(c, struct sink, c);

    promise(f->len <= FRAME_MAX && f->iovcnt == 1);
    if (s->busy && !s->full && ++s->until % s->busy == 0) {
        s->full = true;
        return NET_TX_BUSY;
    }
    s->full = false;
    s->got++;
    return NET_TX_DONE;
}

static void sink_rx_enable(struct net_client *c, bool on)
{
}

static void sink_tx_ready(struct net_client *c)
{
}

static uint32_t sink_offloads(const struct net_client *c)
{
    return 0;
}

static void sink_close(struct net_client *c)
{
}

static const struct net_backend_ops sink_ops = { "sink", sizeof(struct sink), sink_open, sink_send, sink_rx_enable, sink_tx_ready, sink_offloads,
                                                 sink_close };

/* --- the wires ------------------------------------------------------------------------------------------------------------- */

struct source {
    struct net_client c;
    struct dgram_wire wire;
    struct l2tpv3_hdr hdr, start;
    struct dgram_codec codec;
    struct sink *sink;
    bool tunnel;
};

static void put(void *opaque, uint8_t *hdr)
{
    l2tpv3_put(&((struct source *)opaque)->hdr, hdr);
}

/* The header code sees a copy that ends where the datagram ends: reading beyond is an error that the sanitizer finds. */
static int check(void *opaque, const uint8_t *p, size_t len)
{
    struct source *s = opaque;
    struct l2tpv3_hdr twin = s->hdr;
    int n = l2tpv3_check(&s->hdr, p, len);

    if (len < 400) {
        uint8_t *exact = malloc(len ? len : 1);

        memcpy(exact, p, len);
        promise(l2tpv3_check(&twin, exact, len) == n);
        free(exact);
    }
    promise(n < 0 ? n >= -L2TPV3_DROPS : (size_t)n <= len);
    return n;
}

static const struct l2tpv3_hdr variants[WIRES] = {
    [2] = { .udp = true, .rx_session = 1 },
    [3] = { .udp = true, .rx_session = 2, .cookie_len = 4, .rx_cookie = 3 },
    [4] = { .udp = true, .rx_session = 3, .cookie_len = 8, .rx_cookie = 0x0102030405060708, .counter = true },
    [5] = { .ip_header = true, .rx_session = 4, .offset = 255 },
    [6] = { .ip_header = true, .rx_session = 5, .cookie_len = 8, .rx_cookie = 1, .counter = true, .offset = 1 },
    [7] = { .rx_session = 6, .counter = true, .pinned = true },
};

static bool source_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct source *s = container_of(c, struct source, c);
    const unsigned *kind = cfg;
    struct dgram_sock sock = { .fd = socket(AF_INET, SOCK_DGRAM, 0), .tx_fd = -1, .ours = true };
    struct sockaddr_in *to = (struct sockaddr_in *)&sock.dest.ss;

    sock.dest.len = sizeof(*to);
    to->sin_family = AF_INET;
    to->sin_port = htons(7);
    to->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sock.check_source = *kind != 0;
    s->hdr = s->start = variants[*kind];
    s->codec = (struct dgram_codec){ .tx_len = l2tpv3_tx_len(&s->hdr), .put = put, .check = check };
    s->tunnel = *kind > 1;
    dgram_wire_init(&s->wire, c, &sock, s->tunnel ? &s->codec : NULL, s);
    return true;
}

static enum net_tx source_send(struct net_client *c, const struct frame *f)
{
    return NET_TX_DONE;
}

static void source_rx_enable(struct net_client *c, bool on)
{
    dgram_wire_rx_enable(&container_of(c, struct source, c)->wire, on);
}

static void source_tx_ready(struct net_client *c)
{
    dgram_wire_tx_ready(&container_of(c, struct source, c)->wire);
}

static void source_close(struct net_client *c)
{
    dgram_wire_fini(&container_of(c, struct source, c)->wire);
}

static const struct net_backend_ops source_ops = { "source", sizeof(struct source), source_open, source_send, source_rx_enable, source_tx_ready,
                                                   sink_offloads, source_close };

static struct source *wire_get(unsigned kind)
{
    static struct source *wires[WIRES];
    static bool ready;

    if (!ready) {
        loop_init();
        ready = true;
    }
    if (!wires[kind]) {
        struct net_client *c = net_client_new(&source_ops, NULL, &kind, NULL), *to = net_client_new(&sink_ops, NULL, NULL, NULL);

        wires[kind] = container_of(c, struct source, c);
        wires[kind]->sink = container_of(to, struct sink, c);
        net_connect(c, to);
    }
    return wires[kind];
}

static uint64_t lost(const struct source *s)
{
    const uint64_t *d = s->sink->c.stats.drops;
    uint64_t n = d[NET_DROP_RUNT] + d[NET_DROP_OVERSIZE];

    for (unsigned i = 0; i < DGRAM_DROPS; i++) {
        n += s->wire.drops[i];
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source *s;
    uint64_t before;

    if (size < 2) {
        return 0;
    }
    s = wire_get(data[0] % WIRES);
    s->hdr = s->start;
    s->sink->busy = data[1] & 15;
    s->sink->until = 0;
    feed.p = data + 2;
    feed.left = size - 2;
    feed.hdr = s->tunnel ? &s->hdr : NULL;
    feed.expected = 0;
    before = s->sink->got + lost(s);
    while (feed.left >= 4) {
        dgram_rx_run(&s->wire);
        for (unsigned i = 0; i < 10000 && (s->sink->c.blocked || s->sink->c.queue.frames || s->c.tx_waiting); i++) {
            net_client_flush(&s->sink->c);
            bh_drain(4);
        }
        promise(dgram_rx_deliver(&s->wire));
        promise(s->sink->c.queue.frames == 0);
    }
    promise(s->sink->got + lost(s) - before == feed.expected);
    return 0;
}
