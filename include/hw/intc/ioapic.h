/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/ioapic.h - 82093AA I/O APIC: 24 inputs, each with a redirection entry that makes a message to the local APICs
 *
 * Device "ioapic" on the system bus at 0xFEC00000. The board sets .bus (where messages go) and .mem before realize.
 * An input's level is "asserted or not": the polarity bit is kept for the guest and has no effect, since sources here
 * assert, whatever the voltage would be. Machine lock held throughout.
 */
#ifndef HW_INTC_IOAPIC_H
#define HW_INTC_IOAPIC_H

#include "core/device.h"
#include "core/irq.h"
#include "mem/region.h"

#define TYPE_IOAPIC     "ioapic"
#define IOAPIC_PINS     24
#define IOAPIC_BASE     0xFEC00000u

struct apic_bus;

struct ioapic {
    struct device dev;              /* first member */
    struct apic_bus *apics;         /* set by the board */
    struct region *mem;             /* where the window goes; set by the board */
    struct region io;
    struct irq in[IOAPIC_PINS];
    uint8_t select, id;
    uint64_t rte[IOAPIC_PINS];      /* redirection table, 82093AA 3.2.4 */
    uint32_t lines;                 /* inputs as they are now */
};

/** ioapic_eoi() - a local APIC ended @vector of a level-triggered interrupt */
void ioapic_eoi(struct ioapic *s, uint8_t vector);
/** ioapic_print() - "info pic", the redirection table */
void ioapic_print(const struct ioapic *s, GString *out);

extern const struct device_type ioapic_type;

#endif
