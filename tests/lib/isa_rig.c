/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/isa_rig.c - see isa_rig.h */
#include "tests/lib/isa_rig.h"

void isa_rig_once(void)
{
    loop_init();
    clock_virtual_manual();
}

static void line_set(void *opaque, unsigned n, bool level)
{
    struct isa_rig *r = opaque;

    r->rises[n] += level && !r->level[n];
    r->falls[n] += !level && r->level[n];
    r->level[n] = level;
}

void isa_rig_init(struct isa_rig *r)
{
    struct irq *irq[ISA_IRQS];

    *r = (struct isa_rig){ 0 };
    region_init(&r->io, "io", 0x10000);
    region_init(&r->mem, "mem", 0);
    space_init(&r->io_as, "io", &r->io);
    space_init(&r->mem_as, "mem", &r->mem);
    for (unsigned i = 0; i < RIG_LINES; i++) {
        irq_init(&r->line[i], line_set, r, i);
    }
    for (unsigned i = 0; i < ISA_IRQS; i++) {
        irq[i] = &r->line[i];
    }
    isa_bus_init(&r->isa, NULL, &r->io, &r->mem, irq);
}

void isa_rig_fini(struct isa_rig *r)
{
    device_free_all();
    isa_bus_fini(&r->isa);
    space_fini(&r->mem_as);
    space_fini(&r->io_as);
}

void isa_rig_realize(struct isa_rig *r, struct device *d, bool on_isa)
{
    Error *err = NULL;
    bool ok = device_realize(d, on_isa ? &r->isa.bus : NULL, &err);

    if (!ok) {
        g_error("%s: %s", d->type->name, error_text(err));
    }
}

uint32_t isa_rig_in(struct isa_rig *r, unsigned port, unsigned size)
{
    return (uint32_t)space_read(&r->io_as, port, size);
}

void isa_rig_out(struct isa_rig *r, unsigned port, uint32_t v, unsigned size)
{
    space_write(&r->io_as, port, v, size);
}

void isa_rig_step(int64_t ns)
{
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + ns);
}
