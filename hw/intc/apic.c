/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/apic.c - local APIC: acceptance, priorities, acknowledge, EOI (Intel SDM vol. 3, chapter 10)
 *
 * IRR holds accepted vectors, ISR those in service, TMR which of them are level-triggered. The CPU's INTR pin is
 * asserted when the highest IRR vector is of a higher class (bits 7:4) than PPR, or when the 8259 asserts its output
 * and LINT0 lets it through (ExtINT; also when the APIC is switched off, as the pins are then INTR and NMI: 10.4.3).
 * Invariant: intr_level == deliverable(IRR) || extint_wanted(), after every function here. (While the EOI of the vector in service
 * may have been given in memory, where nobody sees it, it counts as given: apic_pv.c.)
 */
#include "hw/intc/apic_internal.h"
#include "hw/intc/ioapic.h"
#include <string.h>

static int highest(const uint32_t v[8])
{
    for (int i = 7; i >= 0; i--) {
        if (v[i]) {
            return i * 32 + 31 - __builtin_clz(v[i]);
        }
    }
    return -1;
}

static void vec_set(uint32_t v[8], unsigned n, bool on)
{
    v[n >> 5] = on ? v[n >> 5] | BIT(n & 31) : v[n >> 5] & ~BIT(n & 31);
}

static bool vec_get(const uint32_t v[8], unsigned n)
{
    return v[n >> 5] & BIT(n & 31);
}

/* Processor priority, 10.8.3.1 */
uint8_t apic_ppr(const struct apic *s)
{
    int in_service = highest(s->isr);

    return in_service < 0 || s->tpr >> 4 >= in_service >> 4 ? s->tpr : in_service & 0xF0;
}

static int deliverable(const struct apic *s)
{
    int v = apic_sw_enabled(s) ? highest(s->irr) : -1;

    return v >= 0 && v >> 4 > apic_ppr(s) >> 4 ? v : -1;
}

/* Would something be deliverable after an EOI */
static bool deliverable_then(struct apic *s)
{
    int in_service = highest(s->isr);
    bool yes;

    if (in_service < 0) {
        return false;
    }
    vec_set(s->isr, in_service, false);
    yes = deliverable(s) >= 0;
    vec_set(s->isr, in_service, true);
    return yes;
}

static bool extint_wanted(const struct apic *s)
{
    uint32_t lint0 = s->lvt[LVT_LINT0];

    if (!apic_hw_enabled(s)) {
        return s->bus->pic_level && (s->base & APIC_BASE_BSP);
    }
    return s->extint ||
           (s->bus->pic_level && !(lint0 & LVT_MASKED) && bits_get(lint0, LVT_MODE_SHIFT, 3) == APIC_DM_EXTINT);
}

void apic_update(struct apic *s)
{
    bool level = extint_wanted(s) || deliverable(s) >= 0;

    if (!level && s->pv_offered) {
        apic_pv_sync(s);
        level = deliverable(s) >= 0 || (s->pv_offered && deliverable_then(s));
    }
    if (level != s->intr_level) {
        s->intr_level = level;
        s->ops->intr(s->opaque, level);
    }
}

int apic_ack(struct apic *s)
{
    int v;

    apic_pv_resolve(s);
    v = deliverable(s);
    if (v >= 0) {
        vec_set(s->irr, v, false);
        vec_set(s->isr, v, true);
        s->interrupts++;
        if (!vec_get(s->tmr, v)) {
            apic_pv_offer(s);
        }
    } else if (extint_wanted(s) && s->bus->pic_ack) {
        s->extint = false;
        v = s->bus->pic_ack(s->bus->pic_opaque);
        s->interrupts++;
    }
    apic_update(s);
    return v;
}

/* End of the highest vector in service; the caller updates */
void apic_end(struct apic *s)
{
    int v = highest(s->isr);

    if (v < 0) {
        return;
    }
    vec_set(s->isr, v, false);
    if (vec_get(s->tmr, v) && s->bus->ioapic) {
        ioapic_eoi(s->bus->ioapic, v);
    }
}

void apic_eoi(struct apic *s)
{
    apic_pv_resolve(s);
    apic_end(s);
    apic_update(s);
}

/* An error is noted for the next write of ESR, which shows it; the interrupt comes at once (10.5.3) */
void apic_error(struct apic *s, uint32_t bit)
{
    bool first = !(s->esr_new & bit);

    s->esr_new |= bit;
    if (first && (s->lvt[LVT_ERROR] & LVT_VECTOR) >= 16) {
        apic_lvt_fire(s, LVT_ERROR);
    }
}

void apic_accept(struct apic *s, const struct apic_msg *m)
{
    switch (m->mode) {
    case APIC_DM_FIXED:
    case APIC_DM_LOWEST:
        if (m->vector < 16) {
            apic_error(s, ESR_RECEIVE_ILLEGAL);
            return;
        }
        if (!apic_sw_enabled(s)) {
            return;
        }
        vec_set(s->irr, m->vector, true);
        vec_set(s->tmr, m->vector, m->level);
        break;
    case APIC_DM_NMI:
        s->ops->nmi(s->opaque);
        return;
    case APIC_DM_INIT:
        apic_init(s);
        s->ops->init(s->opaque);
        return;
    case APIC_DM_STARTUP:
        s->ops->sipi(s->opaque, m->vector);
        return;
    case APIC_DM_EXTINT:
        s->extint = true;
        break;
    default:                                /* SMI: no SMM; reserved */
        return;
    }
    apic_update(s);
}

/* A local source fires: timer, error, a pin */
void apic_lvt_fire(struct apic *s, enum apic_lvt n)
{
    uint32_t e = s->lvt[n];
    struct apic_msg m = { .mode = bits_get(e, LVT_MODE_SHIFT, 3), .vector = e & LVT_VECTOR };

    if (e & LVT_MASKED) {
        return;
    }
    if (n == LVT_TIMER || n == LVT_ERROR) {
        m.mode = APIC_DM_FIXED;             /* these have no mode field */
    }
    apic_accept(s, &m);
}

void apic_set_lint1(struct apic *s, bool level)
{
    bool rise = level && !s->lint1;

    s->lint1 = level;
    if (rise) {
        if (apic_hw_enabled(s)) {
            apic_lvt_fire(s, LVT_LINT1);
        } else {
            s->ops->nmi(s->opaque);
        }
    }
}

void apic_cr8_set(struct apic *s, uint8_t v)
{
    s->tpr = (v & 0xF) << 4;
    apic_update(s);
}

/* ---- reset ---- */

/* State after power-up or RESET of everything but id and base: 10.4.7.1 */
static void clear_state(struct apic *s)
{
    timer_disarm(&s->timer);
    s->ldr = 0;
    s->dfr = 0xFFFFFFFF;
    s->svr = 0xFF;
    s->esr = s->esr_new = 0;
    s->icr = 0;
    s->tpr = 0;
    memset(s->irr, 0, sizeof(s->irr));
    memset(s->isr, 0, sizeof(s->isr));
    memset(s->tmr, 0, sizeof(s->tmr));
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        s->lvt[i] = LVT_MASKED;
    }
    s->init_count = s->divide = 0;
    s->deadline = 0;
    s->extint = false;
    s->pv_offered = false;
}

void apic_init(struct apic *s)
{
    clear_state(s);
    if (apic_x2(s)) {
        s->ldr = (s->id & ~0xFu) << 12 | (uint32_t)BIT(s->id & 0xF);
    }
    apic_update(s);
}

void apic_virtual_wire(struct apic *s)
{
    s->svr = SVR_ENABLE | 0xFF;
    s->lvt[LVT_LINT0] = s->index ? LVT_MASKED : APIC_DM_EXTINT << LVT_MODE_SHIFT;
    s->lvt[LVT_LINT1] = APIC_DM_NMI << LVT_MODE_SHIFT;
    apic_update(s);
}

static void apic_reset(struct device *d)
{
    struct apic *s = (struct apic *)d;

    s->base = APIC_BASE | APIC_BASE_EN | (s->index ? 0 : APIC_BASE_BSP);
    s->id = s->index;
    s->pv_eoi = 0;
    clear_state(s);
    apic_bus_moved(s->bus);
    apic_update(s);
}

static bool apic_realize(struct device *d, Error **errp)
{
    struct apic *s = (struct apic *)d;

    if (s->index >= APIC_CPUS_MAX) {
        error_setg(errp, "local APIC %u: at most %d CPUs can be addressed", s->index, APIC_CPUS_MAX);
        return false;
    }
    s->bus->cpu[s->index] = s;
    s->bus->n = MAX(s->bus->n, s->index + 1);
    apic_timer_setup(s);
    return true;
}

static void apic_unrealize(struct device *d)
{
    struct apic *s = (struct apic *)d;

    timer_fini(&s->timer);
    if (s->index < APIC_CPUS_MAX) {
        s->bus->cpu[s->index] = NULL;
    }
}

void apic_print(const struct apic *s, GString *out)
{
    static const char *const names[LVT_COUNT] = { "LVTT", "LVTTHMR", "LVTPC", "LVT0", "LVT1", "LVTERR" };

    g_string_append_printf(out, "dumping local APIC state for CPU %u\n\n", s->index);
    for (unsigned i = 0; i < LVT_COUNT; i++) {
        uint32_t e = s->lvt[i];

        g_string_append_printf(out, "%-8s 0x%08x vec=%u mode=%u%s\n", names[i], e, e & LVT_VECTOR,
                               (unsigned)bits_get(e, LVT_MODE_SHIFT, 3), e & LVT_MASKED ? " masked" : "");
    }
    g_string_append_printf(out, "Timer    DCR=0x%x initial_count=%u current_count=%u\n", s->divide, s->init_count,
                           apic_timer_current(s));
    g_string_append_printf(out, "SPIV     0x%08x APIC %s, spurious vec %u\n", s->svr,
                           apic_sw_enabled(s) ? "enabled" : "disabled", s->svr & 0xFF);
    g_string_append_printf(out, "ICR      0x%016" G_GINT64_MODIFIER "x\nESR      0x%08x\n", s->icr, s->esr);
    for (unsigned set = 0; set < 2; set++) {
        const uint32_t *v = set ? s->irr : s->isr;

        g_string_append(out, set ? "IRR     " : "ISR     ");
        for (unsigned n = 0; n < 256; n++) {
            if (vec_get(v, n)) {
                g_string_append_printf(out, " %u%s", n, vec_get(s->tmr, n) ? "(level)" : "");
            }
        }
        g_string_append(out, highest(v) < 0 ? " (none)\n" : "\n");
    }
    if (s->pv_eoi) {
        g_string_append_printf(out, "PV EOI   0x%" G_GINT64_MODIFIER "x%s, %lu given\n", s->pv_eoi,
                               s->pv_offered ? " offered" : "", s->pv_eois);
    }
    g_string_append_printf(out, "APR 0x00 TPR 0x%02x DFR 0x%02x LDR 0x%02x PPR 0x%02x mode %s\n", s->tpr, s->dfr >> 28,
                           s->ldr >> 24, apic_ppr(s), !apic_hw_enabled(s) ? "off" : apic_x2(s) ? "x2APIC" : "xAPIC");
}

const struct device_type apic_type = {
    .name = TYPE_APIC,
    .desc = "Local APIC",
    .bus = "System",
    .size = sizeof(struct apic),
    .category = DEVICE_CAT_CPU,
    .realize = apic_realize,
    .unrealize = apic_unrealize,
    .reset = apic_reset,
};
