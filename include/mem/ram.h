/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem/ram.h - blocks of guest memory
 *
 * A block is an anonymous private mapping, zero-filled by the host kernel on first touch. It stays mapped from
 * ram_new() to process end or ram_free() of a block that is out of every view, so host pointers into it stay valid while the machine runs.
 *
 * Page flags: one byte a 4 KiB page, written with atomic operations by any thread.
 *   RAM_CODE  a CPU engine holds decoded code of this page; whoever writes to the page must call ram_written().
 *   RAM_DIRTY the page was written (for the display and, later, migration); set by ram_written().
 */
#ifndef MEM_RAM_H
#define MEM_RAM_H

#include "lib/error.h"
#include <stdint.h>

#define RAM_PAGE_BITS 12
#define RAM_PAGE_SIZE (1u << RAM_PAGE_BITS)

enum { RAM_CODE = 1 << 0, RAM_DIRTY = 1 << 1 };

struct ram_block {
    const char *name;
    uint8_t *host;          /* page aligned */
    uint64_t size;          /* bytes, a multiple of RAM_PAGE_SIZE */
    uint8_t *page_flags;    /* size >> RAM_PAGE_BITS bytes */
    uint64_t id;            /* unique; (id << 40 | offset) names a byte of guest memory whatever maps it */
};

struct ram_block *ram_new(const char *name, uint64_t size, Error **errp);
void ram_free(struct ram_block *b);

/**
 * ram_set_code_hook() - who is told about writes to pages with RAM_CODE set
 * The hook runs in the writing thread; it may be called with or without the machine lock and must not take it.
 */
typedef void ram_code_hook(void *opaque, struct ram_block *b, uint64_t off, uint64_t len);
void ram_set_code_hook(ram_code_hook *hook, void *opaque);

/** ram_written_slow() - see ram_written() */
void ram_written_slow(struct ram_block *b, uint64_t off, uint64_t len);

/** ram_written() - after any write by something other than the CPU engine itself: DMA, loaders, the monitor, MMIO copies */
static inline void ram_written(struct ram_block *b, uint64_t off, uint64_t len)
{
    ram_written_slow(b, off, len);
}

#endif
