/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem/space.h - an address space: a root region and its flattened, immutable view
 *
 * space_lookup() may be called by any thread without the machine lock: it reads the current view, which is replaced,
 * never changed, when the tree changes. The functions that may reach an I/O region (space_read, space_write, space_rw)
 * need the machine lock. Listeners run with the lock held, after the new view is in place (CPUs flush their TLBs there).
 */
#ifndef MEM_SPACE_H
#define MEM_SPACE_H

#include "mem/ram.h"
#include "mem/region.h"

struct flatview;

struct addr_space {
    const char *name;
    struct region *root;
    struct flatview *view;      /* atomic pointer */
    GMutex view_lock;           /* guards taking a reference to view */
    GSList *listeners;
};

/* What is at an address. For RAM and ROM: host points at the byte; nothing is allocated. */
struct space_slot {
    struct region *region;      /* NULL: nothing there (reads give all ones, writes are dropped) */
    uint64_t off;               /* of the address in the region */
    uint64_t len;               /* bytes to the end of this range, at least 1 */
    uint8_t *host;              /* RAM or ROM, else NULL */
    bool readonly;              /* ROM */
    struct ram_block *ram;      /* with host: the block, and the offset in it */
    uint64_t ram_off;
};

void space_init(struct addr_space *as, const char *name, struct region *root);
void space_fini(struct addr_space *as);

/** space_lookup() - what answers at @addr; false (and slot->len = distance to the next range) when nothing does */
bool space_lookup(struct addr_space *as, uint64_t addr, struct space_slot *slot);

/** space_read()/space_write() - one access of 1, 2, 4 or 8 bytes; machine lock held. An access that crosses a range is split into bytes */
uint64_t space_read(struct addr_space *as, uint64_t addr, unsigned size);
void space_write(struct addr_space *as, uint64_t addr, uint64_t val, unsigned size);
/** space_write_posted() - try the write as a doorbell (struct region_ops.post), without the machine lock; false: use space_write() */
bool space_write_posted(struct addr_space *as, uint64_t addr, uint64_t val, unsigned size);

/**
 * space_rw() - copy @len bytes between @buf and the space, RAM at once, I/O by naturally aligned accesses of up to 4 bytes
 * Return: false when some byte had nothing behind it (it read as 0xFF, or was dropped)
 */
bool space_rw(struct addr_space *as, uint64_t addr, void *buf, size_t len, bool is_write);
/** space_write_rom() - as space_rw() for a write that may also fill ROM (loaders) */
bool space_write_rom(struct addr_space *as, uint64_t addr, const void *buf, size_t len);

typedef void space_listener(void *opaque);
void space_add_listener(struct addr_space *as, space_listener *fn, void *opaque);
void space_del_listener(struct addr_space *as, space_listener *fn, void *opaque);

/** region_io_read()/_write() - one access to an I/O region with the size rules of struct region_ops applied; machine lock held */
uint64_t region_io_read(struct region *r, uint64_t off, unsigned size);
void region_io_write(struct region *r, uint64_t off, uint64_t val, unsigned size);

/** space_print_flat() - the flattened view, a line a range */
void space_print_flat(struct addr_space *as, GString *out);

#endif
