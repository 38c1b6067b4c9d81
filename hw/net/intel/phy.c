/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/phy.c - the integrated PHY behind MDIC (8254x SDM 13.4.6, chapter 11; Marvell 88E1000 data sheet)
 *
 * One PHY answers, at address 1. MDIC operations complete at once: READY is set before the guest can look.
 *
 * The 82574's PHY (datasheet chapter 8) has pages: register 22 chooses one for registers 16 to 31. Page 0 and registers
 * below 16 are mii.c's; those of other pages are rows of a table, stored and without effect.
 */
#include "core.h"

#include <string.h>

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

/* 82574 8.7, page 0 */
static const struct mii_reg regs_bm[] = {
    { MII_BMCR,   0x1140, 0x7DC0 },
    { MII_BMSR,   0x7949, 0      },
    { MII_PHYID1, 0x0141, 0      },
    { MII_PHYID2, 0x0CB1, 0      },
    { MII_ANAR,   0x0DE1, 0xBFFF },
    { MII_ANLPAR, 0x0000, 0      },
    { MII_ANER,   0x0004, 0      },
    { 7,          0x2001, 0xBFFF },
    { 8,          0x0000, 0      },
    { MII_GBCR,   0x0E00, 0xFF00 },
    { MII_GBSR,   0x0000, 0      },
    { MII_ESR,    0x3000, 0      },
    { M88_PSCR,   0x0060, 0xFFFF },
    { M88_PSSR,   0x0000, 0      },
    { M88_IER,    0x0000, 0xFFFF },
    { M88_ISR,    0x0000, 0      },
    { M88_EPSCR,  0x0020, 0xFFFF },
    { 21,         0x0000, 0      },                             /* receive errors */
    { 26,         0x0040, 0xFFFF },                             /* copper specific control 3 */
    { 29,         0x0000, 0x001F }, { 30, 0x0000, 0xFFFF },
};

const struct phy_page_reg phy_bm_pages[PHY_BM_PAGED] = {
    { 2,   16, 0x0888, 0xFFFF }, { 2, 18, 0x0000, 0xFFFF }, { 2, 21, 0x1046, 0xFFFF },     /* MAC side */
    { 3,   16, 0x021C, 0xFFFF }, { 3, 17, 0x8800, 0xFFFF }, { 3, 18, 0x4205, 0xFFFF },     /* LEDs */
    { 769, 16, 0x0000, 0xFFFF }, { 769, 17, 0x0000, 0xFFFF }, { 769, 20, 0x0000, 0xFFFF }, /* port control */
    { 776, 16, 0x0000, 0xFFFF }, { 776, 18, 0x0000, 0xFFFF },
    { 800, 17, 0x0000, 0xFFFF }, { 800, 18, 0x0000, 0xFFFF },                               /* wake-up window */
};
static_assert(ARRAY_LEN(phy_bm_pages) <= PHY_PAGED_MAX, "registers of intel_nic.phy_paged");

enum { AN_TIME_MS = 100 };

const struct mii_model phy_m88e1011 = {
    .regs = regs_m88e1011, .nregs = ARRAY_LEN(regs_m88e1011), .an_time_ns = AN_TIME_MS * NS_PER_MS,
    .vendor_read = m88_read, .link_changed = phy_link_changed,
};
const struct mii_model phy_m88e1000 = {
    .regs = regs_m88e1000, .nregs = ARRAY_LEN(regs_m88e1000), .an_time_ns = AN_TIME_MS * NS_PER_MS,
    .vendor_read = m88_read, .link_changed = phy_link_changed,
};
const struct mii_model phy_bm = {
    .regs = regs_bm, .nregs = ARRAY_LEN(regs_bm), .an_time_ns = AN_TIME_MS * NS_PER_MS,
    .vendor_read = m88_read, .link_changed = phy_link_changed,
};

/* ---- pages ---- */

enum { PAGE_SELECT = 22, PAGED_FROM = 16 };

void phy_pages_reset(struct intel_nic *s)
{
    s->phy_page = 0;
    memset(s->phy_paged, 0, sizeof(s->phy_paged));
    for (unsigned i = 0; i < s->model->nphy_pages; i++) {
        s->phy_paged[i] = s->model->phy_pages[i].reset;
    }
}

/* Index of register @reg of the current page; -1: it is mii.c's; nphy_pages: there is none */
static int paged(const struct intel_nic *s, unsigned reg)
{
    unsigned i;

    if (!s->phy_page || reg < PAGED_FROM) {
        return -1;
    }
    for (i = 0; i < s->model->nphy_pages; i++) {
        if (s->model->phy_pages[i].page == s->phy_page && s->model->phy_pages[i].num == reg) {
            break;
        }
    }
    return i;
}

static uint16_t phy_read(struct intel_nic *s, unsigned reg)
{
    int i = paged(s, reg);

    if (s->model->nphy_pages && reg == PAGE_SELECT) {
        return s->phy_page;
    }
    if (i < 0) {
        return mii_read(&s->phy, reg);
    }
    return i < (int)s->model->nphy_pages ? s->phy_paged[i] : 0;
}

static void phy_write(struct intel_nic *s, unsigned reg, uint16_t val)
{
    int i = paged(s, reg);

    if (s->model->nphy_pages && reg == PAGE_SELECT) {
        s->phy_page = val;
    } else if (i < 0) {
        mii_write(&s->phy, reg, val);
    } else if (i < (int)s->model->nphy_pages) {
        uint16_t rw = s->model->phy_pages[i].rw;

        s->phy_paged[i] = (s->phy_paged[i] & ~rw) | (val & rw);
    }
}

void mdic_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    unsigned reg = bits_get(a->val, MDIC_REG_SHIFT, 5), op = bits_get(a->val, MDIC_OP_SHIFT, 2);
    uint32_t v = a->val & a->reg->rw;

    if (bits_get(a->val, MDIC_PHY_SHIFT, 5) != PHY_ADDR) {
        v |= MDIC_ERROR;
    } else if (op == MDIC_OP_WRITE) {
        phy_write(s, reg, a->val);
    } else if (op == MDIC_OP_READ) {
        v = bits_put(v, 0, 16, phy_read(s, reg));
    } else {
        v |= MDIC_ERROR;
    }
    reg_set(&s->regs, R_MDIC, v | MDIC_READY);
    if (v & MDIC_INT_EN) {
        intr_cause(s, ICR_MDAC);
    }
}
