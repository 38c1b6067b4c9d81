/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/apic_rig.c - see apic_rig.h */
#include "tests/lib/apic_rig.h"

static void pin_intr(void *opaque, bool level)
{
    ((struct apic_rig_cpu *)opaque)->intr = level;
}

static void pin_nmi(void *opaque)
{
    ((struct apic_rig_cpu *)opaque)->nmis++;
}

static void pin_init(void *opaque)
{
    ((struct apic_rig_cpu *)opaque)->inits++;
}

static void pin_sipi(void *opaque, uint8_t vector)
{
    struct apic_rig_cpu *c = opaque;

    c->sipis++;
    c->sipi_vector = vector;
}

static uint64_t tsc(void *opaque)
{
    return (uint64_t)clock_get_ns(CLOCK_VIRTUAL);
}

static const struct apic_cpu_ops pins = { pin_intr, pin_nmi, pin_init, pin_sipi, tsc };

void apic_rig_init(struct apic_rig *r)
{
    *r = (struct apic_rig){ 0 };
    isa_rig_init(&r->isa);
    apic_bus_init(&r->bus, &r->isa.mem);
    for (unsigned i = 0; i < APIC_RIG_CPUS; i++) {
        struct apic *a = r->apic[i] = (struct apic *)device_new(&apic_type, NULL);

        a->bus = &r->bus;
        a->ops = &pins;
        a->opaque = &r->cpu[i];
        a->index = i;
        a->has_x2apic = a->has_deadline = true;
        isa_rig_realize(&r->isa, &a->dev, false);
    }
    r->ioapic = (struct ioapic *)device_new(&ioapic_type, NULL);
    r->ioapic->apics = &r->bus;
    r->ioapic->mem = &r->isa.mem;
    isa_rig_realize(&r->isa, &r->ioapic->dev, false);
    r->bus.ioapic = r->ioapic;
    for (unsigned i = 0; i < APIC_RIG_CPUS; i++) {
        apic_rig_write(r, i, 0xF0, 0x1FF);
        apic_rig_write(r, i, 0xD0, 0x01000000u << i);
    }
}

void apic_rig_fini(struct apic_rig *r)
{
    device_free_all();
    apic_bus_fini(&r->bus);
    isa_rig_fini(&r->isa);
}

uint32_t apic_rig_read(struct apic_rig *r, unsigned cpu, unsigned off)
{
    r->bus.current = cpu;
    return (uint32_t)space_read(&r->isa.mem_as, APIC_BASE + off, 4);
}

void apic_rig_write(struct apic_rig *r, unsigned cpu, unsigned off, uint32_t v)
{
    r->bus.current = cpu;
    space_write(&r->isa.mem_as, APIC_BASE + off, v, 4);
}

uint32_t ioapic_rig_read(struct apic_rig *r, unsigned reg)
{
    space_write(&r->isa.mem_as, IOAPIC_BASE, reg, 4);
    return (uint32_t)space_read(&r->isa.mem_as, IOAPIC_BASE + 0x10, 4);
}

void ioapic_rig_write(struct apic_rig *r, unsigned reg, uint32_t v)
{
    space_write(&r->isa.mem_as, IOAPIC_BASE, reg, 4);
    space_write(&r->isa.mem_as, IOAPIC_BASE + 0x10, v, 4);
}

void ioapic_rig_route(struct apic_rig *r, unsigned pin, uint32_t low, uint8_t dest)
{
    ioapic_rig_write(r, 0x11 + 2 * pin, (uint32_t)dest << 24);
    ioapic_rig_write(r, 0x10 + 2 * pin, low);
}
