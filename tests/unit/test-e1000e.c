/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-e1000e.c - the 82574 model on a bench: registers, NVM, PHY, interrupts, vectors, time stamps, self-test
 * (section numbers: 82574 GbE Controller Family Datasheet)
 */
#include "tests/lib/e1000e_bench.h"
#include "tests/lib/reg_walk.h"

#include "hw/net/nics.h"

/* ---- identity and registers ---- */

static void test_walk(void)
{
    static const uint32_t special[] = { RAL, RAH, CTRL, MDIC, EERD, EEWR, ICR, TIMADJH, UINT32_MAX };
    struct rig *g = rig_new("e1000e");
    const struct reg *rows;
    unsigned n;

    rows = e1000e_regs(&n);
    g_assert_cmpuint(reg_walk(g, rows, n, special), >, 900);
    g_assert_cmphex(r32(g, RAL), ==, ld_le32(rig_mac));
    g_assert_cmphex(r32(g, RAH), ==, 0x80000000u | ld_le16(rig_mac + 4));
    rig_free(g);
}

/* 9: configuration space; 10.1: BARs */
static void test_ids(void)
{
    static const struct {
        unsigned bar;
        uint32_t sizing;
    } bars[] = { { 0, 0xFFFE0000 }, { 1, 0xFFFE0000 }, { 2, 0xFFFFFFE1 }, { 3, 0xFFFFC000 } };
    static const uint8_t caps[] = { 0x01, 0x05, 0x10, 0x11 }, at[] = { 0xC8, 0xD0, 0xE0, 0xA0 };
    struct rig *g = rig_new("e1000e");

    g_assert_cmphex(rig_config(g, 0, 4), ==, 0x10D38086);
    g_assert_cmphex(rig_config(g, 8, 4), ==, 0x02000000);
    g_assert_cmphex(rig_config(g, 0x2C, 4), ==, 0x00008086);
    g_assert_cmphex(rig_config(g, 0x3D, 1), ==, 1);
    for (unsigned i = 0; i < ARRAY_LEN(bars); i++) {
        rig_config_set(g, PCI_BAR0 + 4 * bars[i].bar, ~0u, 4);
        g_assert_cmphex(rig_config(g, PCI_BAR0 + 4 * bars[i].bar, 4), ==, bars[i].sizing);
    }
    for (unsigned i = 0; i < ARRAY_LEN(caps); i++) {
        g_assert_cmphex(pci_find_cap(g->dev, caps[i]), ==, at[i]);
    }
    g_assert_cmphex(rig_config(g, MSIX_CAP + 2, 2), ==, 4);         /* five vectors */
    g_assert_cmphex(rig_config(g, MSIX_CAP + 4, 4), ==, 3);         /* table: BAR 3, offset 0 */
    g_assert_cmphex(rig_config(g, MSIX_CAP + 8, 4), ==, 0x2003);
    rig_place_bars(g);
    g_assert_cmphex(space_read(&g->as, RIG_MMIO + RIG_BAR_STEP + 0x100, 4), ==, 0xFFFFFFFF);    /* no flash chip */
    space_write(&g->as, RIG_MMIO + RIG_BAR_STEP, 0, 4);
    space_write(&g->io_as, RIG_IO, VET, 4);                         /* 10.1.1.5 */
    g_assert_cmphex(space_read(&g->io_as, RIG_IO + 4, 4), ==, 0x8100);
    rig_free(g);

    g = rig_new_with("e1000e", "subsys=4660,subsys_ven=22136");
    g_assert_cmphex(rig_config(g, 0x2C, 4), ==, 0x12345678);
    rig_free(g);
}

/* 10.2.2.1, 10.2.2.2, 5.6.2 */
static void test_reset_and_status(void)
{
    struct rig *g = rig_new("e1000e");

    w32(g, IMS, ~0u);
    w32(g, CTRL, r32(g, CTRL) | 1u << 26);
    g_assert_cmphex(r32(g, IMS), ==, 0);
    g_assert_cmphex(r32(g, CTRL), ==, 0x00100241);
    g_assert_cmphex(r32(g, STATUS), ==, 0x00080683);                /* GIO, PHYRA, ASDV and speed 1000, up, full */
    w32(g, STATUS, 0);
    g_assert_cmphex(r32(g, STATUS), ==, 0x00080283);                /* PHYRA is the one bit that can be written */
    w32(g, CTRL, r32(g, CTRL) | 4);                                 /* no bus mastering */
    g_assert_cmphex(r32(g, STATUS) & 1 << 19, ==, 0);
    rig_eth(rig_ram(g, TX_BUF), 100, rig_other, 0x88B5, 1);
    tx_start(g);
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_assert_cmpuint(g->peer->total, ==, 0);
    w32(g, CTRL, r32(g, CTRL) & ~4u);
    g_assert_cmpuint(g->peer->total, ==, 1);
    assert_alive(g);
    rig_free(g);
}

/* 10.2.2.3, 10.2.2.4, 10.2.2.16, 6.1; 10.2.8: semaphores */
static uint16_t nvm_read(struct rig *g, unsigned word)
{
    w32(g, EERD, word << 2 | 1);
    g_assert_cmphex(r32(g, EERD) & 0xFFFF, ==, word << 2 | 2);
    return r32(g, EERD) >> 16;
}

static void test_nvm(void)
{
    struct rig *g = rig_new("e1000e");
    uint16_t sum = 0;

    g_assert_cmphex(r32(g, EECD) & 0x300, ==, 0x300);               /* present, read */
    g_assert_cmphex(r32(g, 0x1010) & 1 << 18, ==, 1 << 18);         /* EEMNGCTL: configuration done */
    for (unsigned i = 0; i < 64; i++) {
        sum += nvm_read(g, i);
    }
    g_assert_cmphex(sum, ==, 0xBABA);
    g_assert_cmphex(nvm_read(g, 1), ==, ld_le16(rig_mac + 2));
    g_assert_cmphex(nvm_read(g, 0x0D), ==, 0x10D3);
    g_assert_cmphex(nvm_read(g, 0x0F) & 0x6000, ==, 0);             /* no manageability */
    g_assert_cmphex(nvm_read(g, 64), ==, 0xFFFF);
    g_assert_cmphex(nvm_read(g, 0x3FFF), ==, 0xFFFF);
    w32(g, EEWR, 0x78560000 | 2 << 2 | 1);
    g_assert_cmphex(r32(g, EEWR) & 3, ==, 2);
    g_assert_cmphex(nvm_read(g, 2), ==, 0x7856);
    w32(g, EEWR, 0x11110000 | 2 << 2);                              /* no START: nothing */
    w32(g, EEWR, 0x11110000 | 0x3FFF << 2 | 1);                     /* no such word */
    g_assert_cmphex(nvm_read(g, 2), ==, 0x7856);
    w32(g, CTRL, 1u << 26);
    g_assert_cmphex(r32(g, RAH), ==, 0x80007856);

    g_assert_cmphex(r32(g, SWSM) & 1, ==, 0);                       /* taken by reading */
    g_assert_cmphex(r32(g, SWSM) & 1, ==, 1);
    w32(g, SWSM, 0);
    g_assert_cmphex(r32(g, SWSM) & 1, ==, 0);
    w32(g, 0x0F00, 1 << 5 | 8);                                     /* MDIO ownership: granted */
    g_assert_cmphex(r32(g, 0x0F00) & 1 << 5, ==, 1 << 5);
    rig_free(g);
}

/* 8: pages by register 22 */
static void test_phy(void)
{
    struct rig *g = rig_new("e1000e");

    g_assert_cmphex(phy_read(g, 2), ==, 0x0141);
    g_assert_cmphex(phy_read(g, 3), ==, 0x0CB1);
    phy_write(g, 22, 2);
    g_assert_cmphex(phy_read(g, 22), ==, 2);
    g_assert_cmphex(phy_read(g, 21), ==, 0x1046);
    g_assert_cmphex(phy_read(g, 3), ==, 0x0CB1);                    /* below 16: the same on every page */
    phy_write(g, 21, 0x1045);
    phy_write(g, 22, 769);
    phy_write(g, 17, 0x0010);
    phy_write(g, 22, 55);                                           /* nothing there */
    g_assert_cmphex(phy_read(g, 21), ==, 0);
    phy_write(g, 21, 0x5555);
    phy_write(g, 22, 2);
    g_assert_cmphex(phy_read(g, 21), ==, 0x1045);
    phy_write(g, 22, 0);
    g_assert_cmphex(phy_read(g, 17) >> 10, ==, 0x2F);
    w32(g, IMS, ICR_LSC);
    phy_write(g, 0, 0x1340);
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    w32(g, CTRL, r32(g, CTRL) | 1u << 31);                          /* PHY reset: its pages too */
    w32(g, CTRL, r32(g, CTRL) & ~(1u << 31));
    phy_write(g, 22, 2);
    g_assert_cmphex(phy_read(g, 21), ==, 0x1046);
    rig_free(g);
}

/* ---- interrupts: 7.4, 10.2.4 ---- */

static void test_icr_rules(void)
{
    struct rig *g = rig_new("e1000e");

    w32(g, ICS, ICR_LSC);
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);                      /* all masked: a read clears */
    g_assert_cmphex(r32(g, ICR), ==, 0);
    w32(g, IMS, ICR_RXT0);
    w32(g, ICS, ICR_LSC);
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);                      /* nothing asserted: a read takes nothing */
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);
    w32(g, ICS, ICR_RXT0);
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, ICR), ==, ICR_ASSERTED | ICR_LSC | ICR_RXT0);
    g_assert_cmphex(r32(g, ICR), ==, 0);
    g_assert_false(g->irq);
    g_assert_cmphex(r32(g, IMS), ==, ICR_RXT0);                     /* no auto-mask without IAME */

    w32(g, IAM, ICR_RXT0);
    w32(g, CTRL_EXT, IAME);
    w32(g, IMS, ICR_RXT0 | ICR_TXDW);
    w32(g, ICS, ICR_RXT0);
    g_assert_cmphex(r32(g, ICR), ==, ICR_ASSERTED | ICR_RXT0);
    g_assert_cmphex(r32(g, IMS), ==, ICR_TXDW);                     /* IAM went to IMC */
    w32(g, IMS, ICR_RXT0);
    w32(g, ICS, ICR_RXT0);
    w32(g, ICR, ICR_RXT0);                                          /* write to clear does the same */
    g_assert_cmphex(r32(g, IMS), ==, ICR_TXDW);
    g_assert_false(g->irq);
    phy_write(g, 0, 0x1340);                                        /* a real LSC sets OTHER too */
    g_assert_cmphex(r32(g, ICR) & (ICR_LSC | ICR_OTHER), ==, ICR_LSC | ICR_OTHER);
    rig_free(g);
}

static void test_msi(void)
{
    struct rig *g = rig_new("e1000e");

    rig_config_set(g, MSI_CAP + 4, 0xFEE01000, 4);
    rig_config_set(g, MSI_CAP + 12, 0x1234, 2);
    rig_config_set(g, MSI_CAP + 2, 1, 2);
    w32(g, IMS, ICR_LSC);
    w32(g, ICS, ICR_LSC);
    g_assert_cmpuint(g->msis, ==, 1);
    g_assert_cmphex(g->msi[0].data, ==, 0x1234);
    g_assert_false(g->irq);                                         /* the pin stays where it is */
    w32(g, ICS, ICR_LSC);
    g_assert_cmpuint(g->msis, ==, 1);                               /* still asserted: no second one */
    r32(g, ICR);
    w32(g, ICS, ICR_LSC);
    g_assert_cmpuint(g->msis, ==, 2);
    w32(g, ITR, 1000);                                              /* 256 us apart */
    r32(g, ICR);
    w32(g, ICS, ICR_LSC);
    r32(g, ICR);
    w32(g, ICS, ICR_LSC);
    g_assert_cmpuint(g->msis, ==, 3);
    rig_step(300 * NS_PER_US);
    g_assert_cmpuint(g->msis, ==, 4);
    rig_free(g);
}

/* 7.4.1: every cause to its vector, by IVAR */
static void test_msix_routing(void)
{
    static const struct {
        uint32_t cause;
        unsigned shift;
    } t[] = { { ICR_RXQ0, 0 }, { ICR_RXQ1, 4 }, { ICR_TXQ0, 8 }, { ICR_TXQ1, 12 }, { ICR_OTHER, 16 } };
    struct rig *g = rig_new("e1000e");
    unsigned v;

    msix_on(g);
    w32(g, IMS, ~0u);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        for (unsigned vec = 0; vec < 5; vec++) {
            w32(g, IVAR, (8u | vec) << t[i].shift);
            w32(g, ICS, t[i].cause);
            g_assert_cmpuint(msix_count(g, &v), ==, 1);
            g_assert_cmpuint(v, ==, vec);
        }
        w32(g, IVAR, 3u << t[i].shift);                             /* not valid */
        w32(g, ICS, t[i].cause);
        w32(g, IVAR, 15u << t[i].shift);                            /* no such vector */
        w32(g, ICS, t[i].cause);
        g_assert_cmpuint(msix_count(g, NULL), ==, 0);
    }
    g_assert_false(g->irq);
    w32(g, IVAR, IVAR_PLAIN);
    w32(g, ICR, ~0u);
    w32(g, IMC, ICR_RXQ0);
    w32(g, ICS, ICR_RXQ0);
    g_assert_cmpuint(msix_count(g, NULL), ==, 0);
    w32(g, IMS, ICR_RXQ0);                                          /* happened while masked: comes now */
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    g_assert_cmpuint(v, ==, 0);
    w32(g, ICR, ~0u);
    msix_off(g);                                                    /* the line takes over */
    w32(g, ICS, ICR_RXQ0);
    g_assert_true(g->irq);
    msix_on(g);
    g_assert_false(g->irq);
    rig_free(g);
}

/* 10.2.4.7 EIAC, 10.2.2.5 EIAME, PBA_CLR */
static void test_msix_auto(void)
{
    struct rig *g = rig_new("e1000e");

    msix_on(g);
    w32(g, IVAR, IVAR_PLAIN);
    w32(g, IMS, ICR_RXQ0 | ICR_TXQ0 | ICR_OTHER | ICR_LSC);
    w32(g, EIAC, ICR_RXQ0);
    w32(g, ICS, ICR_RXQ0 | ICR_TXQ0);
    g_assert_cmpuint(msix_count(g, NULL), ==, 2);
    g_assert_cmphex(r32(g, IMS), ==, ICR_TXQ0 | ICR_OTHER | ICR_LSC);   /* RXQ0 left IMS and ICR */
    g_assert_cmphex(r32(g, ICR), ==, ICR_ASSERTED | ICR_TXQ0);
    w32(g, ICS, ICR_RXQ0);
    g_assert_cmpuint(msix_count(g, NULL), ==, 0);                   /* masked until the driver is done */
    w32(g, IMS, ICR_RXQ0);
    g_assert_cmpuint(msix_count(g, NULL), ==, 1);

    w32(g, EIAC, 0);
    w32(g, IAM, ~0u);
    w32(g, CTRL_EXT, EIAME);
    w32(g, ICS, ICR_TXQ0);
    g_assert_cmphex(r32(g, IMS), ==, ICR_OTHER | ICR_LSC);          /* only what belongs to the message */
    phy_write(g, 0, 0x1340);
    g_assert_cmpuint(msix_count(g, NULL), ==, 2);
    g_assert_cmphex(r32(g, IMS), ==, ICR_LSC);
    g_assert_cmphex(r32(g, ICR) & ICR_ASSERTED, ==, ICR_ASSERTED);  /* LSC is enabled and there */

    w32(g, CTRL_EXT, PBA_CLR);
    w32(g, IMC, ~0u);
    w32(g, ICR, ~0u);
    w32(g, IMS, ICR_RXQ0);
    space_write(&g->as, MSIX_TABLE + 12, 1, 4);                     /* vector 0 masked in the table */
    w32(g, ICS, ICR_RXQ0);
    g_assert_cmphex(space_read(&g->as, MSIX_PBA, 4) & 1, ==, 1);
    w32(g, ICR, ~0u);
    w32(g, IMS, ICR_RXQ0);                                          /* takes the pending bit back */
    g_assert_cmphex(space_read(&g->as, MSIX_PBA, 4) & 1, ==, 0);
    space_write(&g->as, MSIX_TABLE + 12, 0, 4);
    g_assert_cmpuint(msix_count(g, NULL), ==, 0);
    rig_free(g);
}

/* 10.2.4.10: EITR holds each vector by itself */
static void test_eitr(void)
{
    struct rig *g = rig_new("e1000e");
    unsigned v;

    msix_on(g);
    w32(g, IVAR, IVAR_PLAIN);
    w32(g, IMS, ICR_RXQ0 | ICR_TXQ0);
    w32(g, EITR, 1000);                                             /* vector 0: 256 us */
    w32(g, ICS, ICR_RXQ0);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    w32(g, ICS, ICR_RXQ0);
    w32(g, ICS, ICR_RXQ0);
    g_assert_cmpuint(msix_count(g, &v), ==, 0);
    w32(g, ICS, ICR_TXQ0);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);                     /* vector 2 is free */
    g_assert_cmpuint(v, ==, 2);
    rig_step(200 * NS_PER_US);
    g_assert_cmpuint(msix_count(g, &v), ==, 0);
    rig_step(60 * NS_PER_US);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    g_assert_cmpuint(v, ==, 0);
    w32(g, ICS, ICR_RXQ0);
    w32(g, ICR, ICR_RXQ0);                                          /* taken back while held: nothing comes */
    rig_step(NS_PER_MS);
    g_assert_cmpuint(msix_count(g, &v), ==, 0);
    rig_free(g);
}

/* Real events: receive, transmit with and without IDE, IVAR bit 31, small packets, acknowledgements */
static void test_msix_traffic(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[200];
    unsigned v;

    msix_on(g);
    w32(g, IVAR, IVAR_PLAIN);
    w32(g, IMS, ICR_RXQ0 | ICR_TXQ0);
    rig_eth(p, 200, rig_mac, 0x88B5, 1);
    rig_eth(rig_ram(g, TX_BUF), 200, rig_other, 0x88B5, 1);
    rx_ext_start(g, 0);
    tx_start(g);
    rig_rx(g, p, 200);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    g_assert_cmpuint(v, ==, 0);
    g_assert_cmphex(r32(g, ICR) & (ICR_RXQ0 | ICR_RXT0), ==, ICR_RXQ0 | ICR_RXT0);
    for (unsigned i = 0; i < 10; i++) {                             /* a batch: one message */
        tx_legacy(g, TX_BUF, 200, EOP | IFCS | RS, 0, 0, 0);
    }
    tx_go(g);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    g_assert_cmpuint(v, ==, 2);
    w32(g, TIDV, 100);
    w32(g, TADV, 200);
    tx_legacy(g, TX_BUF, 200, EOP | IFCS | RS | IDE, 0, 0, 0);
    tx_go(g);
    g_assert_cmpuint(msix_count(g, &v), ==, 0);
    rig_step(110 * NS_PER_US);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    w32(g, IVAR, IVAR_PLAIN | 1u << 31);                            /* every write-back, at once; and not again later */
    tx_legacy(g, TX_BUF, 200, EOP | IFCS | RS | IDE, 0, 0, 0);
    tx_go(g);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    rig_step(NS_PER_MS);
    g_assert_cmpuint(msix_count(g, &v), ==, 0);

    w32(g, RDTR, 100);
    rig_rx(g, p, 200);
    g_assert_cmpuint(msix_count(g, &v), ==, 0);
    rig_step(110 * NS_PER_US);
    g_assert_cmpuint(msix_count(g, &v), ==, 1);
    w32(g, RDTR, 0);

    w32(g, IMS, ICR_OTHER);
    w32(g, RSRPD, 200);                                             /* 10.2.5.13 */
    rig_rx(g, p, 200);
    g_assert_cmphex(r32(g, ICR) & 1 << 16, ==, 1 << 16);
    w32(g, RSRPD, 0);
    msix_count(g, NULL);
    rig_rx(g, p, rig_tcp4(p, 0, true));                             /* 7.4.2.4: a TCP acknowledgement */
    g_assert_cmphex(r32(g, ICR) & ICR_ACK, ==, ICR_ACK);
    w32(g, RFCTL, RFCTL_EXSTEN | 1 << 12);
    w32(g, ICR, ~0u);
    rig_rx(g, p, rig_tcp4(p, 0, true));
    g_assert_cmphex(r32(g, ICR) & ICR_ACK, ==, 0);
    rig_free(g);
}

/* 10.2.2.5 INT_TIMERS_CLEAR_ENA: masking starts the waits anew */
static void test_timers_clear(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t p[200];

    rig_eth(p, 200, rig_mac, 0x88B5, 1);
    for (unsigned on = 0; on < 2; on++) {
        rx_ext_start(g, 0);
        w32(g, CTRL_EXT, on << 29);
        w32(g, RDTR, 100);
        w32(g, IMS, ICR_RXT0);
        rig_rx(g, p, 200);
        rig_step(90 * NS_PER_US);
        w32(g, IMC, ICR_RXT0);
        w32(g, IMS, ICR_RXT0);
        rig_step(50 * NS_PER_US);
        g_assert_cmpint(g->irq, ==, !on);
        rig_step(100 * NS_PER_US);
        g_assert_true(g->irq);
        r32(g, ICR);
    }
    rig_free(g);
}

/* ---- time stamps: 7.7, 10.2.10 ---- */

static uint64_t systim(struct rig *g)
{
    uint32_t low = r32(g, SYSTIML);

    return low | (uint64_t)r32(g, SYSTIMH) << 32;
}

static void test_systim(void)
{
    struct rig *g = rig_new("e1000e");
    uint64_t t;

    rig_step(NS_PER_MS);
    g_assert_cmpuint(systim(g), ==, 0);                             /* TIMINCA 0: it stands */
    w32(g, TIMINCA, 1u << 24 | 40 << 10);                           /* 40 << 10 every 40 ns: ns with 10 fraction bits */
    rig_step(1000);
    g_assert_cmpuint(systim(g), ==, 1000u << 10);
    w32(g, TIMINCA, 2u << 24 | 100);                                /* slower from here on */
    rig_step(8000);
    g_assert_cmpuint(systim(g), ==, (1000u << 10) + 100 * 100);
    w32(g, SYSTIML, 0xFFFFFFFF);
    w32(g, SYSTIMH, 7);
    rig_step(80);
    t = systim(g);
    g_assert_cmphex(t, ==, 0x7FFFFFFFFull + 100);                   /* carries over */
    w32(g, TIMADJL, 50);
    w32(g, TIMADJH, 0x80000000);
    g_assert_cmphex(systim(g), ==, t - 50);
    w32(g, TIMADJH, 1);
    g_assert_cmphex(systim(g), ==, t + (1ull << 32));
    r32(g, SYSTIML);
    rig_step(NS_PER_SEC * 4000);
    g_assert_cmphex(r32(g, SYSTIMH), ==, (t + (1ull << 32)) >> 32); /* held until SYSTIML is read */
    rig_free(g);
}

static size_t ptp_frame(uint8_t *p, bool udp, unsigned version, unsigned msg, unsigned seq)
{
    uint8_t *h;

    if (udp) {
        rig_udp4(p, 60, true);
        st_be16(p + 36, 319);
        h = p + 42;
    } else {
        rig_eth(p, 80, rig_mac, 0x88F7, 1);
        h = p + 14;
    }
    memset(h, 0, 44);
    h[0] = version == 2 ? msg : 0;
    h[1] = version;
    h[32] = version == 1 ? msg : 0;
    for (unsigned i = 0; i < 6; i++) {
        h[(version == 2 ? 20 : 22) + i] = 0xA0 + i;
    }
    st_be16(h + 30, seq);
    return udp ? 102 : 80;
}

static void test_rx_stamp(void)
{
    static const struct {
        unsigned type, cfg;             /* TSYNCRXCTL type; RXCFGL 31:24 V2 message, 23:16 V1 control */
        bool udp;
        unsigned version, msg;
        bool stamp;
    } t[] = {
        { 0, 0x0000, false, 2, 0, true },  { 0, 0x0000, true, 2, 0, false },  { 0, 0x0000, false, 2, 1, false },
        { 0, 0x0000, false, 2, 2, true },  { 0, 0x0100, false, 2, 1, true },  { 0, 0x0000, false, 1, 0, false },
        { 1, 0x0000, true, 1, 0, true },   { 1, 0x0001, true, 1, 1, true },   { 1, 0x0001, true, 1, 0, false },
        { 1, 0x0000, true, 2, 0, false },  { 2, 0x0000, true, 2, 0, true },   { 2, 0x0000, false, 2, 0, true },
        { 2, 0x0000, true, 2, 8, false },  { 5, 0x0000, true, 2, 7, true },   { 5, 0x0000, true, 2, 8, false },
        { 3, 0x0000, true, 2, 0, false },
    };
    struct rig *g = rig_new("e1000e");
    uint8_t p[128];
    size_t len;

    w32(g, TIMINCA, 1u << 24 | 40);
    rx_ext_start(g, 0);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        w32(g, TSYNCRXCTL, 0x10 | t[i].type << 1);
        w32(g, RXCFGL, 0x88F7 | t[i].cfg << 16);
        rig_step(4000);
        len = ptp_frame(p, t[i].udp, t[i].version, t[i].msg, 0x1200 + i);
        rig_rx(g, p, len);
        g_assert_cmphex(rxe_desc(g, 0, i, false).status >> 8 & 1, ==, t[i].stamp);
        g_assert_cmphex(r32(g, TSYNCRXCTL) & 1, ==, t[i].stamp);
        if (t[i].stamp) {
            uint32_t now = r32(g, SYSTIML);

            rig_step(4000);
            rig_rx(g, p, len);                                      /* a second one does not overwrite it */
            g_assert_cmphex(r32(g, RXSTMPL), ==, now);
            g_assert_cmphex(r32(g, RXSATRL), ==, 0xA3A2A1A0);
            g_assert_cmphex(r32(g, RXSATRH), ==, (0x1200u + i) << 16 | 0xA5A4);
            r32(g, RXSTMPH);
            g_assert_cmphex(r32(g, TSYNCRXCTL) & 1, ==, 0);
            w32(g, RCTL, 0);
        }
        rx_ext_start(g, 0);                                         /* descriptor i is next */
        w32(g, RDH, i + 1);
        w32(g, RDT, i);
    }
    w32(g, TSYNCRXCTL, 0x10 | 4 << 1);                              /* all packets */
    rig_eth(p, 80, rig_mac, 0x88B5, 1);
    rig_rx(g, p, 80);
    g_assert_cmphex(r32(g, TSYNCRXCTL) & 1, ==, 1);
    rig_free(g);
}

static void test_tx_stamp(void)
{
    struct rig *g = rig_new("e1000e");

    w32(g, TIMINCA, 1u << 24 | 40);
    rig_eth(rig_ram(g, TX_BUF), 100, rig_other, 0x88F7, 1);
    tx_start(g);
    rig_step(400000);
    tx_put(g, TX_BUF, 100 | 1u << 20 | (uint64_t)(EOP | IFCS | RS | DEXT) << 24 | 1ull << 36);
    tx_go(g);
    g_assert_cmphex(r32(g, TSYNCTXCTL) & 1, ==, 0);                 /* not enabled */
    w32(g, TSYNCTXCTL, 0x10);
    tx_data(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0);
    tx_go(g);
    g_assert_cmphex(r32(g, TSYNCTXCTL) & 1, ==, 0);                 /* not asked for */
    tx_put(g, TX_BUF, 100 | 1u << 20 | (uint64_t)(EOP | IFCS | RS | DEXT) << 24 | 1ull << 36);
    tx_go(g);
    g_assert_cmphex(r32(g, TSYNCTXCTL), ==, 0x11);
    g_assert_cmpuint(r32(g, TXSTMPL), ==, 400000);
    r32(g, TXSTMPH);
    g_assert_cmphex(r32(g, TSYNCTXCTL), ==, 0x10);
    g_assert_cmpuint(g->peer->total, ==, 3);
    rig_free(g);
}

/* ---- power: 5.4 ---- */

static void test_power(void)
{
    struct rig *g = rig_new("e1000e");

    w32(g, VET, 0x1234);
    w32(g, 0x5808, 0x7F);                                           /* WUFC is stored */
    rig_config_set(g, 0xC8 + 4, 3, 2);                              /* D3hot */
    g_assert_cmphex(space_read(&g->as, RIG_MMIO + VET, 4), ==, 0xFFFFFFFF);
    rig_config_set(g, 0xC8 + 4, 0, 2);
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    g_assert_cmphex(r32(g, VET), ==, 0x8100);                       /* came back as after a reset */
    assert_alive(g);
    rig_free(g);
}

/* ---- ethtool -t: what Linux's e1000e does ---- */

static void test_linux_registers(void)
{
    static const struct {
        uint32_t off, mask, write;
    } pat[] = {
        { 0x28, ~0u, ~0u }, { 0x2C, 0xFFFF, ~0u }, { 0x30, 0xFFFF, ~0u }, { 0x38, 0xFFFF, ~0u }, { RDTR, 0xFFFF, ~0u },
        { RDBAH, ~0u, ~0u }, { RDLEN, 0xFFF80, 0xFFFFF }, { RDH, 0xFFFF, 0xFFFF }, { RDT, 0xFFFF, 0xFFFF },
        { 0x2168, 0xFFF8, 0xFFF8 }, { 0x170, 0xFFFF, 0xFFFF }, { 0x410, 0x3FFFFFFF, 0x3FFFFFFF }, { TDBAH, ~0u, ~0u },
        { TDLEN, 0xFFF80, 0xFFFFF }, { RDBAL, 0xFFFFFFF0, ~0u }, { 0x178, 0xC000FFFF, 0xFFFF },
        { TDBAL, 0xFFFFFFF0, ~0u }, { TIDV, 0xFFFF, 0xFFFF },
    };
    static const uint32_t values[] = { 0x5A5A5A5A, 0xA5A5A5A5, 0x00000000, 0xFFFFFFFF };
    static const struct {
        uint32_t off, mask, write;
    } set[] = { { RCTL, ~0u, 0 }, { RCTL, 0x06DFB3FE, 0x003FFFFB }, { TCTL, ~0u, 0 }, { RCTL, 0x06DFB3FE, ~0u } };
    struct rig *g = rig_new("e1000e");
    uint32_t before = r32(g, STATUS) & 0x7FFFF033;

    w32(g, STATUS, 0x7FFFF033);
    g_assert_cmphex(r32(g, STATUS) & 0x7FFFF033, ==, before);
    for (unsigned i = 0; i < ARRAY_LEN(pat) + 16 + 128; i++) {
        bool rah = i >= ARRAY_LEN(pat) && i < ARRAY_LEN(pat) + 16, mta = i >= ARRAY_LEN(pat) + 16;
        unsigned k = i - ARRAY_LEN(pat);
        uint32_t off = rah ? RAH + 8 * k : mta ? MTA + 4 * (k - 16) : pat[i].off;
        uint32_t mask = rah ? 0x8003FFFF : mta ? ~0u : pat[i].mask, write = rah || mta ? ~0u : pat[i].write;

        for (unsigned v = 0; v < 4; v++) {
            w32(g, off, values[v] & write);
            g_assert_cmphex(r32(g, off), ==, values[v] & write & mask);
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        w32(g, set[i].off, set[i].write & set[i].mask);
        g_assert_cmphex(r32(g, set[i].off) & set[i].mask, ==, set[i].write & set[i].mask);
    }
    assert_alive(g);
    rig_free(g);
}

static void test_linux_interrupts(void)
{
    struct rig *g = rig_new("e1000e");

    w32(g, IMC, ~0u);
    for (unsigned i = 0; i < 10; i++) {
        uint32_t mask = 1u << i;

        w32(g, IMC, mask);
        w32(g, ICS, mask);
        g_assert_false(g->irq);
        w32(g, IMS, mask);
        w32(g, ICS, mask);
        g_assert_true(g->irq);
        g_assert_cmphex(r32(g, ICR) & mask, ==, mask);
        g_assert_false(g->irq);
        w32(g, IMC, ~mask & 0x7FFF);
        w32(g, ICS, ~mask & 0x7FFF);
        g_assert_false(g->irq);
        w32(g, IMC, ~0u);
        r32(g, ICR);
    }
    rig_free(g);
}

static void test_linux_loopback(void)
{
    struct rig *g = rig_new("e1000e");
    uint8_t *p = rig_ram(g, TX_BUF);

    phy_write(g, 22, 2);
    phy_write(g, 21, (phy_read(g, 21) & ~7) | 6);
    phy_write(g, 22, 0);
    phy_write(g, 0, phy_read(g, 0) | 0x8000);
    for (unsigned i = 0; i < 3; i++) {
        static const uint16_t force[][3] = { { 769, 16, 0x000C }, { 776, 16, 0x0040 }, { 769, 20, 0x0400 } };

        phy_write(g, 22, force[i][0]);
        phy_write(g, force[i][1], phy_read(g, force[i][1]) | force[i][2]);
    }
    phy_write(g, 22, 0);
    phy_write(g, 0, 0x4140);
    rig_step(250 * NS_PER_MS);
    w32(g, CTRL, (r32(g, CTRL) & ~0x300u) | 0x1A01);
    memset(p, 0xFF, 512);
    memset(p + 512, 0xAA, 511);
    p[522] = 0xBE;
    p[524] = 0xAF;
    tx_start(g);
    rx_start_ring(g, 64, 63, RCTL_BAM | RCTL_UPE | RCTL_MPE | RCTL_LPE | RCTL_SBP | RCTL_SECRC);
    for (unsigned i = 0; i < 60; i++) {
        tx_legacy(g, TX_BUF, 1024, EOP | IFCS | RS, 0, 0, 0);
    }
    tx_go(g);
    g_assert_cmpuint(g->peer->total, ==, 0);
    g_assert_cmpuint(r32(g, RDH), ==, 60);
    g_assert_cmpmem(rx_desc(g, 59).data, 1024, p, 1024);
    phy_write(g, 0, 0x0140);                                        /* the cleanup of the test */
    phy_write(g, 0, 0x9140);
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    assert_alive(g);
    rig_free(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/e1000e/registers", test_walk);
    g_test_add_func("/e1000e/ids", test_ids);
    g_test_add_func("/e1000e/reset-and-status", test_reset_and_status);
    g_test_add_func("/e1000e/nvm", test_nvm);
    g_test_add_func("/e1000e/phy", test_phy);
    g_test_add_func("/e1000e/intr/icr-rules", test_icr_rules);
    g_test_add_func("/e1000e/intr/msi", test_msi);
    g_test_add_func("/e1000e/intr/msix-routing", test_msix_routing);
    g_test_add_func("/e1000e/intr/msix-auto", test_msix_auto);
    g_test_add_func("/e1000e/intr/eitr", test_eitr);
    g_test_add_func("/e1000e/intr/msix-traffic", test_msix_traffic);
    g_test_add_func("/e1000e/intr/timers-clear", test_timers_clear);
    g_test_add_func("/e1000e/tsync/systim", test_systim);
    g_test_add_func("/e1000e/tsync/rx", test_rx_stamp);
    g_test_add_func("/e1000e/tsync/tx", test_tx_stamp);
    g_test_add_func("/e1000e/power", test_power);
    g_test_add_func("/e1000e/ethtool-t/registers", test_linux_registers);
    g_test_add_func("/e1000e/ethtool-t/interrupts", test_linux_interrupts);
    g_test_add_func("/e1000e/ethtool-t/loopback", test_linux_loopback);
    return g_test_run();
}
