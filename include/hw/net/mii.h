/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/mii.h - an Ethernet PHY: management registers (IEEE 802.3 clause 22), autonegotiation, link
 *
 * The NIC tells the PHY whether a cable with a working far end is plugged in; the PHY tells the NIC by link_changed()
 * when its own link goes up or down, which with autonegotiation is some time later on CLOCK_VIRTUAL. The far end can do
 * everything, full duplex, with pause frames.
 */
#ifndef HW_NET_MII_H
#define HW_NET_MII_H

#include "core/timer.h"

enum {                              /* 802.3 22.2.4 */
    MII_BMCR = 0, MII_BMSR = 1, MII_PHYID1 = 2, MII_PHYID2 = 3, MII_ANAR = 4, MII_ANLPAR = 5, MII_ANER = 6,
    MII_GBCR = 9, MII_GBSR = 10, MII_ESR = 15,
};
enum {
    BMCR_SPEED1000 = 1 << 6, BMCR_FULL_DUPLEX = 1 << 8, BMCR_AN_RESTART = 1 << 9, BMCR_ISOLATE = 1 << 10,
    BMCR_POWER_DOWN = 1 << 11, BMCR_AN_ENABLE = 1 << 12, BMCR_SPEED100 = 1 << 13, BMCR_LOOPBACK = 1 << 14,
    BMCR_RESET = 1 << 15,
};
enum { BMSR_LINK = 1 << 2, BMSR_AN_DONE = 1 << 5 };

enum mii_state { MII_DOWN, MII_NEGOTIATING, MII_UP };

struct mii;

/* One register. Registers without a row read 0. */
struct mii_reg {
    uint8_t num;
    uint16_t reset, rw;
};

struct mii_model {
    const struct mii_reg *regs;
    unsigned nregs;
    int64_t an_time_ns;             /* how long autonegotiation takes */
    /* last word on a read of any register (status registers of a vendor): @val is what clause 22 says */
    uint16_t (*vendor_read)(struct mii *m, unsigned reg, uint16_t val);
    /* the link went up or down, or autonegotiation ended anew */
    void (*link_changed)(void *opaque, bool up);
};

struct mii {
    const struct mii_model *model;
    void *opaque;
    uint16_t regs[32];
    uint8_t state;                  /* enum mii_state */
    bool cable;
    bool link_latch;                /* BMSR link: latches low until read */
    struct timer an_timer;
};

/** mii_init() - powered up and, with a cable, already negotiated: the machine has been on for a while */
void mii_init(struct mii *m, const struct mii_model *model, void *opaque);
void mii_fini(struct mii *m);
/** mii_power_on() - registers to their defaults, link as the cable says at once; link_changed() is not called */
void mii_power_on(struct mii *m, bool cable);
/** mii_reset() - as BMCR bit 15 or the reset pin: defaults, negotiates again */
void mii_reset(struct mii *m);
uint16_t mii_read(struct mii *m, unsigned reg);
void mii_write(struct mii *m, unsigned reg, uint16_t val);
/** mii_set_cable() - plugged in with a live far end, or not */
void mii_set_cable(struct mii *m, bool in);
bool mii_link_up(const struct mii *m);
static inline bool mii_loopback(const struct mii *m)
{
    return m->regs[MII_BMCR] & BMCR_LOOPBACK;
}
/** mii_speed() - 10, 100 or 1000 Mbit/s, negotiated or forced; @full: duplex (may be NULL) */
unsigned mii_speed(const struct mii *m, bool *full);

#endif
