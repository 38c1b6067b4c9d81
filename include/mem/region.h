/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem/region.h - the tree of what answers at which guest-physical (or port) address
 *
 * A region is RAM, ROM, I/O (callbacks), an alias of part of another region, or a container. Regions are placed in a
 * container at an offset with a priority; the higher one wins where two overlap. The tree is changed only by the thread
 * that holds the machine lock; mem/space.h flattens it into an immutable view that any thread may read.
 * A region is embedded in its owner; it must be out of the tree (region_del) before the owner goes.
 */
#ifndef MEM_REGION_H
#define MEM_REGION_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct region;
struct ram_block;

/*
 * Callbacks of an I/O region. @off is relative to the region, @size 1, 2, 4 or 8 bytes. Called with the machine lock
 * held. The core splits an access that is wider than .max into several of .max bytes (ascending), and widens one that is
 * narrower than .min to one aligned access of .min bytes (a narrow write becomes a .min-wide write with the value in its
 * lane and zeroes elsewhere). 0 means: .min 1, .max 4. Unaligned accesses are passed on as they are unless .aligned.
 */
struct region_ops {
    uint64_t (*read)(void *opaque, uint64_t off, unsigned size);
    void (*write)(void *opaque, uint64_t off, uint64_t val, unsigned size);
    uint8_t min, max;
    /*
     * Optional: take a write without the machine lock, at once and from any CPU thread: a doorbell. It may do atomic stores and
     * bh_schedule(). false: not one of those, .write is called as usual. Only whole accesses of .min to .max bytes come here. What it
     * leaves behind must be looked at by every other entry of the device, so that the guest sees its writes in order. The region
     * leaves the tree for good only while the CPUs stand still.
     */
    bool (*post)(void *opaque, uint64_t off, uint64_t val, unsigned size);
};

enum region_kind { REGION_CONTAINER, REGION_RAM, REGION_ROM, REGION_IO, REGION_ALIAS };

struct region {
    enum region_kind kind;
    const char *name;           /* for "info mtree"; borrowed, lives as long as the region */
    uint64_t size;              /* bytes; 0 means 2^64 */
    const struct region_ops *ops;
    void *opaque;
    struct ram_block *ram;      /* REGION_RAM, REGION_ROM */
    struct region *alias;       /* REGION_ALIAS: target and where in it */
    uint64_t alias_off;
    struct region *parent;
    uint64_t addr;              /* within the parent */
    int priority;
    bool enabled;
    GQueue children;            /* of struct region, highest priority first */
    struct addr_space *space;   /* set on a root */
};

void region_init(struct region *r, const char *name, uint64_t size);
void region_init_io(struct region *r, const char *name, uint64_t size, const struct region_ops *ops, void *opaque);
/** region_init_ram() - @readonly makes a ROM: guest writes are ignored, the host may fill the block */
void region_init_ram(struct region *r, const char *name, struct ram_block *ram, bool readonly);
void region_init_alias(struct region *r, const char *name, struct region *target, uint64_t off, uint64_t size);
/** region_fini() - takes it out of its parent; children must be gone */
void region_fini(struct region *r);

/** region_add() - place @child in @parent; priority 0 is the usual one, negative goes below */
void region_add(struct region *parent, uint64_t addr, struct region *child, int priority);
void region_del(struct region *child);
void region_set_enabled(struct region *r, bool on);
void region_set_addr(struct region *r, uint64_t addr);
/** region_set_alias_off() - another window of the same target */
void region_set_alias_off(struct region *r, uint64_t off);
/** region_set_readonly() - RAM <-> ROM (PAM registers) */
void region_set_readonly(struct region *r, bool readonly);

/** region_batch_begin()/_end() - nestable; several changes make one new view */
void region_batch_begin(void);
void region_batch_end(void);

/** region_print() - the tree as "info mtree" shows it */
void region_print(const struct region *root, GString *out);

#endif
