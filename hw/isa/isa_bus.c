/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/isa/isa_bus.c - the ISA bus: a named bus with wires. No address decoding of its own: devices place their regions.
 */
#include "hw/isa/isa.h"
#include <string.h>

void isa_bus_init(struct isa_bus *b, struct device *parent, struct region *io, struct region *mem,
                  struct irq *const irq[ISA_IRQS])
{
    bus_init(&b->bus, "ISA", "isa.0", parent);
    b->io = io;
    b->mem = mem;
    memcpy(b->irq, irq, sizeof(b->irq));
}

void isa_bus_fini(struct isa_bus *b)
{
    bus_fini(&b->bus);
}
