/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/x86-rig.h - a CPU with 16 MiB of RAM, a ROM, a device page, and a way to catch what it raises
 *
 * RAM 0-0xFFFFFF, ROM (filled with 0xA5) at 0x2000000, I/O at 0x3000000 (4 KiB; reads give the offset, accesses are
 * counted). A write to port 0x80: 1 raises INTR (vector .vector, once), 2 is an NMI, 3 kicks the CPU.
 */
#ifndef TESTS_UNIT_X86_RIG_H
#define TESTS_UNIT_X86_RIG_H

#include "core/loop.h"
#include "lib/bits.h"
#include "target/x86/access.h"
#include "target/x86/excp.h"
#include "target/x86/flags.h"
#include "target/x86/mmu.h"
#include "target/x86/seg.h"
#include "tests/lib/x86engine.h"

struct rig {
    struct region root, ports, ram_r, rom_r, io_r, port_r;
    struct ram_block *ram, *rom;
    struct addr_space mem, io;
    struct x86_cpu *cpu;
    unsigned io_reads, io_writes;
    uint64_t io_last;
    unsigned io_last_size;
    int vector;
};

enum { RIG_ROM = 0x2000000, RIG_IO = 0x3000000, NO_FAULT = -1 };

static uint64_t rig_io_read(void *opaque, uint64_t off, unsigned size)
{
    struct rig *g = opaque;

    g->io_reads++;
    g->io_last_size = size;
    return off & bits_mask(8 * size);
}

static void rig_io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct rig *g = opaque;

    g->io_writes++;
    g->io_last = val;
    g->io_last_size = size;
}

static const struct region_ops rig_ops = { rig_io_read, rig_io_write, 1, 8 };

static void rig_port_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct rig *g = opaque;

    if (val == 1) {
        x86_cpu_set_intr(g->cpu, true);
    } else if (val == 2) {
        x86_cpu_nmi(g->cpu);
    } else {
        x86_cpu_kick(g->cpu);
    }
}

static uint64_t rig_port_read(void *opaque, uint64_t off, unsigned size)
{
    return 0x80;
}

static const struct region_ops rig_port_ops = { rig_port_read, rig_port_write, 1, 1 };

static int rig_ack(void *o)
{
    struct rig *g = o;

    x86_cpu_set_intr(g->cpu, false);
    return g->vector;
}

static bool rig_rdmsr(void *o, uint32_t msr, uint64_t *v) { *v = msr == 0x1B ? 0xFEE00900 : 0; return true; }
static bool rig_wrmsr(void *o, uint32_t msr, uint64_t v) { return true; }
static uint8_t rig_cr8_get(void *o) { return 0; }
static void rig_cr8_set(void *o, uint8_t v) { }
static void rig_ferr(void *o) { }

static void rig_new(struct rig *g, const char *model)
{
    const struct x86_platform plat = {
        .opaque = g, .ack_irq = rig_ack, .rdmsr = rig_rdmsr, .wrmsr = rig_wrmsr, .cr8_get = rig_cr8_get,
        .cr8_set = rig_cr8_set, .ferr = rig_ferr,
    };

    memset(g, 0, sizeof(*g));
    g->ram = ram_new("ram", 16 * MiB, NULL);
    g->rom = ram_new("rom", 0x10000, NULL);
    memset(g->rom->host, 0xA5, g->rom->size);
    region_init(&g->root, "root", 0);
    region_init(&g->ports, "ports", 0x10000);
    region_init_ram(&g->ram_r, "ram", g->ram, false);
    region_init_ram(&g->rom_r, "rom", g->rom, true);
    region_init_io(&g->io_r, "io", 0x1000, &rig_ops, g);
    region_init_io(&g->port_r, "port", 1, &rig_port_ops, g);
    region_add(&g->ports, 0x80, &g->port_r, 0);
    region_add(&g->root, 0, &g->ram_r, 0);
    region_add(&g->root, RIG_ROM, &g->rom_r, 0);
    region_add(&g->root, RIG_IO, &g->io_r, 0);
    space_init(&g->mem, "mem", &g->root);
    space_init(&g->io, "io", &g->ports);
    g->cpu = x86_cpu_new(x86_features_parse(model, NULL), &g->mem, &g->io, &plat, NULL);
    g_assert_nonnull(g->cpu);
    test_engine(g->cpu);
}

static void rig_free(struct rig *g)
{
    x86_cpu_free(g->cpu);
    region_del(&g->ram_r);
    region_del(&g->rom_r);
    region_del(&g->io_r);
    region_del(&g->port_r);
    space_fini(&g->mem);
    space_fini(&g->io);
    region_fini(&g->ram_r);
    region_fini(&g->rom_r);
    region_fini(&g->io_r);
    region_fini(&g->port_r);
    region_fini(&g->root);
    region_fini(&g->ports);
    ram_free(g->ram);
    ram_free(g->rom);
}

/* GLib's assertions declare locals of fixed names, and CATCH() puts one inside another */
#pragma GCC diagnostic ignored "-Wshadow"

/* Run @body; Return: the vector it raised or NO_FAULT. Error code and CR2 are in cpu->exc */
#define CATCH(cpu, body) __extension__({                    \
        volatile int vec_ = NO_FAULT;                       \
        (cpu)->exc.err = 0;                                 \
        if (sigsetjmp((cpu)->jmp, 0)) {                     \
            vec_ = (cpu)->exc.vec;                          \
        } else {                                            \
            body;                                           \
        }                                                   \
        vec_;                                               \
    })

static inline void poke64(struct rig *g, uint64_t phys, uint64_t v) { memcpy(g->ram->host + phys, &v, 8); }
static inline void poke32(struct rig *g, uint64_t phys, uint32_t v) { memcpy(g->ram->host + phys, &v, 4); }
static inline uint64_t peek64(struct rig *g, uint64_t phys)
{
    uint64_t v;

    memcpy(&v, g->ram->host + phys, sizeof(v));
    return v;
}
static inline uint32_t peek32(struct rig *g, uint64_t phys)
{
    uint32_t v;

    memcpy(&v, g->ram->host + phys, sizeof(v));
    return v;
}

/* Segments as a flat operating system has them, at privilege @cpl; CS is 64-bit when EFER.LMA is set */
static void rig_flat(struct rig *g, unsigned cpl)
{
    struct x86_cpu *cpu = g->cpu;
    const uint16_t a = SEGA_G | SEGA_P | SEGA_S | SEGA_RW | SEGA_ACCESSED | SEGA_DB;

    for (unsigned i = 0; i < 6; i++) {
        cpu->seg[i] = (struct x86_seg){
            .limit = 0xFFFFFFFF, .sel = (uint16_t)(16 | cpl), .attr = (uint16_t)(a | cpl << 5),
        };
    }
    cpu->seg[SEG_CS].sel = (uint16_t)(8 | cpl);
    cpu->seg[SEG_CS].attr |= SEGA_CODE;
    if (cpu->efer & EFER_LMA) {
        cpu->seg[SEG_CS].attr = (uint16_t)((cpu->seg[SEG_CS].attr & ~SEGA_DB) | SEGA_L);
    }
    cpu->cpl = (uint8_t)cpl;
    x86_mode_update(cpu);
}

#endif
