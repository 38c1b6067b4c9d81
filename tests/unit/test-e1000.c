/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-e1000.c - the 8254x model on a bench: registers, EEPROM, PHY, link, interrupts, statistics, reset
 * (section numbers: 8254x SDM, 317453)
 */
#include "tests/lib/e1000_bench.h"
#include "tests/lib/reg_walk.h"

#include "hw/net/nics.h"

/* ---- registers ---- */

static void test_walk(void)
{
    static const uint32_t special[] = { RAL, RAH, CTRL, MDIC, EERD, ICR, UINT32_MAX };
    struct rig *g = rig_new("e1000");
    const struct reg *rows;
    unsigned n;

    rows = e1000_regs(&n);
    g_assert_cmpuint(reg_walk(g, rows, n, special), >, 500);
    g_assert_cmphex(r32(g, RAL), ==, ld_le32(rig_mac));
    g_assert_cmphex(r32(g, RAH), ==, 0x80000000u | ld_le16(rig_mac + 4));
    rig_free(g);
}

/* The self-test of Linux's driver (ethtool -t): register part */
static void test_linux_register_test(void)
{
    static const struct {
        uint32_t off, mask, write;
    } pat[] = {
        { 0x28, ~0u, ~0u }, { 0x2C, 0xFFFF, ~0u }, { 0x30, 0xFFFF, ~0u }, { 0x38, 0xFFFF, ~0u }, { RDTR, 0xFFFF, ~0u },
        { RDBAH, ~0u, ~0u }, { RDLEN, 0xFFF80, 0xFFFFF }, { RDH, 0xFFFF, 0xFFFF }, { RDT, 0xFFFF, 0xFFFF },
        { 0x2168, 0xFFF8, 0xFFF8 }, { 0x170, 0xFFFF, 0xFFFF }, { 0x410, 0x3FFFFFFF, 0x3FFFFFFF }, { TDBAH, ~0u, ~0u },
        { TDLEN, 0xFFF80, 0xFFFFF }, { RDBAL, 0xFFFFFFF0, ~0u }, { 0x178, 0xC000FFFF, 0xFFFF },
        { TDBAL, 0xFFFFFFF0, ~0u },
        { TIDV, 0xFFFF, 0xFFFF }, { RAH + 8 * 15, 0x8003FFFF, ~0u }, { MTA + 4 * 127, ~0u, ~0u },
    };
    static const uint32_t values[] = { 0x5A5A5A5A, 0xA5A5A5A5, 0x00000000, 0xFFFFFFFF };
    static const struct {
        uint32_t off, mask, write;
    } set[] = { { RCTL, ~0u, 0 }, { RCTL, 0x06DFB3FE, 0x003FFFFB }, { TCTL, ~0u, 0 }, { RCTL, 0x06DFB3FE, ~0u } };
    struct rig *g = rig_new("e1000");
    uint32_t status = r32(g, STATUS) & 0xFFFFF833;

    w32(g, STATUS, 0xFFFFF833);
    g_assert_cmphex(r32(g, STATUS) & 0xFFFFF833, ==, status);
    for (unsigned i = 0; i < ARRAY_LEN(pat); i++) {
        for (unsigned k = 0; k < 4; k++) {
            w32(g, pat[i].off, values[k] & pat[i].write);
            g_assert_cmphex(r32(g, pat[i].off), ==, values[k] & pat[i].write & pat[i].mask);
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        w32(g, set[i].off, set[i].write & set[i].mask);
        g_assert_cmphex(r32(g, set[i].off) & set[i].mask, ==, set[i].write & set[i].mask);
    }
    assert_alive(g);
    rig_free(g);
}

static void test_ids(void)
{
    static const struct {
        const char *type;
        uint16_t id, phy2;
    } t[] = { { "e1000", 0x100E, 0x0C20 }, { "e1000-82544gc", 0x100C, 0x0C30 }, { "e1000-82545em", 0x100F, 0x0C20 } };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct rig *g = rig_new(t[i].type);

        g_assert_cmphex(rig_config(g, 0, 4), ==, (uint32_t)t[i].id << 16 | 0x8086);
        g_assert_cmphex(rig_config(g, 0x2C, 4), ==, 0x11001AF4);
        g_assert_cmphex(rig_config(g, 8, 4) >> 8, ==, 0x020000);
        g_assert_cmphex(rig_config(g, 0x3D, 1), ==, 1);
        rig_config_set(g, PCI_BAR0, ~0u, 4);
        g_assert_cmphex(rig_config(g, PCI_BAR0, 4), ==, 0xFFFE0000);     /* 128 KiB of memory */
        rig_config_set(g, PCI_BAR0, RIG_MMIO, 4);
        rig_config_set(g, PCI_BAR0 + 4, ~0u, 4);
        g_assert_cmphex(rig_config(g, PCI_BAR0 + 4, 4), ==, 0xFFFFFFC1); /* 64 bytes of I/O */
        w32(g, MDIC, 2u << 26 | 1u << 21 | 2u << 16);
        g_assert_cmphex(r32(g, MDIC) & 0x1000FFFF, ==, 0x10000141);
        w32(g, MDIC, 2u << 26 | 1u << 21 | 3u << 16);
        g_assert_cmphex(r32(g, MDIC) & 0xFFFF, ==, t[i].phy2);
        rig_free(g);
    }
    g_assert_true(device_type_find("e1000-82540em") == device_type_find("e1000"));
}

/* 13.2.2 */
static void test_io_window(void)
{
    struct rig *g = rig_new("e1000-82544gc");

    space_write(&g->io_as, RIG_IO, VET, 4);
    space_write(&g->io_as, RIG_IO + 4, 0x1234, 4);
    g_assert_cmphex(r32(g, VET), ==, 0x1234);
    g_assert_cmphex(space_read(&g->io_as, RIG_IO + 4, 4), ==, 0x1234);
    space_write(&g->io_as, RIG_IO, CTRL, 4);            /* as Linux resets these chips */
    space_write(&g->io_as, RIG_IO + 4, 1u << 26, 4);
    g_assert_cmphex(r32(g, VET), ==, 0x8100);
    space_write(&g->io_as, RIG_IO, 0xFFFFFFFC, 4);      /* no such register */
    space_write(&g->io_as, RIG_IO + 4, ~0u, 4);
    g_assert_cmphex(space_read(&g->io_as, RIG_IO + 4, 4), ==, 0);
    rig_free(g);
}

/* ---- EEPROM: 5.6, 13.4.3, 13.4.4 ---- */

static uint32_t ee_clock(struct rig *g, bool di)
{
    uint32_t v = 2 | 1u << 6 | (di ? 4 : 0), out;

    w32(g, EECD, v);
    w32(g, EECD, v | 1);
    out = r32(g, EECD) >> 3 & 1;
    w32(g, EECD, v);
    return out;
}

static void ee_begin(struct rig *g, unsigned op, unsigned addr)
{
    w32(g, EECD, 1u << 6);
    w32(g, EECD, 1u << 6 | 2);
    for (int i = 2; i >= 0; i--) {
        ee_clock(g, op >> i & 1);
    }
    for (int i = 5; i >= 0; i--) {
        ee_clock(g, addr >> i & 1);
    }
}

static uint16_t ee_read(struct rig *g, unsigned addr)
{
    uint16_t v = 0;

    ee_begin(g, 6, addr);
    g_assert_cmpuint(r32(g, EECD) >> 3 & 1, ==, 0);     /* dummy bit */
    for (unsigned i = 0; i < 16; i++) {
        v = v << 1 | ee_clock(g, false);
    }
    w32(g, EECD, 1u << 6);
    return v;
}

static void ee_write(struct rig *g, unsigned addr, uint16_t v)
{
    ee_begin(g, 5, addr);
    for (int i = 15; i >= 0; i--) {
        ee_clock(g, v >> i & 1);
    }
    w32(g, EECD, 1u << 6);
    w32(g, EECD, 1u << 6 | 2);
    g_assert_cmpuint(r32(g, EECD) >> 3 & 1, ==, 1);     /* ready */
    w32(g, EECD, 1u << 6);
}

static void test_eeprom(void)
{
    struct rig *g = rig_new("e1000");
    uint16_t sum = 0;

    g_assert_cmphex(r32(g, EECD) & 0x380, ==, 0x100);   /* present, 64 words, not granted */
    w32(g, EECD, 1u << 6);
    g_assert_cmphex(r32(g, EECD) & 0xC0, ==, 0xC0);     /* requested: granted */
    for (unsigned i = 0; i < 64; i++) {
        uint16_t w = ee_read(g, i);

        w32(g, EERD, i << 8 | 1);
        g_assert_cmphex(r32(g, EERD), ==, (uint32_t)w << 16 | i << 8 | 0x10);
        sum += w;
        if (i < 3) {
            g_assert_cmphex(w, ==, ld_le16(rig_mac + 2 * i));
        }
    }
    g_assert_cmphex(sum, ==, 0xBABA);
    g_assert_cmphex(ee_read(g, 0x0D), ==, 0x100E);
    g_assert_cmphex(ee_read(g, 0x0E), ==, 0x8086);

    ee_write(g, 2, 0x7856);                             /* locked: nothing happens */
    g_assert_cmphex(ee_read(g, 2), ==, 0x5634);
    ee_begin(g, 4, 0x30);                               /* EWEN */
    ee_write(g, 2, 0x7856);
    g_assert_cmphex(ee_read(g, 2), ==, 0x7856);
    w32(g, CTRL, 1u << 26);
    g_assert_cmphex(r32(g, RAH), ==, 0x80007856);       /* the new address is loaded at reset */
    rig_free(g);

    g = rig_new("e1000-82544gc");                       /* has no EERD */
    w32(g, EERD, 1);
    g_assert_cmphex(r32(g, EERD), ==, 0);
    g_assert_cmphex(ee_read(g, 0), ==, ld_le16(rig_mac));
    rig_free(g);
}

/* ---- PHY and link: 13.4.6, 11 ---- */

static void test_phy(void)
{
    struct rig *g = rig_new("e1000");

    g_assert_cmphex(phy_read(g, 1) & 0x24, ==, 0x24);   /* link, negotiated */
    g_assert_cmphex(r32(g, STATUS) & 0x3C3, ==, 0x283); /* up, full duplex, 1000 */
    w32(g, MDIC, 2u << 26 | 2u << 21);                  /* nobody at address 2 */
    g_assert_cmphex(r32(g, MDIC) & 0x50000000, ==, 0x50000000);
    w32(g, IMS, ICR_LSC | 1 << 9);
    w32(g, MDIC, 2u << 26 | 1u << 21 | 1u << 29);       /* INT_EN: MDAC */
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, ICR), ==, 1 << 9);

    phy_write(g, 0, 0x1340);                            /* restart autonegotiation */
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    g_assert_cmphex(phy_read(g, 1) & 0x24, ==, 0);
    g_assert_cmphex(phy_read(g, 5), ==, 0);
    rig_step(500 * NS_PER_MS);
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    g_assert_cmphex(phy_read(g, 1) & 0x24, ==, 0x20);   /* link latches low: 802.3 22.2.4.2.13 */
    g_assert_cmphex(phy_read(g, 1) & 0x24, ==, 0x24);
    g_assert_cmphex(phy_read(g, 5) & 0x0DE0, ==, 0x0DE0);
    g_assert_cmphex(phy_read(g, 10) & 0x3800, ==, 0x3800);
    g_assert_cmphex(phy_read(g, 17) >> 10, ==, 0x2F);   /* 1000, full, page, resolved, link */

    phy_write(g, 9, 0);                                 /* no gigabit offered */
    phy_write(g, 0, 0x1340);
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 0xC3, ==, 0x43);   /* 100, full */
    phy_write(g, 0, 0x0100);                            /* forced 10, full */
    g_assert_cmphex(r32(g, STATUS) & 0xC3, ==, 0x03);
    phy_write(g, 0, 0x0900);                            /* power down */
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    phy_write(g, 0, 0x9140);
    g_assert_cmphex(phy_read(g, 0), ==, 0x1140);        /* reset clears itself */
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    w32(g, CTRL, r32(g, CTRL) | 1u << 31);              /* PHY_RST held */
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    w32(g, CTRL, r32(g, CTRL) & ~(1u << 31));
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    rig_free(g);
}

static void test_link(void)
{
    struct rig *g = rig_new("e1000");

    w32(g, IMS, ICR_LSC);
    g_assert_true(net_set_link("nic", false, NULL));
    rig_run();
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);
    g_assert_true(net_set_link("nic", true, NULL));
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    g_assert_cmphex(r32(g, ICR), ==, ICR_LSC);
    w32(g, CTRL, r32(g, CTRL) & ~(1u << 6));            /* SLU off */
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    w32(g, CTRL, r32(g, CTRL) | 1u << 6);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    g_assert_true(net_set_link("bench", false, NULL));  /* the other end counts too */
    rig_run();
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    rig_free(g);
}

/* ---- interrupts: 13.4.17-21, 3.2.7, 3.4.3 ---- */

static void test_intr(void)
{
    struct rig *g = rig_new("e1000");

    w32(g, ICS, 5);
    g_assert_false(g->irq);
    w32(g, IMS, 4);
    g_assert_true(g->irq);
    g_assert_cmpint(g->irq_line, ==, 0);                /* slot 4, INTA# */
    g_assert_cmphex(rig_config(g, PCI_STATUS, 2) & 8, ==, 8);
    w32(g, IMC, 4);
    g_assert_false(g->irq);
    g_assert_cmphex(r32(g, IMS), ==, 0);
    w32(g, IMS, 1);
    g_assert_true(g->irq);
    w32(g, ICR, 1);                                     /* write 1 to clear */
    g_assert_false(g->irq);
    g_assert_cmphex(r32(g, ICR), ==, 4);
    g_assert_cmphex(r32(g, ICR), ==, 0);
    g_assert_cmphex(r32(g, IMC), ==, 0);
    w32(g, ICS, 1);
    g_assert_true(g->irq);
    rig_config_set(g, PCI_COMMAND, 0x407, 2);           /* INTx disable */
    g_assert_false(g->irq);
    rig_config_set(g, PCI_COMMAND, 0x007, 2);
    g_assert_true(g->irq);
    r32(g, ICR);
    g_assert_false(g->irq);

    w32(g, ITR, 1000);                                  /* 256 us */
    w32(g, ICS, 1);
    g_assert_true(g->irq);
    r32(g, ICR);
    w32(g, ICS, 1);
    g_assert_false(g->irq);
    rig_step(200 * NS_PER_US);
    g_assert_false(g->irq);
    rig_step(60 * NS_PER_US);
    g_assert_true(g->irq);
    r32(g, ICR);
    w32(g, ICS, 1);
    r32(g, ICR);                                        /* polled meanwhile: no late interrupt */
    rig_step(NS_PER_MS);
    g_assert_false(g->irq);
    rig_free(g);
}

static void test_moderation(void)
{
    struct rig *g = rig_new("e1000");
    uint8_t p[100];

    rig_eth(rig_ram(g, TX_BUF), 100, rig_other, 0x88B5, 0);
    rig_eth(p, 100, rig_mac, 0x88B5, 0);
    tx_start(g);
    w32(g, TIDV, 100);                                  /* 102.4 us after the last */
    w32(g, TADV, 150);
    w32(g, IMS, ICR_TXDW | ICR_RXT0);
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS | IDE, 0, 0, 0);
    tx_go(g);
    g_assert_cmphex(tx_status(g, 0), ==, 1);
    g_assert_false(g->irq);
    rig_step(90 * NS_PER_US);
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS | IDE, 0, 0, 0);
    tx_go(g);
    rig_step(50 * NS_PER_US);                           /* 140: first one expired long ago, restarted */
    g_assert_false(g->irq);
    rig_step(20 * NS_PER_US);                           /* 160: absolute */
    g_assert_true(g->irq);
    g_assert_cmphex(r32(g, ICR) & ICR_TXDW, ==, ICR_TXDW);
    rig_step(NS_PER_MS);
    g_assert_false(g->irq);                             /* both were ended */
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_assert_true(g->irq);                              /* without IDE: at once */
    r32(g, ICR);

    rx_start(g, 0);
    w32(g, RDTR, 50);
    rig_rx(g, p, 100);
    g_assert_cmphex(rx_desc(g, 0).status & 3, ==, 3);
    g_assert_false(g->irq);
    rig_step(60 * NS_PER_US);
    g_assert_true(g->irq);
    r32(g, ICR);
    rig_rx(g, p, 100);
    w32(g, RDTR, 1u << 31 | 50);                        /* FPD: now */
    g_assert_true(g->irq);
    r32(g, ICR);
    w32(g, RDTR, 0);
    rig_rx(g, p, 100);
    g_assert_true(g->irq);
    rig_free(g);
}

/* 13.4.22 LBM; PHY loopback as Linux's self-test sets it up */
static void test_loopback(void)
{
    struct rig *g = rig_new("e1000");
    uint8_t *p = rig_ram(g, TX_BUF);

    rig_eth(p, 1024, rig_broadcast, 0xFFFF, 3);
    for (unsigned phy = 0; phy < 2; phy++) {
        w32(g, CTRL, 1u << 26);
        if (phy) {
            phy_write(g, 0, 0x9140);
            phy_write(g, 0, 0x8140);
            phy_write(g, 0, 0x4140);
        }
        tx_start(g);
        rx_start(g, RCTL_BAM | (phy ? 0 : RCTL_LBM));
        for (unsigned i = 0; i < 40; i++) {
            tx_legacy(g, TX_BUF, 1024, EOP | IFCS | RS, 0, 0, 0);
        }
        tx_go(g);
        g_assert_cmpuint(g->peer->frames->len, ==, 0);          /* nothing on the wire */
        g_assert_cmpuint(r32(g, RDH), ==, 40);
        g_assert_cmpmem(rx_desc(g, 39).data, 1024, p, 1024);
    }
    rig_free(g);
}

/* 13.7 */
static void test_stats(void)
{
    struct rig *g = rig_new("e1000");
    uint8_t *p = rig_ram(g, TX_BUF), q[128];

    tx_start(g);
    rx_start(g, RCTL_BAM | RCTL_MPE);
    rig_eth(p, 1514, rig_other, 0x88B5, 1);
    rig_eth(p + 2048, 60, rig_broadcast, 0x88B5, 1);
    tx_legacy(g, TX_BUF, 1514, EOP | IFCS, 0, 0, 0);
    tx_legacy(g, TX_BUF + 2048, 60, EOP | IFCS, 0, 0, 0);
    tx_go(g);
    rig_eth(q, 128, rig_broadcast, 0x88B5, 1);
    rig_rx(g, q, 60);
    q[0] = 1;
    rig_rx(g, q, 128);
    g_assert_cmpuint(r32(g, 0x4080), ==, 2);                    /* GPTC, and reading clears */
    g_assert_cmpuint(r32(g, 0x4080), ==, 0);
    g_assert_cmpuint(r32(g, 0x40F4), ==, 1);                    /* BPTC */
    g_assert_cmpuint(r32(g, 0x40D8), ==, 1);                    /* PTC64 */
    g_assert_cmpuint(r32(g, 0x40EC), ==, 1);                    /* PTC1522 */
    g_assert_cmpuint(r32(g, 0x4090), ==, 1518 + 64);            /* GOTCL stays until GOTCH is read */
    g_assert_cmpuint(r32(g, 0x4090), ==, 1518 + 64);
    g_assert_cmpuint(r32(g, 0x4094), ==, 0);
    r32(g, 0x4094);
    g_assert_cmpuint(r32(g, 0x4074), ==, 2);                    /* GPRC */
    g_assert_cmpuint(r32(g, 0x4078), ==, 1);                    /* BPRC */
    g_assert_cmpuint(r32(g, 0x407C), ==, 1);                    /* MPRC */
    g_assert_cmpuint(r32(g, 0x405C), ==, 1);                    /* PRC64 */
    g_assert_cmpuint(r32(g, 0x4064), ==, 1);                    /* PRC255: 132 bytes */
    g_assert_cmpuint(r32(g, 0x4088), ==, 64 + 132);
    rig_free(g);
}

/* BARs move while frames go through; sizing with decoding on; decoding and bus mastering off */
static void test_bar_moves(void)
{
    struct rig *g = rig_new("e1000");
    uint8_t *p = rig_ram(g, TX_BUF);

    tx_start(g);
    rx_start(g, RCTL_BAM);
    rig_eth(p, 100, rig_other, 0x88B5, 1);
    for (unsigned i = 0; i < 20; i++) {
        tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
        space_write(&g->as, pci_bar_addr(g->dev, 0) + TDT, tx_tail, 4);     /* bottom half still to come */
        rig_config_set(g, PCI_BAR0, ~0u, 4);
        g_assert_cmphex(rig_config(g, PCI_BAR0, 4), ==, 0xFFFE0000);
        g_assert_true(pci_bar_addr(g->dev, 0) == PCI_UNMAPPED);
        rig_config_set(g, PCI_BAR0, RIG_MMIO + i * 0x20000, 4);
        g_assert_cmphex(pci_bar_addr(g->dev, 0), ==, RIG_MMIO + i * 0x20000u);
        g_assert_cmpuint(r32(g, TDH), ==, tx_tail);
        g_assert_cmphex(space_read(&g->as, RIG_MMIO + (i + 1) * 0x20000u + STATUS, 4), ==, 0xFFFFFFFF);
    }
    g_assert_cmpuint(g->peer->frames->len, ==, 20);
    rig_config_set(g, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    g_assert_true(pci_bar_addr(g->dev, 0) == PCI_UNMAPPED);
    rig_config_set(g, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);      /* no bus master: nothing moves */
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_assert_cmpuint(g->peer->frames->len, ==, 20);
    rig_config_set(g, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    g_assert_cmpuint(g->peer->frames->len, ==, 21);             /* and goes on when it may */
    rig_free(g);
}

static void test_reset(void)
{
    struct rig *g = rig_new("e1000");
    uint8_t p[100];

    w32(g, IMS, ~0u);
    w32(g, ICS, ICR_LSC);
    w32(g, RAL, 0x11223344);
    tx_start(g);
    rx_start_ring(g, 16, 0, 0);
    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 1);
    rig_rx(g, p, sizeof(p));
    g_assert_true(g->irq);
    w32(g, CTRL, 1u << 26);
    g_assert_false(g->irq);
    g_assert_cmphex(r32(g, IMS), ==, 0);
    g_assert_cmphex(r32(g, ICR), ==, 0);
    g_assert_cmphex(r32(g, RAL), ==, ld_le32(rig_mac));
    g_assert_cmphex(r32(g, RCTL), ==, 0);
    g_assert_cmphex(r32(g, CTRL) & 1u << 26, ==, 0);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);                 /* the PHY kept its link */
    w32(g, CTRL, 1u << 31 | 1u << 26);                          /* both resets at once */
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 0);
    g_assert_cmphex(r32(g, CTRL), ==, 0x241);
    rig_step(500 * NS_PER_MS);
    g_assert_cmphex(r32(g, STATUS) & 2, ==, 2);
    assert_alive(g);
    rig_free(g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/e1000/registers", test_walk);
    g_test_add_func("/e1000/linux-register-test", test_linux_register_test);
    g_test_add_func("/e1000/ids", test_ids);
    g_test_add_func("/e1000/io-window", test_io_window);
    g_test_add_func("/e1000/eeprom", test_eeprom);
    g_test_add_func("/e1000/phy", test_phy);
    g_test_add_func("/e1000/link", test_link);
    g_test_add_func("/e1000/intr", test_intr);
    g_test_add_func("/e1000/moderation", test_moderation);
    g_test_add_func("/e1000/loopback", test_loopback);
    g_test_add_func("/e1000/stats", test_stats);
    g_test_add_func("/e1000/bar-moves", test_bar_moves);
    g_test_add_func("/e1000/reset", test_reset);
    return g_test_run();
}
