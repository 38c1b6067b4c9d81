/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-e1000-hostile.c - recorded attacks on 8254x and 82574 models, by id, and self-DMA, endless chains, unplug
 *
 * Every test ends with a device that still sends and receives.
 */
#include "tests/lib/e1000_bench.h"

/* ---- attacks: what happened to such models before; every one ends "alive" ---- */

/* CVE-2012-6075: frames longer than the guest asked for */
static void test_cve_2012_6075(gconstpointer model)
{
    static const unsigned sizes[] = { 1518, 1519, 1522, 1523, 2047, 4096, 9000, 16380, 16381, 16384, 16385, 60000 };
    struct rig *g = rig_new(model);
    g_autofree uint8_t *p = g_malloc(65536);

    for (unsigned mode = 0; mode < 4; mode++) {
        for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
            unsigned len = sizes[i];
            bool ok = len + 4 <= (mode ? 16384 : 1522);

            rig_eth(p, len, rig_mac, 0x88B5, i);
            rx_start(g, (mode & 1 ? RCTL_LPE : 0) | (mode & 2 ? RCTL_SBP : 0));
            rig_rx(g, p, len);
            g_assert_cmpuint(r32(g, RDH), ==, ok ? (len + 4 + 2047) / 2048 : 0);
            for (unsigned k = 0; k < RING_LEN; k++) {           /* no byte beyond 2048 of any buffer */
                g_assert_cmphex(rx_desc(g, k).data[2048], ==, 0xEE);
                g_assert_cmpuint(rx_desc(g, k).len, <=, 2048);
            }
            g_assert_cmpuint(r32(g, 0x40AC), ==, ok ? 0 : 1);   /* ROC */
        }
    }
    assert_alive(g);
    rig_free(g);
}

/* CVE-2015-6815: segmentation with nothing to advance by */
static void test_cve_2015_6815(gconstpointer model)
{
    static const unsigned v[][2] = { { 0, 0 }, { 0, 1460 }, { 54, 0 }, { 255, 1 }, { 1, 1 }, { 54, 1 }, { 54, 65535 } };
    struct rig *g = rig_new(model);

    g->peer->keep_max = 0;
    for (unsigned i = 0; i < ARRAY_LEN(v); i++) {
        for (unsigned tcp = 0; tcp < 8; tcp++) {
            tx_start(g);
            rig_tcp4(rig_ram(g, TX_BUF), 4000, false);
            tx_context(g, &(struct ctx){ 14, 24, 33, 34, 50, 0, 4000, tcp | TSE, v[i][0], v[i][1] });
            tx_data(g, TX_BUF, 100, IFCS | TSE, 3, 0);
            tx_data(g, TX_BUF + 100, 3954, EOP | IFCS | TSE | RS, 3, 0);
            tx_data(g, TX_BUF, 0, EOP | IFCS | TSE | RS, 3, 0);
            tx_go(g);
            g_assert_cmpuint(r32(g, TDH), ==, tx_tail);
            g_assert_cmphex(tx_status(g, 2), ==, 1);
        }
    }
    g->peer->keep_max = 4096;
    assert_alive(g);
    rig_free(g);
}

/* CVE-2016-1981: head beyond the ring never meets the tail */
static void test_cve_2016_1981(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t p[100];

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 1);
    for (unsigned i = 0; i < 4; i++) {
        static const uint32_t heads[] = { 0xFFFF, 8, 9, 1 }, tails[] = { 1, 0, 0xFFFF, 0x100 };

        w32(g, TCTL, 0);
        w32(g, TDBAL, TX_RING);
        w32(g, TDLEN, 128);
        w32(g, TDH, heads[i]);
        w32(g, TDT, tails[i]);
        w32(g, TCTL, 2);
        w32(g, TDT, tails[i]);
        g_assert_cmpuint(r32(g, TDH), ==, heads[i]);
        w32(g, RCTL, 0);
        w32(g, RDBAL, RX_RING);
        w32(g, RDLEN, 128);
        w32(g, RDH, heads[i]);
        w32(g, RDT, tails[i]);
        w32(g, RCTL, RCTL_EN);
        rig_rx(g, p, sizeof(p));
        w32(g, RDT, tails[i]);
    }
    w32(g, RDLEN, 0);                                           /* and rings of length 0 */
    w32(g, TDLEN, 0);
    w32(g, TDH, 0);
    w32(g, RDH, 0);
    w32(g, TDT, 5);
    w32(g, RDT, 5);
    rig_rx(g, p, sizeof(p));
    g_assert_cmpuint(g->peer->frames->len, ==, 0);
    assert_alive(g);
    rig_free(g);
}

/* CVE-2021-20257: legacy after data; frames looped back into the NIC's own TDT */
static void test_cve_2021_20257(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF);

    tx_start(g);
    rig_tcp4(p, 3000, false);
    tx_context(g, &(struct ctx){ 14, 24, 33, 34, 50, 0, 3000, 1 | 2 | TSE, 54, 1000 });
    tx_data(g, TX_BUF, 500, IFCS | TSE, 3, 0);
    tx_legacy(g, TX_BUF, 54, IFCS, 0, 0, 0);
    tx_context(g, &(struct ctx){ 14, 24, 33, 34, 50, 0, 10, 1 | 2 | TSE, 200, 1 });
    tx_legacy(g, TX_BUF, 54, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_assert_cmpuint(g->peer->frames->len, ==, 0);              /* dropped as a whole */
    g_assert_cmpuint(r32(g, TDH), ==, tx_tail);

    w32(g, CTRL, 1u << 26);
    tx_start(g);
    rx_start(g, RCTL_UPE | RCTL_MPE | RCTL_BAM | RCTL_LBM);
    for (unsigned i = 0; i < RING_LEN; i++) {
        st_le64(rig_ram(g, RX_RING + i * 16), RIG_MMIO + TDT - i % 16);
    }
    memset(p, 0xFF, 2000);
    for (unsigned i = 0; i < 32; i++) {
        tx_legacy(g, TX_BUF, 1500, EOP | IFCS | RS, 0, 0, 0);
    }
    tx_go(g);
    g_assert_cmpuint(r32(g, TDT), ==, 32);                      /* not rewritten */
    g_assert_cmpuint(r32(g, TDH), ==, 32);
    assert_alive(g);
    rig_free(g);
}

/* CVE-2020-25707, CVE-2020-28916: buffers at address 0 */
static void test_cve_2020_28916(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t p[1000], zero[16] = { 0 };

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 1);
    memset(rig_ram(g, 0), 0, 4096);
    rx_start_ring(g, 8, 0, 0);
    for (unsigned i = 0; i < 8; i++) {
        st_le64(rig_ram(g, RX_RING + i * 16), 0);
    }
    w32(g, RDT, 7);
    rig_rx(g, p, sizeof(p));                                    /* a full ring of them: frame gone, ring handed back */
    g_assert_cmpuint(r32(g, RDH), ==, 7);
    g_assert_cmphex(r32(g, ICR) & ICR_RXO, ==, ICR_RXO);
    g_assert_cmpmem(rig_ram(g, 0), 16, zero, 16);
    for (unsigned i = 0; i < 8; i++) {
        st_le64(rig_ram(g, RX_RING + i * 16), i & 1 ? RX_BUF + i * RX_BUF_STEP : 0);
    }
    w32(g, RDT, 6);                                             /* every other one */
    rig_rx(g, p, sizeof(p));
    g_assert_cmphex(rx_desc(g, 7).status & 3, ==, 3);
    g_assert_cmpmem(rx_desc(g, 7).data, 1000, p, 1000);
    rig_rx(g, p, sizeof(p));
    g_assert_cmpuint(rx_desc(g, 0).len, ==, 0);
    g_assert_cmphex(rx_desc(g, 0).status, ==, 1);
    g_assert_cmphex(rx_desc(g, 1).status & 3, ==, 3);
    assert_alive(g);
    rig_free(g);
}

/* CVE-2020-15859, CVE-2023-3019: data aimed at the NIC's own registers, other devices, ROM, holes, the end of memory */
static void test_self_dma(gconstpointer model)
{
    static const uint64_t targets[] = { RIG_MMIO, RIG_MMIO + RCTL, RIG_MMIO + TDT, RIG_MMIO + 0x1FFFF, RIG_ROM_BASE,
                                        0x80000000, 0xFFFFFFFF, 0xFFFFFFF0, UINT64_MAX, UINT64_MAX - 15, 1ULL << 63,
                                        RIG_RAM - 8, 0xFEE00000 };
    struct rig *g = rig_new(model);
    uint8_t p[600];

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 1);
    for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
        uint32_t lo = targets[i], hi = targets[i] >> 32;

        rx_start(g, RCTL_BAM);
        for (unsigned k = 0; k < RING_LEN; k++) {
            st_le64(rig_ram(g, RX_RING + k * 16), targets[i]);
        }
        rig_rx(g, p, sizeof(p));
        g_assert_cmphex(r32(g, RCTL), ==, RCTL_EN | RCTL_BAM);
        w32(g, RCTL, 0);                                        /* the ring itself there */
        w32(g, RDBAL, lo);
        w32(g, RDBAH, hi);
        w32(g, RCTL, RCTL_EN);
        rig_rx(g, p, sizeof(p));
        tx_start(g);
        tx_legacy(g, targets[i], 600, EOP | IFCS | RS, 0, 0, 0);
        tx_legacy(g, targets[i], 65535, EOP | IFCS | RS, 0, 0, 0);
        tx_go(g);
        g_assert_cmpuint(r32(g, TDH), ==, 2);
        w32(g, TDBAL, lo);
        w32(g, TDBAH, hi);
        w32(g, TDT, 10);
        g_assert_cmphex(r32(g, CTRL) & 0xFFFF, ==, 0x241);
    }
    assert_alive(g);
    rig_free(g);
}

/* CVE-2021-3416: loopback must not call receive from transmit, however long the ring */
static void test_cve_2021_3416(gconstpointer model)
{
    struct rig *g = rig_new(model);
    enum { MANY = 4096 };

    rig_eth(rig_ram(g, TX_BUF), 1514, rig_broadcast, 0x88B5, 3);
    tx_start_ring(g, MANY * 16);
    rx_start(g, RCTL_BAM | RCTL_LBM);
    for (unsigned i = 0; i < MANY; i++) {
        st_le64(rig_ram(g, TX_RING + i * 16), TX_BUF);
        st_le64(rig_ram(g, TX_RING + i * 16 + 8), 1514 | (uint64_t)(EOP | IFCS | RS) << 24);
    }
    w32(g, TDT, MANY - 1);                      /* the receive ring fills up, the rest waits or is gone */
    assert_alive(g);
    rig_free(g);
}

/* A chain that never ends, an unknown descriptor type, packets of nothing */
static void test_endless_chain(gconstpointer model)
{
    struct rig *g = rig_new(model);
    uint8_t *p = rig_ram(g, TX_BUF);

    rig_eth(p, 60000, rig_other, 0x88B5, 3);
    tx_start(g);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < RING_LEN - 1; i++) {
            tx_legacy(g, TX_BUF, 60000, IFCS | RS, 0, 0, 0);
        }
        tx_go(g);
        g_assert_cmpuint(r32(g, TDH), ==, tx_tail);
    }
    tx_legacy(g, TX_BUF, 60, EOP | IFCS | RS, 0, 0, 0);
    for (unsigned t = 2; t < 16; t++) {
        tx_put(g, TX_BUF, 100 | t << 20 | (uint64_t)(DEXT | EOP | IFCS | RS) << 24);
    }
    tx_legacy(g, TX_BUF, 0, EOP | IFCS | RS, 0, 0, 0);
    tx_legacy(g, TX_BUF, 13, EOP | IFCS | RS, 0, 0, 0);
    tx_legacy(g, TX_BUF, 3, EOP | RS, 0, 0, 0);
    tx_data(g, TX_BUF, 0xFFFFF, EOP | IFCS | RS, 0, 0);
    tx_go(g);
    g_assert_cmpuint(r32(g, TDH), ==, tx_tail);
    g_assert_cmpuint(g->peer->frames->len, ==, 0);
    assert_alive(g);
    rig_free(g);
}

/* Unplug at the worst moment: frame held, timers armed, bottom half scheduled */
static void test_unplug_busy(gconstpointer model)
{
    for (unsigned i = 0; i < 50; i++) {
        struct rig *g = rig_new(model);
        uint8_t p[100];

        rig_eth(rig_ram(g, TX_BUF), 100, rig_other, 0x88B5, 1);
        rig_eth(p, 100, rig_mac, 0x88B5, 1);
        tx_start(g);
        rx_start(g, 0);
        w32(g, TIDV, 1000);
        w32(g, RDTR, 1000);
        w32(g, ITR, 0xFFFF);
        rig_rx(g, p, 100);
        g->peer->busy = true;
        tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS | IDE, 0, 0, 0);
        tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS | IDE, 0, 0, 0);
        phy_write(g, 0, 0x1340);
        space_write(&g->as, RIG_MMIO + TDT, tx_tail, 4);
        rig_free(g);
        rig_step(NS_PER_SEC);
    }
}

/* What was thrown away is counted under its reason, for "info qtree" */
static void test_reasons(gconstpointer model)
{
    struct rig *g = rig_new(model);
    g_autoptr(GString) out = g_string_new(NULL);
    uint8_t p[2000];

    rig_eth(p, sizeof(p), rig_other, 0x88B5, 1);
    rig_rx(g, p, 100);                                          /* receiver off */
    rx_start(g, 0);
    rig_rx(g, p, 100);                                          /* not for us, twice */
    rig_rx(g, p, 100);
    rig_rx(g, p, 2000);                                         /* too long */
    tx_start(g);
    tx_context(g, &(struct ctx){ 14, 24, 33, 34, 50, 0, 100, TSE | 3, 0, 0 });
    tx_data(g, TX_BUF, 100, EOP | IFCS | TSE, 3, 0);
    tx_legacy(g, RIG_MMIO, 100, EOP | IFCS, 0, 0, 0);
    tx_data(g, TX_BUF, 100, IFCS, 0, 0);
    tx_legacy(g, TX_BUF, 100, EOP | IFCS, 0, 0, 0);
    tx_legacy(g, TX_BUF, 5, EOP | IFCS, 0, 0, 0);
    tx_legacy(g, TX_BUF, 60000, IFCS, 0, 0, 0);
    tx_legacy(g, TX_BUF, 60000, EOP | IFCS, 0, 0, 0);
    tx_go(g);
    w32(g, TDT, 9999);
    g->dev->dev.type->describe(&g->dev->dev, out, 0);
    g_assert_cmpstr(out->str, ==, "drops: bad-ring 1, bad-dma 1, tx-too-long 1, tx-too-short 1, bad-tso 1, "
                                  "mixed-types 1, rx-disabled 1, rx-filter 2, rx-too-long 1\n");
    rig_free(g);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc fn;
    } tests[] = {
        { "CVE-2012-6075", test_cve_2012_6075 }, { "CVE-2015-6815", test_cve_2015_6815 },
        { "CVE-2016-1981", test_cve_2016_1981 }, { "CVE-2021-20257", test_cve_2021_20257 },
        { "CVE-2020-28916", test_cve_2020_28916 }, { "CVE-2020-15859", test_self_dma },
        { "CVE-2021-3416", test_cve_2021_3416 }, { "endless-chain", test_endless_chain },
        { "drop-reasons", test_reasons }, { "unplug-busy", test_unplug_busy },
    };
    static const char *const models[] = { "e1000", "e1000e" };

    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    for (unsigned m = 0; m < ARRAY_LEN(models); m++) {
        for (unsigned i = 0; i < ARRAY_LEN(tests); i++) {
            g_autofree char *path = g_strdup_printf("/%s/%s", models[m], tests[i].name);

            g_test_add_data_func(path, models[m], tests[i].fn);
        }
    }
    return g_test_run();
}
