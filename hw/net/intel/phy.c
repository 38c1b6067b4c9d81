/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/phy.c - the integrated PHY behind MDIC (8254x SDM 13.4.6, chapter 11; Marvell 88E1000 data sheet)
 *
 * One PHY answers, at address 1. MDIC operations complete at once: READY is set before the guest can look.
 */
#include "core.h"

enum { PHY_ADDR = 1, M88_PSCR = 16, M88_PSSR = 17, M88_IER = 18, M88_ISR = 19, M88_EPSCR = 20 };

/* PSSR, specific status: 15:14 speed, 13 duplex, 12 page received, 11 resolved, 10 link, 9:7 cable 50-80 m, 6 MDI-X */
static uint16_t m88_read(struct mii *m, unsigned reg, uint16_t val)
{
    bool full, up = mii_link_up(m);
    unsigned speed;

    if (reg != M88_PSSR) {
        return val;
    }
    speed = mii_speed(m, &full);
    return (speed == 1000 ? 2 << 14 : speed == 100 ? 1 << 14 : 0) | full << 13 | up << 12 | up << 11 | up << 10 |
           1 << 7;
}

static void phy_link_changed(void *opaque, bool up)
{
    intel_link_update(opaque);
}

/* Chapter 11: register, reset, writable bits. @id2 tells the chips apart: Linux knows the PHY by it */
#define M88_REGS(name, id2)                                                                                            \
    static const struct mii_reg name[] = {                                                                             \
        { MII_BMCR,   0x1140, 0x7D40 },                                                                                \
        { MII_BMSR,   0x7949, 0      },                                                                                \
        { MII_PHYID1, 0x0141, 0      },                                                                                \
        { MII_PHYID2, id2,    0      },                                                                                \
        { MII_ANAR,   0x0DE1, 0xBFFF },                                                                                \
        { MII_ANLPAR, 0x0000, 0      },                                                                                \
        { MII_ANER,   0x0004, 0      },                                                                                \
        { 7,          0x2001, 0xBFFF },                             /* next page transmit */                           \
        { 8,          0x0000, 0      },                                                                                \
        { MII_GBCR,   0x0E00, 0xFF00 },                                                                                \
        { MII_GBSR,   0x0000, 0      },                                                                                \
        { MII_ESR,    0x3000, 0      },                                                                                \
        { M88_PSCR,   0x0360, 0xFFFF },                                                                                \
        { M88_PSSR,   0x0000, 0      },                                                                                \
        { M88_IER,    0x0000, 0xFFFF },                                                                                \
        { M88_ISR,    0x0000, 0      },                                                                                \
        { M88_EPSCR,  0x0D60, 0xFFFF },                                                                                \
        { 21,         0x0000, 0      },                             /* receive errors */                               \
        { 24,         0x4100, 0xFFFF }, { 25, 0x0000, 0xFFFF },     /* LEDs */                                         \
        { 26,         0x000A, 0xFFFF },                             /* extended status 2 */                            \
        { 29,         0x0000, 0x001F }, { 30, 0x0000, 0xFFFF },     /* page and its data: vendor tests */              \
    }
M88_REGS(regs_m88e1011, 0x0C20);
M88_REGS(regs_m88e1000, 0x0C30);

enum { AN_TIME_MS = 100 };

const struct mii_model phy_m88e1011 = {
    .regs = regs_m88e1011, .nregs = ARRAY_LEN(regs_m88e1011), .an_time_ns = AN_TIME_MS * NS_PER_MS,
    .vendor_read = m88_read, .link_changed = phy_link_changed,
};
const struct mii_model phy_m88e1000 = {
    .regs = regs_m88e1000, .nregs = ARRAY_LEN(regs_m88e1000), .an_time_ns = AN_TIME_MS * NS_PER_MS,
    .vendor_read = m88_read, .link_changed = phy_link_changed,
};

void mdic_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    unsigned reg = bits_get(a->val, MDIC_REG_SHIFT, 5), op = bits_get(a->val, MDIC_OP_SHIFT, 2);
    uint32_t v = a->val & a->reg->rw;

    if (bits_get(a->val, MDIC_PHY_SHIFT, 5) != PHY_ADDR) {
        v |= MDIC_ERROR;
    } else if (op == MDIC_OP_WRITE) {
        mii_write(&s->phy, reg, a->val);
    } else if (op == MDIC_OP_READ) {
        v = bits_put(v, 0, 16, mii_read(&s->phy, reg));
    } else {
        v |= MDIC_ERROR;
    }
    reg_set(&s->regs, R_MDIC, v | MDIC_READY);
    if (v & MDIC_INT_EN) {
        intr_cause(s, ICR_MDAC);
    }
}
