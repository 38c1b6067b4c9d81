/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc.c - the board "pc": life, accessors, what monitors print
 *
 * Built in the order memory, CPUs, devices, kernel; torn down backwards, also after a failure half-way. Devices are
 * owned by the device tree: device_free_all() takes them, ours and the user's, before what they point to goes.
 */
#include "core/reset.h"
#include "hw/i386/pc_internal.h"
#include "lib/bits.h"

struct pc *pc_new(const struct pc_config *cfg, Error **errp)
{
    struct pc *pc = g_new0(struct pc, 1);

    if (!pc_mem_init(pc, cfg, errp) || !pc_cpus_init(pc, cfg, errp) || !pc_devices_init(pc, cfg, errp) ||
        !pc_start_init(pc, cfg, errp)) {
        pc_free(pc);
        return NULL;
    }
    reset_register(pc_start_reset, pc);
    return pc;
}

void pc_free(struct pc *pc)
{
    if (!pc) {
        return;
    }
    reset_unregister(pc_start_reset, pc);
    device_free_all();
    pc_start_fini(pc);
    pc_devices_fini(pc);
    pc_cpus_fini(pc);
    pc_mem_fini(pc);
    g_free(pc);
}

unsigned pc_cpus(const struct pc *pc)
{
    return pc->ncpus;
}

struct x86_cpu *pc_cpu(struct pc *pc, unsigned n)
{
    return n < pc->ncpus ? pc->cpu[n].x86 : NULL;
}

struct addr_space *pc_memory(struct pc *pc)
{
    return &pc->mem;
}

struct addr_space *pc_io(struct pc *pc)
{
    return &pc->io;
}

struct pci_bus *pc_pci_bus(struct pc *pc)
{
    return &pc->host->bus;
}

struct isa_bus *pc_isa_bus(struct pc *pc)
{
    return &pc->piix3->isa;
}

struct fw_cfg *pc_fw_cfg(struct pc *pc)
{
    return pc->fw_cfg;
}

uint64_t pc_ram_size(const struct pc *pc)
{
    return pc->ram_size;
}

struct irq *pc_ioapic_pins(struct pc *pc, unsigned *n)
{
    *n = IOAPIC_PINS;
    return pc->ioapic->in;
}

/* ---- monitor ---- */

static void print_counts(const char *name, const struct irq *in, unsigned n, GString *out)
{
    g_string_append_printf(out, "IRQ statistics for %s:\n", name);
    for (unsigned i = 0; i < n; i++) {
        if (in[i].count) {
            g_string_append_printf(out, "%2u: %lu\n", i, in[i].count);
        }
    }
}

void pc_print_irq(struct pc *pc, GString *out)
{
    print_counts("ioapic", pc->ioapic->in, ARRAY_LEN(pc->ioapic->in), out);
    print_counts("isa-i8259", pc->pic->in, ARRAY_LEN(pc->pic->in), out);
}

void pc_print_pic(struct pc *pc, GString *out)
{
    ioapic_print(pc->ioapic, out);
    i8259_print(pc->pic, out);
}

void pc_print_lapic(struct pc *pc, unsigned cpu, GString *out)
{
    if (cpu < pc->ncpus) {
        apic_print(pc->cpu[cpu].apic, out);
    }
}

void pc_print_screen(struct pc *pc, GString *out)
{
    if (pc->vga) {
        vga_print_text(pc->vga, out);
    }
}
