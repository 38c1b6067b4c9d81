/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/apic_pv.c - PV-EOI: an end of interrupt that the guest gives by clearing a bit in its own memory
 * (Linux: Documentation/virt/kvm/x86/msr.rst, MSR_KVM_PV_EOI_EN)
 *
 * The guest names four bytes of its memory. When a vector that needs no broadcast is taken into service, bit 0 there is
 * set: offered. The handler tests and clears it by one instruction; when it was set, that was the EOI, and the write to
 * the APIC's register, a device access, is saved. Nobody tells us, so ISR may be out of date while an offer stands:
 *
 *   bit is 0                   the EOI was given: ISR follows (apic_pv_sync(), any thread with the machine lock)
 *   bit is 1                   the handler has not come that far. Before anything hangs on it - the next vector, a real
 *                              EOI - the bit is taken back, and the guest will write the register (apic_pv_resolve())
 *
 * The guest's test-and-clear is atomic only for its own CPU, so the bit is written in the vCPU thread alone, where no
 * guest code runs meanwhile. Another thread that finds something to deliver after the EOI asserts INTR; the vCPU
 * resolves when it acknowledges, and may find that there is nothing for it yet.
 */
#include "hw/intc/apic_internal.h"
#include "mem/dma.h"

enum { PV_ENABLE = 1 << 0, PV_RESERVED = 1 << 1, PV_OFFERED = 1 << 0 };

static bool flag_get(const struct apic *s, uint8_t *v)
{
    struct dma d = { .as = s->mem, .enabled = true };

    return dma_read(&d, s->pv_eoi & ~3ull, v, 1);
}

static bool flag_put(const struct apic *s, uint8_t v)
{
    struct dma d = { .as = s->mem, .enabled = true };

    return dma_write(&d, s->pv_eoi & ~3ull, &v, 1);
}

void apic_pv_sync(struct apic *s)
{
    uint8_t v;

    if (s->pv_offered && flag_get(s, &v) && !(v & PV_OFFERED)) {
        s->pv_offered = false;
        s->pv_eois++;
        apic_end(s);
    }
}

void apic_pv_resolve(struct apic *s)
{
    apic_pv_sync(s);
    if (s->pv_offered) {
        s->pv_offered = false;
        flag_put(s, 0);
    }
}

void apic_pv_offer(struct apic *s)
{
    s->pv_offered = (s->pv_eoi & PV_ENABLE) && flag_put(s, PV_OFFERED);
}

bool apic_pv_set(struct apic *s, uint64_t v)
{
    if (!s->mem || (v & PV_RESERVED)) {
        return false;
    }
    apic_pv_resolve(s);
    s->pv_eoi = v;
    apic_update(s);
    return true;
}
