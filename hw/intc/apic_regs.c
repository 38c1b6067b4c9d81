/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/apic_regs.c - local APIC registers: one table for the xAPIC window and the x2APIC MSRs (Intel SDM vol. 3,
 * tables 10-1 and 10-6)
 *
 * Register n is at offset n << 4 of the window and MSR 0x800 + n. What differs between the two: ICR is one 64-bit MSR,
 * DFR and the upper ICR half are gone, SELF IPI is new, LDR and ID are read-only, and a wrong access is #GP instead of
 * an ESR bit.
 */
#include "hw/intc/apic_internal.h"
#include "lib/log.h"

enum {
    R_ID = 0x02, R_VERSION = 0x03, R_TPR = 0x08, R_APR = 0x09, R_PPR = 0x0A, R_EOI = 0x0B, R_RRD = 0x0C, R_LDR = 0x0D,
    R_DFR = 0x0E, R_SVR = 0x0F, R_ISR = 0x10, R_TMR = 0x18, R_IRR = 0x20, R_ESR = 0x28, R_ICR_LO = 0x30,
    R_ICR_HI = 0x31, R_LVT_TIMER = 0x32, R_LVT_ERROR = 0x37, R_INITIAL = 0x38, R_CURRENT = 0x39, R_DIVIDE = 0x3E,
    R_SELF_IPI = 0x3F,
};
enum { VERSION = 0x14 };
enum { ICR_LOGICAL = 1 << 11, ICR_STATUS = 1 << 12, ICR_ASSERT = 1 << 14, ICR_LEVEL = 1 << 15 };
#define ICR_LO_WRITABLE 0x000CCFFFu

static const uint32_t lvt_writable[LVT_COUNT] = {
    [LVT_TIMER] = 0x700FF, [LVT_THERMAL] = 0x107FF, [LVT_PERF] = 0x107FF, [LVT_LINT0] = 0x1A7FF, [LVT_LINT1] = 0x1A7FF,
    [LVT_ERROR] = 0x100FF,
};

void apic_icr_write(struct apic *s, uint64_t icr)
{
    struct apic_msg m = {
        .dest = apic_x2(s) ? icr >> 32 : icr >> 56, .logical = icr & ICR_LOGICAL, .mode = bits_get(icr, 8, 3),
        .vector = icr & 0xFF, .level = false,   /* IPIs are edges whatever the bit says (10.6.1) */
    };

    s->icr = icr & (0xFFFFFFFF00000000 | ICR_LO_WRITABLE);
    if (m.mode == APIC_DM_INIT && (icr & ICR_LEVEL) && !(icr & ICR_ASSERT)) {
        return;                             /* INIT level de-assert: not supported by current processors */
    }
    if ((m.mode == APIC_DM_FIXED || m.mode == APIC_DM_LOWEST) && m.vector < 16) {
        apic_error(s, ESR_SEND_ILLEGAL);
        return;
    }
    apic_bus_ipi(s->bus, s, &m, bits_get(icr, 18, 2));
}

static void svr_write(struct apic *s, uint32_t v)
{
    s->svr = v & 0x3FF & ~0x200u;           /* focus checking: not in these processors */
    if (!apic_sw_enabled(s)) {
        for (unsigned i = 0; i < LVT_COUNT; i++) {  /* 10.4.7.2: all LVT masks are set */
            s->lvt[i] |= LVT_MASKED;
        }
        apic_timer_schedule(s);
    }
}

static void lvt_write(struct apic *s, enum apic_lvt n, uint32_t v)
{
    v &= lvt_writable[n];
    if (!apic_sw_enabled(s)) {
        v |= LVT_MASKED;
    }
    if (n == LVT_TIMER) {
        if (!s->has_deadline) {
            v &= ~(1u << 18);
        }
        apic_timer_set_lvt(s, v);
    } else {
        s->lvt[n] = v;
    }
}

bool apic_reg_read(struct apic *s, unsigned reg, uint32_t *val)
{
    apic_pv_sync(s);
    switch (reg) {
    case R_ID:
        *val = apic_x2(s) ? s->id : s->id << 24;
        return true;
    case R_VERSION:
        *val = (LVT_COUNT - 1) << 16 | VERSION;
        return true;
    case R_TPR:
        *val = s->tpr;
        return true;
    case R_APR:
    case R_RRD:
        *val = 0;
        return !apic_x2(s);
    case R_PPR:
        *val = apic_ppr(s);
        return true;
    case R_EOI:
        *val = 0;
        return !apic_x2(s);
    case R_LDR:
        *val = s->ldr;
        return true;
    case R_DFR:
        *val = s->dfr;
        return !apic_x2(s);
    case R_SVR:
        *val = s->svr;
        return true;
    case R_ISR ... R_ISR + 7:
        *val = s->isr[reg - R_ISR];
        return true;
    case R_TMR ... R_TMR + 7:
        *val = s->tmr[reg - R_TMR];
        return true;
    case R_IRR ... R_IRR + 7:
        *val = s->irr[reg - R_IRR];
        return true;
    case R_ESR:
        *val = s->esr;
        return true;
    case R_ICR_LO:
        *val = (uint32_t)s->icr;
        return true;
    case R_ICR_HI:
        *val = s->icr >> 32;
        return !apic_x2(s);
    case R_LVT_TIMER ... R_LVT_ERROR:
        *val = s->lvt[reg - R_LVT_TIMER];
        return true;
    case R_INITIAL:
        *val = s->init_count;
        return true;
    case R_CURRENT:
        *val = apic_timer_current(s);
        return true;
    case R_DIVIDE:
        *val = s->divide;
        return true;
    default:
        *val = 0;
        return false;
    }
}

bool apic_reg_write(struct apic *s, unsigned reg, uint32_t v)
{
    bool x2 = apic_x2(s);

    switch (reg) {
    case R_ID:
        if (x2) {
            return false;
        }
        s->id = v >> 24;
        break;
    case R_TPR:
        s->tpr = v;
        break;
    case R_EOI:
        if (x2 && v) {
            return false;
        }
        apic_eoi(s);
        break;
    case R_LDR:
        if (x2) {
            return false;
        }
        s->ldr = v & 0xFF000000;
        break;
    case R_DFR:
        if (x2) {
            return false;
        }
        s->dfr = v | 0x0FFFFFFF;
        break;
    case R_SVR:
        svr_write(s, v);
        break;
    case R_ESR:
        if (x2 && v) {
            return false;
        }
        s->esr = s->esr_new;
        s->esr_new = 0;
        break;
    case R_ICR_LO:
        apic_icr_write(s, (s->icr & 0xFFFFFFFF00000000) | v);
        break;
    case R_ICR_HI:
        if (x2) {
            return false;
        }
        s->icr = bits_put(s->icr, 32, 32, v & 0xFF000000);
        break;
    case R_LVT_TIMER ... R_LVT_ERROR:
        lvt_write(s, reg - R_LVT_TIMER, v);
        break;
    case R_INITIAL:
        apic_timer_set_count(s, v);
        break;
    case R_DIVIDE:
        apic_timer_set_divide(s, v);
        break;
    case R_SELF_IPI:
        if (!x2) {
            return false;
        }
        apic_icr_write(s, (v & 0xFF) | 1u << 18);
        break;
    default:
        return false;
    }
    apic_update(s);
    return true;
}

/* ---- xAPIC window ---- */

static struct apic *accessor(struct apic_bus *b)
{
    return b->current < b->n ? b->cpu[b->current] : NULL;
}

static uint64_t mmio_read(void *opaque, uint64_t off, unsigned size)
{
    struct apic *s = accessor(opaque);
    uint32_t v = 0;

    if (s && !(off & 0xF) && !apic_reg_read(s, off >> 4, &v)) {
        apic_error(s, ESR_ILLEGAL_REG);
    }
    return v;
}

static void mmio_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct apic *s = accessor(opaque);

    if (s && !(off & 0xF) && !apic_reg_write(s, off >> 4, val)) {
        log_guest(LOG_GUEST_ERROR, "apic: write of 0x%x to offset 0x%x ignored\n", (unsigned)val, (unsigned)off);
        apic_error(s, ESR_ILLEGAL_REG);
    }
}

const struct region_ops apic_mmio_ops = { mmio_read, mmio_write, 4, 4 };

/* ---- MSRs ---- */

/* Mode changes of 10.12.5: off -> xAPIC -> x2APIC -> off; every other one faults */
static bool base_write(struct apic *s, uint64_t v)
{
    uint64_t changed = v ^ s->base;
    bool en = v & APIC_BASE_EN, ext = v & APIC_BASE_EXTD;

    if ((v & 0xFF) || (v & BIT(9)) || v >> 52 || (ext && !s->has_x2apic) || (ext && !en)) {
        return false;
    }
    if (apic_x2(s) && en && !ext) {
        return false;
    }
    if (!apic_hw_enabled(s) && ext) {
        return false;
    }
    s->base = v;
    if ((changed & APIC_BASE_EN) && !en) {
        s->id = s->index;
        apic_init(s);
    } else if ((changed & APIC_BASE_EXTD) && ext) {
        s->id = s->index;
        s->ldr = (s->id & ~0xFu) << 12 | (uint32_t)BIT(s->id & 0xF);
        s->icr = 0;
    }
    apic_bus_moved(s->bus);
    apic_update(s);
    return true;
}

bool apic_rdmsr(struct apic *s, uint32_t msr, uint64_t *val)
{
    uint32_t v;

    if (msr == MSR_APIC_BASE) {
        *val = s->base;
        return true;
    }
    if (msr == MSR_TSC_DEADLINE) {
        *val = s->deadline;
        return s->has_deadline;
    }
    if (msr == MSR_APIC_PV_EOI) {
        *val = s->pv_eoi;
        return s->mem != NULL;
    }
    if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST || !apic_x2(s) ||
        !apic_reg_read(s, msr - MSR_X2APIC_FIRST, &v)) {
        return false;
    }
    *val = msr - MSR_X2APIC_FIRST == R_ICR_LO ? s->icr : v;
    return true;
}

bool apic_wrmsr(struct apic *s, uint32_t msr, uint64_t val)
{
    if (msr == MSR_APIC_BASE) {
        return base_write(s, val);
    }
    if (msr == MSR_TSC_DEADLINE) {
        if (s->has_deadline) {
            apic_timer_set_deadline(s, val);
        }
        return s->has_deadline;
    }
    if (msr == MSR_APIC_PV_EOI) {
        return apic_pv_set(s, val);
    }
    if (msr < MSR_X2APIC_FIRST || msr > MSR_X2APIC_LAST || !apic_x2(s)) {
        return false;
    }
    if (msr - MSR_X2APIC_FIRST == R_ICR_LO) {
        apic_icr_write(s, val);
        apic_update(s);
        return true;
    }
    return !(val >> 32) && apic_reg_write(s, msr - MSR_X2APIC_FIRST, val);
}
