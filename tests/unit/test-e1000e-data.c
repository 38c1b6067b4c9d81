/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-e1000e-data.c - the 82574 model on a bench: extended and packet split descriptors, RSS, two queues
 * (section numbers: 82574 GbE Controller Family Datasheet). What it shares with the 8254x is in test-e1000-data.c.
 */
#include "tests/lib/e1000e_bench.h"

#include "net/offload/csum.h"
#include "net/offload/toeplitz.h"

enum { DD = 1, XEOP = 2, IXSM = 4, VP = 8, UDPCS = 16, TCPCS = 32, IPCS = 64, IPIDV = 1 << 9, UDPV = 1 << 10,
       ACK = 1 << 15 };
enum { TCPE = 32, IPE = 64 };

/* ---- receive ---- */

/* 7.1.4.2 */
static void test_ext(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[1514];
    struct rxe d;

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 5);
    rx_ext_start(g, RCTL_SECRC);
    rig_rx(g, p, sizeof(p));
    d = rxe_desc(g, 0, 0, false);
    g_assert_cmphex(d.mrq, ==, 0);
    g_assert_cmphex(d.status, ==, DD | XEOP | IXSM);
    g_assert_cmphex(d.errors, ==, 0);
    g_assert_cmpuint(d.len[0], ==, 1514);
    g_assert_cmphex(d.csum, ==, csum_fold(csum_add(0, p, 1514)));
    g_assert_cmpmem(d.data[0], 1514, p, 1514);
    g_assert_cmphex(d.data[0][1514], ==, 0xEE);

    rig_eth(p, 200, rig_mac, 0x8100, 1);                            /* VLAN: tag to the descriptor */
    st_be16(p + 14, 0x602A);
    w32(g, CTRL, r32(g, CTRL) | 1u << 30);
    rig_rx(g, p, 200);
    d = rxe_desc(g, 0, 1, false);
    g_assert_cmphex(d.status & VP, ==, VP);
    g_assert_cmphex(d.vlan, ==, 0x602A);
    g_assert_cmpuint(d.len[0], ==, 196);

    w32(g, RCTL, RCTL_EN | RCTL_SECRC | 5u << 27);                  /* FLXBUF: 5 KiB */
    w32(g, RCTL, r32(g, RCTL) | RCTL_LPE);
    g_autofree uint8_t *big = g_malloc(9014);
    rig_eth(big, 9014, rig_mac, 0x88B5, 6);
    rig_rx(g, big, 9014);
    g_assert_cmpuint(rxe_desc(g, 0, 2, false).len[0], ==, 5120);
    g_assert_cmphex(rxe_desc(g, 0, 2, false).status & (DD | XEOP), ==, DD);
    g_assert_cmpuint(rxe_desc(g, 0, 3, false).len[0], ==, 9014 - 5120);
    g_assert_cmphex(rxe_desc(g, 0, 3, false).status & (DD | XEOP), ==, DD | XEOP);
    g_assert_cmpmem(rxe_desc(g, 0, 3, false).data[0], 9014 - 5120, big + 5120, 9014 - 5120);
    rig_free(g);
}

/* 7.1.11: every kind of packet and what may be wrong with it */
static void test_csum(void)
{
    static const struct {
        uint32_t rxcsum, rfctl;
        unsigned kind;                  /* 0 tcp4, 1 udp4, 2 tcp6 */
        unsigned spoil;
        uint32_t status;
        uint8_t errors;
    } t[] = {
        { 0x300, 0, 0, 0, IPCS | TCPCS, 0 },          { 0x300, 0, 0, 22, IPCS | TCPCS, IPE },
        { 0x300, 0, 0, 90, IPCS | TCPCS, TCPE },      { 0x300, 0, 1, 0, IPCS | TCPCS | UDPCS, 0 },
        { 0x300, 0, 1, 90, IPCS | TCPCS | UDPCS, TCPE }, { 0x100, 0, 0, 90, IPCS, 0 }, { 0, 0, 0, 90, IXSM, 0 },
        { 0x300, 0, 2, 0, TCPCS, 0 },                 { 0x300, 0, 2, 90, TCPCS, TCPE },
        { 0x300, 1 << 11, 2, 90, IXSM, 0 },           { 0x300, 1 << 10, 2, 90, IXSM, 0 },
    };
    struct rig *g = rig_new("e1000e");
    uint8_t p[600];

    rx_ext_start(g, 0);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        size_t len = t[i].kind == 0 ? rig_tcp4(p, 400, true) : t[i].kind == 1 ? rig_udp4(p, 400, true)
                                                             : rig_tcp6(p, 400, true);
        w32(g, RXCSUM, t[i].rxcsum);
        w32(g, RFCTL, RFCTL_EXSTEN | t[i].rfctl);
        if (t[i].spoil) {
            p[t[i].spoil] ^= 0x10;
        }
        rig_rx(g, p, len);
        g_assert_cmphex(rxe_desc(g, 0, i, false).status, ==, DD | XEOP | t[i].status);
        g_assert_cmphex(rxe_desc(g, 0, i, false).errors, ==, t[i].errors);
    }
    rig_free(g);
}

/* 7.1.11.2, 10.2.5.19 IPPCSE: UDP fragments */
static void test_fragment_csum(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[600];
    size_t len = rig_udp4(p, 400, true);
    struct rxe d;

    rx_ext_start(g, RCTL_SECRC);
    w32(g, RXCSUM, 1 << 12 | 0x300);
    st_be16(p + 20, 0x2000);                                        /* more fragments */
    csum_ip4_header(p + 14, 20);
    rig_rx(g, p, len);
    d = rxe_desc(g, 0, 0, false);
    g_assert_cmphex(d.status, ==, DD | XEOP | IPCS | IPIDV | UDPV);
    g_assert_cmphex(d.ip_id, ==, 0x1234);
    g_assert_cmphex(d.csum, ==, csum_fold(csum_add(0, p + 34, len - 34)));
    st_be16(p + 20, 0x2010);                                        /* not the first one */
    csum_ip4_header(p + 14, 20);
    rig_rx(g, p, len);
    d = rxe_desc(g, 0, 1, false);
    g_assert_cmphex(d.status, ==, DD | XEOP | IPCS | IPIDV);
    w32(g, RXCSUM, 0x300);                                          /* without it: the packet's sum, no identification */
    rig_rx(g, p, len);
    d = rxe_desc(g, 0, 2, false);
    g_assert_cmphex(d.status, ==, DD | XEOP | IPCS);
    g_assert_cmphex(d.ip_id, ==, 0);
    g_assert_cmphex(d.csum, ==, csum_fold(csum_add(0, p, len)));
    rig_free(g);
}

/* 7.1.11.7: the vectors of "Verifying the RSS hash calculation" end in the right queue */
static void test_rss(void)
{
    static const uint8_t key[40] = {
        0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
        0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
    };
    static const struct {
        uint8_t src[4], dst[4];
        uint16_t sport, dport;
        uint32_t ip, tcp;
    } t[] = {
        { { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x323e8fc2, 0x51ccc178 },
        { { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xd718262a, 0xc626b0ea },
        { { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
        { { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0x82989176, 0xafc7327f },
        { { 153, 39, 163, 191 }, { 202, 188, 127, 2 }, 44251, 1303, 0x5d1809c5, 0x10e828a2 },
    };
    struct rig *g = rig_new("e1000e");
    uint8_t p[200];
    unsigned at[2] = { 0, 0 };

    rx_ext_start(g, 0);
    w32(g, RXCSUM, RXCSUM_PCSD);
    for (unsigned i = 0; i < 10; i++) {
        w32(g, RSSRK + 4 * i, ld_le32(key + 4 * i));
    }
    for (unsigned i = 0; i < 128; i++) {                            /* odd entries: queue 1 */
        w32(g, RETA + (i & ~3u), 0x80008000);
    }
    for (unsigned tcp = 0; tcp < 2; tcp++) {
        for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
            uint32_t hash = tcp ? t[i].tcp : t[i].ip;
            size_t len = rig_tcp4(p, 60, true);
            struct rxe d;

            memcpy(p + 26, t[i].src, 4);
            memcpy(p + 30, t[i].dst, 4);
            st_be16(p + 34, t[i].sport);
            st_be16(p + 36, t[i].dport);
            csum_ip4_header(p + 14, 20);
            w32(g, MRQC, 1 | 1 << 17 | tcp << 16);
            rig_rx(g, p, len);
            d = rxe_desc(g, hash & 1, at[hash & 1]++, false);
            g_assert_cmphex(d.status & DD, ==, DD);
            g_assert_cmphex(d.hash, ==, hash);
            g_assert_cmphex(d.mrq, ==, (tcp ? 1u : 2u) | (hash & 1) << 8);
        }
    }
    g_assert_cmpuint(at[0], >, 0);
    g_assert_cmpuint(at[1], >, 0);
    w32(g, MRQC, 1 | 1 << 18);                                      /* no field for IPv4: queue 0, no hash */
    rig_rx(g, p, 114);
    g_assert_cmphex(rxe_desc(g, 0, at[0], false).mrq, ==, 0);
    g_assert_cmphex(rxe_desc(g, 0, at[0]++, false).hash, ==, 0);
    rig_rx(g, p, rig_tcp6(p, 60, true));
    {
        uint8_t in[36];
        uint32_t hash;

        memcpy(in, p + 22, 32);
        memcpy(in + 32, p + 54, 4);
        hash = toeplitz_hash(key, in, 36);
        g_assert_cmphex(rxe_desc(g, hash & 1, at[hash & 1], false).hash, ==, hash);
        g_assert_cmphex(rxe_desc(g, hash & 1, at[hash & 1]++, false).mrq, ==, 3u | (hash & 1) << 8);
    }
    w32(g, MRQC, 0x1F << 16);                                       /* multiple queues disabled */
    rig_rx(g, p, 134);
    g_assert_cmphex(rxe_desc(g, 0, at[0], false).mrq, ==, 0);
    rig_free(g);
}

/* 7.1.5: headers apart */
static void test_split(void)
{
    static const struct {
        uint32_t psrctl;
        unsigned kind;                  /* 0 tcp4, 1 udp4, 2 tcp6, 3 no IP, 4 ICMP, 5 UDP fragment */
        size_t payload;
        unsigned hdr;                   /* length of the header that is split off; 0: none */
        unsigned len[4];                /* with FCS stripped */
    } t[] = {
        { 0x04040402, 0, 1000, 54, { 54, 1000, 0, 0 } },
        { 0x04040402, 1, 1000, 42, { 42, 1000, 0, 0 } },
        { 0x04040402, 2, 1000, 74, { 74, 1000, 0, 0 } },
        { 0x04040402, 3, 1000, 0, { 256, 758, 0, 0 } },
        { 0x04040402, 4, 1000, 34, { 34, 1000, 0, 0 } },
        { 0x04040402, 5, 1000, 34, { 34, 1008, 0, 0 } },
        { 0x04040402, 0, 0, 0, { 60, 0, 0, 0 } },                   /* padding lies behind: see below */
        { 0x01010100, 0, 1000, 0, { 0, 1024, 30, 0 } },             /* no header buffer: not split */
        { 0x01010101, 0, 1400, 54, { 54, 1024, 376, 0 } },
        { 0x00010101, 2, 1000, 74, { 74, 1000, 0, 0 } },
    };
    struct rig *g = rig_new("e1000e");
    uint8_t p[1600], got[1600];

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        size_t len = t[i].kind == 2 ? rig_tcp6(p, t[i].payload, true)
                     : t[i].kind == 1 || t[i].kind == 5 ? rig_udp4(p, t[i].payload, true) : rig_tcp4(p, t[i].payload, true);
        struct rxe d;
        size_t n = 0;

        if (t[i].kind == 3) {
            rig_eth(p, len = 1014, rig_mac, 0x88B5, 1);
        } else if (t[i].kind == 4) {
            len = 1034;
            p[23] = 1;
            st_be16(p + 16, 1020);
            csum_ip4_header(p + 14, 20);
        } else if (t[i].kind == 5) {
            st_be16(p + 20, 0x2000);
            csum_ip4_header(p + 14, 20);
        }
        rx_ext_start(g, RCTL_DTYP_PS | RCTL_SECRC);
        w32(g, PSRCTL, t[i].psrctl);
        rig_rx(g, p, len);
        g_assert_cmpuint(r32(g, RDH), ==, 2);
        d = rxe_desc(g, 0, 0, true);
        if (t[i].payload == 0) {                                    /* 54 bytes of headers, 6 of padding */
            g_assert_cmpuint(d.len[0] + d.len[1], ==, 60);
            continue;
        }
        g_assert_cmphex(d.hdr, ==, t[i].hdr ? 0x8000 | t[i].hdr : 0);
        for (unsigned b = 0; b < 4; b++) {
            g_assert_cmpuint(d.len[b], ==, t[i].len[b]);
            memcpy(got + n, d.data[b], d.len[b]);
            n += d.len[b];
            g_assert_cmphex(d.data[b][d.len[b]], ==, 0xEE);
        }
        g_assert_cmpmem(got, n, p, len);
        g_assert_cmphex(d.status & (DD | XEOP), ==, DD | XEOP);
    }
    rig_free(g);
}

/* More than one descriptor; buffers that are not there; fragments not split on demand */
static void test_split_more(void)
{
    struct rig *g = rig_new("e1000e");
    g_autofree uint8_t *p = g_malloc(9100), *got = g_malloc(20000);
    size_t len = rig_tcp4(p, 8900, true), n = 0;
    struct rxe d;

    rx_ext_start(g, RCTL_DTYP_PS | RCTL_SECRC | RCTL_LPE);
    w32(g, PSRCTL, 0x01010102);                                     /* 256, 1 KiB, 1 KiB, 1 KiB */
    rig_rx(g, p, len);
    g_assert_cmpuint(r32(g, RDH), ==, 6);
    for (unsigned i = 0; i < 3; i++) {
        d = rxe_desc(g, 0, i, true);
        g_assert_cmphex(d.status & (DD | XEOP), ==, i == 2 ? DD | XEOP : DD);
        g_assert_cmphex(d.hdr, ==, i == 0 ? 0x8036 : 0);
        g_assert_cmpuint(d.len[0], ==, i == 0 ? 54 : 0);
        for (unsigned b = 0; b < 4; b++) {
            memcpy(got + n, d.data[b], d.len[b]);
            n += d.len[b];
        }
    }
    g_assert_cmpmem(got, n, p, len);

    rx_ext_start(g, RCTL_DTYP_PS | RCTL_SECRC);
    w32(g, PSRCTL, 0x01010102);
    for (unsigned i = 0; i < 31; i++) {                             /* no buffer 1: data goes to 2 and 3 */
        st_le64(rig_ram(g, RX_RING + 32 * i + 8), 0);
    }
    len = rig_tcp4(p, 1200, true);
    rig_rx(g, p, len);
    d = rxe_desc(g, 0, 0, true);
    g_assert_cmpuint(d.len[1], ==, 0);
    g_assert_cmpuint(d.len[2], ==, 1024);
    g_assert_cmpuint(d.len[3], ==, 176);
    len = rig_udp4(p, 1000, true);
    st_be16(p + 20, 0x2000);
    csum_ip4_header(p + 14, 20);
    w32(g, RFCTL, RFCTL_EXSTEN | 1 << 14);                          /* IPFRSP_DIS */
    rig_rx(g, p, len);
    g_assert_cmphex(rxe_desc(g, 0, 1, true).hdr, ==, 0);
    w32(g, CTRL, r32(g, CTRL) | 1u << 30);                          /* the tag does not count as header */
    rig_tcp4(got, 500, true);
    memcpy(p, got, 12);
    st_be32(p + 12, 0x81000005);
    memcpy(p + 16, got + 12, 542);
    rig_rx(g, p, 558);
    g_assert_cmphex(rxe_desc(g, 0, 2, true).hdr, ==, 0x8036);
    g_assert_cmpuint(rxe_desc(g, 0, 2, true).len[0], ==, 54);
    rig_free(g);
}

/* The guest changes the kind of descriptors between frames */
static void test_format_change(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[200];

    rig_eth(p, 200, rig_mac, 0x88B5, 1);
    rx_start(g, 0);
    rig_rx(g, p, 200);
    g_assert_cmpuint(rx_desc(g, 0).len, ==, 204);
    rx_ext_start(g, RCTL_DTYP_PS);
    rig_rx(g, p, 200);
    g_assert_cmpuint(rxe_desc(g, 0, 0, true).len[0], ==, 204);
    w32(g, RCTL, RCTL_EN);                                          /* in the middle: 16-byte descriptors, from RDH on */
    rig_rx(g, p, 200);
    g_assert_cmpuint(r32(g, RDH), ==, 3);
    assert_alive(g);
    rig_free(g);
}

/* 10.2.5.5-9: queue 1 has a ring of its own; a full one makes the frame wait */
static void test_queue1_backpressure(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[200];
    size_t len = rig_tcp4(p, 60, true);

    rx_ext_start(g, 0);
    w32(g, MRQC, 1 | 1 << 16);
    for (unsigned i = 0; i < 32; i++) {
        w32(g, RETA + 4 * i, 0x80808080);
    }
    w32(g, RDT + QUEUE1, 0);
    rig_rx(g, p, len);
    g_assert_cmpuint(r32(g, RDH + QUEUE1), ==, 0);
    w32(g, RDT + QUEUE1, 5);
    g_assert_cmpuint(r32(g, RDH + QUEUE1), ==, 1);
    g_assert_cmpuint(r32(g, RDH), ==, 0);
    g_assert_cmpmem(rxe_desc(g, 1, 0, false).data[0], len, p, len);
    rig_free(g);
}

/* ---- transmit ---- */

/* 7.2.10, 10.2.6.14: two rings, each with its switch and its contexts */
static void test_tx_queues(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t *p = rig_ram(g, TX_BUF), *d = rig_ram(g, TX_RING1);

    tx_start(g);
    w32(g, TDBAL + QUEUE1, TX_RING1);
    w32(g, TDLEN + QUEUE1, 128);
    rig_eth(p, 100, rig_other, 0x88B5, 1);
    rig_eth(p + 2048, 200, rig_other, 0x88B5, 2);
    st_le64(d, TX_BUF + 2048);
    st_le64(d + 8, 200 | (uint64_t)(EOP | IFCS | RS) << 24);
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
    w32(g, TDT + QUEUE1, 1);
    g_free(expect_sent(g, p + 2048, 200));
    g_assert_cmphex(d[12] & 1, ==, 1);
    g_assert_cmpuint(r32(g, TDH + QUEUE1), ==, 1);
    g_assert_cmpuint(r32(g, TDH), ==, 0);
    tx_go(g);
    g_free(expect_sent(g, p, 100));
    w32(g, TARC + QUEUE1, r32(g, TARC + QUEUE1) & ~(1u << 10));
    memcpy(d + 16, d, 16);
    d[16 + 12] = 0;
    w32(g, TDT + QUEUE1, 2);
    g_assert_null(rig_sent(g));
    w32(g, TARC + QUEUE1, r32(g, TARC + QUEUE1) | 1u << 10);
    g_free(expect_sent(g, p + 2048, 200));

    g->peer->busy = true;                                           /* both held, both come, each in its order */
    for (unsigned i = 0; i < 3; i++) {
        memcpy(d + 16 * (2 + i), d, 16);
        d[16 * (2 + i) + 12] = 0;
        tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
    }
    tx_go(g);
    w32(g, TDT + QUEUE1, 5);
    rig_unblock(g);
    g_assert_cmpuint(g->peer->frames->len, ==, 6);
    rig_free(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/e1000e/rx/extended", test_ext);
    g_test_add_func("/e1000e/rx/csum", test_csum);
    g_test_add_func("/e1000e/rx/fragment-csum", test_fragment_csum);
    g_test_add_func("/e1000e/rx/rss", test_rss);
    g_test_add_func("/e1000e/rx/split", test_split);
    g_test_add_func("/e1000e/rx/split-more", test_split_more);
    g_test_add_func("/e1000e/rx/format-change", test_format_change);
    g_test_add_func("/e1000e/rx/queue1-backpressure", test_queue1_backpressure);
    g_test_add_func("/e1000e/tx/queues", test_tx_queues);
    return g_test_run();
}
