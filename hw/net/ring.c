/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/ring.c - descriptor rings: wrap, bounds, faults
 *
 * Invariants while running: head, next and tail < count; next lies between head and tail; the ahead_n descriptors in
 * ahead[] are those at next, next + 1, ..., and none of them is past tail or the end of the ring.
 */
#include "hw/net/ring.h"

#include <glib.h>
#include <string.h>

bool ring_setup(struct desc_ring *r, struct dma *dma, uint64_t base, uint32_t bytes, uint16_t desc_size, uint32_t head,
                uint32_t tail)
{
    uint32_t count = bytes / desc_size;

    r->dma = dma;
    r->base = base;
    r->count = count;
    r->desc_size = desc_size;
    r->head = r->next = head;
    r->tail = tail;
    r->ahead_n = 0;
    r->running = desc_size <= RING_DESC_MAX && head < count && tail < count;
    return r->running;
}

bool ring_set_tail(struct desc_ring *r, uint32_t tail)
{
    r->tail = tail;
    if (tail >= r->count) {
        r->running = false;
    } else if (r->ahead_n > ring_ready(r)) {
        r->ahead_n = 0;             /* the guest takes descriptors back */
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

/* Read as many descriptors as one piece of memory and ahead[] hold; if that fails, the first one alone */
static bool fetch(struct desc_ring *r)
{
    uint32_t n = MIN(ring_ready(r), MIN(r->count - r->next, RING_AHEAD_BYTES / r->desc_size));
    uint64_t addr = r->base + (uint64_t)r->next * r->desc_size;

    r->ahead_at = 0;
    r->ahead_n = n;
    if (!dma_read(r->dma, addr, r->ahead, (size_t)n * r->desc_size)) {
        r->ahead_n = 1;
        return n > 1 && dma_read(r->dma, addr, r->ahead, r->desc_size);
    }
    return true;
}

enum ring_status ring_pop(struct desc_ring *r, void *out)
{
    if (!r->running) {
        return RING_FAULT;
    }
    if (r->next == r->tail) {
        return RING_EMPTY;
    }
    if (!r->ahead_n && !fetch(r)) {
        r->running = false;
        r->ahead_n = 0;
        return RING_FAULT;
    }
    memcpy(out, r->ahead + r->ahead_at * r->desc_size, r->desc_size);
    r->ahead_at++;
    r->ahead_n--;
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
