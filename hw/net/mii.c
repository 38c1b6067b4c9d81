/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/mii.c - PHY: clause 22 registers and autonegotiation
 *
 *                 cable in, AN on                     timer
 *      MII_DOWN ------------------> MII_NEGOTIATING ---------> MII_UP
 *         ^  \___ cable in, AN off ____________________________^ |
 *         |______ cable out, power down, nothing in common ______|   restart: back to MII_NEGOTIATING
 *
 * Everything that may move it (BMCR, cable, timer) ends in mii_event(); the table moves[] is the picture above. In
 * loopback (BMCR bit 14) the link counts as up without a cable.
 */
#include "hw/net/mii.h"
#include "lib/bits.h"

#include <string.h>

enum mii_event { MII_EV_START, MII_EV_FORCE, MII_EV_DONE, MII_EV_LOST };

static void start_an(struct mii *m)
{
    m->regs[MII_BMSR] &= ~BMSR_AN_DONE;
    timer_arm(&m->an_timer, clock_get_ns(CLOCK_VIRTUAL) + m->model->an_time_ns);
}

static void stop_an(struct mii *m)
{
    m->regs[MII_BMSR] &= ~BMSR_AN_DONE;
    timer_disarm(&m->an_timer);
}

static void finish_an(struct mii *m)
{
    m->regs[MII_BMSR] |= BMSR_AN_DONE;
}

static const struct {
    uint8_t from, on, to;
    void (*act)(struct mii *m);
} moves[] = {
    { MII_DOWN,        MII_EV_START, MII_NEGOTIATING, start_an  },
    { MII_NEGOTIATING, MII_EV_START, MII_NEGOTIATING, start_an  },
    { MII_UP,          MII_EV_START, MII_NEGOTIATING, start_an  },
    { MII_DOWN,        MII_EV_FORCE, MII_UP,          stop_an   },
    { MII_NEGOTIATING, MII_EV_FORCE, MII_UP,          stop_an   },
    { MII_NEGOTIATING, MII_EV_DONE,  MII_UP,          finish_an },
    { MII_NEGOTIATING, MII_EV_LOST,  MII_DOWN,        stop_an   },
    { MII_UP,          MII_EV_LOST,  MII_DOWN,        stop_an   },
};

static void mii_event(struct mii *m, enum mii_event on)
{
    bool was_up = mii_link_up(m);

    for (unsigned i = 0; i < ARRAY_LEN(moves); i++) {
        if (moves[i].from == m->state && moves[i].on == on) {
            m->state = moves[i].to;
            moves[i].act(m);
            break;
        }
    }
    if (!mii_link_up(m)) {
        m->link_latch = false;
    }
    if (was_up != mii_link_up(m)) {
        m->model->link_changed(m->opaque, !was_up);
    }
}

/* ---- what the two ends have in common ---- */

enum { AN_10HD = 1 << 5, AN_10FD = 1 << 6, AN_100HD = 1 << 7, AN_100FD = 1 << 8 };     /* ANAR, 28.2.1.2 */
enum { GB_HD = 1 << 8, GB_FD = 1 << 9 };                                               /* GBCR, 40.5.1.1 */

/* Best common mode; 0: none. The far end can do everything. */
static unsigned negotiated(const struct mii *m, bool *full)
{
    const struct {
        bool offered;
        uint16_t speed;
        bool full;
    } modes[] = {                                                                       /* priority: 28B.3 */
        { m->regs[MII_GBCR] & GB_FD, 1000, true },   { m->regs[MII_GBCR] & GB_HD, 1000, false },
        { m->regs[MII_ANAR] & AN_100FD, 100, true }, { m->regs[MII_ANAR] & AN_100HD, 100, false },
        { m->regs[MII_ANAR] & AN_10FD, 10, true },   { m->regs[MII_ANAR] & AN_10HD, 10, false },
    };

    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        if (modes[i].offered) {
            *full = modes[i].full;
            return modes[i].speed;
        }
    }
    return 0;
}

unsigned mii_speed(const struct mii *m, bool *full)
{
    uint16_t bmcr = m->regs[MII_BMCR];
    bool fd = bmcr & BMCR_FULL_DUPLEX;
    unsigned speed = bmcr & BMCR_SPEED1000 ? 1000 : bmcr & BMCR_SPEED100 ? 100 : 10;

    if (bmcr & BMCR_AN_ENABLE) {
        unsigned an = negotiated(m, &fd);

        speed = an ? an : 10;
    }
    if (full) {
        *full = fd;
    }
    return speed;
}

bool mii_link_up(const struct mii *m)
{
    return m->state == MII_UP || (mii_loopback(m) && !(m->regs[MII_BMCR] & BMCR_POWER_DOWN));
}

/* Bring the state in line with cable and BMCR; @restart: even if it is up */
static void mii_update(struct mii *m, bool restart)
{
    uint16_t bmcr = m->regs[MII_BMCR];
    bool fd;

    if (!m->cable || bmcr & BMCR_POWER_DOWN) {
        mii_event(m, MII_EV_LOST);
    } else if (!(bmcr & BMCR_AN_ENABLE)) {
        mii_event(m, MII_EV_FORCE);
    } else if (!negotiated(m, &fd)) {
        mii_event(m, MII_EV_LOST);
    } else if (restart || m->state == MII_DOWN) {
        mii_event(m, MII_EV_START);
    }
}

static void an_expired(void *opaque)
{
    mii_event(opaque, MII_EV_DONE);
}

/* ---- registers ---- */

static void regs_default(struct mii *m)
{
    memset(m->regs, 0, sizeof(m->regs));
    for (unsigned i = 0; i < m->model->nregs; i++) {
        m->regs[m->model->regs[i].num & 31] = m->model->regs[i].reset;
    }
}

/* Registers whose value depends on the far end */
static uint16_t standard_read(struct mii *m, unsigned reg)
{
    bool done = m->regs[MII_BMSR] & BMSR_AN_DONE;
    uint16_t v = m->regs[reg];

    switch (reg) {
    case MII_BMSR:
        v = (v & ~BMSR_LINK) | (m->link_latch ? BMSR_LINK : 0);
        m->link_latch = mii_link_up(m);
        break;
    case MII_ANLPAR:                    /* acknowledge, pause both ways, 10 and 100, 802.3 */
        v = done ? 0x4DE1 : 0;
        break;
    case MII_ANER:                      /* the far end can negotiate; a page was received */
        v |= done ? 0x0003 : 0;
        break;
    case MII_GBSR:                      /* both receivers fine, far end does 1000 full and half */
        v = done && m->regs[MII_GBCR] & (GB_FD | GB_HD) ? 0x3C00 : 0;
        break;
    default:
        break;
    }
    return v;
}

uint16_t mii_read(struct mii *m, unsigned reg)
{
    uint16_t v = standard_read(m, reg & 31);

    return m->model->vendor_read ? m->model->vendor_read(m, reg & 31, v) : v;
}

static void bmcr_written(struct mii *m, uint16_t val, uint16_t old)
{
    bool was_up;

    if (val & BMCR_RESET) {
        mii_reset(m);
        return;
    }
    if ((val ^ old) & BMCR_LOOPBACK) {  /* the link may follow without a move of the state */
        m->regs[MII_BMCR] ^= BMCR_LOOPBACK;
        was_up = mii_link_up(m);
        m->regs[MII_BMCR] ^= BMCR_LOOPBACK;
        if (was_up != mii_link_up(m)) {
            m->link_latch = mii_link_up(m);
            m->model->link_changed(m->opaque, !was_up);
        }
    }
    mii_update(m, val & BMCR_AN_RESTART || ((val ^ old) & BMCR_AN_ENABLE));
}

void mii_write(struct mii *m, unsigned reg, uint16_t val)
{
    for (unsigned i = 0; i < m->model->nregs; i++) {
        const struct mii_reg *r = &m->model->regs[i];

        if (r->num == (reg & 31)) {
            uint16_t old = m->regs[r->num];

            m->regs[r->num] = (old & ~r->rw) | (val & r->rw);
            if (r->num == MII_BMCR) {
                bmcr_written(m, val, old);
            }
            return;
        }
    }
}

/* ---- life ---- */

void mii_init(struct mii *m, const struct mii_model *model, void *opaque)
{
    memset(m, 0, sizeof(*m));
    m->model = model;
    m->opaque = opaque;
    timer_setup(&m->an_timer, CLOCK_VIRTUAL, an_expired, m);
    regs_default(m);
}

void mii_fini(struct mii *m)
{
    if (m->model) {
        timer_fini(&m->an_timer);
    }
}

void mii_power_on(struct mii *m, bool cable)
{
    timer_disarm(&m->an_timer);
    regs_default(m);
    m->cable = cable;
    m->state = cable ? MII_UP : MII_DOWN;
    m->link_latch = cable;
    if (cable) {
        finish_an(m);
    }
}

void mii_reset(struct mii *m)
{
    bool was_up = mii_link_up(m);

    timer_disarm(&m->an_timer);
    regs_default(m);
    m->state = MII_DOWN;
    m->link_latch = false;
    if (was_up) {
        m->model->link_changed(m->opaque, false);
    }
    mii_update(m, true);
}

void mii_set_cable(struct mii *m, bool in)
{
    if (in != m->cable) {
        m->cable = in;
        mii_update(m, false);
    }
}
