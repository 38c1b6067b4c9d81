/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/intr.c - interrupt causes, masks, throttling and moderation (8254x SDM 13.4.17-13.4.21, 3.2.7, 3.4.3)
 *
 * A cause set in ICR raises the line while the same bit is set in IMS; with MSI, a rising line is a message. Reading ICR
 * clears it; writing 1 clears that bit. ITR keeps two raises at least ITR x 256 ns apart, so a raise may come late but
 * is never lost. Invariant: with the throttle timer not armed and no MSI-X, line == ((ICR & IMS) != 0).
 *
 * The 82574 (datasheet 7.4) has three rules more. ICR.INT_ASSERTED says whether there is something in ICR & IMS, and
 * reading ICR clears it only then, or when everything is masked: a poll of ICR takes nothing from whom the interrupt is
 * for. With CTRL_EXT.IAME such an access also clears the IMS bits that are set in IAM. And with MSI-X the line is out of
 * use: the causes of queues, and all others together, have vectors (msix.c).
 *
 * Receive and transmit completions may be put off: each packet restarts RDTR (TIDV for descriptors with IDE); RADV
 * (TADV) bounds the wait from the first one. All four count 1.024 us. Either of a pair expiring ends both.
 */
#include "core.h"

enum { ITR_UNIT_NS = 256, DELAY_UNIT_NS = 1024 };

static void set_line(struct intel_nic *s, bool on)
{
    if (on == s->intr.line) {
        return;
    }
    s->intr.line = on;
    pci_set_irq(&s->pci, on);
    if (on) {
        msi_notify(&s->pci, 0);
        if (intel_has(s, INTEL_MSIX)) {
            stats_count(s, S_IAC);
        }
    }
}

void intr_update(struct intel_nic *s)
{
    struct intel_intr *in = &s->intr;
    bool want = rd(s, R_ICR) & rd(s, R_IMS) && !msix_enabled(&s->pci);
    int64_t now, gap;

    if (!want || in->line) {
        set_line(s, want);
        return;
    }
    if (timer_armed(&in->itr)) {
        return;
    }
    gap = (int64_t)(rd(s, R_ITR) & 0xFFFF) * ITR_UNIT_NS;
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
    if (intel_has(s, INTEL_MSIX) && causes & ICR_OTHERS) {
        causes |= ICR_OTHER;        /* 82574 10.2.4.1: whether or not they are enabled in IMS */
    }
    reg_or(&s->regs, R_ICR, causes);
    if (msix_enabled(&s->pci)) {
        vectors_cause(s, causes);
    } else {
        intr_update(s);
    }
}

void intr_written(void *opaque, const struct reg_access *a)
{
    intr_update(opaque);
}

/* ---- the 82574's ICR, ICS, IMS, IMC: datasheet 7.4.3, 10.2.4 ---- */

/* 10.2.2.5 INT_TIMERS_CLEAR_ENA: masking starts the waits anew */
static void timers_restart(struct intel_nic *s)
{
    const struct {
        struct timer *t;
        uint32_t reg;
    } delays[] = { { &s->intr.tidv, R_TIDV }, { &s->intr.tadv, R_TADV }, { &s->intr.rdtr, R_RDTR },
                   { &s->intr.radv, R_RADV } };
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), gap = (int64_t)(rd(s, R_ITR) & 0xFFFF) * ITR_UNIT_NS;

    for (unsigned i = 0; i < ARRAY_LEN(delays); i++) {
        if (timer_armed(delays[i].t)) {
            timer_arm(delays[i].t, now + (int64_t)(rd(s, delays[i].reg) & 0xFFFF) * DELAY_UNIT_NS);
        }
    }
    s->intr.next_ns = now + gap;
    if (timer_armed(&s->intr.itr)) {
        timer_arm(&s->intr.itr, s->intr.next_ns);
    }
}

static void mask(struct intel_nic *s, uint32_t bits)
{
    uint32_t old = rd(s, R_IMS);

    reg_clear(&s->regs, R_IMS, bits);
    if (old & bits && rd(s, R_CTRL_EXT) & CTRL_EXT_TIMERS_CLR) {
        timers_restart(s);
    }
}

uint32_t icr_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t asserted = a->val & rd(s, R_IMS);

    if (asserted && rd(s, R_CTRL_EXT) & CTRL_EXT_IAME) {
        mask(s, rd(s, R_IAM));
    }
    if (asserted || !rd(s, R_IMS)) {
        reg_set(&s->regs, R_ICR, 0);
        intr_update(s);
    }
    return a->val | (asserted ? ICR_ASSERTED : 0);
}

void icr_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (a->old & rd(s, R_IMS) && rd(s, R_CTRL_EXT) & CTRL_EXT_IAME) {
        mask(s, rd(s, R_IAM));
    }
    intr_update(s);
}

void ics_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (msix_enabled(&s->pci)) {
        vectors_cause(s, a->val & a->reg->w1s);
    }
    intr_update(s);
}

void ims_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (msix_enabled(&s->pci)) {
        vectors_unmasked(s, a->val & a->reg->w1s);
    }
    intr_update(s);
}

void imc_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (a->old & a->val && rd(s, R_CTRL_EXT) & CTRL_EXT_TIMERS_CLR) {
        timers_restart(s);
    }
    intr_update(s);
}

/* ---- delayed completions ---- */

static void tx_expired(void *opaque)
{
    struct intel_nic *s = opaque;
    uint32_t queues = msix_enabled(&s->pci) ? s->intr.tx_late : 0;

    timer_disarm(&s->intr.tidv);
    timer_disarm(&s->intr.tadv);
    s->intr.tx_late = 0;
    intr_cause(s, ICR_TXDW | queues);
}

static void rx_expired(void *opaque)
{
    struct intel_nic *s = opaque;
    uint32_t queues = msix_enabled(&s->pci) ? s->intr.rx_late : 0;

    timer_disarm(&s->intr.rdtr);
    timer_disarm(&s->intr.radv);
    s->intr.rx_late = 0;
    intr_cause(s, ICR_RXT0 | queues);
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

/* 82574 10.2.4.9: with IVAR bit 31 a vector hears of every write-back, IDE or not */
void intr_tx_done(struct txq *q)
{
    struct intel_nic *s = q->nic;
    uint32_t tidv = rd(s, R_TIDV) & 0xFFFF, cause = ICR_TXQ0 << q->idx;

    if (!q->done_now && !q->done_late) {
        return;
    }
    if (msix_enabled(&s->pci) && rd(s, R_IVAR) & IVAR_TX_EVERY_WB) {
        intr_cause(s, cause);
    } else {
        s->intr.tx_late |= cause;
    }
    if (q->done_now || !tidv) {
        tx_expired(s);
    } else {
        delay(&s->intr.tidv, tidv, &s->intr.tadv, rd(s, R_TADV) & 0xFFFF);
    }
    q->done_now = q->done_late = false;
}

void intr_rx_done(struct rxq *q, size_t len)
{
    struct intel_nic *s = q->nic;
    uint32_t rdtr = rd(s, R_RDTR) & 0xFFFF;

    s->intr.rx_late |= ICR_RXQ0 << q->idx;
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
    vectors_init(s);
}

void intr_reset(struct intel_nic *s)
{
    timer_disarm(&s->intr.itr);
    timer_disarm(&s->intr.tidv);
    timer_disarm(&s->intr.tadv);
    timer_disarm(&s->intr.rdtr);
    timer_disarm(&s->intr.radv);
    s->intr.tx_late = s->intr.rx_late = 0;
    s->intr.next_ns = 0;
    vectors_reset(s);
    set_line(s, false);
}

void intr_fini(struct intel_nic *s)
{
    intr_reset(s);
    vectors_fini(s);
    timer_fini(&s->intr.radv);
    timer_fini(&s->intr.rdtr);
    timer_fini(&s->intr.tadv);
    timer_fini(&s->intr.tidv);
    timer_fini(&s->intr.itr);
}
