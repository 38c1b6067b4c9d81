/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtqueue_split.c - split virtqueues (VIRTIO 1.3, 2.7)
 *
 *   desc:   size descriptors, linked by next          the driver writes
 *   driver: flags, idx, ring[size] of heads, used_event          the driver writes
 *   device: flags, idx, ring[size] of {id, len}, avail_event     we write
 *
 * Indices run freely in 16 bits; size is a power of two. last_avail is the next entry to take, used the index that we
 * published, used + pending the next entry to fill.
 * Invariant while running: (uint16_t)(shadow_avail - last_avail) <= size, in_flight <= size, pending <= in_flight.
 */
#include "vq_internal.h"

static inline uint32_t avail_event_off(const struct virtqueue *vq)
{
    return RING_ENTRIES + USED_ENTRY * vq->l.size;
}

static inline uint32_t used_event_off(const struct virtqueue *vq)
{
    return RING_ENTRIES + AVAIL_ENTRY * vq->l.size;
}

/* Read the driver's index; false: nothing new, or the queue broke */
static bool refresh(struct virtqueue *vq)
{
    uint16_t idx, ahead;

    if (!area_ld16(vq, &vq->driver, RING_IDX, &idx)) {
        return false;
    }
    ahead = idx - vq->last_avail;
    if (unlikely(ahead > vq->l.size)) {
        vq_break(vq, VQ_FAULT_AVAIL_JUMP);
        return false;
    }
    vq->shadow_avail = idx;
    return ahead != 0;
}

bool split_empty(struct virtqueue *vq)
{
    return vq->shadow_avail == vq->last_avail && !refresh(vq);
}

static enum vq_fault walk(struct virtqueue *vq, struct vq_chain *c, uint16_t head)
{
    uint16_t idx = head;

    for (unsigned n = 0; n < vq->l.size; n++) {
        struct split_desc_wire w;
        struct vq_desc d;
        enum vq_fault f;

        if (!area_desc(vq, &vq->desc, idx, &w)) {
            return VQ_FAULT_RING_DMA;
        }
        d = split_desc_decode(&w);
        if (d.flags & DESC_F_INDIRECT) {        /* ends the chain: 2.7.5.3.1 */
            return d.flags & DESC_F_NEXT ? VQ_FAULT_INDIRECT_NEXT : vq_chain_indirect(c, &d, true);
        }
        f = vq_chain_add(c, &d);
        if (f || !(d.flags & DESC_F_NEXT)) {
            return f;
        }
        idx = d.next;
        if (idx >= vq->l.size) {
            return VQ_FAULT_NEXT;
        }
    }
    return VQ_FAULT_LOOP;
}

enum vq_status split_pop(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p)
{
    struct vq_chain c = { .vq = vq, .p = p, .start = p->used, .dir_start = p->used };
    enum vq_status st;
    enum vq_fault f;
    uint16_t head;

    if (split_empty(vq)) {
        return vq->running ? VQ_EMPTY : VQ_BROKEN;
    }
    if (unlikely(vq->in_flight >= vq->l.size)) {
        return vq_break(vq, VQ_FAULT_OVERFLOW);
    }
    if (!area_ld16(vq, &vq->driver, RING_ENTRIES + AVAIL_ENTRY * (vq->last_avail & (vq->l.size - 1)), &head)) {
        return VQ_BROKEN;
    }
    f = head < vq->l.size ? walk(vq, &c, head) : VQ_FAULT_HEAD;
    if (unlikely(f)) {
        p->used = c.start;
        return vq_break(vq, f);
    }
    st = vq_chain_end(&c, e);
    if (st == VQ_OK) {
        e->id = head;
        e->ndesc = 1;
        e->pos = vq->last_avail++;
        e->wrap = false;
        vq->in_flight++;
    }
    return st;
}

void split_rewind(struct virtqueue *vq, const struct vq_elem *e)
{
    vq->in_flight -= (uint16_t)(vq->last_avail - e->pos);
    vq->last_avail = e->pos;
}

void split_put(struct virtqueue *vq, uint16_t id, uint32_t len)
{
    uint32_t off = RING_ENTRIES + USED_ENTRY * ((uint16_t)(vq->used + vq->pending) & (vq->l.size - 1));
    struct split_used_wire w = { le32_of(id), le32_of(len) };

    if (likely(vq->device.host)) {
        memcpy(vq->device.host + off, &w, sizeof(w));
    } else if (!vq_area_write_slow(vq, &vq->device, off, &w, sizeof(w))) {
        return;
    }
    vq->pending++;
}

void split_flush(struct virtqueue *vq)
{
    uint16_t n = vq->pending, first = vq->used & (vq->l.size - 1);

    if (likely(vq->device.host)) {              /* else dma_write() has noted it */
        uint16_t tail = MIN(n, vq->l.size - first);

        ram_written(vq->device.ram, vq->device.ram_off + RING_ENTRIES + USED_ENTRY * first, USED_ENTRY * tail);
        if (n > tail) {
            ram_written(vq->device.ram, vq->device.ram_off + RING_ENTRIES, USED_ENTRY * (n - tail));
        }
    }
    if (area_st16(vq, &vq->device, RING_IDX, (uint16_t)(vq->used + n))) {
        vq->used += n;
        vq->in_flight -= n;
        vq->pending = 0;
    }
}

/* 2.7.7.2, 2.7.10 */
bool split_wants_interrupt(struct virtqueue *vq)
{
    uint16_t old = vq->signalled, event, flags;
    bool valid = vq->signalled_valid;

    vq->signalled = vq->used;
    vq->signalled_valid = true;
    if (vq->l.notify_on_empty && !vq->in_flight && split_empty(vq)) {
        return true;
    }
    if (!vq->running) {
        return false;
    }
    if (vq->l.event_idx) {
        return area_ld16(vq, &vq->driver, used_event_off(vq), &event) &&
               (!valid || (uint16_t)(vq->used - event - 1) < (uint16_t)(vq->used - old));
    }
    return area_ld16(vq, &vq->driver, RING_FLAGS, &flags) && !(flags & AVAIL_F_NO_INTERRUPT);
}

/* With an event index "off" needs no write: it names an entry that the driver has passed, or passes once */
void split_set_notify(struct virtqueue *vq, bool on)
{
    if (!vq->l.event_idx) {
        if (on != vq->notify_on) {
            area_st16(vq, &vq->device, RING_FLAGS, on ? 0 : USED_F_NO_NOTIFY);
        }
    } else if (on) {
        area_st16(vq, &vq->device, avail_event_off(vq), vq->last_avail);
    }
}
