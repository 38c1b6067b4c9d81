/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/e1000e_bench.h - what an 82574 has beyond the 8254x of e1000_bench.h: two queues, extended and packet split
 * receive descriptors, vectors (82574 GbE Controller Family Datasheet)
 */
#ifndef TESTS_E1000E_BENCH_H
#define TESTS_E1000E_BENCH_H

#include "tests/lib/e1000_bench.h"

enum {
    CTRL_EXT = 0x0018, EIAC = 0x00DC, IAM = 0x00E0, IVAR = 0x00E4, EITR = 0x00E8, EEWR = 0x102C, PSRCTL = 0x2170,
    RSRPD = 0x2C00, TARC = 0x3840, RFCTL = 0x5008, MRQC = 0x5818, SWSM = 0x5B50, RETA = 0x5C00, RSSRK = 0x5C80,
    SYSTIML = 0xB600, SYSTIMH = 0xB604, TIMINCA = 0xB608, TIMADJL = 0xB60C, TIMADJH = 0xB610, TSYNCTXCTL = 0xB614,
    TXSTMPL = 0xB618, TXSTMPH = 0xB61C, TSYNCRXCTL = 0xB620, RXSTMPL = 0xB624, RXSTMPH = 0xB628, RXSATRL = 0xB62C,
    RXSATRH = 0xB630, RXCFGL = 0xB634,
};
enum { QUEUE1 = 0x100, RX_RING1 = 0x30000, TX_RING1 = 0x40000 };
enum { RCTL_DTYP_PS = 1 << 10, RFCTL_EXSTEN = 1 << 15, RXCSUM_PCSD = 1 << 13 };
enum { ICR_RXQ0 = 1 << 20, ICR_RXQ1 = 1 << 21, ICR_TXQ0 = 1 << 22, ICR_TXQ1 = 1 << 23, ICR_OTHER = 1 << 24,
       ICR_ACK = 1 << 17 };
#define ICR_ASSERTED 0x80000000u
#define EIAME (1u << 24)
#define IAME  (1u << 27)
#define PBA_CLR (1u << 31)
enum { MSIX_CAP = 0xA0, MSI_CAP = 0xD0, MSIX_TABLE = RIG_MMIO + 3 * RIG_BAR_STEP, MSIX_PBA = MSIX_TABLE + 0x2000 };
/* RXQ0 to vector 0, RXQ1 1, TXQ0 2, TXQ1 3, other 4, all valid */
enum { IVAR_PLAIN = 0x8 | 0x9 << 4 | 0xA << 8 | 0xB << 12 | 0xC << 16 };

/* ---- receive rings: queue @n at its ring, @size bytes a descriptor, buffers at RX_BUF + n * 32 * RX_BUF_STEP ---- */

static inline uint64_t rx_ring_at(unsigned queue)
{
    return queue ? RX_RING1 : RX_RING;
}

static inline uint64_t rx_buf_at(unsigned queue, unsigned i, unsigned buf)
{
    return RX_BUF + ((queue * 32 + i) * 4 + buf) * (uint64_t)RX_BUF_STEP;
}

/* @descs up to 32, each with four buffers when @split; all but one are posted */
static inline void rx_ext_ring(struct rig *g, unsigned queue, unsigned descs, bool split)
{
    unsigned size = split ? 32 : 16;

    for (unsigned i = 0; i < descs; i++) {
        uint8_t *d = rig_ram(g, rx_ring_at(queue) + i * size);

        memset(d, 0, size);
        for (unsigned b = 0; b < (split ? 4 : 1); b++) {
            st_le64(d + 8 * b, rx_buf_at(queue, i, b));
            memset(rig_ram(g, rx_buf_at(queue, i, b)), 0xEE, RX_BUF_STEP);
        }
    }
    w32(g, RDBAL + queue * QUEUE1, (uint32_t)rx_ring_at(queue));
    w32(g, RDBAH + queue * QUEUE1, 0);
    w32(g, RDLEN + queue * QUEUE1, descs * size);
    w32(g, RDH + queue * QUEUE1, 0);
    w32(g, RDT + queue * QUEUE1, (descs - 1) * (size / 16));     /* counts 16 bytes, whatever the size */
}

static inline void rx_ext_start(struct rig *g, uint32_t rctl)
{
    bool split = rctl & RCTL_DTYP_PS;

    w32(g, RCTL, 0);
    w32(g, RFCTL, RFCTL_EXSTEN);
    rx_ext_ring(g, 0, 32, split);
    rx_ext_ring(g, 1, 32, split);
    w32(g, RCTL, RCTL_EN | rctl);
}

struct rxe {
    uint32_t mrq, hash, status, errors;
    uint16_t csum, ip_id, len[4], vlan, hdr;
    const uint8_t *data[4];
};

static inline struct rxe rxe_desc(struct rig *g, unsigned queue, unsigned i, bool split)
{
    const uint8_t *d = rig_ram(g, rx_ring_at(queue) + i * (split ? 32 : 16));
    struct rxe r = { .mrq = ld_le32(d), .hash = ld_le32(d + 4), .ip_id = ld_le16(d + 4), .csum = ld_le16(d + 6),
                     .status = ld_le32(d + 8) & 0xFFFFF, .errors = ld_le32(d + 8) >> 24, .vlan = ld_le16(d + 14) };

    r.len[0] = ld_le16(d + 12);
    if (split) {
        r.hdr = ld_le16(d + 16);
        for (unsigned b = 1; b < 4; b++) {
            r.len[b] = ld_le16(d + 16 + 2 * b);
        }
    }
    for (unsigned b = 0; b < 4; b++) {
        r.data[b] = rig_ram(g, rx_buf_at(queue, i, b));
    }
    return r;
}

/* ---- vectors ---- */

static inline void msix_on(struct rig *g)
{
    for (unsigned v = 0; v < 5; v++) {
        space_write(&g->as, MSIX_TABLE + 16 * v, 0xFEE00000 + (v << 12), 4);
        space_write(&g->as, MSIX_TABLE + 16 * v + 4, 0, 4);
        space_write(&g->as, MSIX_TABLE + 16 * v + 8, 0x40 + v, 4);
        space_write(&g->as, MSIX_TABLE + 16 * v + 12, 0, 4);
    }
    rig_config_set(g, MSIX_CAP + 2, 0x8000, 2);
    g->msis = 0;
}

static inline void msix_off(struct rig *g)
{
    rig_config_set(g, MSIX_CAP + 2, 0, 2);
}

/* Messages since the last call; *last: vector of the newest */
static inline unsigned msix_count(struct rig *g, unsigned *last)
{
    unsigned n = g->msis;

    if (last) {
        *last = n ? g->msi[(n - 1) % RIG_MSIS].data - 0x40 : ~0u;
    }
    g->msis = 0;
    return n;
}

#endif
