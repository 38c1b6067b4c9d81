/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/isa_rig.h - port space, memory, an ISA bus and counted interrupt lines for tests of one chip */
#ifndef TESTS_LIB_ISA_RIG_H
#define TESTS_LIB_ISA_RIG_H

#include "core/clock.h"
#include "core/loop.h"
#include "hw/isa/isa.h"
#include "mem/space.h"

#define RIG_LINES 24

struct isa_rig {
    struct region io, mem;
    struct addr_space io_as, mem_as;
    struct isa_bus isa;
    struct irq line[RIG_LINES];
    bool level[RIG_LINES];
    unsigned rises[RIG_LINES], falls[RIG_LINES];
};

/** isa_rig_once() - main loop and manual virtual clock; first thing in main() */
void isa_rig_once(void);
void isa_rig_init(struct isa_rig *r);
void isa_rig_fini(struct isa_rig *r);
/**
 * isa_rig_add() - a new device of @type on the rig's ISA bus; fill in wires between new and this with device_new()
 * instead
 */
void isa_rig_realize(struct isa_rig *r, struct device *d, bool on_isa);
uint32_t isa_rig_in(struct isa_rig *r, unsigned port, unsigned size);
void isa_rig_out(struct isa_rig *r, unsigned port, uint32_t v, unsigned size);
static inline uint8_t in8(struct isa_rig *r, unsigned port) { return (uint8_t)isa_rig_in(r, port, 1); }
static inline void out8(struct isa_rig *r, unsigned port, uint8_t v) { isa_rig_out(r, port, v, 1); }
/** isa_rig_step() - move virtual time on by @ns */
void isa_rig_step(int64_t ns);

#endif
