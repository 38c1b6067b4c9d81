/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-e1000e-hostile.c - recorded attacks that need what only an 82574 has, and the self-DMA matrix: every
 * address that the NIC takes, aimed at everything that is not for it
 *
 * Every test ends with a device that still sends and receives.
 */
#include "tests/lib/e1000e_bench.h"

/* fda43b12, 9d946d56: PSRCTL 0; frames between the sizes of buffers 2+3+4 and of all four */
static void test_packet_split_sizes(void)
{
    static const uint32_t psrctl[] = { 0, 0x7F, 0x00000100, 0x3F3F3F7F, 0x01010101, 0x00010001, 0xFFFFFFFF };
    struct rig *g = rig_new("e1000e");
    g_autofree uint8_t *p = g_malloc(20000);

    for (unsigned i = 0; i < ARRAY_LEN(psrctl); i++) {
        for (size_t len = 60; len < 16300; len += len < 4000 ? 61 : 1999) {
            for (unsigned tcp = 0; tcp < 2; tcp++) {
                unsigned room[4] = { (psrctl[i] & 0x7F) * 128 };

                rx_ext_start(g, RCTL_DTYP_PS | RCTL_LPE | RCTL_SECRC);
                w32(g, PSRCTL, psrctl[i]);
                for (unsigned b = 1; b < 4; b++) {
                    room[b] = (r32(g, PSRCTL) >> (8 * b) & 0x3F) * 1024;
                }
                if (tcp && len > 54) {
                    rig_tcp4(p, len - 54, true);
                } else {
                    rig_eth(p, len, rig_mac, 0x88B5, i);
                }
                rig_rx(g, p, len);
                for (unsigned d = 0; d < 32; d++) {
                    struct rxe e = rxe_desc(g, 0, d, true);

                    for (unsigned b = 0; b < 4 && d < r32(g, RDH) / 2; b++) {
                        g_assert_cmpuint(e.len[b], <=, room[b]);
                        g_assert_cmphex(room[b] < RX_BUF_STEP ? e.data[b][room[b]] : 0xEE, ==, 0xEE);
                    }
                }
            }
        }
    }
    assert_alive(g);
    rig_free(g);
}

/* bab496a1, 8e4649ca: a delay timer runs while MSI-X comes on, and while it goes off again */
static void test_timers_and_msix(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[100];

    rig_eth(p, 100, rig_mac, 0x88B5, 1);
    rig_eth(rig_ram(g, TX_BUF), 100, rig_other, 0x88B5, 1);
    w32(g, IVAR, IVAR_PLAIN);
    w32(g, IMS, ~0u);
    for (unsigned round = 0; round < 8; round++) {
        rx_ext_start(g, 0);
        tx_start(g);
        w32(g, TIDV, 100);
        w32(g, RDTR, 100);
        for (unsigned v = 0; v < 5; v++) {
            w32(g, EITR + 4 * v, 0xFFFF);
        }
        if (round & 1) {
            msix_on(g);
        }
        tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS | IDE, 0, 0, 0);
        tx_go(g);
        rig_rx(g, p, 100);
        rig_step(50 * NS_PER_US);
        if (round & 1) {
            msix_off(g);
        } else {
            msix_on(g);
        }
        rig_step(NS_PER_SEC);
        if (round & 2) {
            rig_config_set(g, PCI_COMMAND, 3, 2);               /* no bus mastering, no messages */
            w32(g, ICS, ~0u);
            rig_config_set(g, PCI_COMMAND, 7, 2);
        }
        r32(g, ICR);
        msix_off(g);
    }
    assert_alive(g);
    rig_free(g);
}

/* CVE-2020-16092, CVE-2020-27617: many fragments; segmentation of something that is no IP */
static void test_cve_2020_27617(void)
{
    static const uint16_t types[] = { 0xFFFF, 0x0000, 0x0800, 0x86DD, 0x8100, 0x05DC };
    struct rig *g = rig_new("e1000e");
    uint8_t *p = rig_ram(g, TX_BUF);

    g->peer->keep_max = 0;
    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        for (unsigned cmd = 0; cmd < 4; cmd++) {
            for (unsigned caps = 0; caps < 2; caps++) {
                g->peer->caps = caps ? PKT_CAP_ALL : 0;
                tx_start(g);
                rig_eth(p, 4000, rig_other, types[i], i);
                tx_context(g, &(struct ctx){ 14, 24, 33, 34, 50, 0, 4000 - 54, cmd | TSE, 54, 1000 });
                tx_data(g, TX_BUF, 4000, EOP | IFCS | TSE | RS, 3, 0);
                tx_context(g, &(struct ctx){ 255, 255, 65535, 255, 255, 65535, 0xFFFFF, cmd | TSE, 255, 65535 });
                tx_data(g, TX_BUF, 4000, EOP | IFCS | TSE | RS, 3, 0);
                tx_context(g, &(struct ctx){ 255, 0, 1, 255, 0, 1, 0, cmd, 0, 0 });
                tx_data(g, TX_BUF, 14 + i, EOP | IFCS | RS, 3, 0);
                tx_go(g);
                g_assert_cmpuint(r32(g, TDH), ==, tx_tail);
            }
        }
    }
    g->peer->caps = 0;
    tx_start_ring(g, 4096 * 16);                                    /* one packet of 4,095 pieces of 16 bytes */
    for (unsigned i = 0; i < 4095; i++) {
        st_le64(rig_ram(g, TX_RING + i * 16), TX_BUF + (i * 37 & 0xFFF));
        st_le64(rig_ram(g, TX_RING + i * 16 + 8), 16 | 1u << 20 |
                (uint64_t)(DEXT | IFCS | RS | (i == 4094 ? EOP : 0)) << 24);
    }
    w32(g, TDT, 4095);
    g_assert_cmpuint(r32(g, TDH), ==, 4095);
    g->peer->keep_max = 4096;
    assert_alive(g);
    rig_free(g);
}

/* ---- self-DMA matrix ---- */

enum { OTHER_NIC = 0xD0000000 };

static struct pci_device *second_nic(struct rig *g)
{
    struct pci_device *d = pci_new("e1000", "nic2", PCI_DEVFN(5, 0), NULL);

    g_assert_true(device_realize(&d->dev, &g->bus.bus, NULL));
    pci_config_write(d, PCI_BAR0, OTHER_NIC, 4);
    pci_config_write(d, PCI_COMMAND, 7, 2);
    rig_run();
    return d;
}

/* Everything of the devices that must not change, in one number */
static uint64_t snapshot(struct rig *g)
{
    static const uint32_t regs[] = { 0x0000, 0x0008, 0x0010, 0x0018, 0x0038, 0x00D0, 0x00E4, 0x2160, 0x5400, 0x5404, 0x5600 };
    uint64_t h = 14695981039346656037ull;

    for (unsigned i = 0; i < ARRAY_LEN(regs); i++) {
        h = (h ^ r32(g, regs[i])) * 1099511628211ull;
        h = (h ^ space_read(&g->as, OTHER_NIC + regs[i], 4)) * 1099511628211ull;
    }
    for (unsigned i = 0; i < 80; i += 4) {
        h = (h ^ space_read(&g->as, MSIX_TABLE + i, 4)) * 1099511628211ull;
    }
    return h;
}

/* Each pointer field of the NIC, aimed at @target */
static void aim(struct rig *g, uint64_t target)
{
    g_autofree uint8_t *p = g_malloc(1600);
    uint32_t lo = (uint32_t)target, hi = target >> 32;

    for (unsigned format = 0; format < 3; format++) {               /* receive buffers: legacy, extended, split */
        for (unsigned ring = 0; ring < 2; ring++) {                 /* and the ring itself */
            size_t len = rig_tcp4(p, 1400, true);

            rx_ext_start(g, format == 2 ? RCTL_DTYP_PS : 0);
            w32(g, RFCTL, format ? RFCTL_EXSTEN : 0);
            w32(g, MRQC, 0);
            for (unsigned i = 0; i < 32 * (format == 2 ? 4 : 1); i++) {
                st_le64(rig_ram(g, RX_RING + i * (format == 2 ? 8 : 16)), target);
            }
            for (unsigned q = 0; ring && q < 2; q++) {
                w32(g, RDBAL + q * QUEUE1, lo);
                w32(g, RDBAH + q * QUEUE1, hi);
            }
            rig_rx(g, p, len);
            w32(g, MRQC, 1 | 1 << 17);                              /* and queue 1 */
            for (unsigned i = 0; i < 32; i++) {
                w32(g, RETA + 4 * i, 0x80808080);
            }
            rig_rx(g, p, len);
            w32(g, RCTL, 0);
        }
    }
    tx_start(g);
    tx_legacy(g, target, 1000, EOP | IFCS | RS, 0, 0, 0);
    tx_data(g, target, 5000, IFCS, 3, 0);
    tx_data(g, target, 5000, EOP | IFCS | RS, 3, 0);
    tx_go(g);
    for (unsigned q = 0; q < 2; q++) {
        w32(g, TDBAL + q * QUEUE1, lo);
        w32(g, TDBAH + q * QUEUE1, hi);
        w32(g, TDLEN + q * QUEUE1, 1024);
        w32(g, TDT + q * QUEUE1, 10);
    }
}

/* CVE-2020-15859, CVE-2023-3019, OSV-2020-2223 and all their relatives */
static void test_self_dma_matrix(void)
{
    const uint64_t targets[] = {
        RIG_MMIO, RIG_MMIO + RCTL, RIG_MMIO + TDT, RIG_MMIO + CTRL, RIG_MMIO + 0x1FFF0, RIG_MMIO + RIG_BAR_STEP,
        MSIX_TABLE, MSIX_TABLE + 0x30, MSIX_PBA, OTHER_NIC, OTHER_NIC + RCTL, OTHER_NIC + TDT, RIG_ROM_BASE,
        RIG_RAM - 16, RIG_RAM - 1, RIG_RAM, 0x80000000, 0xFEE00000, 0xFFFFFFF0, 0xFFFFFFFF, 1ULL << 32, 1ULL << 52,
        1ULL << 63, UINT64_MAX - 15, UINT64_MAX, 0,
    };
    struct rig *g = rig_new("e1000e");
    struct pci_device *other = second_nic(g);
    uint64_t before;
    gint64 slowest = 0;

    g->peer->keep_max = 0;
    msix_on(g);
    w32(g, IVAR, IVAR_PLAIN);
    w32(g, IMS, 0x01000000);
    before = snapshot(g);
    for (unsigned i = 0; i < ARRAY_LEN(targets); i++) {
        gint64 t = g_get_monotonic_time();

        g->msis = 0;
        aim(g, targets[i]);
        slowest = MAX(slowest, g_get_monotonic_time() - t);
        w32(g, IMS, 0x01000000);
        if (targets[i] != 0) {                                      /* 0 is RAM: the last target, allowed */
            g_assert_cmphex(snapshot(g), ==, before);
        }
    }
    g_assert_cmpint(slowest, <, 1000 * 1000);                       /* far less; a sanitizer on a busy host takes its time */
    g->peer->keep_max = 4096;
    assert_alive(g);
    device_free(&other->dev);
    rig_free(g);
}

/* CVE-2021-3416 with the two queues feeding each other: bounded, and it ends */
static void test_loopback_storm(void)
{
    struct rig *g = rig_new("e1000e");

    rig_eth(rig_ram(g, TX_BUF), 1514, rig_broadcast, 0x88B5, 3);
    tx_start_ring(g, 4096 * 16);
    w32(g, TDBAL + QUEUE1, TX_RING);
    w32(g, TDLEN + QUEUE1, 4096 * 16);
    rx_ext_start(g, RCTL_BAM | RCTL_LBM);
    for (unsigned i = 0; i < 4096; i++) {
        st_le64(rig_ram(g, TX_RING + i * 16), TX_BUF);
        st_le64(rig_ram(g, TX_RING + i * 16 + 8), 1514 | (uint64_t)(EOP | IFCS | RS) << 24);
    }
    space_write(&g->as, RIG_MMIO + TDT, 4095, 4);
    w32(g, TDT + QUEUE1, 4095);
    assert_alive(g);
    rig_free(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/e1000e/fda43b12-packet-split-sizes", test_packet_split_sizes);
    g_test_add_func("/e1000e/bab496a1-timers-and-msix", test_timers_and_msix);
    g_test_add_func("/e1000e/CVE-2020-27617", test_cve_2020_27617);
    g_test_add_func("/e1000e/CVE-2023-3019-self-dma-matrix", test_self_dma_matrix);
    g_test_add_func("/e1000e/CVE-2021-3416-loopback-storm", test_loopback_storm);
    return g_test_run();
}
