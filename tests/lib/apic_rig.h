/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/apic_rig.h - two local APICs and an I/O APIC with counted CPU pins */
#ifndef TESTS_LIB_APIC_RIG_H
#define TESTS_LIB_APIC_RIG_H

#include "hw/intc/apic.h"
#include "hw/intc/ioapic.h"
#include "tests/lib/isa_rig.h"

#define APIC_RIG_CPUS 2

struct apic_rig_cpu {
    bool intr;
    unsigned nmis, inits, sipis;
    uint8_t sipi_vector;
};

struct apic_rig {
    struct isa_rig isa;
    struct apic_bus bus;
    struct apic *apic[APIC_RIG_CPUS];
    struct ioapic *ioapic;
    struct apic_rig_cpu cpu[APIC_RIG_CPUS];
};

/** apic_rig_init() - both APICs software-enabled, xAPIC mode, flat logical ids 1 and 2 */
void apic_rig_init(struct apic_rig *r);
void apic_rig_fini(struct apic_rig *r);
uint32_t apic_rig_read(struct apic_rig *r, unsigned cpu, unsigned off);
void apic_rig_write(struct apic_rig *r, unsigned cpu, unsigned off, uint32_t v);
uint32_t ioapic_rig_read(struct apic_rig *r, unsigned reg);
void ioapic_rig_write(struct apic_rig *r, unsigned reg, uint32_t v);
/** ioapic_rig_route() - redirection entry of @pin: low word, and destination */
void ioapic_rig_route(struct apic_rig *r, unsigned pin, uint32_t low, uint8_t dest);

#endif
