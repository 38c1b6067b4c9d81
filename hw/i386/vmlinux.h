/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/vmlinux.h - the kernel proper, as it comes out of a bzImage: an ELF file and a table of relocations
 *
 * Held compactly: only the pieces (extents) of the memory image that are not zero, in memory or in a file of the cache
 * (kernel_cache.h). Whatever the source, extents and relocations are checked before anything is written, and again when
 * they are used.
 */
#ifndef HW_I386_VMLINUX_H
#define HW_I386_VMLINUX_H

#include "hw/i386/boot.h"
#include <sys/types.h>

enum { VMLINUX_EXTENTS_MAX = 4096, VMLINUX_RELOCS_MAX = 8 << 20 };
#define VMLINUX_SIZE_MAX (512ull << 20)

struct vmlinux_extent {
    uint64_t at, len;           /* bytes from the image's start; sorted, not overlapping, within size */
    uint64_t off;               /* in src */
};

/* What is done with the place that an entry of the table names; arch/x86/tools/relocs.c */
enum vmlinux_reloc { RELOC_ADD64, RELOC_SUB32, RELOC_ADD32, RELOC_KINDS };

struct vmlinux {
    struct boot_file src;       /* where extents and relocations are; size 0: nothing here */
    void *map;                  /* what src.mem points into, or NULL */
    size_t map_len;
    bool is64;
    uint64_t base;              /* physical address of the image's start as linked */
    uint64_t virt;              /* its virtual address as linked */
    uint64_t size;              /* bytes of memory, with everything that is zero at first */
    uint64_t entry;             /* from the image's start */
    uint32_t next;
    struct vmlinux_extent *ext;
    struct { uint64_t off; uint32_t n; } reloc[RELOC_KINDS];    /* virtual addresses as linked, 4 bytes each */
    bool has_sum;               /* src is a file of the cache: what is read is compared with */
    uint64_t sum;
};

/**
 * vmlinux_take() - what an unpacked payload holds
 * @map, @map_len: from mmap(); @v owns it then, also when this fails
 * @len:  bytes of the payload in it
 * @base: where the bzImage's header says the kernel is linked to
 */
bool vmlinux_take(struct vmlinux *v, void *map, size_t map_len, uint64_t len, uint64_t base, const char *path,
                  Error **errp);
void vmlinux_fini(struct vmlinux *v);
/** vmlinux_check() - every number against every other; @v may come from a file */
bool vmlinux_check(const struct vmlinux *v, Error **errp);
bool vmlinux_can_relocate(const struct vmlinux *v);

/**
 * vmlinux_place() - copy the image to @to (v->size bytes) and relocate it
 * @zeroed: @to is zero, so zeros are left out
 * @delta:  what is added to virtual addresses
 * Return: false with @to half written: unreadable, other than when it was stored, or a relocation outside of the image
 */
bool vmlinux_place(const struct vmlinux *v, uint8_t *to, bool zeroed, uint64_t delta, Error **errp);

/** vmlinux_sum() - go on with a checksum of @len bytes: against bit rot, not against people */
uint64_t vmlinux_sum(uint64_t sum, const void *data, size_t len);
/** VMLINUX_CHUNK - src is read and summed in pieces of this size, while they are in the processor's cache */
enum { VMLINUX_CHUNK = 256 << 10 };

#endif
