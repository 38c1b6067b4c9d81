/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/intr.c - interrupt causes, masks, throttling and moderation (8254x SDM 13.4.17-13.4.21, 3.2.7, 3.4.3)
 *
 * A cause set in ICR raises the line while the same bit is set in IMS. Reading ICR clears it; writing 1 clears that
 * bit. ITR keeps two raises at least ITR x 256 ns apart, so a raise may come late but is never lost.
 * Invariant: with the throttle timer not armed, line == ((ICR & IMS) != 0).
 *
 * Receive and transmit completions may be put off: each packet restarts RDTR (TIDV for descriptors with IDE); RADV
 * (TADV) bounds the wait from the first one. All four count 1.024 us. Either of a pair expiring ends both.
 */
#include "core.h"

enum { ITR_UNIT_NS = 256, DELAY_UNIT_NS = 1024 };

static void set_line(struct intel_nic *s, bool on)
{
    if (on != s->intr.line) {
        s->intr.line = on;
        pci_set_irq(&s->pci, on);
    }
}

static void intr_update(struct intel_nic *s)
{
    struct intel_intr *in = &s->intr;
    bool want = rd(s, R_ICR) & rd(s, R_IMS);
    int64_t now, gap = (int64_t)(rd(s, R_ITR) & 0xFFFF) * ITR_UNIT_NS;

    if (!want || in->line) {
        set_line(s, want);
        return;
    }
    if (timer_armed(&in->itr)) {
        return;
    }
    now = gap ? clock_get_ns(CLOCK_VIRTUAL) : 0;
    if (gap && now < in->next_ns) {
        timer_arm(&in->itr, MIN(in->next_ns, now + gap));
        return;
    }
    in->next_ns = now + gap;
    set_line(s, true);
}

static void itr_expired(void *opaque)
{
    struct intel_nic *s = opaque;

    s->intr.next_ns = 0;
    intr_update(s);
}

void intr_cause(struct intel_nic *s, uint32_t causes)
{
    reg_or(&s->regs, R_ICR, causes);
    intr_update(s);
}

void intr_written(void *opaque, const struct reg_access *a)
{
    intr_update(opaque);
}

/* ---- delayed completions ---- */

static void tx_expired(void *opaque)
{
    struct intel_nic *s = opaque;

    timer_disarm(&s->intr.tidv);
    timer_disarm(&s->intr.tadv);
    intr_cause(s, ICR_TXDW);
}

static void rx_expired(void *opaque)
{
    struct intel_nic *s = opaque;

    timer_disarm(&s->intr.rdtr);
    timer_disarm(&s->intr.radv);
    intr_cause(s, ICR_RXT0);
}

/* (Re)start the packet timer, start the absolute one unless it runs */
static void delay(struct timer *packet, uint32_t packet_units, struct timer *absolute, uint32_t absolute_units)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    timer_arm(packet, now + (int64_t)packet_units * DELAY_UNIT_NS);
    if (absolute_units && !timer_armed(absolute)) {
        timer_arm(absolute, now + (int64_t)absolute_units * DELAY_UNIT_NS);
    }
}

void intr_tx_done(struct intel_nic *s, bool delayed)
{
    uint32_t tidv = rd(s, R_TIDV) & 0xFFFF;

    if (delayed && tidv) {
        delay(&s->intr.tidv, tidv, &s->intr.tadv, rd(s, R_TADV) & 0xFFFF);
    } else {
        tx_expired(s);
    }
}

void intr_rx_done(struct intel_nic *s, size_t len)
{
    uint32_t rdtr = rd(s, R_RDTR) & 0xFFFF;

    if (len <= (rd(s, R_RSRPD) & 0xFFF)) {          /* small packets do not wait: 13.4.31 */
        intr_cause(s, ICR_SRPD);
    }
    if (rdtr) {
        delay(&s->intr.rdtr, rdtr, &s->intr.radv, rd(s, R_RADV) & 0xFFFF);
    } else {
        rx_expired(s);
    }
}

/* 13.4.30: FPD ends the wait now */
void rdtr_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (a->val & RDTR_FPD && timer_armed(&s->intr.rdtr)) {
        rx_expired(s);
    }
}

/* ---- life ---- */

void intr_init(struct intel_nic *s)
{
    timer_setup(&s->intr.itr, CLOCK_VIRTUAL, itr_expired, s);
    timer_setup(&s->intr.tidv, CLOCK_VIRTUAL, tx_expired, s);
    timer_setup(&s->intr.tadv, CLOCK_VIRTUAL, tx_expired, s);
    timer_setup(&s->intr.rdtr, CLOCK_VIRTUAL, rx_expired, s);
    timer_setup(&s->intr.radv, CLOCK_VIRTUAL, rx_expired, s);
}

void intr_reset(struct intel_nic *s)
{
    timer_disarm(&s->intr.itr);
    timer_disarm(&s->intr.tidv);
    timer_disarm(&s->intr.tadv);
    timer_disarm(&s->intr.rdtr);
    timer_disarm(&s->intr.radv);
    s->intr.next_ns = 0;
    set_line(s, false);
}

void intr_fini(struct intel_nic *s)
{
    intr_reset(s);
    timer_fini(&s->intr.radv);
    timer_fini(&s->intr.rdtr);
    timer_fini(&s->intr.tadv);
    timer_fini(&s->intr.tidv);
    timer_fini(&s->intr.itr);
}
