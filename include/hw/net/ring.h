/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/ring.h - a ring of descriptors in guest memory, seen from the device
 *
 *     base              head            next           tail
 *      |  free          | fetched, not  | ready for    |  free
 *      v                v published     v the device   v
 *      [..............][................][.............][.......]
 *
 * The device fetches at next and, when it is done with what it fetched, publishes: head = next. The guest owns tail.
 * head == tail: the ring is empty. Nothing the guest writes makes the device leave the ring or loop: ring_setup()
 * refuses what is out of range, and a ring that was refused or whose memory is gone stays stopped until it is set up
 * again. Descriptors are fetched ahead, as the hardware does: several with one read, never past tail, each once.
 * Main loop or vCPU thread, machine lock held.
 */
#ifndef HW_NET_RING_H
#define HW_NET_RING_H

#include "mem/dma.h"

enum ring_status {
    RING_OK,
    RING_EMPTY,
    RING_FAULT,             /* not RAM, or not set up */
};

enum { RING_BUDGET_MAX = 512, RING_AHEAD_BYTES = 512, RING_DESC_MAX = 64 };

struct desc_ring {
    struct dma *dma;
    uint64_t base;
    uint32_t count;         /* descriptors */
    uint32_t head, next, tail;
    uint16_t desc_size;     /* bytes, up to RING_DESC_MAX */
    bool running;           /* false: stopped until ring_setup() */
    uint16_t ahead_at, ahead_n;             /* descriptors from next on that are in ahead[] already */
    uint8_t ahead[RING_AHEAD_BYTES];
};

/**
 * ring_setup() - take over base, length and the two indices as the guest's registers have them
 * @bytes: length of the ring; what is left over of a descriptor does not count
 * Return: false: empty ring, or head or tail outside it; the ring is stopped
 */
bool ring_setup(struct desc_ring *r, struct dma *dma, uint64_t base, uint32_t bytes, uint16_t desc_size, uint32_t head,
                uint32_t tail);
/** ring_set_tail() - the guest has moved its end; false: outside the ring, which is stopped */
bool ring_set_tail(struct desc_ring *r, uint32_t tail);
void ring_stop(struct desc_ring *r);

/** ring_ready() - descriptors that ring_pop() can fetch before it says RING_EMPTY */
static inline uint32_t ring_ready(const struct desc_ring *r)
{
    if (!r->running) {
        return 0;
    }
    return r->tail >= r->next ? r->tail - r->next : r->tail + r->count - r->next;
}

/** ring_budget() - descriptors that one callback may handle before it yields: twice the ring, at most RING_BUDGET_MAX */
unsigned ring_budget(const struct desc_ring *r);

/**
 * ring_pop() - copy the next descriptor out of guest memory
 * @out: receives desc_size bytes
 *
 * The only read of that descriptor: the guest may rewrite it at any moment. Does not publish the new head; see
 * ring_publish().
 * Return: RING_OK, RING_EMPTY, or RING_FAULT (not RAM; the ring stays stopped until the next ring_setup()).
 */
enum ring_status ring_pop(struct desc_ring *r, void *out);
/** ring_last() - index of the descriptor that ring_pop() has returned last */
static inline uint32_t ring_last(const struct desc_ring *r)
{
    return r->next ? r->next - 1 : r->count - 1;
}
/** ring_unpop() - fetch from the published head again */
static inline void ring_unpop(struct desc_ring *r)
{
    r->next = r->head;
    r->ahead_n = 0;
}
/** ring_put() - write @len bytes back at @off of descriptor @idx; false: not RAM (the ring stops), or outside of it */
bool ring_put(struct desc_ring *r, uint32_t idx, unsigned off, const void *buf, unsigned len);
/** ring_publish() - all that was fetched is done: head = next */
static inline void ring_publish(struct desc_ring *r)
{
    r->head = r->next;
}

#endif
