/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_info.c - loading multiboot and PVH images, and the information blocks they are started with
 *
 * multiboot: EAX = 0x2BADB002, EBX = multiboot_info (specification 3.3). PVH: EBX = hvm_start_info version 1.
 * Lists are laid out upwards from BOOT_LISTS; running out of that room is an error, not an overflow.
 */
#include "hw/i386/boot_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

/* A bump allocator over BOOT_LISTS..BOOT_LISTS_END */
struct lists {
    const struct boot *b;
    const struct boot_machine *m;
    uint64_t at;
};

/* Put @len bytes; 0: no room (and *errp) */
static uint32_t put(struct lists *l, const void *data, uint64_t len, Error **errp)
{
    uint64_t at = align_up(l->at, 8);

    if (len > BOOT_LISTS_END - BOOT_LISTS || at + len > BOOT_LISTS_END) {
        error_setg(errp, "'%s': module command lines and lists are too long", l->b->kernel.path);
        return 0;
    }
    l->at = at + len;
    return boot_put(l->m, at, data, len, &l->b->kernel, "lists", errp) ? (uint32_t)at : 0;
}

/* ---- multiboot ---- */

enum { MBI_MEMORY = 1 << 0, MBI_CMDLINE = 1 << 2, MBI_MODS = 1 << 3, MBI_MMAP = 1 << 6, MBI_LOADER = 1 << 9 };
enum { MB_BOOTED = 0x2BADB002 };

struct mb_info_wire {
    le32 flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr, syms[4], mmap_length, mmap_addr;
    le32 drives_length, drives_addr, config_table, boot_loader_name, apm_table;
};
static_assert(sizeof(struct mb_info_wire) == 72, "multiboot 3.3");
struct mb_module_wire { le32 start, end, string, reserved; };
struct mb_mmap_wire { le32 size; le64 addr, len; le32 type; } __attribute__((packed));
static_assert(sizeof(struct mb_mmap_wire) == 24, "multiboot 3.3");

static bool mb_modules(struct boot *b, struct lists *l, struct mb_info_wire *info, Error **errp)
{
    struct mb_module_wire mods[BOOT_MODULES_MAX] = { 0 };
    uint32_t at;

    for (unsigned i = 0; i < b->nmod; i++) {
        uint32_t text = put(l, b->mod[i].cmdline, strlen(b->mod[i].cmdline) + 1, errp);

        if (!text) {
            return false;
        }
        mods[i].start = le32_of(b->mod[i].addr);
        mods[i].end = le32_of(b->mod[i].addr + b->mod[i].file.size);
        mods[i].string = le32_of(text);
    }
    at = put(l, mods, MAX(b->nmod, 1u) * sizeof(mods[0]), errp);
    info->mods_count = le32_of(b->nmod);
    info->mods_addr = le32_of(at);
    return at;
}

static bool mb_mmap(struct lists *l, struct mb_info_wire *info, Error **errp)
{
    const struct boot_machine *m = l->m;
    g_autofree struct mb_mmap_wire *map = g_new0(struct mb_mmap_wire, m->ne820 + 1);
    uint32_t at;

    for (unsigned i = 0; i < m->ne820; i++) {
        map[i].size = le32_of(sizeof(map[i]) - 4);
        map[i].addr = le64_of(m->e820[i].addr);
        map[i].len = le64_of(m->e820[i].size);
        map[i].type = le32_of(m->e820[i].type);
    }
    at = put(l, map, m->ne820 * sizeof(*map), errp);
    info->mmap_addr = le32_of(at);
    info->mmap_length = le32_of(m->ne820 * sizeof(*map));
    return at;
}

bool multiboot_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp)
{
    struct lists l = { b, m, BOOT_LISTS };
    struct mb_info_wire info = { 0 };
    /* the first word is the image's own name, as GRUB and others pass it */
    g_autofree char *cmdline = g_strdup_printf("%s%s%s", b->kernel_path, *b->append ? " " : "", b->append);
    uint32_t name = put(&l, "patchbay", sizeof("patchbay"), errp);

    if (!name || !elf_load_segments(b, m, errp) ||
        !boot_load_modules(b, m, MAX(b->elf.end, (uint64_t)BOOT_HIGH_START), errp) ||
        !boot_put_cmdline(b, m, cmdline, UINT64_MAX, errp) || !mb_modules(b, &l, &info, errp) ||
        !mb_mmap(&l, &info, errp)) {
        return false;
    }
    info.flags = le32_of(MBI_MEMORY | MBI_CMDLINE | MBI_MODS | MBI_MMAP | MBI_LOADER);
    info.mem_lower = le32_of(BOOT_LOW_END / KiB);
    info.mem_upper = le32_of((m->below_4g - MiB) / KiB);
    info.cmdline = le32_of(BOOT_CMDLINE);
    info.boot_loader_name = le32_of(name);
    e->eip = b->elf.entry;
    e->eax = MB_BOOTED;
    e->ebx = BOOT_INFO;
    return boot_put(m, BOOT_INFO, &info, sizeof(info), &b->kernel, "multiboot information", errp);
}

/* ---- PVH ---- */

enum { HVM_START_MAGIC = 0x336EC578 };

struct hvm_start_info_wire {
    le32 magic, version, flags, nr_modules;
    le64 modlist, cmdline, rsdp, memmap;
    le32 memmap_entries, reserved;
};
static_assert(sizeof(struct hvm_start_info_wire) == 56, "Xen start_info.h");
struct hvm_module_wire { le64 addr, size, cmdline, reserved; };
struct hvm_memmap_wire { le64 addr, size; le32 type, reserved; };
static_assert(sizeof(struct hvm_memmap_wire) == 24, "Xen start_info.h");

static bool pvh_lists(struct boot *b, struct lists *l, struct hvm_start_info_wire *info, Error **errp)
{
    const struct boot_machine *m = l->m;
    g_autofree struct hvm_memmap_wire *map = g_new0(struct hvm_memmap_wire, m->ne820 + 1);
    struct hvm_module_wire mod = { 0 };
    uint32_t map_at, mod_at;

    for (unsigned i = 0; i < m->ne820; i++) {
        map[i].addr = le64_of(m->e820[i].addr);
        map[i].size = le64_of(m->e820[i].size);
        map[i].type = le32_of(m->e820[i].type);
    }
    if (b->nmod) {
        mod.addr = le64_of(b->mod[0].addr);
        mod.size = le64_of(b->mod[0].file.size);
    }
    map_at = put(l, map, m->ne820 * sizeof(*map), errp);
    mod_at = map_at ? put(l, &mod, sizeof(mod), errp) : 0;
    info->memmap = le64_of(map_at);
    info->memmap_entries = le32_of(m->ne820);
    info->nr_modules = le32_of(b->nmod);
    info->modlist = le64_of(b->nmod ? mod_at : 0);
    return mod_at;
}

bool pvh_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp)
{
    struct lists l = { b, m, BOOT_LISTS };
    struct hvm_start_info_wire info = { .magic = le32_of(HVM_START_MAGIC), .version = le32_of(1) };

    if (!elf_load_segments(b, m, errp) || !boot_load_modules(b, m, MAX(b->elf.end, (uint64_t)BOOT_HIGH_START), errp) ||
        !boot_put_cmdline(b, m, b->append, UINT64_MAX, errp) || !pvh_lists(b, &l, &info, errp)) {
        return false;
    }
    info.cmdline = le64_of(BOOT_CMDLINE);
    info.rsdp = le64_of(m->rsdp);
    e->eip = b->elf.entry;
    e->ebx = BOOT_INFO;
    return boot_put(m, BOOT_INFO, &info, sizeof(info), &b->kernel, "start information", errp);
}
