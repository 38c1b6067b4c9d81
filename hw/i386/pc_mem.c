/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc_mem.c - the memory map of the pc board (82441FX chapter 4.1)
 *
 *   0          640K       RAM
 *   A0000      C0000      PCI or ISA (VGA)
 *   C0000      100000     PCI, or RAM where the PAM registers say so
 *   100000     below_4g   RAM
 *   below_4g   FEC00000   PCI
 *   FEC00000 I/O APIC   FED00000 HPET   FEE00000 local APICs   FFFFF000 reset vector
 *   100000000  ...        the rest of RAM
 *
 * RAM is one block; offset == address below 4 GiB. More than 3.5 GiB: 3 GiB below, as other boards of this kind do it.
 */
#include "hw/i386/pc_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

#define RAM_DEFAULT     (128 * MiB)
#define RAM_MIN         (1 * MiB)
#define RAM_MAX         (1ull << 39)            /* well within the 40 address bits of the CPU models */
#define BELOW_4G_MAX    0xE0000000ull
#define BELOW_4G_SPLIT  0xC0000000ull
#define BIOS_BASE       0xFFFFF000ull
#define BIOS_SIZE       0x1000

static void e820_add(struct pc *pc, uint64_t addr, uint64_t size, uint32_t type)
{
    if (size && pc->ne820 < PC_E820_MAX) {
        pc->e820[pc->ne820++] = (struct e820_entry){ addr, size, type };
    }
}

static void e820_build(struct pc *pc)
{
    e820_add(pc, 0, 0x9FC00, E820_RAM);
    e820_add(pc, 0x9FC00, 0x400, E820_RESERVED);            /* EBDA */
    e820_add(pc, 0xF0000, 0x10000, E820_RESERVED);          /* tables */
    e820_add(pc, MiB, pc->below_4g - MiB, E820_RAM);
    e820_add(pc, 0xFFFC0000, 0x40000, E820_RESERVED);       /* firmware's place */
    e820_add(pc, 4 * GiB, pc->above_4g, E820_RAM);
}

void pc_pam_changed(void *opaque, const struct pam_area areas[PAM_AREAS], uint8_t smram)
{
    struct pc *pc = opaque;

    region_batch_begin();
    for (unsigned i = 0; i < PAM_AREAS; i++) {
        struct region *r = &pc->pam[i], *target = areas[i].attr & PAM_WRITE ? &pc->ram_rw : &pc->ram_ro;

        if (r->alias != target) {
            region_del(r);
            region_init_alias(r, "pam", target, areas[i].start, areas[i].size);
            r->enabled = false;
            region_add(&pc->mem_root, areas[i].start, r, 1);
        }
        region_set_enabled(r, areas[i].attr != 0);
    }
    region_batch_end();
}

/* A machine without kernel has no firmware yet either: the CPU finds cli; hlt; jmp at its reset vector and waits. */
static bool bios_init(struct pc *pc, Error **errp)
{
    static const uint8_t wait[] = { 0xFA, 0xF4, 0xEB, 0xFC };

    pc->bios = ram_new("pc.bios", BIOS_SIZE, errp);
    if (!pc->bios) {
        return false;
    }
    memcpy(pc->bios->host + 0xFF0, wait, sizeof(wait));
    region_init_ram(&pc->bios_rom, "pc.bios", pc->bios, true);
    region_add(&pc->mem_root, BIOS_BASE, &pc->bios_rom, 0);
    return true;
}

static bool sizes(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    pc->ram_size = cfg->ram_size ? align_down(cfg->ram_size, RAM_PAGE_SIZE) : RAM_DEFAULT;
    if (pc->ram_size < RAM_MIN || pc->ram_size > RAM_MAX) {
        error_setg(errp, "RAM size of %" G_GUINT64_FORMAT " bytes: the board takes 1 MiB to 512 GiB", cfg->ram_size);
        return false;
    }
    pc->below_4g = pc->ram_size > BELOW_4G_MAX ? BELOW_4G_SPLIT : pc->ram_size;
    pc->above_4g = pc->ram_size - pc->below_4g;
    return true;
}

static void map_ram(struct pc *pc)
{
    region_init_ram(&pc->ram_rw, "pc.ram", pc->ram, false);
    region_init_ram(&pc->ram_ro, "pc.ram-ro", pc->ram, true);
    region_init_alias(&pc->low, "ram-below-640k", &pc->ram_rw, 0, 0xA0000);
    region_add(&pc->mem_root, 0, &pc->low, 0);
    if (pc->below_4g > MiB) {
        region_init_alias(&pc->high, "ram-below-4g", &pc->ram_rw, MiB, pc->below_4g - MiB);
        region_add(&pc->mem_root, MiB, &pc->high, 0);
    }
    if (pc->above_4g) {
        region_init_alias(&pc->above, "ram-above-4g", &pc->ram_rw, pc->below_4g, pc->above_4g);
        region_add(&pc->mem_root, 4 * GiB, &pc->above, 0);
    }
}

bool pc_mem_init(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    if (!sizes(pc, cfg, errp)) {
        return false;
    }
    pc->ram = ram_new("pc.ram", pc->ram_size, errp);
    if (!pc->ram) {
        return false;
    }
    region_init(&pc->mem_root, "system", 0);
    region_init(&pc->io_root, "io", 0x10000);
    region_init(&pc->pci_mem, "pci", 0);
    region_batch_begin();
    region_add(&pc->mem_root, 0, &pc->pci_mem, -1);
    map_ram(pc);
    region_batch_end();
    if (!bios_init(pc, errp)) {
        return false;
    }
    space_init(&pc->mem, "memory", &pc->mem_root);
    space_init(&pc->io, "I/O", &pc->io_root);
    pc->spaces = true;
    e820_build(pc);
    return true;
}

void pc_mem_fini(struct pc *pc)
{
    if (pc->spaces) {
        space_fini(&pc->io);
        space_fini(&pc->mem);
        pc->spaces = false;
    }
    for (unsigned i = 0; i < PAM_AREAS; i++) {
        region_fini(&pc->pam[i]);
    }
    region_fini(&pc->above);
    region_fini(&pc->high);
    region_fini(&pc->low);
    region_fini(&pc->bios_rom);
    region_fini(&pc->pci_mem);
    ram_free(g_steal_pointer(&pc->bios));
    ram_free(g_steal_pointer(&pc->ram));
}
