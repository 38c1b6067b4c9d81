/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/isa/isa.h - the ISA bus: sixteen interrupt lines and the I/O space that its devices decode
 *
 * The bus is provided by the south bridge (PIIX3). A device on it is a plain struct device of .bus "ISA"; realize takes
 * what it needs from isa_bus_of(d->bus). Machine lock held throughout.
 */
#ifndef HW_ISA_ISA_H
#define HW_ISA_ISA_H

#include "core/device.h"
#include "core/irq.h"
#include "mem/region.h"

#define ISA_IRQS 16

struct isa_bus {
    struct bus bus;                     /* first member; kind "ISA" */
    struct region *io;                  /* port space, 64 KiB */
    struct region *mem;                 /* memory space */
    struct irq *irq[ISA_IRQS];          /* IRQ0..15 as the interrupt controllers see them; IRQ2 is the cascade: NULL */
};

/**
 * isa_bus_init() - a bus without devices
 * @parent: the bridge, or NULL (tests); @irq: ISA_IRQS sinks, NULL elements are not connected
 */
void isa_bus_init(struct isa_bus *b, struct device *parent, struct region *io, struct region *mem,
                  struct irq *const irq[ISA_IRQS]);
void isa_bus_fini(struct isa_bus *b);

static inline struct isa_bus *isa_bus_of(struct bus *b)
{
    return (struct isa_bus *)b;
}

/** isa_irq() - sink of line @n of the bus that @d sits on; NULL when @n is no line */
static inline struct irq *isa_irq(struct device *d, unsigned n)
{
    return n < ISA_IRQS ? isa_bus_of(d->bus)->irq[n] : NULL;
}

/** isa_io_add() - place an I/O region of device @d at @port; the device's unrealize calls region_fini() */
static inline void isa_io_add(struct device *d, unsigned port, struct region *r)
{
    region_add(isa_bus_of(d->bus)->io, port, r, 0);
}

#endif
