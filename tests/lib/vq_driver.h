/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/vq_driver.h - the driver's side of a virtqueue, split or packed: what a guest does, for tests
 *
 * Works on a host pointer to guest RAM that begins at guest address 0. Well-behaved: a test that wants to be hostile
 * writes into the ring memory itself (vqd_desc() and friends say where). No allocation of buffers: the caller gives
 * guest addresses.
 */
#ifndef TESTS_VQ_DRIVER_H
#define TESTS_VQ_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

enum { VQD_SIZE_MAX = 1024, VQD_TABLE_MAX = 64 };

struct vqd_buf {
    uint64_t addr;
    uint32_t len;
};

struct vqd_slot {                   /* by head index (split) or buffer id (packed) */
    bool live;
    uint16_t ndesc;
    void *token;
};

struct vqd {
    uint8_t *ram;
    bool packed, event_idx;
    uint16_t size;
    uint64_t desc, driver, device, tables;      /* guest addresses; tables: VQD_TABLE_MAX descriptors a slot */
    uint16_t free;                  /* descriptors of the ring */
    uint16_t free_list[VQD_SIZE_MAX], nfree_list;       /* split: descriptors; packed: buffer ids */
    uint16_t avail, used, added;    /* next to fill, next to look at, filled since the last kick check */
    bool avail_wrap, used_wrap;
    struct vqd_slot slot[VQD_SIZE_MAX];
};

/** vqd_bytes() - ring memory that a queue takes from its base on: rings, event structures, indirect tables */
uint64_t vqd_bytes(uint16_t size);
/** vqd_init() - empty queue at guest address @base (4096-aligned); its memory is zeroed. The layout is a legacy one, too */
void vqd_init(struct vqd *d, uint8_t *ram, uint64_t base, uint16_t size, bool packed, bool event_idx);
/** vqd_add() - make a chain available: @out readable buffers, then @in writable ones; false: no descriptors free */
bool vqd_add(struct vqd *d, const struct vqd_buf *b, unsigned out, unsigned in, bool indirect, void *token);
/** vqd_kick_needed() - would the driver notify the device now, for what it added since the last call? */
bool vqd_kick_needed(struct vqd *d);
/** vqd_get() - the next used chain: its token and length; NULL: none. @id may be NULL */
void *vqd_get(struct vqd *d, uint32_t *len, uint16_t *id);
/** vqd_callbacks() - ask for interrupts, or not; Return: with @on: something is used already */
bool vqd_callbacks(struct vqd *d, bool on);

/* Guest memory of descriptor @i, of available ring entry @i (split) */
uint8_t *vqd_desc(struct vqd *d, unsigned i);
uint8_t *vqd_avail_entry(struct vqd *d, unsigned i);
/** vqd_put_desc() - write a descriptor by hand; @last: next (split) or id (packed) */
void vqd_put_desc(struct vqd *d, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t last);
/** vqd_put_avail() - publish by hand: split: head @head at the next place and the index; packed: flags of @head become available */
void vqd_put_avail(struct vqd *d, uint16_t head);

#endif
