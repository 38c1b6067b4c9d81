/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/ring.c - descriptor rings: wrap, bounds, faults
 *
 * Invariant while running: head, next and tail < count, and next lies between head and tail.
 */
#include "hw/net/ring.h"

#include <glib.h>

bool ring_setup(struct desc_ring *r, struct dma *dma, uint64_t base, uint32_t bytes, uint16_t desc_size, uint32_t head,
                uint32_t tail)
{
    uint32_t count = bytes / desc_size;

    *r = (struct desc_ring){ .dma = dma, .base = base, .count = count, .desc_size = desc_size,
                             .head = head, .next = head, .tail = tail };
    r->running = head < count && tail < count;
    return r->running;
}

bool ring_set_tail(struct desc_ring *r, uint32_t tail)
{
    r->tail = tail;
    if (tail >= r->count) {
        r->running = false;
    }
    return r->running;
}

void ring_stop(struct desc_ring *r)
{
    r->running = false;
}

unsigned ring_budget(const struct desc_ring *r)
{
    return MIN(r->count, RING_BUDGET_MAX / 2) * 2;
}

enum ring_status ring_pop(struct desc_ring *r, void *out)
{
    if (!r->running) {
        return RING_FAULT;
    }
    if (r->next == r->tail) {
        return RING_EMPTY;
    }
    if (!dma_read(r->dma, r->base + (uint64_t)r->next * r->desc_size, out, r->desc_size)) {
        r->running = false;
        return RING_FAULT;
    }
    r->next = r->next + 1 == r->count ? 0 : r->next + 1;
    return RING_OK;
}

bool ring_put(struct desc_ring *r, uint32_t idx, unsigned off, const void *buf, unsigned len)
{
    if (idx >= r->count || off + len > r->desc_size ||
        !dma_write(r->dma, r->base + (uint64_t)idx * r->desc_size + off, buf, len)) {
        r->running = false;
        return false;
    }
    return true;
}
