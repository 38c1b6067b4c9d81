/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/vmlinux.c - the kernel proper out of a bzImage: segments, zeros left out, relocations
 *
 *   ELF file | relocations, little-endian words (only when the kernel can run at other virtual addresses):
 *     64 bits, to Linux 6.14:  0 add-to-64-bit... 0 subtract-from-32-bit... 0 add-to-32-bit...
 *     64 bits, from 6.15 on:   0 add-to-64-bit... 0 add-to-32-bit...
 *     32 bits:                 0 add-to-32-bit...
 *
 * Each word is the (sign-extended) virtual address, as linked, of a place in the image; no place has address 0, so the
 * number of zeros tells the layouts apart. A place is found by its distance from the first segment, also for the
 * per-CPU data, whose own addresses begin at 0.
 */
#include "hw/i386/vmlinux.h"
#include "hw/i386/boot_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <elf.h>
#include <string.h>
#include <sys/mman.h>

#define KERNEL_MAP 0xFFFFFFFF80000000ull    /* Documentation/arch/x86/x86_64/mm.rst: kernel text mapping */

enum { PAGE = 4096, ZERO_RUN = 16 * PAGE };  /* shorter runs of zeros are not worth an extent */

static bool not_understood(Error **errp, const char *why)
{
    error_setg(errp, "its kernel proper: %s", why);
    return false;
}

/* ---- segments ---- */

static bool is_zero(const uint8_t *p, uint64_t len)
{
    return !p[0] && !memcmp(p, p + 1, len - 1);
}

static void add_extent(struct vmlinux *v, uint64_t at, uint64_t len, uint64_t off)
{
    struct vmlinux_extent *last = v->next ? &v->ext[v->next - 1] : NULL;

    v->ext[v->next++] = (struct vmlinux_extent){ at, len, off };
    if (last && last->off + (at - last->at) == off && at - last->at - last->len < ZERO_RUN) {
        last->len = at - last->at + len;
        v->next--;
    }
}

/* The parts of a segment that are not zero. When there is no more room for extents, the last one takes the rest. */
static void add_segment(struct vmlinux *v, const struct elf_phdr *p, unsigned segments_left)
{
    const uint8_t *data = v->src.mem + p->off;
    uint64_t at = p->paddr - v->base;

    for (uint64_t i = 0, len; i < p->filesz; i += len) {
        len = MIN(p->filesz - i, (uint64_t)PAGE);
        if (v->next + segments_left >= VMLINUX_EXTENTS_MAX - 2) {
            add_extent(v, at + i, p->filesz - i, p->off + i);
            break;
        }
        if (!is_zero(data + i, len)) {
            add_extent(v, at + i, len, p->off + i);
        }
    }
}

static bool take_segments(struct vmlinux *v, const struct elf_head *h, Error **errp)
{
    for (unsigned i = 0; i < h->phnum; i++) {
        struct elf_phdr p;

        if (!elf_read_phdr(&v->src, h, i, &p, errp)) {
            return false;
        }
        if (p.type != PT_LOAD || !p.memsz) {
            continue;
        }
        if (p.paddr < v->base + v->size || p.paddr - v->base > VMLINUX_SIZE_MAX || p.filesz > p.memsz ||
            p.memsz > VMLINUX_SIZE_MAX || p.off > v->src.size || p.filesz > v->src.size - p.off) {
            return not_understood(errp, "its segments are not in order");
        }
        if (!v->size && p.paddr != v->base) {
            return not_understood(errp, "it does not begin where it is said to be linked to");
        }
        if (!v->size) {
            v->virt = p.vaddr;
        }
        add_segment(v, &p, h->phnum - i);
        v->size = p.paddr - v->base + p.memsz;
    }
    v->entry = h->entry - v->base;
    return true;
}

/* ---- relocations ---- */

/* Where the ELF file ends: behind its segments and tables */
static bool elf_end(const struct vmlinux *v, const struct elf_head *h, uint64_t *end, Error **errp)
{
    *end = MAX(h->phoff + (uint64_t)h->phnum * h->phentsize, h->shoff + (uint64_t)h->shnum * h->shentsize);
    for (unsigned i = 0; i < h->phnum; i++) {
        struct elf_phdr p;

        if (!elf_read_phdr(&v->src, h, i, &p, errp)) {
            return false;
        }
        *end = MAX(*end, p.off + p.filesz);
    }
    if (h->phoff > v->src.size || h->shoff > v->src.size || *end > v->src.size) {
        return not_understood(errp, "it is shorter than its ELF header says");
    }
    return true;
}

static bool take_relocs(struct vmlinux *v, uint64_t off, Error **errp)
{
    static const enum vmlinux_reloc three[] = { RELOC_ADD64, RELOC_SUB32, RELOC_ADD32 },
                                    two[] = { RELOC_ADD64, RELOC_ADD32 }, one[] = { RELOC_ADD32 };
    uint64_t n = (v->src.size - off) / 4, zeros = 0;
    const uint8_t *t = v->src.mem + off;
    const enum vmlinux_reloc *kind;
    int k = -1;

    if (!n) {
        return true;
    }
    if ((v->src.size - off) % 4 || n > VMLINUX_RELOCS_MAX || ld_le32(t)) {
        return not_understood(errp, "what follows its ELF file is no table of relocations");
    }
    for (uint64_t i = 0; i < n; i++) {
        zeros += !ld_le32(t + 4 * i);
    }
    if (zeros != 1 && !(v->is64 && (zeros == 2 || zeros == 3))) {
        return not_understood(errp, "its table of relocations has an unknown layout");
    }
    kind = zeros == 3 ? three : zeros == 2 ? two : one;
    for (uint64_t i = 0; i < n; i++) {
        if (!ld_le32(t + 4 * i)) {
            v->reloc[kind[++k]].off = off + 4 * (i + 1);
        } else {
            v->reloc[kind[k]].n++;
        }
    }
    return true;
}

bool vmlinux_can_relocate(const struct vmlinux *v)
{
    return v->reloc[RELOC_ADD32].n > 0;
}

/* The place that a relocation names, from the image's start; checked to be within */
static inline bool reloc_place(const struct vmlinux *v, uint32_t word, unsigned width, uint64_t *at)
{
    *at = (v->is64 ? (uint64_t)(int64_t)(int32_t)word : word) - v->virt;
    return *at < v->size && v->size - *at >= width;
}

static bool apply(const struct vmlinux *v, uint8_t *to, enum vmlinux_reloc kind, const uint8_t *table, uint64_t delta,
                  Error **errp)
{
    unsigned width = kind == RELOC_ADD64 ? 8 : 4;

    for (uint32_t i = 0; i < v->reloc[kind].n; i++) {
        uint64_t at;

        if (!reloc_place(v, ld_le32(table + 4ull * i), width, &at)) {
            return not_understood(errp, "a relocation lies outside of it");
        }
        if (!to) {
            continue;
        }
        switch (kind) {
        case RELOC_ADD64: st_le64(to + at, ld_le64(to + at) + delta); break;
        case RELOC_SUB32: st_le32(to + at, ld_le32(to + at) - (uint32_t)delta); break;
        default:          st_le32(to + at, ld_le32(to + at) + (uint32_t)delta); break;
        }
    }
    return true;
}

/* ---- the whole ---- */

bool vmlinux_check(const struct vmlinux *v, Error **errp)
{
    uint64_t end = 0;

    if (!v->size || v->size > VMLINUX_SIZE_MAX || v->base % PAGE || v->base > GiB || v->entry >= v->size ||
        v->virt != (v->is64 ? KERNEL_MAP + v->base : (uint32_t)v->virt)) {
        return not_understood(errp, "its addresses are not those of a kernel");
    }
    for (uint32_t i = 0; i < v->next; i++) {
        const struct vmlinux_extent *e = &v->ext[i];

        if (e->at < end || e->at > v->size || e->len > v->size - e->at || e->off > v->src.size ||
            e->len > v->src.size - e->off) {
            return not_understood(errp, "its parts overlap");
        }
        end = e->at + e->len;
    }
    for (unsigned k = 0; k < RELOC_KINDS; k++) {
        if (v->reloc[k].off > v->src.size || v->reloc[k].n > (v->src.size - v->reloc[k].off) / 4 ||
            v->reloc[k].n > VMLINUX_RELOCS_MAX) {
            return not_understood(errp, "its table of relocations is too long");
        }
    }
    return true;
}

static bool take(struct vmlinux *v, Error **errp)
{
    struct elf_head h;
    uint64_t end;

    if (v->src.size < SELFMAG || memcmp(v->src.mem, ELFMAG, SELFMAG)) {
        return not_understood(errp, "it is no ELF file");
    }
    if (!elf_read_head(&v->src, &h, errp)) {
        return false;
    }
    v->is64 = h.is64;
    v->ext = g_new(struct vmlinux_extent, VMLINUX_EXTENTS_MAX);
    if (!take_segments(v, &h, errp) || !elf_end(v, &h, &end, errp) || !take_relocs(v, end, errp) ||
        !vmlinux_check(v, errp)) {
        return false;
    }
    for (unsigned k = 0; k < RELOC_KINDS; k++) {
        if (!apply(v, NULL, k, v->src.mem + v->reloc[k].off, 0, errp)) {
            return false;
        }
    }
    return true;
}

bool vmlinux_take(struct vmlinux *v, void *map, size_t map_len, uint64_t len, uint64_t base, const char *path,
                  Error **errp)
{
    *v = (struct vmlinux){ .map = map, .map_len = map_len, .base = base };
    boot_file_mem(&v->src, path, map, len);
    if (!take(v, errp)) {
        vmlinux_fini(v);
        return false;
    }
    return true;
}

void vmlinux_fini(struct vmlinux *v)
{
    if (v->map) {
        munmap(v->map, v->map_len);
    } else if (v->src.size) {
        boot_file_close(&v->src);
    }
    g_free(v->ext);
    *v = (struct vmlinux){ 0 };
}

/* ---- into memory ---- */

/* Four sums side by side, as a multiplication takes longer than it occupies the processor; then everything into one. */
uint64_t vmlinux_sum(uint64_t sum, const void *data, size_t len)
{
    const uint64_t k = 0x9E3779B97F4A7C15ull;
    uint64_t lane[4] = { sum, ~sum, sum + k, sum - k };
    const uint8_t *p = data;
    size_t left = len;

    for (; left >= 32; left -= 32, p += 32) {
        for (unsigned i = 0; i < 4; i++) {
            lane[i] = (lane[i] ^ ld_le64(p + 8 * i)) * k;
            lane[i] ^= lane[i] >> 29;
        }
    }
    for (; left; left--, p++) {
        lane[left & 3] = (lane[left & 3] ^ *p) * k;
        lane[left & 3] ^= lane[left & 3] >> 29;
    }
    for (unsigned i = 1; i < 4; i++) {
        lane[0] = (lane[0] ^ lane[i]) * k;
        lane[0] ^= lane[0] >> 32;
    }
    return lane[0] ^ len;
}

static bool read_summed(const struct vmlinux *v, uint64_t off, uint8_t *to, uint64_t len, uint64_t *sum, Error **errp)
{
    for (uint64_t n; len; len -= n, off += n, to += n) {
        n = MIN(len, (uint64_t)VMLINUX_CHUNK);
        if (!boot_file_read(&v->src, off, to, n, "kernel", errp)) {
            return false;
        }
        *sum = v->has_sum ? vmlinux_sum(*sum, to, n) : 0;
    }
    return true;
}

bool vmlinux_place(const struct vmlinux *v, uint8_t *to, bool zeroed, uint64_t delta, Error **errp)
{
    uint64_t end = 0, sum = 0;
    g_autofree uint8_t *table = NULL;
    const uint8_t *t;
    size_t words = 0;

    for (uint32_t i = 0; i < v->next; i++) {
        const struct vmlinux_extent *e = &v->ext[i];

        if (!zeroed) {
            memset(to + end, 0, e->at - end);
        }
        if (!read_summed(v, e->off, to + e->at, e->len, &sum, errp)) {
            return false;
        }
        end = e->at + e->len;
    }
    if (!zeroed) {
        memset(to + end, 0, v->size - end);
    }
    for (unsigned k = 0; k < RELOC_KINDS; k++) {
        words += v->reloc[k].n;
    }
    t = table = g_malloc(4 * words + 1);
    for (unsigned k = 0; k < RELOC_KINDS; k++) {
        if (!read_summed(v, v->reloc[k].off, table + (t - table), 4ull * v->reloc[k].n, &sum, errp)) {
            return false;
        }
        t += 4ull * v->reloc[k].n;
    }
    if (v->has_sum && sum != v->sum) {
        return not_understood(errp, "the cached copy is damaged");
    }
    t = table;
    for (unsigned k = 0; k < RELOC_KINDS && delta; k++) {
        if (!apply(v, to, k, t, delta, errp)) {
            return false;
        }
        t += 4ull * v->reloc[k].n;
    }
    return true;
}
