/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-tcp-conn.c - the relay's TCP: each rule by itself against a played guest, and two ends over a bad wire
 *
 * Segments are made and read with net/backends/tcp_wire.c and cut with net/offload, so those are tested with it; every frame that a connection
 * emits is checked for lengths and checksums. Sections are those of RFC 9293 unless another RFC is named.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/tcp_conn.h"
#include "net/offload/csum.h"
#include "net/offload/segment.h"
#include <glib.h>

enum { ISS = 5000, IRS = 1000, MSS = 1460, WND = 60000 };
#define MS 1000000LL

/* --- a rig: one connection, its frames as segments ------------------------------------------------------------------------------- */

struct out {
    struct tcp_seg s;
    uint8_t *data;                      /* payload */
};

struct rig {
    struct tcp_conn c;
    GQueue out;                         /* of struct out * */
    GByteArray *in;                     /* delivered */
    size_t room;                        /* what deliver() takes in all */
    bool busy;                          /* emit() says no */
    bool whole;                         /* large frames stay whole */
    int64_t now;
    struct tcp_budget budget;
};

static void out_free(struct out *o)
{
    g_free(o->data);
    g_free(o);
}

static void keep_packet(struct rig *r, const uint8_t *p, size_t len)
{
    struct iovec iov = { (uint8_t *)(uintptr_t)p, len };
    struct out *o = g_new0(struct out, 1);
    struct pkt_layout l;
    struct tcp_key key;

    pkt_parse(p, len, len, &l);
    g_assert_cmpint(l.l4, ==, PKT_L4_TCP);
    g_assert_true(l.l3_len_ok && l.l3_end == len);
    g_assert_true(l.l3 == PKT_L3_IP6 || csum_check_ip4(p, &l) == CSUM_GOOD);
    g_assert_cmpint(csum_check_l4(&iov, 1, p, &l), ==, CSUM_GOOD);
    tcp_wire_parse(p, &l, &key, &o->s);
    o->data = g_memdup2(p + l.payload_off, o->s.len);
    g_queue_push_tail(&r->out, o);
}

static void keep_frame(struct rig *r, const struct frame *f)
{
    g_autofree uint8_t *p = g_malloc(f->len), *piece = g_malloc(f->len);
    struct iovec iov = { p, f->len };
    struct segmenter s;
    size_t off, len;

    g_assert_cmpuint(f->len, <=, FRAME_MAX);
    g_assert_cmpuint(f->iovcnt, <=, 3);
    for (size_t i = 0, at = 0; i < f->iovcnt; at += f->iov[i++].iov_len) {
        memcpy(p + at, f->iov[i].iov_base, f->iov[i].iov_len);
    }
    if (f->meta.gso && !r->whole) {
        g_assert_true(seg_begin(&s, f->meta.gso == PKT_GSO_TCP4 ? SEG_TCP4 : SEG_TCP6, &iov, 1, f->len, f->meta.gso_size));
        while (seg_next(&s, &off, &len)) {
            memcpy(piece, s.hdr, s.l.payload_off);
            memcpy(piece + s.l.payload_off, p + off, len);
            keep_packet(r, piece, s.l.payload_off + len);
        }
        return;
    }
    if (f->meta.flags & PKT_NEEDS_CSUM) {
        g_assert_true(csum_finish(p, f->len, f->meta.csum_start, f->meta.csum_off));
    }
    keep_packet(r, p, f->len);
}

static bool rig_emit(struct tcp_conn *c, const struct frame *f)
{
    struct rig *r = container_of(c, struct rig, c);

    if (!r->busy) {
        keep_frame(r, f);
    }
    return !r->busy;
}

static void rig_emit_now(struct tcp_conn *c, const struct frame *f)
{
    keep_frame(container_of(c, struct rig, c), f);
}

static size_t rig_deliver(struct tcp_conn *c, const struct tcp_seg *s, size_t skip, size_t len)
{
    struct rig *r = container_of(c, struct rig, c);
    size_t n = MIN(len, r->room);

    g_assert_cmpuint(skip + len, <=, s->len);
    g_byte_array_append(r->in, (const uint8_t *)s->iov->iov_base + s->off + skip, (guint)n);
    r->room -= n;
    return n;
}

static size_t rig_room(struct tcp_conn *c)
{
    return container_of(c, struct rig, c)->room;
}

static const struct tcp_conn_ops rig_ops = { .emit = rig_emit, .emit_now = rig_emit_now, .deliver = rig_deliver, .room = rig_room };

static void rig_init_at(struct rig *r, uint32_t iss, bool six)
{
    *r = (struct rig){ .in = g_byte_array_new(), .room = TCP_RX_MAX, .budget.max = 64 << 20, .now = 1 };
    r->c.key = (struct tcp_key){ .guest = { 10, 0, 2, 15 }, .world = { 10, 0, 2, 2 }, .guest_port = 40000, .world_port = 80, .six = six };
    r->c.tx.budget = &r->budget;
    tcp_conn_init(&r->c, &rig_ops, iss, r->now);
}

static void rig_fini(struct rig *r)
{
    struct out *o;

    while ((o = g_queue_pop_head(&r->out))) {
        out_free(o);
    }
    g_byte_array_free(r->in, TRUE);
    tcp_conn_fini(&r->c);
    g_assert_cmpuint(r->budget.used, ==, 0);
}

static bool rig_output(struct rig *r)
{
    return tcp_conn_output(&r->c, 1 << 20, r->now);
}

/* A segment of the guest; output follows. */
static void in_data(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags, uint16_t wnd, const void *data, size_t n)
{
    struct iovec iov = { (void *)(uintptr_t)data, n };
    struct tcp_seg s = { .seq = seq, .ack = ack, .flags = flags, .wnd = wnd, .len = (uint32_t)n, .wscale = TCP_WSCALE_NONE, .iov = &iov, .iovcnt = 1 };

    tcp_conn_input(&r->c, &s, r->now);
    rig_output(r);
}

static void in(struct rig *r, uint32_t seq, uint32_t ack, uint8_t flags)
{
    in_data(r, seq, ack, flags, WND, NULL, 0);
}

/* The next segment that went out. */
static struct tcp_seg out(struct rig *r)
{
    struct out *o = g_queue_pop_head(&r->out);
    struct tcp_seg s;

    g_assert_nonnull(o);
    s = o->s;
    out_free(o);
    return s;
}

#define g_assert_silent(r) g_assert_cmpuint((r)->out.length, ==, 0)

static void expect(struct rig *r, uint8_t flags, uint32_t seq, uint32_t ack, uint32_t len)
{
    struct tcp_seg s = out(r);

    g_assert_cmphex(s.flags & ~TCP_PSH, ==, flags);
    g_assert_cmpuint(s.seq, ==, seq);
    g_assert_cmpuint(s.ack, ==, ack);
    g_assert_cmpuint(s.len, ==, len);
}

static void host_sends(struct rig *r, size_t n)
{
    while (n) {
        struct iovec iov[2];
        size_t room = tcp_ring_room(&r->c.tx, n, TCP_TX_MAX), k = MIN(n, room);
        unsigned cnt = tcp_ring_space(&r->c.tx, k, iov);

        g_assert_cmpuint(k, >, 0);
        for (unsigned i = 0; i < cnt; i++) {
            memset(iov[i].iov_base, 'x', iov[i].iov_len);
        }
        tcp_ring_commit(&r->c.tx, k);
        n -= k;
    }
    rig_output(r);
}

/* Let the time come for which the connection has asked. */
static int64_t tick(struct rig *r)
{
    int64_t before = r->now;

    g_assert_cmpint(r->c.deadline_ns, >=, 0);
    r->now = MAX(r->now, r->c.deadline_ns);
    tcp_conn_timer(&r->c, r->now);
    rig_output(r);
    return r->now - before;
}

static struct tcp_seg syn(int8_t wscale)
{
    return (struct tcp_seg){ .seq = IRS, .flags = TCP_SYN, .wnd = WND, .mss = MSS, .wscale = wscale };
}

/* Open from the guest; both sides know the other's window afterwards. */
static void establish(struct rig *r, int8_t wscale)
{
    struct tcp_seg s = syn(wscale);

    rig_init_at(r, ISS, false);
    tcp_conn_passive(&r->c, &s);
    tcp_conn_accept(&r->c);
    rig_output(r);
    expect(r, TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    in(r, IRS + 1, ISS + 1, TCP_ACK);
    g_assert_cmpint(r->c.state, ==, TCPS_ESTABLISHED);
    g_assert_silent(r);
}

/* --- opening -------------------------------------------------------------------------------------------------------------------- */

/* 3.10.7.2: the SYN is answered when the host has answered, once; options of both */
static void test_passive(void)
{
    struct tcp_seg s = syn(3), o;
    struct rig r;

    rig_init_at(&r, ISS, false);
    tcp_conn_passive(&r.c, &s);
    rig_output(&r);
    tcp_conn_input(&r.c, &s, r.now);                            /* again: the host has not answered yet */
    rig_output(&r);
    g_assert_silent(&r);
    tcp_conn_accept(&r.c);
    rig_output(&r);
    o = out(&r);
    g_assert_cmphex(o.flags, ==, TCP_SYN | TCP_ACK);
    g_assert_cmpuint(o.seq, ==, ISS);
    g_assert_cmpuint(o.ack, ==, IRS + 1);
    g_assert_cmpuint(o.mss, ==, MSS);
    g_assert_cmpint(o.wscale, ==, TCP_WSCALE);
    tcp_conn_input(&r.c, &s, r.now);                            /* the answer was lost */
    rig_output(&r);
    expect(&r, TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    g_assert_cmpint(tick(&r), ==, TCP_RTO_FIRST_NS);            /* lost again: RFC 6298 2.1 */
    expect(&r, TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    in(&r, IRS + 1, ISS + 2, TCP_ACK);                          /* 3.10.7.4, fifth: what was never sent */
    expect(&r, TCP_RST, ISS + 2, 0, 0);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 100, "hello", 5);    /* data with the third segment */
    g_assert_cmpuint(r.c.snd_wnd, ==, 800);                     /* scaled by the guest's 3 (RFC 7323 2.2) */
    g_assert_cmpmem(r.in->data, r.in->len, "hello", 5);
    expect(&r, TCP_ACK, ISS + 1, IRS + 6, 0);
    rig_fini(&r);
}

/* RFC 7323 1.3: no scaling unless both say so; 3.7.1: the guest's segment size is kept */
static void test_options(void)
{
    struct tcp_seg s = { .seq = IRS, .flags = TCP_SYN, .wnd = WND, .mss = 1000, .wscale = TCP_WSCALE_NONE }, o;
    struct rig r;

    for (unsigned six = 0; six < 2; six++) {
        rig_init_at(&r, ISS, six);
        tcp_conn_passive(&r.c, &s);
        tcp_conn_accept(&r.c);
        rig_output(&r);
        o = out(&r);
        g_assert_cmpint(o.wscale, ==, TCP_WSCALE_NONE);
        g_assert_cmpuint(o.mss, ==, six ? 1440 : 1460);
        g_assert_cmpuint(o.wnd, ==, 65535);
        in(&r, IRS + 1, ISS + 1, TCP_ACK);
        host_sends(&r, 2500);
        expect(&r, TCP_ACK, ISS + 1, IRS + 1, 1000);
        expect(&r, TCP_ACK, ISS + 1001, IRS + 1, 1000);
        expect(&r, TCP_ACK, ISS + 2001, IRS + 1, 500);
        rig_fini(&r);
    }
    s.mss = 1;                                                  /* not a frame for each byte */
    rig_init_at(&r, ISS, false);
    tcp_conn_passive(&r.c, &s);
    g_assert_cmpuint(r.c.mss, ==, TCP_MSS_MIN);
    rig_fini(&r);
}

/* 3.10.7.3 */
static void test_active(void)
{
    struct tcp_seg s = syn(2), o;
    struct rig r;

    rig_init_at(&r, ISS, false);
    tcp_conn_active(&r.c);
    rig_output(&r);
    o = out(&r);
    g_assert_cmphex(o.flags, ==, TCP_SYN);
    g_assert_cmpint(o.wscale, ==, TCP_WSCALE);
    in(&r, IRS, ISS + 7, TCP_ACK);
    expect(&r, TCP_RST, ISS + 7, 0, 0);
    in(&r, IRS, ISS + 7, TCP_ACK | TCP_RST);                    /* a reset of something else */
    in(&r, IRS, 0, TCP_RST);
    g_assert_cmpint(r.c.state, ==, TCPS_SYN_SENT);
    g_assert_silent(&r);
    s.flags |= TCP_ACK;
    s.ack = ISS + 1;
    tcp_conn_input(&r.c, &s, r.now);
    rig_output(&r);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    rig_fini(&r);

    rig_init_at(&r, ISS, false);                                /* refused */
    tcp_conn_active(&r.c);
    rig_output(&r);
    out(&r);
    in(&r, 0, ISS + 1, TCP_ACK | TCP_RST);
    g_assert_cmpint(r.c.state, ==, TCPS_CLOSED);
    g_assert_cmpint(r.c.end, ==, TCP_END_RESET);
    rig_fini(&r);

    rig_init_at(&r, ISS, false);                                /* nobody there */
    tcp_conn_active(&r.c);
    rig_output(&r);
    for (unsigned i = 0; i < TCP_SYN_RETRIES; i++) {
        expect(&r, TCP_SYN, ISS, 0, 0);
        g_assert_cmpint(tick(&r), ==, TCP_RTO_FIRST_NS << i);
    }
    expect(&r, TCP_SYN, ISS, 0, 0);
    tick(&r);
    g_assert_cmpint(r.c.end, ==, TCP_END_TIMEOUT);
    rig_fini(&r);

    rig_init_at(&r, ISS, false);                                /* both open (3.5, figure 7) */
    tcp_conn_active(&r.c);
    rig_output(&r);
    out(&r);
    s = syn(2);
    tcp_conn_input(&r.c, &s, r.now);
    rig_output(&r);
    expect(&r, TCP_SYN | TCP_ACK, ISS, IRS + 1, 0);
    in(&r, IRS + 1, ISS + 1, TCP_ACK);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    rig_fini(&r);
}

/* --- who may do what: blind attacks ------------------------------------------------------------------------------------------------ */

static void test_reset(void)
{
    struct rig r;

    establish(&r, 0);
    in(&r, IRS + 100, 0, TCP_RST);                              /* RFC 5961 3.2: in the window, not exact */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    in(&r, IRS + 1 + 2 * TCP_RX_MAX, 0, TCP_RST);               /* outside: nothing */
    in(&r, IRS, 0, TCP_RST);
    g_assert_silent(&r);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    in(&r, IRS + 1, 0, TCP_RST);
    g_assert_cmpint(r.c.state, ==, TCPS_CLOSED);
    g_assert_cmpint(r.c.end, ==, TCP_END_RESET);
    g_assert_silent(&r);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, WND, "x", 1);        /* closed is closed */
    g_assert_silent(&r);
    g_assert_cmpuint(r.in->len, ==, 0);
    rig_fini(&r);

    establish(&r, 0);                                           /* with a closed window, too */
    r.room = 0;
    r.c.rcv_adv = r.c.rcv_nxt;
    in(&r, IRS + 2, 0, TCP_RST);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    in(&r, IRS + 1, 0, TCP_RST);
    g_assert_cmpint(r.c.end, ==, TCP_END_RESET);
    rig_fini(&r);
}

static void test_challenges(void)
{
    struct rig r;

    establish(&r, 0);
    in(&r, IRS + 1, ISS + 1, TCP_SYN | TCP_ACK);                /* RFC 5961 4.2 */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    in(&r, IRS + 50, 0, TCP_SYN);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    in_data(&r, IRS + 1, ISS + 2, TCP_ACK, WND, "evil", 4);     /* 3.10.7.4: acknowledges what was never sent */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    in_data(&r, IRS + 1, ISS - WND - 10, TCP_ACK, WND, "old", 3);   /* RFC 5961 5.2 */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    in_data(&r, IRS + 1, 0, 0, WND, "none", 4);                 /* no ACK at all */
    g_assert_silent(&r);
    in_data(&r, IRS - 4, ISS + 1, TCP_ACK, WND, "abcd", 4);     /* table 6: before the window */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    in_data(&r, r.c.rcv_adv, ISS + 1, TCP_ACK, WND, "abcd", 4); /* behind it */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    g_assert_cmpuint(r.in->len, ==, 0);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    in_data(&r, IRS - 2, ISS + 1, TCP_ACK, WND, "..+abc", 6);   /* half old: the new part counts */
    g_assert_cmpmem(r.in->data, r.in->len, "abc", 3);
    expect(&r, TCP_ACK, ISS + 1, IRS + 4, 0);
    rig_fini(&r);
}

/* --- data ----------------------------------------------------------------------------------------------------------------------------- */

/* RFC 5681 3.2: each segment behind a hole is answered, so that the guest sends the lost one at once */
static void test_out_of_order(void)
{
    struct iovec iov = { (void *)(uintptr_t)"abcd", 4 };
    struct tcp_seg s = { .ack = ISS + 1, .flags = TCP_ACK, .wnd = WND, .len = 4, .iov = &iov, .iovcnt = 1 };
    struct rig r;

    establish(&r, 0);
    for (unsigned i = 1; i <= 3; i++) {                         /* in one batch */
        s.seq = IRS + 1 + i * 4;
        tcp_conn_input(&r.c, &s, r.now);
    }
    rig_output(&r);
    g_assert_cmpuint(r.out.length, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    }
    in(&r, IRS + 9, ISS + 1, TCP_ACK | TCP_FIN);                /* a FIN behind a hole is none */
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 0);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    for (unsigned i = 0; i < 3; i++) {                          /* one for a batch in order */
        s.seq = IRS + 1 + i * 4;
        tcp_conn_input(&r.c, &s, r.now);
    }
    rig_output(&r);
    expect(&r, TCP_ACK, ISS + 1, IRS + 13, 0);
    g_assert_silent(&r);
    g_assert_cmpmem(r.in->data, r.in->len, "abcdabcdabcd", 12);
    rig_fini(&r);
}

/* 3.8.6.2.2: the window's edge does not move by less than a segment, and never back */
static void test_receive_window(void)
{
    g_autofree uint8_t *data = g_malloc0(30000);
    struct tcp_seg o;
    struct rig r;
    uint32_t edge;

    establish(&r, 0);
    edge = r.c.rcv_adv;
    g_assert_cmpuint(edge, ==, IRS + 1 + 65535);                /* of the SYN, ACK: not scaled */
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, WND, data, 30000);
    o = out(&r);
    g_assert_cmpuint(o.ack + (o.wnd << TCP_WSCALE), >, edge);   /* there is more room than could be said */
    edge = r.c.rcv_adv;
    r.room = 100;                                               /* somebody else took the memory */
    in_data(&r, IRS + 30001, ISS + 1, TCP_ACK, WND, data, 10);
    o = out(&r);
    g_assert_cmpuint(r.c.rcv_adv, ==, edge);
    g_assert_cmpuint(o.ack + (o.wnd << TCP_WSCALE), <=, edge);
    g_assert_cmpuint(o.ack + (o.wnd << TCP_WSCALE) + (1 << TCP_WSCALE), >, edge);
    in_data(&r, IRS + 30011, ISS + 1, TCP_ACK, WND, data, 200); /* only what fits is taken */
    expect(&r, TCP_ACK, ISS + 1, IRS + 30101, 0);
    r.room = 0;
    r.c.rcv_adv = r.c.rcv_nxt;
    rig_output(&r);
    g_assert_silent(&r);
    r.room = MSS - 1;
    rig_output(&r);
    g_assert_silent(&r);                                        /* a crumb is not worth a word */
    r.room = 10 * MSS;
    rig_output(&r);
    o = out(&r);                                                /* the guest waits for this */
    g_assert_cmpuint(o.wnd << TCP_WSCALE, >, 9 * MSS);
    rig_fini(&r);
}

/* 3.8.6.1: probes of a closed window, for ever as long as they are answered */
static void test_zero_window(void)
{
    struct rig r;

    establish(&r, 0);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 0, NULL, 0);
    host_sends(&r, 3000);
    g_assert_silent(&r);
    for (unsigned i = 0; i < 50; i++) {
        int64_t waited = tick(&r);
        struct tcp_seg o = out(&r);

        g_assert_cmpint(waited, >=, TCP_RTO_MIN_NS);
        g_assert_cmpint(waited, <=, TCP_RTO_MAX_NS);
        g_assert_true(seq_le(o.seq, ISS + 1) && !o.len);        /* not acceptable to the guest: it answers */
        in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 0, NULL, 0);
        g_assert_silent(&r);
    }
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 2000, NULL, 0);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, MSS);
    in_data(&r, IRS + 1, ISS + 1 + MSS, TCP_ACK, 2000, NULL, 0);
    expect(&r, TCP_ACK, ISS + 1 + MSS, IRS + 1, MSS);
    expect(&r, TCP_ACK, ISS + 1 + 2 * MSS, IRS + 1, 3000 - 2 * MSS);
    in_data(&r, IRS + 1, ISS + 3001, TCP_ACK, 0, NULL, 0);
    tcp_conn_eof(&r.c);                                         /* a FIN needs room, too */
    rig_output(&r);
    g_assert_silent(&r);
    for (unsigned i = 0; i <= TCP_RETRIES; i++) {               /* nobody answers any more */
        g_assert_cmpint(r.c.state, !=, TCPS_CLOSED);
        tick(&r);
        out(&r);
    }
    g_assert_cmpint(r.c.end, ==, TCP_END_TIMEOUT);
    rig_fini(&r);
}

/* 3.8.6.2.1: no crumbs into a small window; after a while all the same */
static void test_silly_window(void)
{
    struct rig r;

    establish(&r, 0);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 100, NULL, 0);
    host_sends(&r, 3000);
    g_assert_silent(&r);
    tick(&r);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 100);
    in_data(&r, IRS + 1, ISS + 101, TCP_ACK, 1500, NULL, 0);
    expect(&r, TCP_ACK, ISS + 101, IRS + 1, MSS);
    g_assert_silent(&r);
    rig_fini(&r);

    establish(&r, 0);                                           /* no Nagle: what is there goes */
    host_sends(&r, 10);
    host_sends(&r, 10);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 10);
    expect(&r, TCP_ACK, ISS + 11, IRS + 1, 10);
    rig_fini(&r);
}

/* Large frames in whole segments, as many bytes as the window has. */
static void test_large_frames(void)
{
    struct tcp_seg o;
    struct rig r;

    establish(&r, 4);
    r.whole = true;
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 60000, NULL, 0);     /* 960,000 bytes */
    r.c.cwnd = TCP_TX_MAX;
    host_sends(&r, 300000);
    for (uint32_t seq = ISS + 1; seq != ISS + 300001; seq += o.len) {
        o = out(&r);
        g_assert_cmpuint(o.seq, ==, seq);
        g_assert_true(o.len % MSS == 0 || seq + o.len == ISS + 300001);
        g_assert_true(o.len > 60000 || seq + o.len == ISS + 300001);
    }
    g_assert_silent(&r);
    rig_fini(&r);
}

/* --- loss ------------------------------------------------------------------------------------------------------------------------------- */

/* RFC 6298 5: again after the time-out, doubled each time; given up after TCP_RETRIES, with a reset */
static void test_timeout(void)
{
    int64_t last = 0;
    struct rig r;

    establish(&r, 0);
    host_sends(&r, 5000);
    for (unsigned i = 0; i < 4; i++) {
        out(&r);
    }
    for (unsigned i = 0; i < TCP_RETRIES; i++) {
        int64_t t = tick(&r);

        expect(&r, TCP_ACK, ISS + 1, IRS + 1, MSS);             /* one segment: RFC 5681 3.1 */
        g_assert_silent(&r);
        g_assert_true(!last || t == MIN(last * 2, TCP_RTO_MAX_NS));
        last = t;
    }
    tick(&r);
    expect(&r, TCP_RST | TCP_ACK, ISS + 1 + MSS, IRS + 1, 0);   /* at SND.NXT: 3.10.5 */
    g_assert_cmpint(r.c.end, ==, TCP_END_TIMEOUT);
    rig_fini(&r);

    establish(&r, 0);
    host_sends(&r, 5000);
    while (r.out.length) {
        out(&r);
    }
    tick(&r);
    out(&r);
    in(&r, IRS + 1, ISS + 1 + 2 * MSS, TCP_ACK);                /* slow start again, from what is missing */
    expect(&r, TCP_ACK, ISS + 1 + 2 * MSS, IRS + 1, MSS);
    expect(&r, TCP_ACK, ISS + 1 + 3 * MSS, IRS + 1, 5000 - 3 * MSS);
    in(&r, IRS + 1, ISS + 5001, TCP_ACK);
    g_assert_cmpint(r.c.rtx_ns, ==, -1);
    g_assert_cmpint(r.c.srtt_ns, ==, 0);                        /* Karn: no sample of what was sent twice (RFC 6298 3) */
    r.now += 7 * MS;
    host_sends(&r, 10);
    out(&r);
    r.now += 50 * MS;
    in(&r, IRS + 1, ISS + 5011, TCP_ACK);
    g_assert_cmpint(r.c.srtt_ns, ==, 50 * MS);
    g_assert_cmpint(r.c.rto_ns, ==, TCP_RTO_MIN_NS);
    rig_fini(&r);
}

/* RFC 5681 3.2, RFC 6582 3.2 */
static void test_fast_retransmit(void)
{
    struct rig r;

    establish(&r, 0);
    host_sends(&r, 20 * MSS);
    g_assert_cmpuint(r.out.length, ==, 20);
    while (r.out.length) {
        out(&r);
    }
    in(&r, IRS + 1, ISS + 1, TCP_ACK);
    in(&r, IRS + 1, ISS + 1, TCP_ACK);
    g_assert_silent(&r);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, WND - 1, NULL, 0);   /* another window: not a duplicate */
    g_assert_silent(&r);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, WND - 1, NULL, 0);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, MSS);                 /* the third */
    g_assert_cmpuint(r.c.ssthresh, ==, 10 * MSS);
    in(&r, IRS + 1, ISS + 1 + 5 * MSS, TCP_ACK);                /* partial: the next hole */
    expect(&r, TCP_ACK, ISS + 1 + 5 * MSS, IRS + 1, MSS);
    g_assert_true(r.c.recovering);
    in(&r, IRS + 1, ISS + 1 + 20 * MSS, TCP_ACK);
    g_assert_false(r.c.recovering);
    g_assert_cmpuint(r.c.cwnd, <=, 10 * MSS);
    g_assert_silent(&r);
    rig_fini(&r);
}

/* A NIC that is full: nothing is lost, nothing goes twice. */
static void test_busy(void)
{
    struct rig r;

    establish(&r, 0);
    r.busy = true;
    host_sends(&r, 100);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, WND, "abc", 3);
    g_assert_true(rig_output(&r));
    tcp_conn_eof(&r.c);
    g_assert_true(rig_output(&r));
    g_assert_silent(&r);
    g_assert_cmpint(r.c.state, ==, TCPS_ESTABLISHED);
    r.busy = false;
    g_assert_false(rig_output(&r));
    expect(&r, TCP_ACK | TCP_FIN, ISS + 1, IRS + 4, 100);
    g_assert_silent(&r);
    g_assert_cmpint(r.c.state, ==, TCPS_FIN_WAIT_1);
    rig_fini(&r);
}

/* --- closing --------------------------------------------------------------------------------------------------------------------------- */

/* 3.6: the guest first; data still goes the other way */
static void test_guest_closes_first(void)
{
    struct rig r;

    establish(&r, 0);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK | TCP_FIN, WND, "bye", 3);
    g_assert_cmpmem(r.in->data, r.in->len, "bye", 3);
    g_assert_true(r.c.guest_eof);
    g_assert_cmpint(r.c.state, ==, TCPS_CLOSE_WAIT);
    expect(&r, TCP_ACK, ISS + 1, IRS + 5, 0);
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK | TCP_FIN, WND, "bye", 3);    /* again: our answer was lost */
    expect(&r, TCP_ACK, ISS + 1, IRS + 5, 0);
    g_assert_true(tcp_conn_may_read(&r.c));
    host_sends(&r, 50);
    expect(&r, TCP_ACK, ISS + 1, IRS + 5, 50);
    tcp_conn_eof(&r.c);
    rig_output(&r);
    expect(&r, TCP_ACK | TCP_FIN, ISS + 51, IRS + 5, 0);
    g_assert_cmpint(r.c.state, ==, TCPS_LAST_ACK);
    in(&r, IRS + 5, ISS + 51, TCP_ACK);
    g_assert_cmpint(r.c.state, ==, TCPS_LAST_ACK);
    tick(&r);
    expect(&r, TCP_ACK | TCP_FIN, ISS + 51, IRS + 5, 0);
    in(&r, IRS + 5, ISS + 52, TCP_ACK);
    g_assert_cmpint(r.c.state, ==, TCPS_CLOSED);
    g_assert_cmpint(r.c.end, ==, TCP_END_DONE);
    rig_fini(&r);
}

static void test_host_closes_first(void)
{
    struct rig r;

    establish(&r, 0);
    tcp_conn_eof(&r.c);
    rig_output(&r);
    expect(&r, TCP_ACK | TCP_FIN, ISS + 1, IRS + 1, 0);
    in(&r, IRS + 1, ISS + 2, TCP_ACK);
    g_assert_cmpint(r.c.state, ==, TCPS_FIN_WAIT_2);
    in_data(&r, IRS + 1, ISS + 2, TCP_ACK, WND, "late", 4);
    g_assert_cmpmem(r.in->data, r.in->len, "late", 4);
    expect(&r, TCP_ACK, ISS + 2, IRS + 5, 0);
    in(&r, IRS + 5, ISS + 2, TCP_ACK | TCP_FIN);
    g_assert_cmpint(r.c.state, ==, TCPS_TIME_WAIT);
    expect(&r, TCP_ACK, ISS + 2, IRS + 6, 0);
    r.now += TCP_TIME_WAIT_NS / 2;
    in(&r, IRS + 5, ISS + 2, TCP_ACK | TCP_FIN);                /* 3.10.7.4: again; the time begins anew */
    expect(&r, TCP_ACK, ISS + 2, IRS + 6, 0);
    g_assert_cmpint(tick(&r), ==, TCP_TIME_WAIT_NS);
    g_assert_cmpint(r.c.end, ==, TCP_END_DONE);
    rig_fini(&r);

    establish(&r, 0);                                           /* both at once: figure 13 */
    tcp_conn_eof(&r.c);
    rig_output(&r);
    out(&r);
    in(&r, IRS + 1, ISS + 1, TCP_ACK | TCP_FIN);
    g_assert_cmpint(r.c.state, ==, TCPS_CLOSING);
    expect(&r, TCP_ACK, ISS + 2, IRS + 2, 0);
    in(&r, IRS + 2, ISS + 2, TCP_ACK);
    g_assert_cmpint(r.c.state, ==, TCPS_TIME_WAIT);
    rig_fini(&r);

    establish(&r, 0);                                           /* data and FIN wait for the guest's window */
    in_data(&r, IRS + 1, ISS + 1, TCP_ACK, 1000, NULL, 0);
    tcp_conn_eof(&r.c);
    host_sends(&r, 1000);
    expect(&r, TCP_ACK, ISS + 1, IRS + 1, 1000);
    g_assert_silent(&r);
    in_data(&r, IRS + 1, ISS + 1001, TCP_ACK, 1000, NULL, 0);
    expect(&r, TCP_ACK | TCP_FIN, ISS + 1001, IRS + 1, 0);
    rig_fini(&r);
}

/* 3.10.5 */
static void test_abort(void)
{
    struct tcp_seg s = syn(0);
    struct rig r;

    establish(&r, 0);
    tcp_conn_abort(&r.c);
    expect(&r, TCP_RST | TCP_ACK, ISS + 1, IRS + 1, 0);
    tcp_conn_abort(&r.c);
    g_assert_silent(&r);
    rig_fini(&r);

    rig_init_at(&r, ISS, false);                                /* the host refuses: 3.10.7.1, what the guest takes for "refused" */
    tcp_conn_passive(&r.c, &s);
    tcp_conn_abort(&r.c);
    expect(&r, TCP_RST | TCP_ACK, 0, IRS + 1, 0);
    rig_fini(&r);
}

/* 3.8.4 */
static void test_keep_alive(void)
{
    struct rig r;

    establish(&r, 0);
    g_assert_cmpint(tick(&r), ==, TCP_KEEP_NS);
    expect(&r, TCP_ACK, ISS, IRS + 1, 0);
    in(&r, IRS + 1, ISS + 1, TCP_ACK);
    g_assert_cmpint(tick(&r), ==, TCP_KEEP_NS);
    expect(&r, TCP_ACK, ISS, IRS + 1, 0);
    for (unsigned i = 1; i < TCP_KEEP_PROBES; i++) {
        g_assert_cmpint(tick(&r), ==, TCP_KEEP_STEP_NS);
        expect(&r, TCP_ACK, ISS, IRS + 1, 0);
    }
    tick(&r);
    g_assert_cmpint(r.c.end, ==, TCP_END_TIMEOUT);
    expect(&r, TCP_RST | TCP_ACK, ISS + 1, IRS + 1, 0);
    rig_fini(&r);
}

/* --- parts --------------------------------------------------------------------------------------------------------------------------------- */

static void test_ring(void)
{
    struct tcp_budget budget = { .max = 256 * 1024 };
    struct tcp_ring r = { .budget = &budget }, other = { .budget = &budget };
    uint32_t in_at = 0, out_at = 0;
    struct iovec iov[2];

    g_assert_cmpuint(tcp_ring_space(&r, 100, iov), ==, 0);
    for (unsigned n = 0; n < 5000; n++) {
        size_t want = (size_t)g_test_rand_int_range(1, 40000), k;
        unsigned cnt;

        tcp_ring_room(&r, want, 128 * 1024);
        g_assert_cmpuint(r.cap, <=, 128 * 1024);
        g_assert_cmpuint(budget.used, ==, r.cap);
        cnt = tcp_ring_space(&r, want, iov);
        for (unsigned i = 0; i < cnt; i++) {
            for (size_t j = 0; j < iov[i].iov_len; j++) {
                ((uint8_t *)iov[i].iov_base)[j] = (uint8_t)(in_at++ * 7 >> 3);
            }
            tcp_ring_commit(&r, iov[i].iov_len);
        }
        g_assert_cmpuint(in_at - out_at, ==, r.len);
        k = (size_t)g_test_rand_int_range(0, r.len < 50000 ? (gint)r.len + 1 : 50000);
        cnt = tcp_ring_peek(&r, 0, k, iov);
        for (unsigned i = 0; i < cnt; i++) {
            for (size_t j = 0; j < iov[i].iov_len; j++) {
                g_assert_cmpuint(((uint8_t *)iov[i].iov_base)[j], ==, (uint8_t)(out_at++ * 7 >> 3));
            }
        }
        tcp_ring_consume(&r, k);
    }
    g_assert_cmpuint(tcp_ring_room(&other, 1 << 20, 1 << 20), ==, 128 * 1024);  /* the shared bound, not its own */
    tcp_ring_fini(&r);
    tcp_ring_fini(&other);
    g_assert_cmpuint(budget.used, ==, 0);
}

/* 3.2: options that do not add up end the list */
static void test_wire_options(void)
{
    static const struct {
        uint8_t opt[12];
        uint16_t mss;
        int8_t wscale;
    } rows[] = {
        { { 2, 4, 5, 0xB4, 1, 3, 3, 7 }, 1460, 7 }, { { 3, 3, 15 }, 0, 14 }, { { 1, 1, 1, 3, 3, 0 }, 0, 0 },
        { { 2, 0, 5, 0xB4 }, 0, -1 }, { { 2, 1, 3, 3, 7 }, 0, -1 }, { { 2, 40, 5, 0xB4 }, 0, -1 }, { { 2, 3, 5, 3, 3, 4 }, 0, 4 },
        { { 0, 3, 3, 7 }, 0, -1 }, { { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3 }, 0, -1 }, { { 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 3, 3 }, 0, -1 },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t p[14 + 20 + 32] = { [12] = 8, [14] = 0x45, [23] = 6, [46] = 0x80, [47] = TCP_SYN };
        struct pkt_layout l;
        struct tcp_key key;
        struct tcp_seg s;

        st_be16(p + 16, sizeof(p) - 14);
        memcpy(p + 54, rows[i].opt, 12);
        pkt_parse(p, sizeof(p), sizeof(p), &l);
        tcp_wire_parse(p, &l, &key, &s);
        g_assert_cmpuint(s.mss, ==, rows[i].mss);
        g_assert_cmpint(s.wscale, ==, rows[i].wscale);
    }
}

static void test_wire_unreachable(void)
{
    struct tcp_key key = { .guest = { 10, 0, 2, 15 }, .world = { 192, 0, 2, 1 }, .guest_port = 0x1234, .world_port = 80 };
    uint8_t out[TCP_UNREACHABLE_ROOM], mac[6] = { 2 };
    const uint8_t router[16] = { 10, 0, 2, 2 };
    struct pkt_layout l;
    size_t n = tcp_wire_unreachable(out, mac, mac, &key, router, 77, true);

    pkt_parse(out, n, n, &l);
    g_assert_true(l.l3_len_ok && l.proto == IPPROTO_NR_ICMP && csum_check_ip4(out, &l) == CSUM_GOOD);
    g_assert_cmphex(ld_be16(out + 34), ==, 0x0300);
    g_assert_cmphex(csum_fold(csum_add(0, out + 34, l.l3_end - 34)), ==, 0xFFFF);
    g_assert_cmpmem(out + 42 + 12, 8, ((uint8_t[]){ 10, 0, 2, 15, 192, 0, 2, 1 }), 8);
    g_assert_cmphex(ld_be32(out + 62), ==, 0x12340050);
    g_assert_cmpuint(ld_be32(out + 66), ==, 77);
    key.six = 1;
    n = tcp_wire_unreachable(out, mac, mac, &key, router, 77, false);
    pkt_parse(out, n, n, &l);
    g_assert_true(l.l3_len_ok && l.proto == IPPROTO_NR_ICMP6);
    g_assert_cmphex(ld_be16(out + 54), ==, 0x0103);
    g_assert_cmphex(csum_fold(csum_add(csum_pseudo(out + 14, PKT_L3_IP6, IPPROTO_NR_ICMP6, (uint32_t)(n - 54)), out + 54, n - 54)), ==, 0xFFFF);
    g_assert_cmpmem(out + 62 + 8, 16, key.guest, 16);
    g_assert_cmpmem(out + 62 + 24, 16, key.world, 16);
}

/* --- two ends over a wire ---------------------------------------------------------------------------------------------------------------------- */

struct packet {
    int64_t at;
    unsigned to;
    struct out *o;
};

struct station {
    struct rig r;
    uint32_t total, put, got;           /* bytes to send, given to the connection; received and checked */
    size_t buffer;                      /* what the application has not read yet */
    size_t limit;                       /* of buffer */
};

struct wire {
    struct station end[2];
    GSequence *flight;
    GRand *rnd;
    int64_t now;
    double loss, twice;
    int64_t delay, jitter;
};

static uint8_t pattern(unsigned who, uint32_t at)
{
    return (uint8_t)((at * 31 + (at >> 8) * 7 + who * 99) & 0xFF);
}

static gint by_time(gconstpointer a, gconstpointer b, gpointer unused)
{
    const struct packet *x = a, *y = b;

    return x->at < y->at ? -1 : x->at > y->at;
}

static void post(struct wire *w, unsigned to, struct out *o)
{
    struct packet *p = g_new(struct packet, 1);

    *p = (struct packet){ w->now + w->delay + (w->jitter ? (int64_t)(g_rand_double(w->rnd) * (double)w->jitter) : 0), to, o };
    g_sequence_insert_sorted(w->flight, p, by_time, NULL);
}

static void carry(struct wire *w, unsigned from)
{
    struct out *o;

    while ((o = g_queue_pop_head(&w->end[from].r.out))) {
        if (g_rand_double(w->rnd) < w->twice) {
            struct out *copy = g_memdup2(o, sizeof(*o));

            copy->data = g_memdup2(o->data, o->s.len);
            post(w, !from, copy);
        }
        if (g_rand_double(w->rnd) < w->loss) {
            out_free(o);
        } else {
            post(w, !from, o);
        }
    }
}

/* The application: writes when there is room, reads now and then. */
static void application(struct wire *w, unsigned who, bool reads)
{
    struct station *s = &w->end[who];
    struct rig *r = &s->r;
    GByteArray *in = r->in;

    for (guint i = 0; i < in->len; i++, s->got++) {
        g_assert_cmpuint(in->data[i], ==, pattern(!who, s->got));
    }
    s->buffer += in->len;
    g_byte_array_set_size(in, 0);
    if (reads) {
        size_t read = (size_t)g_rand_int_range(w->rnd, 1, 60000);

        s->buffer -= MIN(s->buffer, read);
    }
    r->room = s->limit - s->buffer;
    if (tcp_conn_may_read(&r->c)) {
        size_t want = (size_t)g_rand_int_range(w->rnd, 1, 30000), n = MIN(s->total - s->put, want), room;
        struct iovec iov[2];
        unsigned cnt;

        room = n ? tcp_ring_room(&r->c.tx, n, 128 * 1024) : 0;
        cnt = tcp_ring_space(&r->c.tx, MIN(n, room), iov);
        for (unsigned i = 0; i < cnt; i++) {
            for (size_t j = 0; j < iov[i].iov_len; j++) {
                ((uint8_t *)iov[i].iov_base)[j] = pattern(who, s->put++);
            }
            tcp_ring_commit(&r->c.tx, iov[i].iov_len);
        }
        if (s->put == s->total) {
            tcp_conn_eof(&r->c);
        }
    }
}

static void arrive(struct wire *w, struct packet *p)
{
    struct rig *r = &w->end[p->to].r;
    struct iovec iov = { p->o->data, p->o->s.len };

    p->o->s.iov = &iov;
    p->o->s.iovcnt = 1;
    p->o->s.off = 0;
    if (r->c.state == TCPS_CLOSED && !r->c.end) {               /* listening */
        if (p->o->s.flags & TCP_SYN) {
            tcp_conn_passive(&r->c, &p->o->s);
            tcp_conn_accept(&r->c);
        }
    } else if (r->c.state == TCPS_CLOSED) {
        if (!(p->o->s.flags & TCP_RST)) {                       /* 3.10.7.1: TIME-WAIT is over before the last FIN has come through */
            struct out *o = g_new0(struct out, 1);

            o->s = (struct tcp_seg){ .flags = TCP_RST, .seq = p->o->s.ack };
            post(w, !p->to, o);
        }
    } else {
        tcp_conn_input(&r->c, &p->o->s, w->now);
    }
}

static void step(struct wire *w)
{
    GSequenceIter *first = g_sequence_get_begin_iter(w->flight);
    int64_t next = w->now + 5 * MS;                             /* the application looks */

    if (!g_sequence_iter_is_end(first)) {
        next = MIN(next, ((struct packet *)g_sequence_get(first))->at);
    }
    w->now = next;
    if (!g_sequence_iter_is_end(first) && ((struct packet *)g_sequence_get(first))->at <= w->now) {
        struct packet *p = g_sequence_get(first);

        g_sequence_remove(first);
        arrive(w, p);
        out_free(p->o);
        g_free(p);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct rig *r = &w->end[i].r;

        r->now = w->now;
        r->busy = g_rand_int_range(w->rnd, 0, 20) == 0;
        tcp_conn_timer(&r->c, w->now);
        application(w, i, g_rand_int_range(w->rnd, 0, 4) == 0);
        tcp_conn_output(&r->c, (size_t)g_rand_int_range(w->rnd, 1000, 200000), w->now);
        g_assert_cmpuint(r->c.tx.cap, <=, 128 * 1024);
        carry(w, i);
    }
}

static bool is_done(const struct wire *w)
{
    return w->end[0].r.c.end && w->end[1].r.c.end;
}

static void run_wire(uint32_t seed)
{
    struct wire w = { .flight = g_sequence_new(NULL), .rnd = g_rand_new_with_seed(seed), .now = 1 };
    unsigned steps = 0;

    w.loss = (seed % 4) * 0.04;
    w.twice = (seed % 3) * 0.02;
    w.delay = MS / 10 + (int64_t)g_rand_int_range(w.rnd, 0, 20000000);
    w.jitter = seed % 5 ? 0 : 3 * w.delay;
    for (unsigned i = 0; i < 2; i++) {
        struct station *s = &w.end[i];

        rig_init_at(&s->r, seed % 2 ? g_rand_int(w.rnd) : (uint32_t)0 - (uint32_t)g_rand_int_range(w.rnd, 1, 60000), seed % 7 == 0);
        s->r.whole = seed % 6 == 1;
        s->total = (uint32_t)g_rand_int_range(w.rnd, 0, seed % 8 ? 60000 : 400000);
        s->limit = seed % 9 ? 200000 : 5000;                    /* small: zero windows */
        s->r.room = s->limit;
    }
    tcp_conn_active(&w.end[0].r.c);
    while (!is_done(&w)) {
        step(&w);
        g_assert_cmpuint(++steps, <, 400000);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct station *s = &w.end[i];

        application(&w, i, true);
        g_assert_true(s->r.c.end == TCP_END_DONE || (s->r.c.end == TCP_END_RESET && w.end[!i].r.c.end == TCP_END_DONE));
        g_assert_true(s->r.c.guest_eof);
        g_assert_cmpuint(s->got, ==, w.end[!i].total);
        rig_fini(&s->r);
    }
    for (GSequenceIter *i = g_sequence_get_begin_iter(w.flight); !g_sequence_iter_is_end(i); i = g_sequence_iter_next(i)) {
        struct packet *p = g_sequence_get(i);

        out_free(p->o);
        g_free(p);
    }
    g_sequence_free(w.flight);
    g_rand_free(w.rnd);
}

/* Losing, doubling, delaying and reordering: every byte arrives once and in order, both ends come to an end. */
static void test_wire(void)
{
    const char *only = g_getenv("TCP_SEED");

    for (uint32_t seed = only ? (uint32_t)atoi(only) : 1; seed <= (only ? (uint32_t)atoi(only) : 2000); seed++) {
        g_test_message("seed %u", seed);
        run_wire(seed);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tcp-conn/ring", test_ring);
    g_test_add_func("/tcp-conn/wire-options", test_wire_options);
    g_test_add_func("/tcp-conn/wire-unreachable", test_wire_unreachable);
    g_test_add_func("/tcp-conn/passive", test_passive);
    g_test_add_func("/tcp-conn/options", test_options);
    g_test_add_func("/tcp-conn/active", test_active);
    g_test_add_func("/tcp-conn/reset", test_reset);
    g_test_add_func("/tcp-conn/challenges", test_challenges);
    g_test_add_func("/tcp-conn/out-of-order", test_out_of_order);
    g_test_add_func("/tcp-conn/receive-window", test_receive_window);
    g_test_add_func("/tcp-conn/zero-window", test_zero_window);
    g_test_add_func("/tcp-conn/silly-window", test_silly_window);
    g_test_add_func("/tcp-conn/large-frames", test_large_frames);
    g_test_add_func("/tcp-conn/timeout", test_timeout);
    g_test_add_func("/tcp-conn/fast-retransmit", test_fast_retransmit);
    g_test_add_func("/tcp-conn/busy", test_busy);
    g_test_add_func("/tcp-conn/guest-closes-first", test_guest_closes_first);
    g_test_add_func("/tcp-conn/host-closes-first", test_host_closes_first);
    g_test_add_func("/tcp-conn/abort", test_abort);
    g_test_add_func("/tcp-conn/keep-alive", test_keep_alive);
    g_test_add_func("/tcp-conn/two-ends", test_wire);
    return g_test_run();
}
