/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_elf.c - multiboot (Multiboot Specification 0.6.96) and PVH (Xen docs/misc/pvh.pandoc, hvm_start_info)
 * images: parsing
 *
 * Multiboot: a header within the first 8192 bytes, on a multiple of 4; flags bit 16 gives load addresses for a file
 * that need not be ELF, otherwise the ELF program headers do. PVH: an ELF note "Xen" of type 18 with the 32-bit entry
 * point. Both 32-bit and 64-bit ELF are taken; addresses are physical (p_paddr) and must lie below 4 GiB.
 */
#include "hw/i386/boot_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <elf.h>
#include <string.h>

enum {
    MB_SEARCH = 8192, MB_MAGIC = 0x1BADB002, MB_ADDRESSES = 1 << 16, MB_MUST_KNOW = 0xFFFF, MB_PAGE_ALIGN = 1 << 0,
    MB_MEMORY = 1 << 1,
    MB_VIDEO = 1 << 2,
};
enum { NOTE_PHYS32_ENTRY = 18, NOTES_MAX = 64 * 1024, PHDRS_MAX = 128 };

/* ---- segments ---- */

static bool add_segment(const struct boot_file *f, struct elf_image *img, uint64_t off, uint64_t filesz, uint64_t addr,
                        uint64_t memsz, Error **errp)
{
    if (img->nseg == ELF_SEGMENTS_MAX) {
        error_setg(errp, "'%s' has more than %d segments", f->path, ELF_SEGMENTS_MAX);
        return false;
    }
    if (off > f->size || filesz > f->size - off) {
        error_setg(errp, "'%s' is truncated: segment %u needs bytes %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT
                   ", the file has %" G_GUINT64_FORMAT, f->path, img->nseg, off, off + filesz, f->size);
        return false;
    }
    if (filesz > memsz || addr >= 4 * GiB || memsz > 4 * GiB - addr) {
        error_setg(errp,
                   "'%s': segment %u is to lie at 0x%" G_GINT64_MODIFIER "x, 0x%" G_GINT64_MODIFIER
                   "x bytes of which 0x%" G_GINT64_MODIFIER "x are in the file",
                   f->path, img->nseg, addr, memsz, filesz);
        return false;
    }
    img->seg[img->nseg++] = (struct elf_segment){ off, filesz, addr, memsz };
    img->end = MAX(img->end, addr + memsz);
    return true;
}

bool elf_load_segments(const struct boot *b, const struct boot_machine *m, Error **errp)
{
    for (unsigned i = 0; i < b->elf.nseg; i++) {
        const struct elf_segment *s = &b->elf.seg[i];
        uint8_t *to = boot_bytes(m, s->addr, s->memsz, &b->kernel, "segment", errp);

        if (!to || !boot_put_file(m, s->addr, &b->kernel, s->off, s->filesz, "segment", errp)) {
            return false;
        }
        memset(to + s->filesz, 0, s->memsz - s->filesz);
        ram_written(m->ram, s->addr + s->filesz, s->memsz - s->filesz);
    }
    return true;
}

/* ---- ELF ---- */

bool elf_read_head(const struct boot_file *f, struct elf_head *h, Error **errp)
{
    union { uint8_t b[64]; Elf32_Ehdr e32; Elf64_Ehdr e64; } u = { 0 };
    unsigned machine, min;

    if (!boot_file_read(f, 0, u.b, MIN(f->size, sizeof(u.b)), "ELF header", errp)) {
        return false;
    }
    h->is64 = u.b[EI_CLASS] == ELFCLASS64;
    if (f->size < (h->is64 ? sizeof(u.e64) : sizeof(u.e32)) || (!h->is64 && u.b[EI_CLASS] != ELFCLASS32) ||
        u.b[EI_DATA] != ELFDATA2LSB) {
        error_setg(errp, "'%s' has a damaged ELF header", f->path);
        return false;
    }
    machine = h->is64 ? u.e64.e_machine : u.e32.e_machine;
    if (machine != EM_386 && machine != EM_X86_64) {
        error_setg(errp, "'%s' is an ELF image for another machine (%u)", f->path, machine);
        return false;
    }
    h->entry = h->is64 ? u.e64.e_entry : u.e32.e_entry;
    h->phoff = h->is64 ? u.e64.e_phoff : u.e32.e_phoff;
    h->phentsize = h->is64 ? u.e64.e_phentsize : u.e32.e_phentsize;
    h->phnum = h->is64 ? u.e64.e_phnum : u.e32.e_phnum;
    h->shoff = h->is64 ? u.e64.e_shoff : u.e32.e_shoff;
    h->shentsize = h->is64 ? u.e64.e_shentsize : u.e32.e_shentsize;
    h->shnum = h->is64 ? u.e64.e_shnum : u.e32.e_shnum;
    min = h->is64 ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
    if (!h->phnum || h->phnum > PHDRS_MAX || h->phentsize < min) {
        error_setg(errp, "'%s' has %u program headers of %u bytes", f->path, h->phnum, h->phentsize);
        return false;
    }
    return true;
}

bool elf_read_phdr(const struct boot_file *f, const struct elf_head *h, unsigned i, struct elf_phdr *p, Error **errp)
{
    union { Elf32_Phdr p32; Elf64_Phdr p64; } u = { 0 };
    uint64_t off;

    if (__builtin_add_overflow(h->phoff, (uint64_t)i * h->phentsize, &off)) {
        error_setg(errp, "'%s': program headers at 0x%" G_GINT64_MODIFIER "x", f->path, h->phoff);
        return false;
    }
    if (!boot_file_read(f, off, &u, h->is64 ? sizeof(u.p64) : sizeof(u.p32), "program header", errp)) {
        return false;
    }
    *p = h->is64 ? (struct elf_phdr){ u.p64.p_type,   u.p64.p_offset, u.p64.p_vaddr, u.p64.p_paddr,
                                      u.p64.p_filesz, u.p64.p_memsz,  u.p64.p_align }
                 : (struct elf_phdr){ u.p32.p_type,   u.p32.p_offset, u.p32.p_vaddr, u.p32.p_paddr,
                                      u.p32.p_filesz, u.p32.p_memsz,  u.p32.p_align };
    return true;
}

/*
 * Find the PVH entry among the notes of one segment: each is namesz, descsz, type, name, descriptor, padded to @align.
 */
static bool find_note(const uint8_t *p, uint64_t len, unsigned align, uint32_t *entry)
{
    while (len >= 12) {
        uint64_t namesz = ld_le32(p), descsz = ld_le32(p + 4), type = ld_le32(p + 8);
        uint64_t desc = 12 + align_up(namesz, align), next = desc + align_up(descsz, align);

        if (desc > len || descsz > len - desc) {
            return false;
        }
        if (type == NOTE_PHYS32_ENTRY && namesz == 4 && !memcmp(p + 12, "Xen", 4) && descsz >= 4) {
            *entry = ld_le32(p + desc);
            return true;
        }
        if (next >= len) {
            return false;
        }
        p += next;
        len -= next;
    }
    return false;
}

static bool note_in_segment(const struct boot_file *f, const struct elf_phdr *p, uint32_t *entry)
{
    uint64_t len = MIN(p->filesz, (uint64_t)NOTES_MAX);
    g_autofree uint8_t *notes = g_malloc0(len + 1);

    return boot_file_read(f, p->off, notes, len, "notes", NULL) && find_note(notes, len, p->align == 8 ? 8 : 4, entry);
}

/* Segments, and the physical address of the entry point: that of the segment it is in, or as it stands. */
static bool elf_segments(const struct boot_file *f, const struct elf_head *h, struct elf_image *img, bool *has_note,
                         Error **errp)
{
    uint64_t entry = h->entry;

    *has_note = false;
    for (unsigned i = 0; i < h->phnum; i++) {
        struct elf_phdr p;
        uint32_t note;

        if (!elf_read_phdr(f, h, i, &p, errp)) {
            return false;
        }
        if (p.type == PT_NOTE && note_in_segment(f, &p, &note)) {
            *has_note = true;
            img->entry = note;
        }
        if (p.type != PT_LOAD || !p.memsz) {
            continue;
        }
        if (h->entry >= p.vaddr && h->entry - p.vaddr < p.memsz) {
            entry = h->entry - p.vaddr + p.paddr;
        }
        if (!add_segment(f, img, p.off, p.filesz, p.paddr, p.memsz, errp)) {
            return false;
        }
    }
    if (!img->nseg) {
        error_setg(errp, "'%s' has nothing to load: no PT_LOAD segment", f->path);
        return false;
    }
    if (!*has_note) {
        if (entry >= 4 * GiB) {
            error_setg(errp, "'%s': entry point 0x%" G_GINT64_MODIFIER "x is above 4 GiB", f->path, entry);
            return false;
        }
        img->entry = entry;
    }
    return true;
}

/* ---- multiboot ---- */

/* Return: offset of the header in the file, or -1 */
static int find_multiboot(const uint8_t *p, uint64_t len)
{
    for (unsigned at = 0; at + 12 <= len; at += 4) {
        uint32_t magic = ld_le32(p + at), flags = ld_le32(p + at + 4), sum = ld_le32(p + at + 8);

        if (magic == MB_MAGIC && magic + flags + sum == 0) {
            return (int)at;
        }
    }
    return -1;
}

/* Section 3.1.3: the file is one piece, header_addr tells which byte of memory the header is */
static bool multiboot_addresses(const struct boot_file *f, struct elf_image *img, const uint8_t *h, uint64_t at,
                                Error **errp)
{
    uint64_t header_addr = ld_le32(h + 12), load = ld_le32(h + 16), load_end = ld_le32(h + 20),
             bss_end = ld_le32(h + 24);
    uint64_t off, len;

    if (load > header_addr || header_addr - load > at) {
        error_setg(errp, "'%s': multiboot header at 0x%" G_GINT64_MODIFIER "x does not lie in what is loaded from 0x%"
                   G_GINT64_MODIFIER "x", f->path, header_addr, load);
        return false;
    }
    off = at - (header_addr - load);
    len = load_end ? load_end - load : f->size - off;
    if (load_end && load_end < load) {
        error_setg(errp,
                   "'%s': multiboot load address 0x%" G_GINT64_MODIFIER "x lies behind its end 0x%" G_GINT64_MODIFIER
                   "x",
                   f->path, load, load_end);
        return false;
    }
    img->entry = ld_le32(h + 28);
    return add_segment(f, img, off, len, load, bss_end > load + len ? bss_end - load : len, errp);
}

static bool multiboot_parse(const struct boot_file *f, struct elf_image *img, const uint8_t *start, uint64_t len,
                            unsigned at, Error **errp)
{
    uint32_t flags = ld_le32(start + at + 4);
    struct elf_head h;
    bool note;

    img->kind = BOOT_MULTIBOOT;
    img->flags = flags;
    if (flags & MB_MUST_KNOW & ~(MB_PAGE_ALIGN | MB_MEMORY | MB_VIDEO)) {
        error_setg(errp, "'%s': multiboot header asks for something unknown (flags 0x%x)", f->path, flags);
        return false;
    }
    if (flags & MB_ADDRESSES) {
        if (len - at < 32) {
            error_setg(errp, "'%s' is truncated: it ends within its multiboot header", f->path);
            return false;
        }
        return multiboot_addresses(f, img, start + at, at, errp);
    }
    if (memcmp(start, ELFMAG, SELFMAG)) {
        error_setg(errp, "'%s': multiboot header without load addresses in a file that is not ELF", f->path);
        return false;
    }
    if (!elf_read_head(f, &h, errp) || !elf_segments(f, &h, img, &note, errp)) {
        return false;
    }
    if (note) {                             /* its own entry point, not that of the note */
        img->entry = (uint32_t)h.entry;
    }
    return true;
}

bool elf_parse(const struct boot_file *f, struct elf_image *img, Error **errp)
{
    uint64_t len = MIN(f->size, (uint64_t)MB_SEARCH);
    g_autofree uint8_t *start = g_malloc0(MB_SEARCH);
    struct elf_head h;
    bool note;
    int at;

    *img = (struct elf_image){ 0 };
    if (!boot_file_read(f, 0, start, len, "header", errp)) {
        return false;
    }
    at = find_multiboot(start, len);
    if (at >= 0) {
        return multiboot_parse(f, img, start, len, (unsigned)at, errp);
    }
    if (len < SELFMAG || memcmp(start, ELFMAG, SELFMAG)) {
        error_setg(errp,
                   f->size ? "'%s' is not a kernel image: neither a Linux bzImage, nor multiboot, nor ELF"
                           : "'%s' is empty",
                   f->path);
        return false;
    }
    img->kind = BOOT_PVH;
    if (!elf_read_head(f, &h, errp) || !elf_segments(f, &h, img, &note, errp)) {
        return false;
    }
    if (!note) {
        error_setg(errp, "'%s' is an ELF image with neither a multiboot header nor a PVH entry point (Xen note 18)",
                   f->path);
        return false;
    }
    return true;
}
