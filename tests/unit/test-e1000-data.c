/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-e1000-data.c - what 8254x and 82574 models have in common, on a bench: every frame byte for byte
 * (section numbers: 8254x SDM)
 */
#include "tests/lib/e1000_bench.h"

#include "net/offload/csum.h"

#include <zlib.h>

/* ---- transmit: 3.3, 3.4 ---- */

static void test_tx_legacy(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF), want[1514];

    tx_start(g);
    rig_eth(p, 1514, rig_other, 0x0800, 3);
    memcpy(want, p, 1514);
    tx_legacy(g, TX_BUF, 1514, EOP | IFCS | RS, 0, 0, 0);
    tx_legacy(g, TX_BUF, 14, IFCS, 0, 0, 0);            /* three pieces, no report but the last */
    tx_legacy(g, TX_BUF + 14, 100, IFCS, 0, 0, 0);
    tx_legacy(g, TX_BUF + 114, 400, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_free(expect_sent(g, want, 1514));
    g_free(expect_sent(g, want, 514));
    g_assert_cmphex(tx_status(g, 0), ==, 1);
    g_assert_cmphex(tx_status(g, 1), ==, 0);
    g_assert_cmphex(tx_status(g, 3), ==, 1);
    g_assert_cmpuint(r32(g, TDH), ==, 4);
    g_assert_cmphex(r32(g, ICR) & (ICR_TXDW | ICR_TXQE), ==, ICR_TXDW | ICR_TXQE);

    tx_legacy(g, TX_BUF, 30, EOP | IFCS, 0, 0, 0);      /* short: as it is */
    tx_go(g);
    g_free(expect_sent(g, want, 30));
    w32(g, TCTL, 2 | 8);                                /* PSP: padded with zeros */
    tx_legacy(g, TX_BUF, 30, EOP | IFCS, 0, 0, 0);
    tx_go(g);
    memset(want + 30, 0, 30);
    g_free(expect_sent(g, want, 60));
    tx_legacy(g, TX_BUF, 104, EOP, 0, 0, 0);            /* without IFCS the last four bytes are an FCS */
    tx_go(g);
    g_free(expect_sent(g, p, 100));
    g_assert_null(rig_sent(g));
    rig_free(g);
}

/* Many pieces: more than a frame holds pointers, more than write-backs are kept */
static void test_tx_many_pieces(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t want[9000];

    tx_start_ring(g, 256 * 16);
    rig_eth(want, sizeof(want), rig_other, 0x0800, 7);
    for (unsigned i = 0; i < 200; i++) {
        uint64_t at = TX_BUF + (200 - i) * 100;         /* never contiguous */

        memcpy(rig_ram(g, at), want + i * 45, 45);
        st_le64(rig_ram(g, TX_RING + i * 16), at);
        st_le64(rig_ram(g, TX_RING + i * 16 + 8), 45 | (uint64_t)(IFCS | RS | (i == 199 ? EOP : 0)) << 24);
    }
    w32(g, TDT, 200);
    g_free(expect_sent(g, want, sizeof(want)));
    for (unsigned i = 0; i < 200; i++) {
        g_assert_cmphex(tx_status(g, i), ==, 1);
    }
    g_assert_cmpuint(r32(g, TDH), ==, 200);
    rig_free(g);
}

/* A packet whose end is not there yet leaves guest memory; the rest may come later */
static void test_tx_half_packet(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF), want[300];

    tx_start(g);
    rig_eth(p, 300, rig_other, 0x0800, 8);
    memcpy(want, p, 300);
    tx_legacy(g, TX_BUF, 200, IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_assert_cmphex(tx_status(g, 0), ==, 1);
    g_assert_cmpuint(r32(g, TDH), ==, 1);
    g_assert_null(rig_sent(g));
    memset(p, 0, 200);                                  /* reported: the guest may reuse it */
    tx_legacy(g, TX_BUF + 200, 100, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_free(expect_sent(g, want, 300));
    rig_free(g);
}

/* The receiver is busy: reported descriptors, the frame kept, nothing overtakes it */
static void test_tx_busy(gconstpointer model)
{
    struct rig *g = rig_new(model);
    unsigned got = 0;

    tx_start(g);
    g->peer->busy = true;
    for (unsigned i = 0; i < 40; i++) {
        rig_eth(rig_ram(g, TX_BUF + i * 2048), 100 + i, rig_other, 0x0800, i);
        tx_legacy(g, TX_BUF + i * 2048, 100 + i, EOP | IFCS | RS, 0, 0, 0);
    }
    tx_go(g);
    g_assert_cmpuint(g->peer->frames->len, ==, 0);
    g_assert_cmpuint(r32(g, TDH), <, 40);               /* it did not swallow them */
    rig_unblock(g);
    for (struct rig_frame *f; (f = rig_sent(g)); got++) {
        g_assert_cmpmem(f->data, f->len, rig_ram(g, TX_BUF + got * 2048), 100 + got);
        g_free(f);
    }
    g_assert_cmpuint(got, ==, 40);
    g_assert_cmpuint(r32(g, TDH), ==, 40);
    rig_free(g);
}

/* A held packet whose descriptors ask for no report: TDH has passed them, so the guest may reuse its memory */
static void test_tx_busy_unreported(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF), want[500];

    tx_start(g);
    rig_eth(p, sizeof(want), rig_other, 0x0800, 4);
    memcpy(want, p, sizeof(want));
    g->peer->busy = true;
    for (unsigned i = 0; i < 8; i++) {
        tx_legacy(g, TX_BUF, sizeof(want), EOP | IFCS, 0, 0, 0);
    }
    tx_go(g);
    memset(p, 0x11, r32(g, TDH) == 8 ? sizeof(want) : 0);
    rig_unblock(g);
    for (unsigned i = 0; i < 8; i++) {
        g_free(expect_sent(g, want, sizeof(want)));
    }
    w32(g, TCTL, 0);                                    /* one alone: it is certainly the held one */
    tx_start(g);
    rig_eth(p, sizeof(want), rig_other, 0x0800, 4);
    g->peer->busy = true;
    for (unsigned i = 0; i < 40; i++) {
        tx_legacy(g, TX_BUF, sizeof(want), EOP | IFCS, 0, 0, 0);
        tx_go(g);
    }
    for (unsigned i = r32(g, TDH); i < 40; i++) {       /* those not taken yet point elsewhere */
        memcpy(rig_ram(g, TX_BUF + 0x10000), want, sizeof(want));
        st_le64(rig_ram(g, TX_RING + i * 16), TX_BUF + 0x10000);
    }
    memset(p, 0x22, sizeof(want));
    rig_unblock(g);
    for (struct rig_frame *f; (f = rig_sent(g));) {
        g_assert_cmpmem(f->data, f->len, want, sizeof(want));
        g_free(f);
    }
    rig_free(g);
}

/* 3.5.1, 3.3.3: legacy checksum; 3.3.6, 3.3.7: context and data */
static void test_tx_csum(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF), want[2000];
    const struct ctx c = { 14, 24, 33, 34, 50, 0, 0, 3, 0, 0 };
    const struct ctx part = { 14, 24, 33, 34, 50, 34 + 19, 0, 3, 0, 0 };
    size_t len;
    uint16_t sum;

    tx_start(g);
    len = rig_tcp4(want, 700, true);
    rig_tcp4(p, 700, false);
    csum_ip4_header(p + 14, 20);
    tx_legacy(g, TX_BUF, len, EOP | IFCS | IC | RS, 50, 34, 0);
    tx_go(g);
    g_free(expect_sent(g, want, len));

    rig_tcp4(p, 700, false);                            /* now the IP header is open too */
    tx_context(g, &c);
    tx_data(g, TX_BUF, 60, IFCS, 3, 0);
    tx_data(g, TX_BUF + 60, len - 60, EOP | IFCS | RS, 0, 0);   /* POPTS count in the first only */
    tx_go(g);
    g_free(expect_sent(g, want, len));

    len = rig_udp4(want, 300, true);                    /* same, as a receiver that takes open checksums sees it */
    rig_udp4(p, 300, false);
    g->peer->caps = PKT_CAP_CSUM;
    tx_context(g, &(struct ctx){ 14, 24, 33, 34, 40, 0, 0, 2, 0, 0 });
    tx_data(g, TX_BUF, len, EOP | IFCS | RS, 3, 0);
    tx_go(g);
    {
        struct rig_frame *f = rig_sent(g);

        g_assert_nonnull(f);
        g_assert_cmphex(f->meta.flags & PKT_NEEDS_CSUM, ==, PKT_NEEDS_CSUM);
        g_assert_cmpuint(f->meta.csum_start, ==, 34);
        g_assert_cmpuint(f->meta.csum_off, ==, 6);
        g_assert_true(csum_finish(f->data, f->len, 34, 6));
        g_assert_cmpmem(f->data, f->len, want, len);
        g_free(f);
    }
    g->peer->caps = 0;

    len = rig_tcp4(p, 100, false);                      /* TUCSE before the end: only that much is summed */
    memcpy(want, p, len);
    csum_ip4_header(want + 14, 20);
    sum = (uint16_t)~csum_fold(csum_add(0, p + 34, 20));
    memcpy(want + 50, &sum, 2);
    tx_context(g, &part);
    tx_data(g, TX_BUF, len, EOP | IFCS | RS, 3, 0);
    tx_go(g);
    g_free(expect_sent(g, want, len));

    memcpy(want, p, len);                               /* offsets beyond the packet: nothing is inserted */
    tx_context(g, &(struct ctx){ 200, 210, 0, 220, 230, 0, 0, 3, 0, 0 });
    tx_data(g, TX_BUF, len, EOP | IFCS | RS, 3, 0);
    tx_go(g);
    g_free(expect_sent(g, want, len));
    rig_free(g);
}

static void tso_check4(struct rig *g, const uint8_t *src, size_t payload, size_t mss)
{
    size_t done = 0;
    unsigned id = ld_be16(src + 18), n = 0;

    for (struct rig_frame *f; (f = rig_sent(g)); n++) {
        size_t len = MIN(mss, payload - done);
        struct pkt_layout l;
        struct iovec v = { f->data, f->len };

        g_assert_cmpuint(f->len, ==, 54 + len);
        pkt_parse(f->data, f->len, f->len, &l);
        g_assert_cmpint(csum_check_ip4(f->data, &l), ==, CSUM_GOOD);
        g_assert_cmpint(csum_check_l4(&v, 1, f->data, &l), ==, CSUM_GOOD);
        g_assert_cmpuint(ld_be16(f->data + 16), ==, 40 + len);
        g_assert_cmpuint(ld_be16(f->data + 18), ==, (id + n) & 0xFFFF);
        g_assert_cmpuint(ld_be32(f->data + 38), ==, ld_be32(src + 38) + done);
        g_assert_cmphex(f->data[47], ==, done + len == payload ? 0x18 : 0x10);      /* PSH on the last */
        g_assert_cmpmem(f->data + 54, len, src + 54 + done, len);
        done += len;
        g_free(f);
    }
    g_assert_cmpuint(done, ==, payload);
}

/* 3.5: segmentation */
static void test_tx_tso4(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF);
    const size_t payload = 40000;
    struct rig_frame *f;

    tx_start(g);
    rig_tcp4(p, payload, false);
    st_be16(p + 16, 0);                                 /* drivers leave the length 0 */
    for (unsigned caps = 0; caps < 2; caps++) {
        tx_context(g, &(struct ctx){ 14, 24, 33, 34, 50, 0, payload, 1 | 2 | TSE, 54, 1460 });
        tx_data(g, TX_BUF, 54, IFCS | TSE | RS, 3, 0);
        for (size_t off = 0; off < payload; off += 16384) {
            size_t n = MIN(payload - off, 16384);

            tx_data(g, TX_BUF + 54 + off, n, IFCS | TSE | RS | (off + n == payload ? EOP : 0), 3, 0);
        }
        g->peer->caps = caps ? PKT_CAP_ALL : 0;
        tx_go(g);
        if (!caps) {
            g_assert_cmpuint(r32(g, 0x40F8), ==, 1);    /* TSCTC */
            g_assert_cmpuint(r32(g, 0x4080), ==, 28);   /* GPTC counts what is on the wire */
            g_assert_cmpuint(r32(g, 0x4090), ==, payload + 28 * 58);
            tso_check4(g, p, payload, 1460);
        }
    }
    f = rig_sent(g);                                    /* a receiver that takes it gets it whole */
    g_assert_nonnull(f);
    g_assert_cmpuint(f->len, ==, 54 + payload);
    g_assert_cmpuint(f->meta.gso, ==, PKT_GSO_TCP4);
    g_assert_cmpuint(f->meta.gso_size, ==, 1460);
    g_assert_cmpmem(f->data + 54, payload, p + 54, payload);
    g_free(f);
    g_assert_null(rig_sent(g));
    for (unsigned i = 0; i < 10; i++) {
        if (i % 5) {
            g_assert_cmphex(tx_status(g, i), ==, 1);
        }
    }
    rig_free(g);
}

static void test_tx_tso6(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF);
    size_t done = 0;

    tx_start(g);
    rig_tcp6(p, 5000, false);
    tx_context(g, &(struct ctx){ 14, 0, 0, 54, 70, 0, 5000, 1 | TSE, 74, 1440 });
    tx_data(g, TX_BUF, 5074, EOP | IFCS | TSE | RS, 2, 0);
    tx_go(g);
    for (struct rig_frame *f; (f = rig_sent(g));) {
        struct pkt_layout l;
        struct iovec v = { f->data, f->len };

        pkt_parse(f->data, f->len, f->len, &l);
        g_assert_cmpint(csum_check_l4(&v, 1, f->data, &l), ==, CSUM_GOOD);
        g_assert_cmpuint(ld_be16(f->data + 18), ==, f->len - 54);
        g_assert_cmpuint(ld_be32(f->data + 58), ==, ld_be32(p + 58) + done);
        g_assert_cmpmem(f->data + 74, f->len - 74, p + 74 + done, f->len - 74);
        done += f->len - 74;
        g_free(f);
    }
    g_assert_cmpuint(done, ==, 5000);
    rig_free(g);
}

/* 9.5 */
static void test_tx_vlan(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF), want[300];
    static const uint8_t tag[4] = { 0x81, 0x00, 0x60, 0x2A }, own[4] = { 0x91, 0x00, 0x60, 0x2A };

    tx_start(g);
    rig_eth(p, 200, rig_other, 0x88B5, 4);
    memcpy(want, p, 12);
    memcpy(want + 12, tag, 4);
    memcpy(want + 16, p + 12, 188);
    tx_legacy(g, TX_BUF, 200, EOP | IFCS | VLE, 0, 0, 0x602A);      /* VME off: no tag */
    tx_go(g);
    g_free(expect_sent(g, p, 200));
    w32(g, CTRL, r32(g, CTRL) | 1u << 30);
    tx_legacy(g, TX_BUF, 200, EOP | IFCS | VLE, 0, 0, 0x602A);
    tx_go(g);
    g_free(expect_sent(g, want, 204));
    w32(g, VET, 0x9100);
    memcpy(want + 12, own, 4);
    tx_data(g, TX_BUF, 200, EOP | IFCS | VLE, 0, 0x602A);
    tx_go(g);
    g_free(expect_sent(g, want, 204));
    rig_free(g);
}

/* ---- receive: 3.2 ---- */

static void test_rx(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t p[1514];
    struct rxd d;

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 5);
    g_assert_cmpint(rig_rx(g, p, 100), ==, NET_TX_DROP);        /* receiver off */
    rx_start(g, 0);
    w32(g, IMS, ICR_RXT0);
    rig_rx(g, p, sizeof(p));
    d = rx_desc(g, 0);
    g_assert_cmpuint(d.len, ==, 1518);                          /* with FCS */
    g_assert_cmphex(d.status, ==, 1 | 2 | 4);                   /* DD, EOP, checksum not looked at */
    g_assert_cmphex(d.errors, ==, 0);
    g_assert_cmpmem(d.data, 1514, p, 1514);
    g_assert_cmphex(ld_le32(d.data + 1514), ==, crc32(0, p, 1514));
    g_assert_cmphex(d.data[1518], ==, 0xEE);
    g_assert_cmpuint(r32(g, RDH), ==, 1);
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, ICR) & 0x7FFFFFFF, ==, ICR_RXT0);

    rig_rx(g, p, 20);                                           /* padded */
    d = rx_desc(g, 1);
    g_assert_cmpuint(d.len, ==, 64);
    g_assert_cmpmem(d.data, 20, p, 20);
    g_assert_cmphex(d.data[20] | d.data[59], ==, 0);

    w32(g, RCTL, RCTL_EN | RCTL_SECRC);
    rig_rx(g, p, 100);
    d = rx_desc(g, 2);
    g_assert_cmpuint(d.len, ==, 100);
    g_assert_cmphex(d.data[100], ==, 0xEE);
    g_assert_cmphex(d.csum, ==, csum_fold(csum_add(0, p, 100)));
    w32(g, RXCSUM, 14);                                         /* PCSS */
    rig_rx(g, p, 100);
    g_assert_cmphex(rx_desc(g, 3).csum, ==, csum_fold(csum_add(0, p + 14, 86)));
    rig_free(g);
}

/* 13.4.22 BSIZE, BSEX; frames over several descriptors */
static void test_rx_sizes(gconstpointer model)
{
    static const struct {
        uint32_t bits;
        unsigned size;
    } t[] = { { 0, 2048 }, { 1u << 16, 1024 }, { 2u << 16, 512 }, { 3u << 16, 256 }, { RCTL_BSEX | 1u << 16, 16384 },
              { RCTL_BSEX | 2u << 16, 8192 }, { RCTL_BSEX | 3u << 16, 4096 } };
    struct rig *g = rig_new(model);
    uint8_t p[9014];

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 6);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        unsigned total = sizeof(p) + 4, n = (total + t[i].size - 1) / t[i].size;

        rx_start(g, RCTL_LPE | t[i].bits);
        rig_rx(g, p, sizeof(p));
        g_assert_cmpuint(r32(g, RDH), ==, n);
        for (unsigned k = 0; k < n; k++) {
            struct rxd d = rx_desc(g, k);
            unsigned len = MIN(t[i].size, total - k * t[i].size);
            unsigned body = MIN(len, sizeof(p) - MIN(sizeof(p), k * t[i].size));

            g_assert_cmpuint(d.len, ==, len);
            g_assert_cmphex(d.status & 3, ==, k == n - 1 ? 3 : 1);
            g_assert_cmpmem(d.data, body, p + k * t[i].size, body);
        }
    }
    rig_free(g);
}

/* 3.2.9 */
static void test_rx_csum(gconstpointer model)
{
    enum { IPCS = 64, TCPCS = 32, IXSM = 4, TCPE = 32, IPE = 64 };
    struct rig *g = rig_new(model);
    uint8_t p[600];
    size_t len;
    unsigned i = 0;
    static const struct {
        uint32_t rxcsum;
        unsigned kind;                  /* 0 tcp4, 1 udp4, 2 tcp6 */
        unsigned spoil;                 /* byte to change, 0: none */
        uint8_t status, errors;
    } t[] = {
        { 0x300, 0, 0,  IPCS | TCPCS, 0 },
        { 0x300, 0, 22, IPCS | TCPCS, IPE },
        { 0x300, 0, 90, IPCS | TCPCS, TCPE },
        { 0x300, 1, 0,  IPCS | TCPCS, 0 },
        { 0x300, 1, 90, IPCS | TCPCS, TCPE },
        { 0x100, 0, 90, IPCS, 0 },
        { 0x000, 0, 90, IXSM, 0 },
        { 0x300, 2, 0,  IXSM, 0 },
        { 0x700, 2, 0,  TCPCS, 0 },
        { 0x700, 2, 90, TCPCS, TCPE },
    };

    rx_start(g, 0);
    for (; i < ARRAY_LEN(t); i++) {
        len = t[i].kind == 0 ? rig_tcp4(p, 400, true) : t[i].kind == 1 ? rig_udp4(p, 400, true)
                                                      : rig_tcp6(p, 400, true);
        w32(g, RXCSUM, t[i].rxcsum);
        if (t[i].spoil) {
            p[t[i].spoil] ^= 0x10;
        }
        rig_rx(g, p, len);
        g_assert_cmphex(rx_desc(g, i).status, ==, 3 | t[i].status);
        g_assert_cmphex(rx_desc(g, i).errors, ==, t[i].errors);
    }
    w32(g, RXCSUM, 0x300);
    len = rig_udp4(p, 100, true);
    st_le16(p + 40, 0);                                         /* UDP without a checksum */
    rig_rx(g, p, len);
    g_assert_cmphex(rx_desc(g, i).status, ==, 3 | IPCS);
    len = rig_tcp4(p, 100, false);                              /* open checksum from next door: closed on the way */
    csum_ip4_header(p + 14, 20);
    rig_rx_meta(g, p, len, &(struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .csum_start = 34, .csum_off = 16 });
    g_assert_cmphex(rx_desc(g, i + 1).status, ==, 3 | IPCS | TCPCS);
    rig_tcp4(p, 100, true);
    g_assert_cmpmem(rx_desc(g, i + 1).data, len, p, len);
    rig_free(g);
}

/* 13.5.1-3, 13.4.22 */
static void test_rx_filter(gconstpointer model)
{
    static const uint8_t mc[6] = { 0x01, 0x00, 0x5E, 0x12, 0x34, 0x56 }, mine2[6] = { 2, 0, 0, 0, 0, 9 };
    struct rig *g = rig_new(model);
    uint8_t p[64];
    unsigned n = 0;

#define ACCEPT(dst, yes) do {                                                                                          \
        rig_eth(p, sizeof(p), dst, 0x88B5, 1);                                                                         \
        rig_rx(g, p, sizeof(p));                                                                                       \
        n += (yes);                                                                                                    \
        g_assert_cmpuint(r32(g, RDH), ==, n);                                                                          \
    } while (0)

    rx_start(g, 0);
    ACCEPT(rig_mac, 1);
    ACCEPT(rig_broadcast, 0);
    ACCEPT(rig_other, 0);
    ACCEPT(mc, 0);
    w32(g, RCTL, RCTL_EN | RCTL_BAM);
    ACCEPT(rig_broadcast, 1);
    w32(g, RCTL, RCTL_EN | RCTL_UPE);
    ACCEPT(rig_other, 1);
    ACCEPT(mc, 0);
    w32(g, RCTL, RCTL_EN | RCTL_MPE);
    ACCEPT(mc, 1);
    ACCEPT(rig_broadcast, 1);
    ACCEPT(rig_other, 0);
    for (unsigned mo = 0; mo < 4; mo++) {                       /* bits 47:36, 46:35, 45:34, 43:32 of the address */
        static const unsigned shift[] = { 4, 3, 2, 0 };
        unsigned bit = (0x5634u >> shift[mo]) & 0xFFF;

        w32(g, RCTL, RCTL_EN | mo << 12);
        ACCEPT(mc, 0);
        w32(g, MTA + (bit >> 5) * 4, 1u << (bit & 31));
        ACCEPT(mc, 1);
        g_assert_cmphex(rx_desc(g, n - 1).status & 0x80, ==, 0x80); /* PIF: only the hash matched */
        w32(g, MTA + (bit >> 5) * 4, 0);
    }
    w32(g, RCTL, RCTL_EN);
    w32(g, RAL + 8 * 15, ld_le32(mine2));
    w32(g, RAH + 8 * 15, ld_le16(mine2 + 4));
    ACCEPT(mine2, 0);                                           /* not valid */
    w32(g, RAH + 8 * 15, ld_le16(mine2 + 4) | 1u << 31);
    ACCEPT(mine2, 1);
    w32(g, RAL + 8 * 15, ld_le32(rig_other));                   /* by source */
    w32(g, RAH + 8 * 15, ld_le16(rig_other + 4) | 1u << 31 | 1u << 16);
    ACCEPT(mine2, 1);
#undef ACCEPT
    rig_free(g);
}

/* 9.3, 9.4 */
static void test_rx_vlan(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t p[104];
    struct rxd d;

    rig_eth(p, sizeof(p), rig_mac, 0x8100, 1);
    st_be16(p + 14, 0x602A);
    rx_start(g, 0);
    rig_rx(g, p, sizeof(p));                                    /* VME off: passed as it is */
    g_assert_cmpuint(rx_desc(g, 0).len, ==, 108);
    g_assert_cmphex(rx_desc(g, 0).status & 8, ==, 0);
    w32(g, CTRL, r32(g, CTRL) | 1u << 30);
    rig_rx(g, p, sizeof(p));
    d = rx_desc(g, 1);
    g_assert_cmpuint(d.len, ==, 104);
    g_assert_cmphex(d.status & 8, ==, 8);
    g_assert_cmphex(d.special, ==, 0x602A);
    g_assert_cmpmem(d.data, 12, p, 12);
    g_assert_cmpmem(d.data + 12, 88, p + 16, 88);
    w32(g, RCTL, RCTL_EN | RCTL_VFE);
    rig_rx(g, p, sizeof(p));
    g_assert_cmpuint(r32(g, RDH), ==, 2);                       /* VID 42 is not in the table */
    w32(g, VFTA + 4, 1u << 10);
    rig_rx(g, p, sizeof(p));
    g_assert_cmpuint(r32(g, RDH), ==, 3);
    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 1);                  /* untagged frames are not concerned */
    rig_rx(g, p, sizeof(p));
    g_assert_cmpuint(r32(g, RDH), ==, 4);
    rig_free(g);
}

/* 9.2: pause frames unless DPF, other MAC control frames only with PMCF */
static void test_rx_mac_control(gconstpointer model)
{
    static const uint8_t dst[6] = { 0x01, 0x80, 0xC2, 0x00, 0x00, 0x01 };
    enum { DPF = 1 << 22, PMCF = 1 << 23 };
    static const struct {
        uint32_t rctl;
        uint16_t opcode, time;
        bool pass;
    } t[] = { { 0, 1, 100, true }, { DPF, 1, 100, false }, { DPF, 1, 0, false }, { 0, 2, 0, false },
              { PMCF, 2, 0, true }, { PMCF | DPF, 1, 0, false } };
    struct rig *g = rig_new(model);
    uint8_t p[60];
    unsigned n = 0;

    rx_start(g, 0);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        rig_eth(p, sizeof(p), dst, 0x8808, 0);
        st_be16(p + 14, t[i].opcode);
        st_be16(p + 16, t[i].time);
        w32(g, RCTL, RCTL_EN | RCTL_MPE | t[i].rctl);
        rig_rx(g, p, sizeof(p));
        n += t[i].pass;
        g_assert_cmpuint(r32(g, RDH), ==, n);
    }
    g_assert_cmpuint(r32(g, 0x4048), ==, 2);                    /* XONRXC */
    g_assert_cmpuint(r32(g, 0x4050), ==, 2);                    /* XOFFRXC */
    rig_free(g);
}

/* No descriptor: the frame waits; RDT lets it in; thresholds */
static void test_rx_backpressure(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t p[100];

    rx_start_ring(g, 16, 0, 0);                                 /* nothing posted */
    for (unsigned i = 0; i < 5; i++) {
        rig_eth(p, sizeof(p), rig_mac, 0x88B5, i);
        rig_rx(g, p, sizeof(p));
    }
    g_assert_cmpuint(r32(g, RDH), ==, 0);
    g_assert_cmpuint(r32(g, 0x40A0), ==, 1);                    /* RNBC */
    w32(g, RDT, 3);
    g_assert_cmpuint(r32(g, RDH), ==, 3);
    w32(g, RDT, 15);
    g_assert_cmpuint(r32(g, RDH), ==, 5);
    for (unsigned i = 0; i < 5; i++) {
        rig_eth(p, sizeof(p), rig_mac, 0x88B5, i);
        g_assert_cmpmem(rx_desc(g, i).data, 100, p, 100);
    }
    r32(g, ICR);
    rig_rx(g, p, sizeof(p));                                    /* 10 -> 9 left */
    g_assert_cmphex(r32(g, ICR) & ICR_RXDMT0, ==, 0);
    rig_rx(g, p, sizeof(p));                                    /* 8: half the ring */
    g_assert_cmphex(r32(g, ICR) & ICR_RXDMT0, ==, ICR_RXDMT0);
    rig_free(g);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc fn;
        bool only_8254x;                /* the 82574 reports it in other ways: test-e1000e-data.c */
    } tests[] = {
        { "tx/legacy", test_tx_legacy, false },
        { "tx/many-pieces", test_tx_many_pieces, false },
        { "tx/half-packet", test_tx_half_packet, false },
        { "tx/busy", test_tx_busy, false },
        { "tx/busy-unreported", test_tx_busy_unreported, false },
        { "tx/csum", test_tx_csum, false },
        { "tx/tso4", test_tx_tso4, false },
        { "tx/tso6", test_tx_tso6, false },
        { "tx/vlan", test_tx_vlan, false },
        { "rx/plain", test_rx, false },
        { "rx/sizes", test_rx_sizes, false },
        { "rx/csum", test_rx_csum, true },
        { "rx/filter", test_rx_filter, false },
        { "rx/vlan", test_rx_vlan, false },
        { "rx/mac-control", test_rx_mac_control, false },
        { "rx/backpressure", test_rx_backpressure, false },
    };
    static const char *const models[] = { "e1000", "e1000e" };

    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    for (unsigned m = 0; m < ARRAY_LEN(models); m++) {
        for (unsigned i = 0; i < ARRAY_LEN(tests); i++) {
            g_autofree char *path = g_strdup_printf("/%s/%s", models[m], tests[i].name);

            if (m == 0 || !tests[i].only_8254x) {
                g_test_add_data_func(path, models[m], tests[i].fn);
            }
        }
    }
    return g_test_run();
}
