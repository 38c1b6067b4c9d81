/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/e1000_bench.h - registers, descriptors and rings of an 8254x on the bench of nic_rig.h (8254x SDM, 317453)
 *
 * One transmit ring at TX_RING and one receive ring at RX_RING; the test puts descriptors and says tx_go().
 */
#ifndef TESTS_E1000_BENCH_H
#define TESTS_E1000_BENCH_H

#include "tests/lib/nic_rig.h"

#include <string.h>

enum {
    CTRL = 0x0000, STATUS = 0x0008, EECD = 0x0010, EERD = 0x0014, MDIC = 0x0020, VET = 0x38, ICR = 0x00C0, ITR = 0x00C4,
    ICS = 0x00C8, IMS = 0x00D0, IMC = 0x00D8, RCTL = 0x0100, TCTL = 0x0400, RDBAL = 0x2800, RDBAH = 0x2804,
    RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818, RDTR = 0x2820, RADV = 0x282C, TDBAL = 0x3800, TDBAH = 0x3804,
    TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, TIDV = 0x3820, TADV = 0x382C, RXCSUM = 0x5000, MTA = 0x5200,
    RAL = 0x5400, RAH = 0x5404, VFTA = 0x5600,
};
enum { RCTL_EN = 2, RCTL_SBP = 4, RCTL_UPE = 8, RCTL_MPE = 16, RCTL_LPE = 32, RCTL_LBM = 64, RCTL_BAM = 1 << 15,
       RCTL_VFE = 1 << 18, RCTL_BSEX = 1 << 25, RCTL_SECRC = 1 << 26 };
enum { ICR_TXDW = 1, ICR_TXQE = 2, ICR_LSC = 4, ICR_RXDMT0 = 16, ICR_RXO = 64, ICR_RXT0 = 128 };
enum { EOP = 1, IFCS = 2, IC = 4, TSE = 4, RS = 8, DEXT = 32, VLE = 64, IDE = 128 };
enum { TX_RING = 0x10000, RX_RING = 0x20000, TX_BUF = 0x100000, RX_BUF = 0x400000, RX_BUF_STEP = 0x4000 };
enum { RING_LEN = 64 };             /* descriptors */

/* ---- driving it ---- */

static unsigned tx_tail;        /* of the test program: where the next descriptor goes */

static inline void tx_start_ring(struct rig *g, unsigned bytes)
{
    tx_tail = 0;
    w32(g, TDBAL, TX_RING);
    w32(g, TDBAH, 0);
    w32(g, TDLEN, bytes);
    w32(g, TDH, 0);
    w32(g, TDT, 0);
    w32(g, TCTL, 2);
}

static inline void tx_start(struct rig *g)
{
    tx_start_ring(g, RING_LEN * 16);
}

static inline void tx_put(struct rig *g, uint64_t a, uint64_t b)
{
    uint8_t *d = rig_ram(g, TX_RING + tx_tail * 16);

    st_le64(d, a);
    st_le64(d + 8, b);
    tx_tail = (tx_tail + 1) % RING_LEN;
}

static inline void tx_legacy(struct rig *g, uint64_t addr, unsigned len, unsigned cmd, unsigned cso, unsigned css,
                      unsigned special)
{
    tx_put(g, addr, len | cso << 16 | (uint64_t)cmd << 24 | (uint64_t)css << 40 | (uint64_t)special << 48);
}

static inline void tx_data(struct rig *g, uint64_t addr, unsigned len, unsigned cmd, unsigned popts, unsigned special)
{
    tx_put(g, addr, len | 1u << 20 | (uint64_t)(cmd | DEXT) << 24 | (uint64_t)popts << 40 | (uint64_t)special << 48);
}

struct ctx {
    unsigned ipcss, ipcso, ipcse, tucss, tucso, tucse, paylen, cmd, hdrlen, mss;
};

static inline void tx_context(struct rig *g, const struct ctx *c)
{
    tx_put(g, c->ipcss | c->ipcso << 8 | c->ipcse << 16 | (uint64_t)c->tucss << 32 | (uint64_t)c->tucso << 40 |
              (uint64_t)c->tucse << 48,
           c->paylen | (uint64_t)(c->cmd | DEXT) << 24 | (uint64_t)c->hdrlen << 40 | (uint64_t)c->mss << 48);
}

static inline void tx_go(struct rig *g)
{
    w32(g, TDT, tx_tail);
}

static inline uint8_t tx_status(struct rig *g, unsigned i)
{
    return *rig_ram(g, TX_RING + i * 16 + 12) & 0xF;
}

static inline void rx_start_ring(struct rig *g, unsigned descs, unsigned posted, uint32_t rctl)
{
    for (unsigned i = 0; i < descs; i++) {
        memset(rig_ram(g, RX_RING + i * 16), 0, 16);
        st_le64(rig_ram(g, RX_RING + i * 16), RX_BUF + i * RX_BUF_STEP);
        memset(rig_ram(g, RX_BUF + i * RX_BUF_STEP), 0xEE, RX_BUF_STEP);
    }
    w32(g, RCTL, 0);
    w32(g, RDBAL, RX_RING);
    w32(g, RDBAH, 0);
    w32(g, RDLEN, descs * 16);
    w32(g, RDH, 0);
    w32(g, RDT, posted);
    w32(g, RCTL, RCTL_EN | rctl);
}

static inline void rx_start(struct rig *g, uint32_t rctl)
{
    rx_start_ring(g, RING_LEN, RING_LEN - 1, rctl);
}

struct rxd {
    uint16_t len, csum;
    uint8_t status, errors;
    uint16_t special;
    const uint8_t *data;
};

static inline struct rxd rx_desc(struct rig *g, unsigned i)
{
    const uint8_t *d = rig_ram(g, RX_RING + i * 16);

    return (struct rxd){ ld_le16(d + 8), ld_le16(d + 10), d[12], d[13], ld_le16(d + 14),
                         rig_ram(g, RX_BUF + i * RX_BUF_STEP) };
}

static inline struct rig_frame *expect_sent(struct rig *g, const void *p, size_t len)
{
    struct rig_frame *f = rig_sent(g);

    g_assert_nonnull(f);
    g_assert_cmpmem(f->data, f->len, p, len);
    return f;
}

/* The device is fine: a plain frame goes out and one comes in */
static inline void assert_alive(struct rig *g)
{
    uint8_t *p = rig_ram(g, TX_BUF);

    g->peer->busy = false;
    while (g->peer->frames->len) {
        g_free(rig_sent(g));
    }
    w32(g, CTRL, 1u << 26);
    rig_eth(p, 100, rig_other, 0x88B5, 9);
    tx_start(g);
    tx_legacy(g, TX_BUF, 100, EOP | IFCS | RS, 0, 0, 0);
    tx_go(g);
    g_free(expect_sent(g, p, 100));
    rx_start(g, RCTL_BAM);
    rig_eth(p, 100, rig_mac, 0x88B5, 10);
    rig_rx(g, p, 100);
    g_assert_cmpint(rx_desc(g, 0).len, ==, 104);
    g_assert_cmpmem(rx_desc(g, 0).data, 100, p, 100);
}

static inline uint16_t phy_read(struct rig *g, unsigned reg)
{
    w32(g, MDIC, 2u << 26 | 1u << 21 | reg << 16);
    g_assert_cmphex(r32(g, MDIC) & 0x50000000, ==, 0x10000000);
    return r32(g, MDIC);
}

static inline void phy_write(struct rig *g, unsigned reg, uint16_t v)
{
    w32(g, MDIC, 1u << 26 | 1u << 21 | reg << 16 | v);
    g_assert_cmphex(r32(g, MDIC) & 0x50000000, ==, 0x10000000);
}

#endif
