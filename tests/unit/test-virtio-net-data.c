/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-virtio-net-data.c - virtio-net's data path: rings both ways, split and packed, offloads, back
 * pressure, interrupts (section numbers: VIRTIO 1.2)
 */
#include "tests/lib/vnet_rig.h"

#include "hw/virtio/virtio.h"
#include "net/offload/csum.h"
#include "net/offload/parse.h"

#define CSUM BIT(0)
#define GUEST_CSUM BIT(1)
#define TSO4 BIT(7)
#define MRG BIT(15)
#define EVENT BIT(VIRTIO_F_EVENT_IDX)
#define INDIRECT BIT(VIRTIO_F_INDIRECT_DESC)
#define PACKED BIT(VIRTIO_F_RING_PACKED)
#define IN_ORDER BIT(VIRTIO_F_IN_ORDER)

enum { BIG = 65536 + 14 };

static const struct {
    const char *name, *props;
    uint64_t features;
} formats[] = {
    { "split", NULL, 0 }, { "split+event", NULL, EVENT | INDIRECT }, { "packed", "packed=on", PACKED },
    { "packed+event", "packed=on", PACKED | EVENT }, { "in-order", "in_order=on", IN_ORDER },
    { "packed+in-order", "packed=on,in_order=on", PACKED | IN_ORDER | EVENT },
};

static void hdr_make(uint8_t h[20], uint8_t flags, uint8_t gso, uint16_t hdr_len, uint16_t size, uint16_t start,
                     uint16_t off)
{
    memset(h, 0, 20);
    h[0] = flags;
    h[1] = gso;
    st_le16(h + 2, hdr_len);
    st_le16(h + 4, size);
    st_le16(h + 6, start);
    st_le16(h + 8, off);
}

/* ---- transmit: 5.1.6.1, 5.1.6.2 ---- */

/* Every length, the header in one piece with the frame, apart from it, and both in many pieces */
static void test_tx(void)
{
    static const unsigned pieces[] = { 1, 2, 3, 7, 40 };
    g_autofree uint8_t *f = g_malloc(2000);

    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);

        g_test_message("%s", formats[k].name);
        vnet_start(v, formats[k].features);
        for (size_t len = 14; len <= 1514; len += len < 70 ? 1 : 17) {
            unsigned n = pieces[len % ARRAY_LEN(pieces)];
            struct rig_frame *r;

            rig_eth(f, len, rig_other, 0x88B5, (unsigned)len);
            g_assert_true(vnet_send(v, 1, NULL, f, len, n));
            r = rig_sent(v->g);
            g_assert_nonnull(r);
            g_assert_cmpmem(r->data, r->len, f, len);
            g_free(r);
        }
        vnet_free(v);
    }
}

/* The header's own length depends on what was negotiated: 5.1.6.1 */
static void test_tx_header_lengths(void)
{
    static const struct {
        const char *props;
        uint64_t features;
        unsigned len;
    } t[] = { { NULL, 0, 12 }, { NULL, MRG, 12 }, { "hash=on", BIT(57) | BIT(17), 20 } };
    uint8_t f[100];

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct vnet *v = vnet_new("virtio-net-pci", t[i].props);
        struct rig_frame *r;

        vnet_start(v, t[i].features);
        g_assert_cmpuint(v->hdr_len, ==, t[i].len);
        rig_eth(f, sizeof(f), rig_other, 0x88B5, i);
        g_assert_true(vnet_send(v, 1, NULL, f, sizeof(f), 1));
        r = rig_sent(v->g);
        g_assert_cmpmem(r->data, r->len, f, sizeof(f));
        g_free(r);
        vnet_free(v);
    }
}

static void test_tx_csum(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    uint8_t f[600], h[20];
    struct pkt_layout l;
    struct rig_frame *r;
    struct iovec iov;
    size_t len = rig_tcp4(f, 500, false);

    vnet_start(v, CSUM);
    hdr_make(h, 1, 0, 0, 0, 34, 16);
    g_assert_true(vnet_send(v, 1, h, f, len, 2));
    r = rig_sent(v->g);                             /* the peer takes nothing: finished in software */
    pkt_parse(r->data, r->len, r->len, &l);
    iov = (struct iovec){ r->data, r->len };
    g_assert_cmpint(csum_check_l4(&iov, 1, r->data, &l), ==, CSUM_GOOD);
    g_assert_cmpuint(r->len, ==, len);
    g_free(r);
    v->g->peer->caps = PKT_CAP_CSUM;
    g_assert_true(vnet_send(v, 1, h, f, len, 2));
    r = rig_sent(v->g);                             /* open, as it came */
    g_assert_cmpmem(r->data, r->len, f, len);
    g_assert_cmphex(r->meta.flags & PKT_NEEDS_CSUM, ==, PKT_NEEDS_CSUM);
    g_assert_cmpuint(r->meta.csum_start, ==, 34);
    g_assert_cmpuint(r->meta.csum_off, ==, 16);
    g_free(r);
    vnet_free(v);
}

static void check_segments(struct vnet *v, const uint8_t *f, size_t len, size_t hdr, size_t mss)
{
    size_t at = hdr;

    while (at < len) {
        struct rig_frame *r = rig_sent(v->g);
        struct pkt_layout l;
        struct iovec iov;
        size_t n = MIN(mss, len - at);

        g_assert_nonnull(r);
        g_assert_cmpuint(r->len, ==, hdr + n);
        g_assert_cmpmem(r->data + hdr, n, f + at, n);
        pkt_parse(r->data, r->len, r->len, &l);
        iov = (struct iovec){ r->data, r->len };
        g_assert_cmpint(csum_check_l4(&iov, 1, r->data, &l), ==, CSUM_GOOD);
        if (l.l3 == PKT_L3_IP4) {
            g_assert_cmpint(csum_check_ip4(r->data, &l), ==, CSUM_GOOD);
        }
        g_free(r);
        at += n;
    }
    g_assert_null(rig_sent(v->g));
}

/* TSO4, TSO6, USO: cut for a peer that takes no large frames, whole for one that does; 64 KiB in 17-page chains */
static void test_tx_gso(void)
{
    static const struct {
        uint8_t gso, start, off, hdr;
        uint16_t mss;
        uint32_t cap;
        uint8_t kind;
    } t[] = {
        { 1, 34, 16, 54, 1448, PKT_CAP_TSO4, PKT_GSO_TCP4 }, { 4, 54, 16, 74, 1428, PKT_CAP_TSO6, PKT_GSO_TCP6 },
        { 5, 34, 6, 42, 1200, PKT_CAP_USO, PKT_GSO_UDP },
    };
    g_autofree uint8_t *f = g_malloc(70000);
    uint8_t h[20];

    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
            struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);
            size_t payload = 64000, len;
            struct rig_frame *r;

            len = t[i].gso == 1 ? rig_tcp4(f, payload, false) :
                  t[i].gso == 4 ? rig_tcp6(f, payload, false) : rig_udp4(f, payload, false);
            vnet_start(v, formats[k].features | CSUM | BIT(11) | BIT(12) | BIT(56));
            hdr_make(h, 1, t[i].gso, t[i].hdr, t[i].mss, t[i].start, t[i].off);
            g_assert_true(vnet_send(v, 1, h, f, len, 18));
            check_segments(v, f, len, t[i].hdr, t[i].mss);
            v->g->peer->caps = PKT_CAP_CSUM | t[i].cap;
            g_assert_true(vnet_send(v, 1, h, f, len, 18));
            r = rig_sent(v->g);
            g_assert_cmpuint(r->len, ==, len);
            g_assert_cmpint(r->meta.gso, ==, t[i].kind);
            g_assert_cmpuint(r->meta.gso_size, ==, t[i].mss);
            g_assert_cmpmem(r->data + t[i].hdr, payload, f + t[i].hdr, payload);
            g_free(r);
            g_assert_null(rig_sent(v->g));
            vnet_free(v);
        }
    }
}

/* A chain of more pieces than a frame has room for (test-server.md 5.6: 65 descriptors) */
static void test_tx_many_pieces(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    uint8_t f[1514];

    vnet_start(v, 0);
    rig_eth(f, sizeof(f), rig_other, 0x88B5, 3);
    for (unsigned n = 60; n <= 200; n += n < 70 ? 1 : 50) {
        struct rig_frame *r;

        g_assert_true(vnet_send(v, 1, NULL, f, sizeof(f), n));
        r = rig_sent(v->g);
        g_assert_nonnull(r);
        g_assert_cmpmem(r->data, r->len, f, sizeof(f));
        g_free(r);
    }
    vnet_free(v);
}

/* A busy peer: nothing is returned, nothing lost, order kept; then all */
static void test_tx_busy(void)
{
    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);
        unsigned sent = 0, id;
        uint32_t len;
        uint8_t f[100];

        vnet_start(v, formats[k].features);
        v->g->peer->busy = true;
        for (unsigned i = 0; i < 100; i++) {
            rig_eth(f, sizeof(f), rig_other, 0x88B5, i);
            sent += vnet_send(v, 1, NULL, f, sizeof(f), 2);
        }
        g_assert_cmpuint(sent, ==, 1);              /* one is with the net layer, which took it */
        rig_unblock(v->g);
        g_assert_cmpuint(v->g->peer->total, ==, 100);
        for (unsigned i = 0; i < 100; i++) {
            struct rig_frame *r = rig_sent(v->g);

            rig_eth(f, sizeof(f), rig_other, 0x88B5, i);
            g_assert_cmpmem(r->data, r->len, f, sizeof(f));
            g_free(r);
        }
        for (sent = 0; vdq_get(v, &v->q[1], &id, &len); sent++) {
        }
        g_assert_cmpuint(sent, ==, 99);
        vnet_free(v);
    }
}

/* More than a run's budget: all go, from several runs */
static void test_tx_budget(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    g_autofree uint8_t *f = g_malloc(70000);
    struct vdq *q = &v->q[1];
    unsigned n, id;
    uint32_t len;
    struct vbuf b;

    vnet_start(v, 0);
    b = (struct vbuf){ vnet_alloc(v, 60012), 60012 };
    memset(rig_ram(v->g, b.addr), 0, 60012);
    for (n = 0; n < 256; n++) {
        vdq_add(v, q, &b, 1, NULL, 0);
    }
    v->g->peer->keep_max = 0;
    vdq_kick(v, q);
    g_assert_cmpuint(v->g->peer->total, ==, 256);
    for (n = 0; vdq_get(v, q, &id, &len); n++) {
        g_assert_cmpuint(len, ==, 0);
    }
    g_assert_cmpuint(n, ==, 256);
    vnet_free(v);
}

/* ---- receive: 5.1.6.3, 5.1.6.4 ---- */

/* Lengths against buffer sizes, merged and not; num_buffers is right and buffers come in order */
static void test_rx(void)
{
    static const uint32_t sizes[] = { 64, 100, 512, 1526, 4096 };
    struct vpacket *p = g_new(struct vpacket, 1);
    g_autofree uint8_t *f = g_malloc(BIG);

    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        for (unsigned s = 0; s < ARRAY_LEN(sizes); s++) {
            struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);

            vnet_start(v, formats[k].features | MRG);
            vnet_fill(v, 0, 128, sizes[s]);
            for (size_t len = 14; len <= 6000; len += len < 70 ? 1 : 97) {
                rig_eth(f, len, rig_mac, 0x88B5, (unsigned)len);
                g_assert_cmpint(rig_rx(v->g, f, len), ==, NET_TX_DONE);
                g_assert_true(vnet_got(v, 0, p));
                g_assert_cmpmem(p->data, p->len, f, len);
                g_assert_cmpuint(p->bufs, ==, (12 + len + sizes[s] - 1) / sizes[s]);
                for (unsigned i = 0; i < 10; i++) {
                    g_assert_cmphex(p->hdr[i], ==, 0);
                }
            }
            vnet_free(v);
        }
    }
    g_free(p);
}

/* Without MRG_RXBUF: one buffer a frame, of one or several descriptors; a too small one stays where it is */
static void test_rx_single(void)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[1600];

    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);
        struct vbuf in[3];
        unsigned id, got;
        uint32_t len;

        vnet_start(v, formats[k].features);
        g_assert_cmpuint(v->hdr_len, ==, 12);
        for (unsigned i = 0; i < 3; i++) {
            in[i] = (struct vbuf){ vnet_alloc(v, 2000) + 32, i ? 800 : 12 };
        }
        id = vdq_add(v, &v->q[0], NULL, 0, in, 3);
        vdq_kick(v, &v->q[0]);
        rig_eth(f, 1601 - 1, rig_mac, 0x88B5, 1);
        rig_rx(v->g, f, 1600);
        g_assert_true(vdq_get(v, &v->q[0], &got, &len));
        g_assert_cmpuint(got, ==, id);
        g_assert_cmpuint(len, ==, 1612);
        g_assert_cmpmem(rig_ram(v->g, in[1].addr), 800, f, 800);
        g_assert_cmpmem(rig_ram(v->g, in[2].addr), 800, f + 800, 800);
        vnet_fill(v, 0, 4, 1024);
        rig_rx(v->g, f, 1013);
        g_assert_cmpuint(vnet_drops(v, "rx-no-room"), ==, 1);
        g_assert_false(vnet_got(v, 0, p));
        rig_rx(v->g, f, 1012);
        g_assert_true(vnet_got(v, 0, p));
        g_assert_cmpmem(p->data, p->len, f, 1012);
        vnet_free(v);
    }
    g_free(p);
}

/* No buffers: frames wait, in order, and come when there are; with less room than one frame needs it waits for the rest
 */
static void test_rx_waits(void)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[1514];

    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);

        vnet_start(v, formats[k].features | MRG);
        for (unsigned i = 0; i < 20; i++) {
            rig_eth(f, sizeof(f), rig_mac, 0x88B5, i);
            g_assert_cmpint(rig_rx(v->g, f, sizeof(f)), ==, NET_TX_DONE);
        }
        g_assert_false(vnet_got(v, 0, p));
        vnet_fill(v, 0, 2, 512);                    /* 1526 bytes do not fit */
        g_assert_false(vnet_got(v, 0, p));
        for (unsigned i = 0; i < 20; i++) {
            if (i % 5 == 0) {
                vnet_fill(v, 0, i ? 3 : 1, 512);
            }
            while (!vnet_got(v, 0, p)) {
                vnet_fill(v, 0, 1, 512);
            }
            rig_eth(f, sizeof(f), rig_mac, 0x88B5, i);
            g_assert_cmpmem(p->data, p->len, f, sizeof(f));
        }
        g_assert_false(vnet_got(v, 0, p));
        g_assert_cmpuint(vnet_drops(v, "rx-no-room"), ==, 0);
        vnet_free(v);
    }
    g_free(p);
}

/* A frame that the whole ring could not hold does not block those behind it */
static void test_rx_never_fits(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct vpacket *p = g_new(struct vpacket, 1);
    g_autofree uint8_t *f = g_malloc(BIG);

    vnet_start(v, MRG);
    vnet_fill(v, 0, 256, 64);
    rig_eth(f, 20000, rig_mac, 0x88B5, 1);
    rig_rx(v->g, f, 20000);
    g_assert_cmpuint(vnet_drops(v, "rx-no-room"), ==, 1);
    rig_rx(v->g, f, 10000);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, 10000);
    g_assert_cmpuint(p->bufs, ==, (10012 + 63) / 64);
    vnet_free(v);
    g_free(p);
}

/* Checksums and large frames reach exactly the guest that takes them */
static void test_rx_offloads(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct vpacket *p = g_new(struct vpacket, 1);
    g_autofree uint8_t *f = g_malloc(70000);
    size_t len = rig_tcp4(f, 60000, false), got = 0;
    struct pkt_meta m = { .flags = PKT_NEEDS_CSUM | PKT_ECN, .gso = PKT_GSO_TCP4, .gso_size = 1448, .csum_start = 34,
                          .csum_off = 16 };
    struct pkt_layout l;
    struct iovec iov;

    vnet_start(v, MRG | GUEST_CSUM | TSO4 | BIT(9));
    vnet_fill(v, 0, 100, 1526);
    rig_rx_meta(v->g, f, len, &m);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, len);
    g_assert_cmpmem(p->data + 54, 60000, f + 54, 60000);
    g_assert_cmphex(p->hdr[0], ==, 1);              /* NEEDS_CSUM */
    g_assert_cmphex(p->hdr[1], ==, 0x81);           /* TCPv4, ECN */
    g_assert_cmpuint(ld_le16(p->hdr + 2), ==, 54);
    g_assert_cmpuint(ld_le16(p->hdr + 4), ==, 1448);
    g_assert_cmpuint(ld_le16(p->hdr + 6), ==, 34);
    g_assert_cmpuint(ld_le16(p->hdr + 8), ==, 16);
    g_assert_cmpuint(p->bufs, ==, (len + 12 + 1525) / 1526);

    vnet_start(v, MRG | GUEST_CSUM);                /* no TSO: segments, marked as good */
    vnet_fill(v, 0, 100, 1526);
    rig_rx_meta(v->g, f, len, &m);
    for (; vnet_got(v, 0, p); got += p->len - 54) {
        g_assert_cmphex(p->hdr[0], ==, 2);
        g_assert_cmphex(p->hdr[1], ==, 0);
        g_assert_cmpmem(p->data + 54, p->len - 54, f + 54 + got, p->len - 54);
    }
    g_assert_cmpuint(got, ==, 60000);

    vnet_start(v, MRG);                             /* nothing: complete frames, no flags */
    vnet_fill(v, 0, 100, 1526);
    len = rig_tcp4(f, 500, false);
    m = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .csum_start = 34, .csum_off = 16 };
    rig_rx_meta(v->g, f, len, &m);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmphex(p->hdr[0], ==, 0);
    pkt_parse(p->data, p->len, p->len, &l);
    iov = (struct iovec){ p->data, p->len };
    g_assert_cmpint(csum_check_l4(&iov, 1, p->data, &l), ==, CSUM_GOOD);

    vnet_start(v, GUEST_CSUM | TSO4);               /* "big" buffers: one of 64 KiB a frame */
    vnet_fill(v, 0, 4, 65562);
    len = rig_tcp4(f, 60000, false);
    m = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .gso = PKT_GSO_TCP4, .gso_size = 1448, .csum_start = 34,
                           .csum_off = 16 };
    rig_rx_meta(v->g, f, len, &m);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, len);
    g_assert_cmpuint(p->bufs, ==, 1);
    g_assert_cmphex(p->hdr[1], ==, 1);
    vnet_free(v);
    g_free(p);
}

static size_t segment(uint8_t *f, uint32_t seq, size_t payload, uint8_t flags)
{
    size_t len = 54 + payload;
    uint64_t sum;

    rig_tcp4(f, payload, false);
    st_be32(f + 38, seq);
    f[47] = flags;
    csum_ip4_header(f + 14, 20);
    st_be16(f + 50, 0);
    sum = csum_pseudo(f + 14, PKT_L3_IP4, 6, (uint32_t)(len - 34));
    csum_store(f + 50, csum_add(sum, f + 34, len - 34));
    return len;
}

/* 5.1.6.4: RSC_EXT: segments are merged, the header tells how many; wrong checksums are not merged and not lost */
static void test_rsc(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "guest_rsc_ext=on,rsc_interval=300000");
    struct vpacket *p = g_new(struct vpacket, 1);
    g_autofree uint8_t *f = g_malloc(2000);
    struct pkt_layout l;
    struct iovec iov;
    size_t len;

    vnet_start(v, MRG | GUEST_CSUM | TSO4 | BIT(61));
    vnet_fill(v, 0, 200, 1526);
    for (unsigned i = 0; i < 10; i++) {
        len = segment(f, 1000 + 1000 * i, 1000, 0x10);
        g_assert_cmpint(rig_rx(v->g, f, len), ==, NET_TX_DONE);
    }
    g_assert_false(vnet_got(v, 0, p));              /* held back, until the interval is over */
    rig_step(300001);
    loop_iterate(false);
    rig_run();
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, 54 + 10000);
    g_assert_cmphex(p->hdr[0], ==, 2 | 4);          /* DATA_VALID, RSC_INFO */
    g_assert_cmphex(p->hdr[1], ==, 1);
    g_assert_cmpuint(ld_le16(p->hdr + 4), ==, 1000);
    g_assert_cmpuint(ld_le16(p->hdr + 6), ==, 10);
    g_assert_cmpuint(ld_le16(p->hdr + 8), ==, 0);
    pkt_parse(p->data, p->len, p->len, &l);
    iov = (struct iovec){ p->data, p->len };
    g_assert_cmpint(csum_check_l4(&iov, 1, p->data, &l), ==, CSUM_GOOD);
    g_assert_cmpint(csum_check_ip4(p->data, &l), ==, CSUM_GOOD);

    len = segment(f, 1, 1000, 0x10);                /* push: leaves with what came before it */
    rig_rx(v->g, f, len);
    len = segment(f, 1001, 1000, 0x18);
    rig_rx(v->g, f, len);
    len = segment(f, 2001, 1000, 0x11);             /* FIN: never merged, keeps its place */
    rig_rx(v->g, f, len);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, 2054);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, 1054);
    g_assert_cmphex(p->hdr[1], ==, 0);

    len = segment(f, 1, 1000, 0x10);
    rig_rx(v->g, f, len);
    len = segment(f, 1001, 1000, 0x10);
    f[500] ^= 1;                                    /* damaged on the way: the guest shall see it as it is */
    rig_rx(v->g, f, len);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, 1054);
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpmem(p->data, p->len, f, len);
    g_assert_cmphex(p->hdr[0], ==, 0);
    vnet_free(v);
    g_free(p);
}

/* No buffers while the coalescer lets go: nothing is lost */
static void test_rsc_waits(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "guest_rsc_ext=on");
    struct vpacket *p = g_new(struct vpacket, 1);
    g_autofree uint8_t *f = g_malloc(2000);
    size_t total = 0;

    vnet_start(v, MRG | GUEST_CSUM | TSO4 | BIT(61));
    for (unsigned i = 0; i < 100; i++) {
        rig_rx(v->g, f, segment(f, 1000 + 500 * i, 500, i % 10 == 9 ? 0x18 : 0x10));
    }
    vnet_fill(v, 0, 200, 1526);
    rig_step(1000000);
    loop_iterate(false);
    rig_run();
    while (vnet_got(v, 0, p)) {
        total += p->len - 54;
    }
    g_assert_cmpuint(total, ==, 50000);
    vnet_free(v);
    g_free(p);
}

/* ---- interrupts: 2.7.7 ---- */

/* A hundred frames in one round of the loop: one interrupt; the driver's event index keeps the rest away */
static void test_interrupts(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "vectors=0");
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[100];
    unsigned before;

    vnet_start(v, MRG);
    vnet_fill(v, 0, 200, 1526);
    rig_eth(f, sizeof(f), rig_mac, 0x88B5, 1);
    vc_read(v, 0x1000, 1);
    before = v->g->irq_raises;
    for (unsigned i = 0; i < 100; i++) {
        struct frame fr;

        frame_from_buf(&fr, f, sizeof(f));
        g_assert_cmpint(net_send_queued(&v->g->peer->c, &fr), ==, NET_TX_DONE);     /* no bottom half in between */
    }
    rig_run();
    g_assert_cmpuint(v->g->irq_raises, ==, before + 1);
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 1);
    for (unsigned i = 0; i < 100; i++) {
        g_assert_true(vnet_got(v, 0, p));
    }
    vnet_start(v, MRG | EVENT);
    vnet_fill(v, 0, 100, 1526);
    st_le16(rig_ram(v->g, v->q[0].driver + 4 + 2 * v->q[0].size), 49);      /* used_event: tell me of the fiftieth */
    rig_rx(v->g, f, sizeof(f));                     /* the first one of all may always be told */
    vc_read(v, 0x1000, 1);
    before = v->g->irq_raises;
    for (unsigned i = 1; i < 60; i++) {
        rig_rx(v->g, f, sizeof(f));
        g_assert_cmpuint(v->g->irq_raises, ==, before + (i >= 49));
    }
    vnet_free(v);
    g_free(p);
}

/* The driver need not notify while we have work or buffers: kicks that the device asked for, over 1000 frames both ways
 */
static void test_notifications(void)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[100];

    for (unsigned k = 0; k < 4; k++) {
        struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);

        vnet_start(v, formats[k].features | MRG);
        vnet_fill(v, 0, 100, 1526);
        for (unsigned i = 0; i < 1000; i++) {
            rig_eth(f, sizeof(f), i & 1 ? rig_mac : rig_other, 0x88B5, i);
            if (i & 1) {
                rig_rx(v->g, f, sizeof(f));
                g_assert_true(vnet_got(v, 0, p));
                g_assert_cmpmem(p->data, p->len, f, sizeof(f));
            } else {
                g_assert_true(vnet_send(v, 1, NULL, f, sizeof(f), 1));
            }
        }
        g_assert_cmpuint(v->g->peer->total, ==, 500);
        vnet_free(v);
    }
    g_free(p);
}

/* MSI-X: a vector a queue; the message to RAM is a write of its data (test-server.md 5.6) */
static void test_msix(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct addr_space *as = &v->g->as;
    uint8_t f[60];
    unsigned cap = 0, off;

    for (off = rig_config(v->g, PCI_CAP_POINTER, 1); off && !cap; off = rig_config(v->g, off + 1, 1)) {
        cap = rig_config(v->g, off, 1) == 0x11 ? off : 0;
    }
    g_assert_cmpuint((rig_config(v->g, cap + 2, 2) & 0x7FF) + 1, ==, 4);    /* 2 queues, control, configuration */
    for (unsigned i = 0; i < 4; i++) {
        space_write(as, VNET_BAR1 + 16 * i, 0x80000 + 16 * i, 4);
        space_write(as, VNET_BAR1 + 16 * i + 4, 0, 4);
        space_write(as, VNET_BAR1 + 16 * i + 8, 0x1110 + i, 4);
        space_write(as, VNET_BAR1 + 16 * i + 12, i == 2, 4);                /* vector 2 masked */
    }
    rig_config_set(v->g, cap + 2, 0x8000, 2);
    vnet_start(v, MRG | BIT(16));
    vnet_fill(v, 0, 4, 1526);
    vc_write(v, VC_CONFIG_VECTOR, 0, 2);
    for (unsigned i = 0; i < 2; i++) {
        vc_write(v, VC_QUEUE_SELECT, i, 2);
        vc_write(v, VC_QUEUE_VECTOR, i + 1, 2);
        g_assert_cmpuint(vc_read(v, VC_QUEUE_VECTOR, 2), ==, i + 1);
    }
    rig_eth(f, sizeof(f), rig_mac, 0x88B5, 1);
    rig_rx(v->g, f, sizeof(f));
    g_assert_cmphex(ld_le32(rig_ram(v->g, 0x80010)), ==, 0x1111);
    vnet_send(v, 1, NULL, f, sizeof(f), 1);
    g_assert_cmphex(ld_le32(rig_ram(v->g, 0x80020)), ==, 0);                /* pending instead */
    space_write(as, VNET_BAR1 + 16 * 2 + 12, 0, 4);
    rig_run();
    g_assert_cmphex(ld_le32(rig_ram(v->g, 0x80020)), ==, 0x1112);
    g_assert_true(net_set_link("nic", false, NULL));
    rig_run();
    g_assert_cmphex(ld_le32(rig_ram(v->g, 0x80000)), ==, 0x1110);
    g_assert_false(v->g->irq);
    vnet_free(v);
}

/* ---- reset in mid-traffic, link ---- */

static void test_reset(void)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[100];

    for (unsigned k = 0; k < ARRAY_LEN(formats); k++) {
        struct vnet *v = vnet_new("virtio-net-pci", formats[k].props);

        for (unsigned i = 0; i < 20; i++) {
            vnet_start(v, formats[k].features | MRG);
            v->g->peer->busy = i % 3 == 0;
            vnet_fill(v, 0, i % 2 ? 10 : 0, 1526);
            rig_eth(f, sizeof(f), rig_mac, 0x88B5, i);
            rig_rx(v->g, f, sizeof(f));             /* waits, where there is no buffer, and is forgotten by the reset */
            g_assert_cmpint(vnet_got(v, 0, p), ==, i % 2);
            vnet_send(v, 1, NULL, f, sizeof(f), 2);
            vnet_send(v, 1, NULL, f, sizeof(f), 2);
        }
        v->g->peer->busy = false;
        vnet_start(v, formats[k].features | MRG);
        rig_unblock(v->g);
        vnet_fill(v, 0, 10, 1526);
        g_assert_false(vnet_got(v, 0, p));
        rig_rx(v->g, f, sizeof(f));
        g_assert_true(vnet_got(v, 0, p));
        g_assert_true(vnet_send(v, 1, NULL, f, sizeof(f), 2));
        vnet_free(v);
    }
    g_free(p);
}

/* Frames before DRIVER_OK are dropped; buffers put in before it are used after it */
static void test_before_driver_ok(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[100];

    rig_eth(f, sizeof(f), rig_mac, 0x88B5, 1);
    rig_rx(v->g, f, sizeof(f));
    g_assert_cmpuint(vnet_drops(v, "rx-disabled"), ==, 1);
    g_assert_true(vnet_negotiate(v, BIT(32) | MRG));
    v->nqueues = 3;
    for (unsigned i = 0; i < 3; i++) {
        vdq_setup(v, i, 64);
    }
    vnet_fill(v, 0, 10, 1526);
    rig_rx(v->g, f, sizeof(f));
    g_assert_false(vnet_got(v, 0, p));
    g_assert_false(vnet_send(v, 1, NULL, f, sizeof(f), 1));
    vc_write(v, VC_STATUS, 15, 1);
    g_assert_cmpuint(v->g->peer->total, ==, 1);     /* what was put into the ring early goes now */
    rig_rx(v->g, f, sizeof(f));
    g_assert_true(vnet_got(v, 0, p));
    vnet_free(v);
    g_free(p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/virtio-net/tx/lengths", test_tx);
    g_test_add_func("/virtio-net/tx/header-lengths", test_tx_header_lengths);
    g_test_add_func("/virtio-net/tx/csum", test_tx_csum);
    g_test_add_func("/virtio-net/tx/gso", test_tx_gso);
    g_test_add_func("/virtio-net/tx/many-pieces", test_tx_many_pieces);
    g_test_add_func("/virtio-net/tx/busy", test_tx_busy);
    g_test_add_func("/virtio-net/tx/budget", test_tx_budget);
    g_test_add_func("/virtio-net/rx/lengths", test_rx);
    g_test_add_func("/virtio-net/rx/single", test_rx_single);
    g_test_add_func("/virtio-net/rx/waits", test_rx_waits);
    g_test_add_func("/virtio-net/rx/never-fits", test_rx_never_fits);
    g_test_add_func("/virtio-net/rx/offloads", test_rx_offloads);
    g_test_add_func("/virtio-net/rx/rsc", test_rsc);
    g_test_add_func("/virtio-net/rx/rsc-waits", test_rsc_waits);
    g_test_add_func("/virtio-net/interrupts", test_interrupts);
    g_test_add_func("/virtio-net/notifications", test_notifications);
    g_test_add_func("/virtio-net/msix", test_msix);
    g_test_add_func("/virtio-net/reset", test_reset);
    g_test_add_func("/virtio-net/before-driver-ok", test_before_driver_ok);
    return g_test_run();
}
