/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtqueue.h - the device's side of a virtqueue, split or packed (VIRTIO 1.3 sections 2.6 to 2.8)
 *
 * A chain of descriptors that the driver made available is popped as an element: host pointers to the parts the device
 * reads (out) and to those it writes (in). Each descriptor is copied once, then decoded. When the device is done it
 * pushes the element with the number of bytes it wrote; vq_flush() publishes all that was pushed at once.
 *
 *     vq_pieces_reset(&p);
 *     while (budget > 0 && vq_pop(vq, &e, &p) == VQ_OK) { p: room for pieces, the caller's, reused
 *         budget -= e.work;
 *         ... use e.out[0..out_cnt), e.in[0..in_cnt) ...
 *         vq_push(vq, &e, written);
 *         vq_pieces_reset(&p);
 *     }
 *     vq_flush(vq);
 *     if (vq_should_notify(vq)) { interrupt }             virtio_notify() of virtio.h does both lines
 *
 * Elements may be kept and pushed later, in any order; with VIRTIO_F_IN_ORDER the queue itself puts them in order.
 * The pointers of an element are good until it is pushed, the queue is stopped, or the pieces are reset.
 *
 * What the guest can do wrong is of two kinds:
 *   a broken ring (an index that jumps, a loop, a bad order or flag, a ring that is not in RAM...): the queue stops for
 *     good (VQ_BROKEN), the fault is named in vq->fault and the owner is told once, who marks the device as broken;
 *   a buffer that is not RAM, wraps, or a chain of 4 GiB or more: the element comes with .bad set and no pieces. Push
 *     it with 0 and go on: such a chain costs the guest its own data only. (Readable parts may lie in ROM.)
 * Everything is bounded: a pop looks at no more than VQ_SIZE_MAX descriptors.
 *
 * Ring memory is reached through host pointers, found once and again after each change of the memory map (struct
 * vq_mem hears of those); where a ring is not one piece of RAM it is reached by DMA calls.
 * Main loop or vCPU thread, machine lock held. The guest may write to all of this memory at any moment.
 */
#ifndef HW_VIRTIO_VIRTQUEUE_H
#define HW_VIRTIO_VIRTQUEUE_H

#include "mem/dma.h"

enum {
    VQ_SIZE_MAX   = 1024,           /* largest ring, and longest chain (with an indirect table, too) */
    VQ_PIECES_MAX = VQ_SIZE_MAX + 64,   /* room in which any chain fits */
};

/* ---- guest memory as queues reach it: one for all queues of a device ---- */

struct vq_window {                  /* a stretch of RAM or ROM */
    uint64_t first, last;           /* guest addresses, inclusive; first > last: unused */
    uint8_t *host;                  /* of first */
    struct ram_block *ram;
    bool readonly;
};

enum { VQ_WINDOWS = 4 };

struct vq_mem {
    struct dma *dma;
    unsigned gen;                   /* changes with the memory map */
    unsigned next;                  /* window to replace */
    struct vq_window win[VQ_WINDOWS];
};

/** vq_mem_init() - @dma: borrowed; its address space must be set. Listens to that space until vq_mem_fini() */
void vq_mem_init(struct vq_mem *m, struct dma *dma);
/** vq_mem_fini() - also after no init (zeroed) */
void vq_mem_fini(struct vq_mem *m);

/* ---- elements ---- */

/* Room for pieces. Elements popped one after the other lie one behind the other: iov[0..used) is all of them. */
struct vq_pieces {
    unsigned used, max;
    struct iovec *iov;
    struct ram_block **ram;         /* what each piece lies in */
};

void vq_pieces_init(struct vq_pieces *p, unsigned max);
void vq_pieces_fini(struct vq_pieces *p);
static inline void vq_pieces_reset(struct vq_pieces *p)
{
    p->used = 0;
}

struct vq_elem {
    uint16_t id;                    /* head index (split) or buffer id (packed) */
    uint16_t ndesc;                 /* descriptors of the ring that it takes */
    uint16_t pos;                   /* where in the ring it was found, for vq_rewind() */
    uint16_t seq;                   /* its number among those popped, for in-order use */
    bool wrap;                      /* packed: wrap counter there */
    bool bad;                       /* not RAM, too long, or more pieces than @p holds at all: no pieces; push with 0 */
    uint16_t work;                  /* descriptors looked at, tables included: what a budget counts */
    uint16_t out_cnt, in_cnt;       /* pieces */
    uint32_t out_len, in_len;       /* bytes */
    struct iovec *out, *in;         /* readable pieces; writable pieces (in == out + out_cnt) */
    struct ram_block **in_ram;      /* what each writable piece lies in */
};

/* ---- the queue ---- */

enum vq_status {
    VQ_OK,
    VQ_EMPTY,                       /* nothing available; also: not set up, or bus mastering off */
    VQ_NO_ROOM,                     /* there is one but @p has not enough room left; it was not popped */
    VQ_BROKEN,                      /* stopped until the next vq_setup() */
};

enum vq_fault {                     /* why a queue broke; names: vq_fault_name() */
    VQ_FAULT_NONE,
    VQ_FAULT_SETUP,                 /* size 0, too large or (split) no power of two; area not aligned or wraps */
    VQ_FAULT_RING_DMA,              /* ring memory is not RAM */
    VQ_FAULT_AVAIL_JUMP,            /* available index is further ahead than the ring is long */
    VQ_FAULT_OVERFLOW,              /* more descriptors in flight than the ring has */
    VQ_FAULT_HEAD,                  /* head index not below the size */
    VQ_FAULT_NEXT,                  /* next index not below the size of its table */
    VQ_FAULT_LOOP,                  /* chain longer than its table: it loops */
    VQ_FAULT_TOO_LONG,              /* chain of more than VQ_SIZE_MAX descriptors */
    VQ_FAULT_ORDER,                 /* readable descriptor after a writable one */
    VQ_FAULT_ZERO_LEN,
    VQ_FAULT_INDIRECT_OFF,          /* indirect descriptor, not negotiated */
    VQ_FAULT_INDIRECT_NESTED,
    VQ_FAULT_INDIRECT_NEXT,         /* indirect descriptor with NEXT, or inside a packed chain */
    VQ_FAULT_INDIRECT_LEN,          /* table's length 0, not a multiple of 16, or too long */
    VQ_FAULT_INDIRECT_DMA,          /* table is not RAM */
    VQ_FAULTS,
};

const char *vq_fault_name(enum vq_fault f);

/* What vq_setup() takes over. 2.6: "driver area" is the available ring, or the driver's event suppression (packed) */
struct vq_layout {
    uint64_t desc, driver, device;
    uint16_t size;
    bool packed, event_idx, indirect, in_order, notify_on_empty;    /* as negotiated */
    bool legacy;                    /* areas were derived from a page number: no other check of their places */
};

/** vq_legacy_layout() - the three areas of a legacy queue that starts at @addr (2.7.2); l->size is set already */
void vq_legacy_layout(struct vq_layout *l, uint64_t addr);

struct vq_area {                    /* one of the three */
    uint64_t addr;
    uint32_t len;
    uint8_t *host;                  /* NULL: not one piece of RAM */
    struct ram_block *ram;
    uint64_t ram_off;
};

struct vq_order {                   /* VIRTIO_F_IN_ORDER: a popped element */
    uint16_t id, ndesc;
    uint32_t len;
    bool done;
};

struct virtqueue;
typedef void vq_broken_fn(void *opaque, struct virtqueue *vq);

struct virtqueue {
    struct vq_mem *mem;
    uint16_t index;                 /* which queue of the device */
    uint16_t size_max;
    vq_broken_fn *on_broken;
    void *opaque;

    bool running;                   /* set up and not broken */
    enum vq_fault fault;
    struct vq_layout l;
    unsigned gen;                   /* of mem, when the areas were last translated */
    struct vq_area desc, driver, device;

    /* guest-visible state: what a migration stream carries */
    uint16_t last_avail;            /* split: free running; packed: 0..size-1 */
    uint16_t used;                  /* next used entry: same */
    bool avail_wrap, used_wrap;     /* packed */
    uint16_t signalled;             /* used, when the driver's wish was last looked at; its wrap counter */
    bool signalled_wrap, signalled_valid;
    uint16_t in_flight;             /* descriptors popped and not yet flushed (split: chains) */

    uint16_t shadow_avail;          /* available index as last read */
    bool notify_on;                 /* we want the driver's notifications */
    bool flushed;                   /* something was published since vq_should_notify() */

    uint16_t pending;               /* pushed, not flushed: used entries; */
    uint16_t pending_desc;          /*   packed: descriptors */
    uint16_t pend_first;            /* packed: place of the first, whose flags make all visible */
    uint16_t pend_flags;

    uint16_t seq, seq_done;         /* elements popped; with in_order, all before seq_done are in the used ring */
    struct vq_order *order;         /* in_order: VQ_SIZE_MAX of them, by the low bits of seq */

    uint64_t popped, pushed, bad;   /* elements; counters for people */
    uint64_t notified, suppressed;  /* vq_should_notify() said yes, no */
};

/**
 * vq_init() - a stopped queue
 * @index:     of the queue in its device
 * @size_max:  1..VQ_SIZE_MAX
 * @on_broken: called once when a fault is found; may not free the queue. NULL: nobody is told
 */
void vq_init(struct virtqueue *vq, struct vq_mem *mem, uint16_t index, uint16_t size_max, vq_broken_fn *on_broken,
             void *opaque);
void vq_fini(struct virtqueue *vq);

/**
 * vq_setup() - start the queue from its beginning: indices 0, wrap counters 1
 * Return: false: VQ_FAULT_SETUP (the owner was told), the queue is stopped
 */
bool vq_setup(struct virtqueue *vq, const struct vq_layout *l);
/** vq_stop() - forget everything; elements that are out may be dropped, pushing them does nothing */
void vq_stop(struct virtqueue *vq);
/**
 * vq_restore() - after migration: as vq_setup(), then the position
 * A queue is saved with nothing in flight (what the device still holds it rewinds or finishes first), so that one
 * position says all: last_avail and, for packed rings, avail_wrap. Both come from a stream and are checked.
 * Return: false and *errp set: the queue is stopped
 */
bool vq_restore(struct virtqueue *vq, const struct vq_layout *l, uint16_t pos, bool wrap, Error **errp);

/**
 * vq_pop() - take the next available chain
 * @e: filled on VQ_OK only. @p: its pieces are appended. Pieces that touch in host memory become one.
 */
enum vq_status vq_pop(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p);
/**
 * vq_rewind() - @e and everything popped after it is available again, as if never popped
 * None of them may have been pushed. The caller resets its pieces (p->used = number before @e).
 */
void vq_rewind(struct virtqueue *vq, const struct vq_elem *e);
/**
 * vq_in_bytes() - writable bytes available, without taking anything; stops counting at @want
 * Looks at no more than @max_elems chains. @p: room, used as scratch from p->used on.
 */
uint64_t vq_in_bytes(struct virtqueue *vq, struct vq_pieces *p, uint64_t want, unsigned max_elems);
/** vq_empty() - nothing to pop at this moment; reads the guest's index only when our copy of it says empty */
bool vq_empty(struct virtqueue *vq);

/**
 * vq_push() - done with @e; the driver sees it after vq_flush()
 * @written: bytes written from the beginning of e->in; at most e->in_len counts. Their pages are noted as written.
 */
void vq_push(struct virtqueue *vq, const struct vq_elem *e, uint32_t written);
/** vq_flush() - publish everything that was pushed, at once; with nothing pushed it does nothing */
void vq_flush(struct virtqueue *vq);
/**
 * vq_should_notify() - does the driver want an interrupt for what was flushed since the last call? (2.7.7, 2.8.10)
 * Call once a batch, after vq_flush(); true means: interrupt now.
 */
bool vq_should_notify(struct virtqueue *vq);

/**
 * vq_set_notify() - ask for (or stop) notifications of the driver
 * @on: true: tell us of the next chain. Return: true when a chain is there already: its notification may never come, so
 *      the caller goes on popping. The check comes after the request, so that none is lost. Off: returns false.
 */
bool vq_set_notify(struct virtqueue *vq, bool on);

/** vq_drain() - pop up to @max chains and give them back unused; Return: how many. Flushes. */
unsigned vq_drain(struct virtqueue *vq, struct vq_pieces *p, unsigned max);

#endif
