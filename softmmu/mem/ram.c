/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/mem/ram.c - blocks of guest memory: anonymous mappings that the host kernel fills on first touch */
#include "mem/ram.h"
#include "lib/bits.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

static ram_code_hook *code_hook;
static void *code_hook_opaque;
static uint64_t next_id = 1;

static void *map_anon(uint64_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    return p == MAP_FAILED ? NULL : p;
}

/*
 * Guest memory that begins where a large page of the host does, and may be made of such pages: fewer faults while the
 * guest starts, and fewer misses of the host's own TLB, which a guest that hops around in its memory meets at each
 * access. What surrounds the block is given back.
 */
#define HOST_LARGE_PAGE (2 * MiB)

static void *map_guest(uint64_t size)
{
    uint8_t *p, *at;

    if (size < HOST_LARGE_PAGE || !(p = map_anon(size + HOST_LARGE_PAGE))) {
        return map_anon(size);
    }
    at = (uint8_t *)align_up((uintptr_t)p, HOST_LARGE_PAGE);
    if (at != p) {
        munmap(p, (size_t)(at - p));
    }
    if (p + HOST_LARGE_PAGE != at) {
        munmap(at + size, (size_t)(p + HOST_LARGE_PAGE - at));
    }
    madvise(at, size, MADV_HUGEPAGE);       /* best effort: the host may have none, or be told to give none */
    return at;
}

struct ram_block *ram_new(const char *name, uint64_t size, Error **errp)
{
    struct ram_block *b = g_new0(struct ram_block, 1);

    b->name = name;
    b->size = align_up(size, RAM_PAGE_SIZE);
    b->host = map_guest(b->size);
    if (b->host) {
        b->page_flags = map_anon(align_up(b->size >> RAM_PAGE_BITS, RAM_PAGE_SIZE));
    }
    if (!b->host || !b->page_flags) {
        error_setg_errno(errp, errno, "cannot set up guest memory '%s' of %" G_GUINT64_FORMAT " bytes", name, size);
        ram_free(b);
        return NULL;
    }
    /* a guest page that the host must not put into core dumps or share by merging */
    madvise(b->host, b->size, MADV_DONTDUMP);
    b->id = next_id++;
    return b;
}

void ram_free(struct ram_block *b)
{
    if (!b) {
        return;
    }
    if (b->host) {
        munmap(b->host, b->size);
    }
    if (b->page_flags) {
        munmap(b->page_flags, align_up(b->size >> RAM_PAGE_BITS, RAM_PAGE_SIZE));
    }
    g_free(b);
}

void ram_set_code_hook(ram_code_hook *hook, void *opaque)
{
    code_hook = hook;
    code_hook_opaque = opaque;
}

void ram_written_slow(struct ram_block *b, uint64_t off, uint64_t len)
{
    uint64_t end = off + len;

    while (off < end) {
        uint64_t n = MIN(RAM_PAGE_SIZE - (off & (RAM_PAGE_SIZE - 1)), end - off);
        uint8_t *flags = &b->page_flags[off >> RAM_PAGE_BITS];
        uint8_t old = __atomic_load_n(flags, __ATOMIC_ACQUIRE);

        if (!(old & RAM_DIRTY)) {
            __atomic_fetch_or(flags, RAM_DIRTY, __ATOMIC_RELEASE);
        }
        if ((old & RAM_CODE) && code_hook) {
            code_hook(code_hook_opaque, b, off, n);
        }
        off += n;
    }
}
