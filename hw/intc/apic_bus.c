/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/apic_bus.c - which local APIC takes a message (Intel SDM vol. 3, 10.6.2)
 *
 * Physical destination: the APIC id, all ones is everybody. Logical: xAPIC flat (a bit mask of eight) or cluster (4-bit
 * cluster, 4-bit mask) by DFR; x2APIC 16-bit cluster and 16-bit mask. Lowest priority goes to one of those addressed:
 * the one with the lowest PPR.
 */
#include "hw/intc/apic_internal.h"

enum { SHORT_NONE, SHORT_SELF, SHORT_ALL, SHORT_OTHERS };

static bool matches(const struct apic *s, const struct apic_msg *m)
{
    if (m->dest == 0xFFFFFFFF || (!apic_x2(s) && m->dest == 0xFF)) {
        return true;
    }
    if (!m->logical) {
        return m->dest == s->id || (apic_x2(s) && m->dest == 0xFF);
    }
    if (apic_x2(s)) {
        return m->dest >> 16 == s->ldr >> 16 && (m->dest & s->ldr & 0xFFFF);
    }
    if (s->dfr >> 28 == 0xF) {
        return m->dest & (s->ldr >> 24);
    }
    return s->dfr >> 28 == 0 && (m->dest >> 4 & 0xF) == s->ldr >> 28 && (m->dest & (s->ldr >> 24) & 0xF);
}

void apic_bus_ipi(struct apic_bus *b, struct apic *from, const struct apic_msg *m, unsigned shorthand)
{
    struct apic *lowest = NULL;

    for (unsigned i = 0; i < b->n; i++) {
        struct apic *s = b->cpu[i];
        bool hit;

        if (!s || !apic_hw_enabled(s)) {
            continue;
        }
        switch (shorthand) {
        case SHORT_SELF:
            hit = s == from;
            break;
        case SHORT_ALL:
            hit = true;
            break;
        case SHORT_OTHERS:
            hit = s != from;
            break;
        default:
            hit = matches(s, m);
            break;
        }
        if (!hit) {
            continue;
        }
        if (m->mode != APIC_DM_LOWEST) {
            apic_accept(s, m);
        } else if (!lowest || apic_ppr(s) < apic_ppr(lowest)) {
            lowest = s;
        }
    }
    if (lowest) {
        apic_accept(lowest, m);
    }
}

void apic_bus_deliver(struct apic_bus *b, const struct apic_msg *m)
{
    apic_bus_ipi(b, NULL, m, SHORT_NONE);
}

/*
 * Address 31:20 0xFEE, 19:12 destination, 3 redirection hint, 2 logical. Data 15 level, 14 assert, 10:8 mode, 7:0
 * vector.
 */
bool apic_bus_msi(struct apic_bus *b, uint64_t addr, uint32_t data)
{
    struct apic_msg m = {
        .dest = bits_get(addr, 12, 8), .logical = addr & BIT(2), .mode = bits_get(data, 8, 3), .vector = data & 0xFF,
    };

    if (addr >> 20 != 0xFEE) {
        return false;
    }
    apic_bus_deliver(b, &m);
    return true;
}

void apic_bus_set_pic(struct apic_bus *b, bool level)
{
    if (level == b->pic_level) {
        return;
    }
    b->pic_level = level;
    for (unsigned i = 0; i < b->n; i++) {
        struct apic *s = b->cpu[i];
        uint32_t lint0;

        if (!s) {
            continue;
        }
        lint0 = s->lvt[LVT_LINT0];
        if (level && apic_hw_enabled(s) && bits_get(lint0, LVT_MODE_SHIFT, 3) != APIC_DM_EXTINT) {
            apic_lvt_fire(s, LVT_LINT0);    /* the pin used as an ordinary interrupt */
        }
        apic_update(s);
    }
}

/* One window for all: it follows the boot CPU. */
void apic_bus_moved(struct apic_bus *b)
{
    const struct apic *s = b->cpu[0];

    if (s) {
        region_batch_begin();
        region_set_addr(&b->mmio, s->base & 0xFFFFFFFFFF000);
        region_set_enabled(&b->mmio, apic_hw_enabled(s) && !apic_x2(s));
        region_batch_end();
    }
}

void apic_bus_init(struct apic_bus *b, struct region *mem)
{
    *b = (struct apic_bus){ 0 };
    region_init_io(&b->mmio, "apic", 0x1000, &apic_mmio_ops, b);
    region_add(mem, APIC_BASE, &b->mmio, 1);
}

void apic_bus_fini(struct apic_bus *b)
{
    region_fini(&b->mmio);
}
